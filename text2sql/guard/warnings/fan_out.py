"""Rows of one table that joins repeat under SUM or AVG, by the keys that are known."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.derived import group_names
from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.guard.scope import Scope, Source
from text2sql.types import Warn

Edges = dict[int, dict[int, set[str]]]
"""id of a source -> id of another -> the columns of that other which are set equal to columns of the first."""


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each aggregate over repeated rows, however many joins away they are repeated."""
    for scope in looking.joining():
        found: dict[int, Source | None] = {}
        for aggregate in scope.aggregates:
            inner = aggregate.find(exp.Sum, exp.Avg)
            if inner is None or isinstance(inner.this, exp.Distinct | exp.Star):
                continue
            bound = [looking.bound(column) for column in inner.find_all(exp.Column)]
            sources = {id(b.source): b.source for b in bound if b is not None and b.scope is scope}
            if len(sources) != 1:
                continue  # a product of two tables' columns is of the joined rows
            source = next(iter(sources.values()))
            if id(source) not in found:
                found[id(source)] = _repeating(looking, source, scope)
            other = found[id(source)]
            if other is not None:
                yield Warn(
                    "fan_out",
                    f"Joining {other.alias} repeats rows of {source.alias} under {inner.key.upper()}. "
                    f"Aggregate before joining, or ask whether {other.alias} exists.",
                    position(inner, looking.facts.sql),
                    source.alias,
                )


def _repeating(looking: Looking, source: Source, scope: Scope) -> Source | None:
    """The first source, going out along joins, that is joined by columns known not to be unique on its side."""
    edges, fixed = _edges(looking, scope), _fixed(looking, scope)
    ahead, seen = [source], {id(source)}
    known = {id(s): s for s in scope.sources}
    while ahead:
        at = ahead.pop(0)
        for number, names in edges.get(id(at), {}).items():
            if number in seen:
                continue
            seen.add(number)
            other = known[number]
            keys = _keys(looking, other)
            if keys and not any(key <= names | fixed.get(number, set()) for key in keys):
                return other
            ahead.append(other)
    return None


def _edges(looking: Looking, scope: Scope) -> Edges:
    edges: Edges = {}
    for link in looking.links(scope):
        for one, other in ((link.left, link.right), (link.right, link.left)):
            edges.setdefault(id(one.source), {}).setdefault(id(other.source), set()).add(
                other.field.name.casefold()
            )
    return edges


def _fixed(looking: Looking, scope: Scope) -> dict[int, set[str]]:
    """Columns that a condition sets equal to one value: they tell no rows apart."""
    fixed: dict[int, set[str]] = {}
    for node in looking.comparisons(scope):
        if isinstance(node, exp.EQ):
            for one, other in ((node.this, node.expression), (node.expression, node.this)):
                binding = looking.bound(one.unnest())
                if binding is not None and looking.bound(other.unnest()) is None:
                    fixed.setdefault(id(binding.source), set()).add(binding.field.name.casefold())
    return fixed


def _keys(looking: Looking, source: Source) -> list[frozenset[str]]:
    """What tells the rows of a source apart, folded; nothing where that is not known."""
    if source.table is not None:
        keys = (source.table.primary_key, *source.table.unique)
        return [frozenset(name.casefold() for name in key) for key in keys if key]
    scope = looking.derived.of(source)
    names = group_names(scope, source.fields) if scope is not None else None
    return [frozenset(name.casefold() for name in names)] if names else []
