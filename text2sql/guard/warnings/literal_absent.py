"""A text compared with a column that does not hold it: by =, <>, IN, LIKE without a wildcard, or CASE … WHEN."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import instead, position
from text2sql.guard.scope import Binding, Scope
from text2sql.held import Held, nearness
from text2sql.types import Warn

_EQUAL = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
_CHANGES: dict[type[exp.Expr], Callable[[str], str]] = {
    exp.Lower: str.lower,
    exp.Upper: str.upper,
    exp.Trim: str.strip,
}
_NEAR = 75.0
"""From this ratio of edits on a text is taken for a misspelt value, wherever it stands."""
_PADDED = ("char(", "character(", "bpchar")
"""Types whose values are compared without the spaces at their end."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A side, and the literal on the other: its node, what it spells, and whether case makes no difference."""

    side: exp.Expr
    value: exp.Expr
    text: str
    caseless: bool = False
    beside: tuple[str, ...] = ()
    """What else is named with it: in the same IN, or in the same CASE."""
    wanted: bool = True
    """Whether it is meant to be there, and is not one of many cases that may come some day."""


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each literal that is none of a column's values.

    Hard where all values are known; of a CASE of many cases only where it is nearly one of them, for it may well name
    months that are still to come. Where only some values are known, a text is doubted softly that differs from one of
    them by nothing but width, kana, case or spaces.
    """
    for scope in looking.facts.scopes:
        for found in (*compared(looking, scope), *_alone(looking, scope)):
            column, changes = _inner(found.side)
            binding = looking.bound(column)
            held = _values(looking, binding) if binding is not None else None
            if binding is None or held is None or _has(held, found, changes, binding):
                continue
            if held.profile.complete:
                yield _warning(looking, binding, found, held, changes)
            elif not changes and (alike := held.alike(found.text)):
                yield _doubted(looking, binding, found, alike[:3])


def compared(looking: Looking, scope: Scope) -> Iterator[Compared]:
    """Of =, <> and IN in one SELECT: the one side, the literal on the other, and what it spells."""
    for node in looking.comparisons(scope):
        if isinstance(node, (*_EQUAL, exp.In)):
            others = node.expressions if isinstance(node, exp.In) else [node.expression]
            beside = tuple(other.name for other in others)
            wanted = not _one_of_many(node.parent)
            for other in others:
                for side, value in ((node.this, other), (other, node.this)):
                    literal = looking.literal(value.unnest())
                    if literal is not None:
                        yield Compared(side.unnest(), value, literal.name, beside=beside, wanted=wanted)


def _alone(looking: Looking, scope: Scope) -> Iterator[Compared]:
    """LIKE with no wildcard in it, which is an equality, and the values of CASE column WHEN."""
    for node in looking.inside(scope):
        if isinstance(node, exp.Like | exp.ILike):
            literal = looking.literal(node.expression.unnest())
            if literal is not None and literal.is_string and not _WILD.intersection(literal.name):
                # SQLite's LIKE makes no difference of case.
                caseless = isinstance(node, exp.ILike) or looking.tables.engine.name == "sqlite"
                yield Compared(node.this.unnest(), node.expression, literal.name, caseless)
        elif isinstance(node, exp.Case) and node.this is not None:
            whens = [when.this for when in node.args.get("ifs") or ()]
            beside = tuple(when.name for when in whens)
            for when in whens:
                literal = looking.literal(when.unnest())
                if literal is not None:
                    many = len(whens) >= _MANY
                    yield Compared(node.this.unnest(), when, literal.name, beside=beside, wanted=not many)


_WILD = frozenset("%_\\")
_MANY = 3
"""Cases of a CASE that make it a list of what there may be."""


def _one_of_many(parent: exp.Expr | None) -> bool:
    return isinstance(parent, exp.If) and len(getattr(parent.parent, "args", {}).get("ifs") or ()) >= _MANY


def _inner(side: exp.Expr) -> tuple[exp.Expr, tuple[Callable[[str], str], ...]]:
    """The column inside LOWER, UPPER and TRIM, and what they do to its values, first things first."""
    changes: list[Callable[[str], str]] = []
    while type(side) in _CHANGES and not side.args.get("expression"):
        changes.append(_CHANGES[type(side)])
        side = side.this.unnest()
    return side, tuple(reversed(changes))


def _values(looking: Looking, binding: Binding) -> Held | None:
    """The values of a text column, as far as they are known and are those that this caller sees."""
    column = binding.field.column
    if column is None or column.family != "text":
        return None
    held = looking.held(binding)
    return held if held is not None and held.profile.values else None


def _has(held: Held, found: Compared, changes: tuple[Callable[[str], str], ...], binding: Binding) -> bool:
    text, column = found.text, binding.field.column
    kind = column.type.casefold() if column is not None else ""
    if kind.startswith(_PADDED):
        text = text.rstrip(" ")
    if changes:
        return any(_through(value, changes) in (text, found.text) for value in held.profile.values)
    if found.caseless or kind == "citext":
        return text.casefold() in held.caseless
    return text in held.texts or found.text in held.texts


def _through(value: str, changes: tuple[Callable[[str], str], ...]) -> str:
    for change in changes:
        value = change(value)
    return value


def _warning(
    looking: Looking,
    binding: Binding,
    found: Compared,
    held: Held,
    changes: tuple[Callable[[str], str], ...],
) -> Warn:
    offered = tuple(dict.fromkeys(_through(value, changes) for value in held.nearest(found.text)))
    sure = found.wanted
    if not sure:
        sure = bool(offered) and offered[0] not in found.beside and nearness(found.text, offered[0]) >= _NEAR
    way = instead(offered, "Ask for one of its values.")
    return Warn(
        "literal_absent",
        f"{binding.field.name} holds no value {found.text!r}.{way}",
        position(found.value, looking.facts.sql),
        found.text,
        offered,
        "hard" if sure else "soft",
    )


def _doubted(looking: Looking, binding: Binding, found: Compared, alike: tuple[str, ...]) -> Warn:
    return Warn(
        "literal_absent",
        f"Of {binding.field.name} some values are known, and {found.text!r} is not among them."
        + instead(alike),
        position(found.value, looking.facts.sql),
        found.text,
        alike,
    )
