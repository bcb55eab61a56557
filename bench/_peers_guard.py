"""Peers of the guard: whatever from PyPI looks at a statement before it runs, without a model and without a server."""

from __future__ import annotations

import importlib.metadata
import logging
import sys
from collections.abc import Callable, Mapping
from types import ModuleType

from bench._rounds import PeerMissing, versions
from text2sql.types import Catalog

Passes = Callable[[str], bool]
"""Whether a statement may run."""


def postgres_mcp(_catalog: Catalog) -> Passes:
    """SafeSqlDriver's check: PostgreSQL's own grammar, lists of nodes and functions. It knows no catalogue."""
    # Its package imports a whole server on import; the check is loaded from its folder without that.
    folder = importlib.metadata.distribution("postgres-mcp").locate_file("postgres_mcp")
    for name, path in (("postgres_mcp", str(folder)), ("postgres_mcp.sql", f"{folder}/sql")):
        if name not in sys.modules:
            package = ModuleType(name)
            package.__path__ = [path]
            sys.modules[name] = package
    from postgres_mcp.sql.safe_sql import SafeSqlDriver

    driver = SafeSqlDriver(None)

    def passes(sql: str) -> bool:
        try:
            driver._validate(sql)  # noqa: SLF001 - what `execute_query` calls before it runs anything
        except ValueError:
            return False
        return True

    return passes


def sql_data_guard(catalog: Catalog) -> Passes:
    """verify_sql with every table and column of the catalogue allowed."""
    from sql_data_guard import verify_sql

    logging.getLogger().addHandler(logging.NullHandler())  # it reports what it refuses to the root logger
    tables = [
        {"table_name": table.name, "columns": [column.name for column in table.columns]}
        for table in catalog.tables
    ]
    dialect = catalog.dialect

    def passes(sql: str) -> bool:
        try:
            return bool(verify_sql(sql, {"tables": tables}, dialect)["allowed"])
        except Exception:  # noqa: BLE001 - it raises many things on statements it does not expect; none may run
            return False

    return passes


def sqlglot_floor(catalog: Catalog) -> Passes:
    """The floor: one parsed statement with a query on top, whose columns qualify against the catalogue."""
    import sqlglot
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.schema import MappingSchema

    columns = {table.name: {column.name: column.type for column in table.columns} for table in catalog.tables}
    dialect = catalog.dialect
    schema = MappingSchema(columns, dialect=dialect)

    def passes(sql: str) -> bool:
        try:
            (tree,) = sqlglot.parse(sql, dialect=dialect)
            if not isinstance(tree, sqlglot.exp.Query):
                return False
            qualify(tree, schema=schema, dialect=dialect)
        except (SqlglotError, ValueError):
            return False
        return True

    return passes


PEERS: Mapping[str, tuple[tuple[str, ...], Callable[[Catalog], Passes]]] = {
    "sqlglot parse+qualify": (("sqlglot",), sqlglot_floor),
    "postgres-mcp": (("postgres-mcp", "pglast"), postgres_mcp),
    "sql-data-guard": (("sql-data-guard",), sql_data_guard),
}


def installed(catalog: Catalog) -> tuple[dict[str, Passes], dict[str, str], dict[str, str]]:
    """The peers ready for this catalogue, their versions, and why the others are not measured."""
    ready: dict[str, Passes] = {}
    here: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name, (packages, build) in PEERS.items():
        try:
            version = versions(*packages)
            ready[name] = build(catalog)
            here[name] = version
        except (PeerMissing, ImportError) as reason:
            missing[name] = str(reason)
    return ready, here, missing
