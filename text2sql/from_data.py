"""Whether a query's rows come from the data at all: `SELECT 987654 AS revenue` is a figure that somebody made up."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from text2sql.types import Dialect

_DERIVED = (exp.Column, exp.Star, exp.AggFunc, exp.Query)
_SMALL = 31
_YEARS = (1900, 2100)


def from_data(sql: str, dialect: Dialect) -> bool:
    """False for a query that reads no table, whose every column is written out in it, or that writes out a figure.

    A label beside a figure (2025 AS year, SUM(…)) is fine; whether a figure is the right one is not judged here.
    True where it does not parse.
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
    columns = [column for select in _parts(tree) for column in select.expressions]
    read_out = [column.find(*_DERIVED) is not None for column in columns]
    written = [column for column, derived in zip(columns, read_out, strict=True) if not derived]
    return not columns or (any(read_out) and not any(_figure(column) for column in written))


def _figure(column: exp.Expr) -> bool:
    """Whether it holds a number that is neither a year nor as small as the number of a group, month or day."""
    for literal in column.find_all(exp.Literal):
        if literal.is_string:
            continue
        try:
            value = float(literal.name)
        except ValueError:
            return True
        if not (value <= _SMALL or _YEARS[0] <= value <= _YEARS[1]):
            return True
    return False


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
