"""A join of columns that hold no value in common: it gives no rows."""

from __future__ import annotations

from collections.abc import Iterator

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.held import Held
from text2sql.types import Warn

_MOST = 5_000


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each pair of columns whose values, or ranges, cannot meet."""
    for scope in looking.joining():
        for link in looking.links(scope):
            left, right = looking.held(link.left), looking.held(link.right)
            if not link.must or left is None or right is None or not apart(left, right):
                continue
            names = [f"{b.source.alias}.{b.field.name}" for b in (link.left, link.right)]
            yield Warn(
                "no_common_values",
                f"{names[0]} and {names[1]} hold no value in common: this join gives no rows. "
                "Join by columns that hold the same thing.",
                position(link.node, looking.facts.sql),
                " = ".join(names),
                severity="hard",
            )


def apart(left: Held, right: Held) -> bool:
    """Whether no value of the one is among those of the other, as far as both are known whole."""
    one, other = left.profile, right.profile
    if one.sampled or other.sampled or not one.distinct or not other.distinct:
        return False
    if one.complete and other.complete:
        if max(len(one.values), len(other.values)) > _MOST:
            return False
        return left.forms.isdisjoint(right.forms)
    ends, others = left.ends, right.ends
    return ends is not None and others is not None and (ends[1] < others[0] or others[1] < ends[0])
