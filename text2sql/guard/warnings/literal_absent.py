"""A text compared for equality with a column that does not hold it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import instead, nearest, position
from text2sql.guard.scope import Binding, Scope
from text2sql.types import Warn

_CASELESS = (exp.Lower, exp.Upper)
_MEASURED = 100
"""Values compared letter by letter."""
_LONGER = 3


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each literal that is none of a column's values, all of which are known."""
    for scope in looking.facts.scopes:
        for column, value, text in compared(looking, scope):
            caseless = isinstance(column, _CASELESS)
            binding = looking.bound(column.this if isinstance(column, _CASELESS) else column)
            values = _known_values(binding, looking) if binding is not None else None
            if binding is None or not values or _held(text, values, caseless=caseless):
                continue
            offered = nearest(text, _alike(text, values))
            way = instead(offered, "Ask for one of its values.")
            yield Warn(
                "literal_absent",
                f"{binding.field.name} holds no value {text!r}.{way}",
                position(value, looking.facts.sql),
                text,
                offered,
                "hard",
            )


def compared(looking: Looking, scope: Scope) -> Iterator[tuple[exp.Expr, exp.Expr, str]]:
    """Of =, <> and IN in one SELECT: the one side, the literal on the other, and what it spells."""
    for node in looking.comparisons(scope):
        if isinstance(node, exp.EQ | exp.NEQ | exp.In):
            for other in node.expressions if isinstance(node, exp.In) else [node.expression]:
                for side, value in ((node.this, other), (other, node.this)):
                    literal = looking.literal(value.unnest())
                    if literal is not None:
                        yield side.unnest(), value, literal.name


def _held(text: str, values: tuple[str, ...], *, caseless: bool) -> bool:
    return text in values or (caseless and text.casefold() in (value.casefold() for value in values))


def _alike(text: str, values: tuple[str, ...]) -> Iterable[str]:
    """Of many values those that are worth measuring how near they are: about as long, with the same begin or end."""
    if len(values) <= _MEASURED:
        return values
    folded = text.casefold()
    begin, end, size = folded[:2], folded[-2:], len(folded)
    near = [value for value in values if abs(len(value) - size) <= _LONGER]
    return [v for v in near if v[:2].casefold() == begin or v[-2:].casefold() == end][:_MEASURED]


def _known_values(binding: Binding, looking: Looking) -> tuple[str, ...] | None:
    """Every value of a text column, if they are known and were measured over what this caller sees."""
    profile = looking.profile(binding)
    column = binding.field.column
    if profile is None or column is None or column.family != "text" or not profile.complete:
        return None
    return profile.values
