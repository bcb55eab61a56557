"""IN (SELECT …) over a column that holds nothing of the kind: it is never true, or true by chance."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking, on_key
from text2sql.guard.refusal import position
from text2sql.guard.scope import Binding
from text2sql.guard.warnings.join_not_key import named_so
from text2sql.guard.warnings.no_common_values import apart
from text2sql.types import Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each IN between columns without a value in common (hard) or a key between them (soft)."""
    for scope in looking.facts.scopes:
        for node in looking.comparisons(scope):
            left = looking.bound(node.this.unnest()) if isinstance(node, exp.In) else None
            right = looking.derived.only(node.args.get("query")) if left is not None else None
            if left is None or right is None:
                continue
            one, other = looking.held(left), looking.held(right)
            names = [f"{b.source.alias}.{b.field.name}" for b in (left, right)]
            if one is not None and other is not None and apart(one, other):
                said = "hold no value in common: this IN is never true"
                yield _warning(looking, node, names, said, hard=not isinstance(node.parent, exp.Not))
            elif on_key(looking, left, right) is False and not _alike(looking, left, right):
                yield _warning(looking, node, names, "are tied by no key", hard=False)


def _alike(looking: Looking, left: Binding, right: Binding) -> bool:
    """Whether the names say that they hold the same thing."""
    same = left.field.name.casefold() == right.field.name.casefold()
    return same or named_so(looking, left, right) or named_so(looking, right, left)


def _warning(looking: Looking, node: exp.Expr, names: list[str], said: str, *, hard: bool) -> Warn:
    return Warn(
        "in_select",
        f"{names[0]} and {names[1]} {said}. Compare columns that hold the same thing.",
        position(node, looking.facts.sql),
        " IN ".join(names),
        severity="hard" if hard else "soft",
    )
