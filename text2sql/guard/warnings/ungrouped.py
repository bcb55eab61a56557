"""A column beside aggregates that neither GROUP BY nor a key settles: one of its values is shown, whichever comes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.guard.scope import Binding, Scope, Source
from text2sql.types import Warn

Known = set[tuple[int, str]]


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each column that keys do not settle. Soft where the data of today does."""
    settled: dict[int, tuple[Known, Known]] = {}
    for column in looking.ungrouped:
        binding = looking.bound(column)
        if binding is not None:
            scope = binding.scope
            if id(scope) not in settled:
                grouped = _grouped(looking, scope)
                settled[id(scope)] = (
                    _closure(looking, scope, grouped, by_data=False),
                    _closure(looking, scope, grouped, by_data=True),
                )
            by_key, by_data = settled[id(scope)]
            place = (id(binding.source), binding.field.name)
            if place in by_key:
                continue
            yield _warning(looking, column, hard=place not in by_data)
        else:
            yield _warning(looking, column, hard=True)


def _warning(looking: Looking, column: exp.Expr, *, hard: bool) -> Warn:
    return Warn(
        "ungrouped",
        f"{column.sql()} is neither grouped nor aggregated: one of its values is shown, whichever comes. "
        "Group by it, or aggregate it.",
        position(column, looking.facts.sql),
        column.sql(),
        severity="hard" if hard else "soft",
    )


def _grouped(looking: Looking, scope: Scope) -> Known:
    """The columns that are grouped, named by position or alias too, and those set equal to a constant."""
    known: Known = set()
    group = scope.select.args.get("group")
    for item in group.expressions if group is not None else ():
        node = item.unnest()
        if isinstance(node, exp.Literal) and node.name.isdigit():
            chosen = scope.select.expressions[int(node.name) - 1 : int(node.name)]
            node = chosen[0].unalias() if chosen else node
        node = looking.facts.aliases.get(id(node), node)
        binding = looking.bound(node)
        if binding is not None:
            known.add((id(binding.source), binding.field.name))
    where = scope.select.args.get("where")
    for node in (
        where.this.flatten()
        if where is not None and isinstance(where.this, exp.And)
        else ([where.this] if where is not None else [])
    ):
        equal = node.unnest()
        if isinstance(equal, exp.EQ):
            for one, other in ((equal.this, equal.expression), (equal.expression, equal.this)):
                binding = looking.bound(one)
                if binding is not None and isinstance(other, exp.Literal):
                    known.add((id(binding.source), binding.field.name))
    return known


def _closure(looking: Looking, scope: Scope, grouped: Known, *, by_data: bool) -> Known:
    """All that is settled by what is: the table of a whole key, and columns that joins set equal."""
    known = set(grouped)
    links = [link for link in looking.links(scope) if link.must]
    while True:
        before = len(known)
        for source in scope.sources:
            if _has_key(looking, source, scope, known, by_data=by_data):
                known.update((id(source), field.name) for field in source.fields)
        for link in links:
            for one, other in ((link.left, link.right), (link.right, link.left)):
                if (id(one.source), one.field.name) in known:
                    known.add((id(other.source), other.field.name))
        if len(known) == before:
            return known


def _has_key(looking: Looking, source: Source, scope: Scope, known: Known, *, by_data: bool) -> bool:
    table = source.table
    if table is None:
        return False
    held = {
        field.column.name.casefold()
        for field in source.fields
        if field.column is not None and (id(source), field.name) in known
    }
    keys = (table.primary_key, *table.unique)
    if any(key and held.issuperset(n.casefold() for n in key) for key in keys):
        return True
    return by_data and any(
        looking.unique(Binding(scope, source, field))
        for field in source.fields
        if (id(source), field.name) in known
    )
