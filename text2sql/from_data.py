"""Whether a query's rows come from the data at all: `SELECT 987654 AS revenue` is a figure that somebody made up."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from text2sql.types import Dialect

_DERIVED = (exp.Column, exp.Star, exp.AggFunc, exp.Query)


def from_data(sql: str, dialect: Dialect) -> bool:
    """False for a query that reads no table, or whose every column is written out in it. True where it does not parse.

    A label beside a figure ("2025" AS year, SUM(…)) is fine; whether a figure is the right one is not judged here.
    """
    try:
        tree = parse_one(sql, dialect=dialect)
    except SqlglotError:
        return True
    common = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    read = (
        table
        for table in tree.find_all(exp.Table)
        if isinstance(table.this, exp.Identifier) and (table.db or table.name.casefold() not in common)
    )
    if next(read, None) is None:
        return False
    parts = list(_parts(tree))
    return not parts or any(each.find(*_DERIVED) for select in parts for each in select.expressions)


def _parts(tree: exp.Expr) -> Iterator[exp.Select]:
    """The selects whose columns the result has: those of every part of a UNION."""
    waiting: list[exp.Expr | None] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Select):
            yield node
        elif isinstance(node, exp.SetOperation):
            waiting += [node.left, node.right]
        elif isinstance(node, exp.Subquery):
            waiting.append(node.this)
