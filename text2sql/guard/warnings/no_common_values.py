"""A join of columns that hold no value in common: it gives no rows."""

from __future__ import annotations

from collections.abc import Iterator

from text2sql.guard.looking import Looking, number, same_form
from text2sql.guard.refusal import position
from text2sql.types import Profile, Warn

_MOST = 5_000


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each pair of columns whose values, or ranges, cannot meet."""
    for scope in looking.joining():
        for link in looking.links(scope):
            left, right = looking.profile(link.left), looking.profile(link.right)
            if not link.must or left is None or right is None or not _apart(left, right):
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


def _apart(left: Profile, right: Profile) -> bool:
    if left.sampled or right.sampled or not left.distinct or not right.distinct:
        return False
    if left.complete and right.complete:
        if max(len(left.values), len(right.values)) > _MOST:
            return False
        return {same_form(v) for v in left.values}.isdisjoint(same_form(v) for v in right.values)
    ends = [number(end or "") for end in (left.minimum, left.maximum, right.minimum, right.maximum)]
    if any(end is None for end in ends):
        return False
    low, high, other_low, other_high = (end for end in ends if end is not None)
    return high < other_low or other_high < low
