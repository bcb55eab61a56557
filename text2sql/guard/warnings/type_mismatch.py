"""A comparison of two kinds of value that are never equal: text with a number, a date with a number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking, on_key
from text2sql.guard.refusal import position
from text2sql.guard.scope import Binding
from text2sql.held import number
from text2sql.types import TypeFamily, Warn

Kinds = frozenset[str]
_FAMILIES: dict[TypeFamily, Kinds] = {
    "integer": frozenset({"number"}),
    "number": frozenset({"number"}),
    "text": frozenset({"text"}),
    "date": frozenset({"date"}),
    "timestamp": frozenset({"date"}),
    "time": frozenset({"date"}),
    "boolean": frozenset({"number", "boolean"}),
}
_NUMBERS = (exp.Count, exp.Avg, exp.Length)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div)
_SAME = (exp.Min, exp.Max, exp.Sum, exp.Round, exp.Abs)
"""Of the kind of what they are given."""
_DATES = re.compile(r"\d{1,4}[-/.]\d{1,2}|\d{1,2}:\d{2}|\d{4}$|(now|today|current|infinity)", re.IGNORECASE)
_BOOLEANS = frozenset({"t", "f", "true", "false", "yes", "no", "y", "n", "on", "off"})
_LOOKED_AT = 100
"""Values of a column that may excuse a comparison."""
_WORDS = {"number": "a number", "text": "text", "date": "a date or time", "boolean": "true or false"}


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each comparison whose sides share no kind."""
    for scope in looking.facts.scopes:
        for node in looking.comparisons(scope):
            for left, right in _sides(node):
                yield from _judged(looking, node, left.unnest(), right.unnest())


def _sides(node: exp.Expr) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    if isinstance(node, exp.Between):
        yield node.this, node.args["low"]
        yield node.this, node.args["high"]
    elif isinstance(node, exp.In):
        for other in node.expressions:
            yield node.this, other
    else:
        yield node.this, node.expression


def _judged(looking: Looking, node: exp.Expr, left: exp.Expr, right: exp.Expr) -> Iterator[Warn]:
    one = _kinds(looking, left)
    other = _kinds(looking, right) if one else one
    if not other or not one.isdisjoint(other):
        return
    columns = looking.bound(left), looking.bound(right)
    if columns[0] is not None and columns[1] is not None and on_key(looking, columns[0], columns[1]):
        return
    # SQLite's declared types bind nobody: only what the columns hold is sure.
    sure = looking.tables.engine.name != "sqlite" or all(
        b is None or b.field.column is None or _measured(looking, b) for b in columns
    )
    said = " and ".join(
        f"{side.sql()} is {_WORDS[min(kinds)]}" for side, kinds in ((left, one), (right, other))
    )
    yield Warn(
        "type_mismatch",
        f"{said}: they are never equal. Compare values of one type, or convert one of them.",
        position(node, looking.facts.sql),
        node.sql(),
        severity="hard" if sure else "soft",
    )


def _kinds(looking: Looking, node: exp.Expr) -> Kinds:
    """The kinds of value that an expression may have; none where that is not known."""
    node = looking.facts.aliases.get(id(node), node)
    literal = looking.literal(node)
    if literal is not None:
        return _literal(literal)
    if isinstance(node, exp.Neg):
        return _kinds(looking, node.this)
    if isinstance(node, _NUMBERS):
        return frozenset({"number"})
    if isinstance(node, _SAME):
        return _kinds(looking, node.this)
    if isinstance(node, _ARITHMETIC):
        both = _kinds(looking, node.this.unnest()), _kinds(looking, node.expression.unnest())
        return both[0] if both[0] == both[1] == {"number"} else frozenset()
    binding = looking.bound(node)
    if binding is None:
        return frozenset()
    if binding.field.column is None:
        inner = binding.field.expression
        return frozenset({"number"}) if isinstance(inner, _NUMBERS) else frozenset()
    return _column(looking, binding)


def _literal(node: exp.Literal) -> Kinds:
    if not node.is_string:
        return frozenset({"number"})
    return _text(node.name)


def _text(value: str) -> Kinds:
    """What a text may pass for, where engines read it as the other side's type."""
    found = {"text"}
    if number(value) is not None:
        found.add("number")
    if _DATES.match(value.strip()):
        found.add("date")
    if value.casefold() in _BOOLEANS:
        found.add("boolean")
    return frozenset(found)


def _column(looking: Looking, binding: Binding) -> Kinds:
    column = binding.field.column
    declared = _FAMILIES.get(column.family, frozenset()) if column is not None else frozenset()
    if not declared or looking.tables.engine.name != "sqlite":
        return declared
    held = looking.held(binding)
    if held is None:
        return declared
    if declared not in held.kinds:
        values = held.profile.values[:_LOOKED_AT]
        seen: Kinds = frozenset().union(*(_stored(value, declared) for value in values if value.strip()))
        held.kinds[declared] = declared | seen
    return held.kinds[declared]


def _stored(value: str, declared: Kinds) -> Kinds:
    """What a value of SQLite passes for: a number as one, whatever column it stands in; a date in a column of dates."""
    kinds = _text(value)
    plain = "number" in kinds or ("date" in kinds and "date" in declared)
    return kinds - {"text"} if plain else kinds


def _measured(looking: Looking, binding: Binding) -> bool:
    profile = looking.profile(binding)
    return profile is not None and not profile.sampled and bool(profile.values)
