"""Which tables a gold statement reads: its table names without those that it defines itself."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import ParseError, TokenError
from sqlglot.optimizer.scope import traverse_scope


def gold_tables(sql: str, dialect: str) -> frozenset[str]:
    """Names in lower case, without schemas; empty where the text does not parse or reads no table.

    The name of a CTE counts as a table where it is not in scope (`WITH t AS (SELECT … FROM t)` reads the table `t`).
    """
    try:
        tree = parse_one(sql, read=dialect)
    except (ParseError, TokenError, RecursionError):
        return frozenset()
    try:
        found = [
            source
            for scope in traverse_scope(tree)
            for source in scope.sources.values()
            if isinstance(source, exp.Table)
        ]
    except Exception:  # noqa: BLE001 - whatever the scopes of a foreign statement are, its names can be read
        own = {cte.alias_or_name.casefold() for cte in tree.find_all(exp.CTE)}
        found = [table for table in tree.find_all(exp.Table) if table.name.casefold() not in own]
    return frozenset(table.name.casefold() for table in found if table.name)
