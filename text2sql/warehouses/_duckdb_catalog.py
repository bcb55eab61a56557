"""Tables, columns, keys and comments of a DuckDB database, from its `duckdb_*()` functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from text2sql.families import family
from text2sql.profiling import Query
from text2sql.types import Catalog, Column, ForeignKey, Table
from text2sql.warehouses._catalog import finished

_OURS = "NOT internal AND database_name = current_database()"
_RELATIONS = f"""
SELECT schema_name, table_name AS name, coalesce(comment, ''), 'table', estimated_size
FROM duckdb_tables() WHERE {_OURS} AND NOT temporary
UNION ALL
SELECT schema_name, view_name AS name, coalesce(comment, ''), 'view', NULL
FROM duckdb_views() WHERE {_OURS} AND NOT temporary
ORDER BY 1, 2"""  # noqa: S608 - constant text
_COLUMNS = f"""
SELECT schema_name, table_name, column_name, data_type, is_nullable, coalesce(comment, '')
FROM duckdb_columns() WHERE {_OURS} ORDER BY schema_name, table_name, column_index"""  # noqa: S608 - constant text
_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table, referenced_column_names
FROM duckdb_constraints()
WHERE database_name = current_database() AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
ORDER BY schema_name, table_name, constraint_index"""

_Key = tuple[str, str]


def read_catalog(query: Query, *, infer: bool) -> Catalog:
    """Read everything a caller could name; `query` runs a statement and returns its rows."""
    columns: dict[_Key, list[Column]] = defaultdict(list)
    for schema, table, name, kind, nullable, comment in query(_COLUMNS):
        columns[schema, table].append(Column(name, kind, family(kind), bool(nullable), comment))
    keys: dict[_Key, list[tuple[Any, ...]]] = defaultdict(list)
    for schema, table, *constraint in query(_CONSTRAINTS):
        keys[schema, table].append(tuple(constraint))
    tables = [
        _table(row, columns[row[0], row[1]], keys[row[0], row[1]])
        for row in query(_RELATIONS)
        if columns[row[0], row[1]]
    ]
    database = str(query("SELECT current_database()")[0][0])
    return finished("duckdb", tables, query, default_schema="main", default_catalog=database, infer=infer)


def _table(row: tuple[Any, ...], columns: list[Column], constraints: Iterable[tuple[Any, ...]]) -> Table:
    schema, name, comment, kind, size = row
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = []
    foreign: list[ForeignKey] = []
    for constraint, own, other, referred in constraints:
        if constraint == "PRIMARY KEY":
            primary = tuple(own)
        elif constraint == "UNIQUE":
            unique.append(tuple(own))
        else:
            foreign.append(ForeignKey(tuple(own), f"{schema}.{other}", tuple(referred)))
    return Table(
        name=name,
        columns=tuple(columns),
        schema=schema,
        primary_key=primary,
        unique=tuple(unique),
        foreign_keys=tuple(foreign),
        rows=size,
        comment=comment,
        kind=kind,
    )
