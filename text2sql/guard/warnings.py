"""Step 8: what may run and still be wrong, as far as names, keys and profiles tell. Warnings never refuse.

Cheap and sure ones only: an ungrouped column; a text compared with a value its column does not hold; tables
that nothing joins; rows of one table multiplied by a join under SUM, AVG or COUNT.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.refusal import instead, nearest, position
from text2sql.guard.scope import Binding, Facts, Scope, Source
from text2sql.guard.tables import Tables
from text2sql.types import Warn

_COMPARED = (exp.EQ, exp.In)
_MULTIPLIED = (exp.Sum, exp.Avg, exp.Count)
_JOINING = (
    exp.EQ,
    exp.NullSafeEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Like,
    exp.Between,
    exp.In,
    exp.Func,
    exp.NEQ,
)


def warnings_for(facts: Facts, tables: Tables, ungrouped: list[exp.Expr]) -> tuple[Warn, ...]:
    """The warnings of a statement that resolves."""
    found = [
        Warn(
            "ungrouped",
            f"{column.sql()} is neither grouped nor aggregated: one of its values is shown, whichever comes.",
            position(column, facts.sql),
            column.sql(),
        )
        for column in ungrouped
    ]
    for scope in facts.scopes:
        if isinstance(scope.select, exp.Select):
            found.extend(_absent_literals(scope.select, facts, tables))
            found.extend(_joins(scope, facts))
    return tuple(dict.fromkeys(found))


# Values.


def _absent_literals(select: exp.Select, facts: Facts, tables: Tables) -> Iterator[Warn]:
    """Text compared for equality with a column whose every value is known, and is another."""
    for clause in (select.args.get("where"), select.args.get("having")):
        for node in clause.find_all(*_COMPARED) if clause is not None else ():
            for column, literal in _compared(node):
                binding = facts.bindings.get(id(column))
                values = _known_values(binding, tables) if binding is not None else None
                if values is None or literal.name in values:
                    continue
                offered = nearest(literal.name, values)
                message = f"{column.name} holds no value {literal.name!r}." + instead(offered)
                yield Warn("literal_absent", message, position(literal, facts.sql), literal.name, offered)


def _compared(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    others = node.expressions if isinstance(node, exp.In) else [node.expression]
    for other in others:
        for column, literal in ((node.this, other), (other, node.this)):
            if isinstance(column, exp.Column) and isinstance(literal, exp.Literal) and literal.is_string:
                yield column, literal


def _known_values(binding: Binding, tables: Tables) -> frozenset[str] | None:
    """Every value of a text column, if they are known and were measured over what this caller sees."""
    column, table = binding.field.column, binding.field.table
    if column is None or table is None or column.profile is None or column.family != "text":
        return None
    grants = tables.grants(table)
    if grants is not None and any(g.predicate or g.hides(column.name) or g.mask(column.name) for g in grants):
        return None
    return frozenset(column.profile.values) if column.profile.complete else None


# Joins.


def _joins(scope: Scope, facts: Facts) -> Iterator[Warn]:
    if len(scope.sources) < 2:
        return
    pairs = list(_conditions(scope, facts))
    linked = _connected(scope, pairs)
    if len(linked) > 1:
        names = " and ".join(min(s.alias for s in part) for part in linked)
        yield Warn(
            "cartesian",
            f"Nothing joins {names}: every row of one meets every row of the other.",
            position(linked[1][0].node, facts.sql),
            names,
        )
    else:
        yield from _fan_out(scope, facts, pairs)


def _conditions(scope: Scope, facts: Facts) -> Iterator[tuple[exp.Expr, list[Binding]]]:
    """Conditions of ON and WHERE with the columns of this scope that they compare."""
    select = scope.select
    parts = [join.args["on"] for join in select.find_all(exp.Join) if join.args.get("on") is not None]
    if select.args.get("where") is not None:
        parts.append(select.args["where"].this)
    for part in parts:
        for node in part.find_all(*_JOINING):
            bound = [facts.bindings[id(c)] for c in node.find_all(exp.Column) if id(c) in facts.bindings]
            mine = [b for b in bound if b.scope is scope]
            if len({id(b.source) for b in mine}) > 1:
                yield node, mine


def _connected(scope: Scope, pairs: list[tuple[exp.Expr, list[Binding]]]) -> list[list[Source]]:
    """The sources in groups that conditions, USING or NATURAL tie together."""
    group = {id(s): i for i, s in enumerate(scope.sources)}
    ties = [{id(b.source) for b in mine} for _, mine in pairs]
    ties.extend(scope.merged.values())
    # One-row sub-queries, functions and laterals multiply nothing, or are tied from inside.
    single = {id(s) for s in scope.sources if not isinstance(s.node, exp.Table) or s.table is None}
    if single:
        ties.append(single | {id(s) for s in scope.sources[:1]})
    for tie in ties:
        numbers = {group[i] for i in tie if i in group}
        for key, number in group.items():
            if number in numbers:
                group[key] = min(numbers)
    parts: dict[int, list[Source]] = {}
    for source in scope.sources:
        parts.setdefault(group[id(source)], []).append(source)
    return list(parts.values())


def _fan_out(scope: Scope, facts: Facts, pairs: list[tuple[exp.Expr, list[Binding]]]) -> Iterator[Warn]:
    """SUM or AVG over a table whose rows a join repeats, by the keys that are known."""
    for aggregate in scope.aggregates:
        inner = aggregate.find(*_MULTIPLIED)
        if inner is None or isinstance(inner.this, exp.Distinct | exp.Star):
            continue
        columns = [facts.bindings[id(c)] for c in inner.find_all(exp.Column) if id(c) in facts.bindings]
        for binding in columns[:1]:
            other = _repeating(binding.source, scope, pairs)
            if other is not None and not isinstance(inner, exp.Count):
                yield Warn(
                    "fan_out",
                    f"Joining {other.alias} repeats rows of {binding.source.alias} under {inner.key.upper()}.",
                    position(inner, facts.sql),
                    binding.source.alias,
                )


def _repeating(source: Source, scope: Scope, pairs: list[tuple[exp.Expr, list[Binding]]]) -> Source | None:
    """A source joined to this one by columns that are known not to be unique on its side."""
    for other in scope.sources:
        if other is source or other.table is None or not (other.table.primary_key or other.table.unique):
            continue
        on = {
            b.field.name
            for node, mine in pairs
            if isinstance(node, exp.EQ) and any(b.source is source for b in mine)
            for b in mine
            if b.source is other
        }
        on |= {n for n, ids in scope.merged.items() if {id(source), id(other)} <= ids}
        keys = (other.table.primary_key, *other.table.unique)
        if on and not any(key and on.issuperset(n.lower() for n in key) for key in keys):
            return other
    return None
