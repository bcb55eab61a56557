"""Rows of one table that a join repeats under SUM or AVG, by the keys that are known."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Link, Looking
from text2sql.guard.refusal import position
from text2sql.guard.scope import Scope, Source
from text2sql.types import Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each aggregate over repeated rows."""
    for scope in looking.joining():
        links = looking.links(scope)
        for aggregate in scope.aggregates:
            inner = aggregate.find(exp.Sum, exp.Avg)
            if inner is None or isinstance(inner.this, exp.Distinct | exp.Star):
                continue
            bound = looking.bound(next(inner.find_all(exp.Column), None))
            other = _repeating(bound.source, scope, links) if bound is not None else None
            if bound is not None and other is not None:
                yield Warn(
                    "fan_out",
                    f"Joining {other.alias} repeats rows of {bound.source.alias} under {inner.key.upper()}. "
                    f"Aggregate before joining, or ask whether {other.alias} exists.",
                    position(inner, looking.facts.sql),
                    bound.source.alias,
                )


def _repeating(source: Source, scope: Scope, links: list[Link]) -> Source | None:
    """A source joined to this one by columns that are known not to be unique on its side."""
    for other in scope.sources:
        if other is source or other.table is None or not (other.table.primary_key or other.table.unique):
            continue
        on = set()
        for link in links:
            sides = {id(link.left.source): link.left, id(link.right.source): link.right}
            if sides.keys() == {id(source), id(other)}:
                on.add(sides[id(other)].field.name)
        keys = (other.table.primary_key, *other.table.unique)
        folded = {name.casefold() for name in on}
        if on and not any(key and folded.issuperset(n.casefold() for n in key) for key in keys):
            return other
    return None
