"""A big table of events read from its first day to its last: no condition says which time is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlglot import exp

from text2sql.guard.looking import Looking, conditions, keys_alone
from text2sql.guard.refusal import position
from text2sql.guard.scope import Scan, Scope
from text2sql.types import Column, Table, Warn

BIG = 1_000_000
"""Rows from which reading all of them is worth a word."""
_PARTITIONED = re.compile(r"partition(?:ed)?[ _]by[\s:(]+[\"`]?(\w+)", re.IGNORECASE)
"""How comments of catalogues say it."""
_TIMES = ("date", "timestamp")


def find(looking: Looking) -> Iterator[Warn]:
    """One warning, soft, for each big or partitioned table that no condition narrows by time or to single rows."""
    for scan in looking.facts.scans:
        rows = _rows(looking, scan.table)
        seen = {column.name.casefold(): column for column in looking.tables.columns(scan.table)}
        times = _times(scan.table, rows, seen)
        if not times or _narrowed(looking, scan, times):
            continue
        size = f"has {rows:,} rows" if rows else "is partitioned"
        yield Warn(
            "no_time_bound",
            f"{scan.source.alias} {size}, and no condition says from when: all of it is read. "
            f"Narrow {min(times.values())} to the period that is meant.",
            position(scan.node, looking.facts.sql),
            scan.source.alias,
            tuple(sorted(times.values())),
        )


def _rows(looking: Looking, table: Table) -> int | None:
    """How many rows the table has, where the caller sees them all; else it would tell of those of others."""
    grants = looking.tables.grants(table)
    return table.rows if grants is None or any(grant.predicate is None for grant in grants) else None


def _times(table: Table, rows: int | None, seen: Mapping[str, Column]) -> dict[str, str]:
    """Folded names of the columns that tell when, of a table that is worth narrowing by them."""
    by = _PARTITIONED.search(table.comment) if table.comment else None
    if by is not None and by.group(1).casefold() in seen:
        return {by.group(1).casefold(): by.group(1)}
    if (rows or 0) < BIG or table.kind == "view":
        return {}
    return {column.name.casefold(): column.name for column in seen.values() if _time(column)}


def _time(column: Column) -> bool:
    return column.family in _TIMES


def _narrowed(looking: Looking, scan: Scan, times: dict[str, str]) -> bool:
    """Whether a condition anywhere names the time of this scan, or sets a key of it equal to something."""
    alone = keys_alone(scan.table)
    for scope in looking.facts.scopes:
        for column in _conditioned(scope):
            bound = looking.bound(column)
            if bound is None or bound.field.column is None or bound.field.table is not scan.table:
                continue
            name = bound.field.column.name.casefold()
            if name in times:
                return True
            if name in alone and isinstance(column.parent, exp.EQ | exp.In) and _constant(column.parent):
                return True
    return False


def _conditioned(scope: Scope) -> Iterator[exp.Column]:
    for clause in conditions(scope):
        yield from clause.find_all(exp.Column)


def _constant(node: exp.Expr) -> bool:
    others = node.expressions if isinstance(node, exp.In) else [node.this, node.expression]
    return any(isinstance(other.unnest(), exp.Literal | exp.Placeholder | exp.Parameter) for other in others)
