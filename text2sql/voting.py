"""Which of several drafts to believe: the one whose result most of them agree on.

Drafts are grouped by equal results, whatever their text. A group that found nothing counts half: drafts that are
wrong in different ways find nothing together. The share of drafts in the largest group is how sure one can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from text2sql.same_rows import TOLERANCE, Grid, same_rows

EMPTY = 0.5
"""Weight of a draft that found nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One draft. `result` None: it was refused or did not run, so it votes for nothing. `weight` in (0, 1]."""

    sql: str
    result: Grid | None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Group:
    """Candidates with equal results, as positions in the order given; `weight` is the sum of theirs."""

    members: tuple[int, ...]
    weight: float
    empty: bool


@dataclass(frozen=True, slots=True)
class Vote:
    """`chosen` is the position of the draft to take, None where none ran. `agreement` in [0, 1]: its group's
    weight by the number of candidates. `groups`: heaviest first."""

    chosen: int | None
    agreement: float
    groups: tuple[Group, ...]

    @property
    def unanimous(self) -> bool:
        """Whether every candidate ran and all found the same, and something."""
        return len(self.groups) == 1 and self.agreement == 1.0


def vote(candidates: Sequence[Candidate], tolerance: float = TOLERANCE) -> Vote:
    """Group by equal results (as multisets) and take the heaviest; of equally heavy ones the earliest.

    Of a group the draft is taken whose order of rows most of the group share, the earliest of those. Candidates
    are best given in the order of trust. Deterministic; no candidate gives a vote for none.
    """
    members: list[list[int]] = []
    for position, candidate in enumerate(candidates):
        if candidate.result is None:
            continue
        home = next(
            (group for group in members if _same(candidates, group[0], position, tolerance=tolerance)), None
        )
        if home is None:
            members.append([position])
        else:
            home.append(position)
    groups = sorted((_group(candidates, group) for group in members), key=lambda g: (-g.weight, g.members[0]))
    if not groups:
        return Vote(None, 0.0, ())
    chosen = _representative(candidates, groups[0].members, tolerance)
    return Vote(chosen, groups[0].weight / len(candidates), tuple(groups))


def _group(candidates: Sequence[Candidate], members: list[int]) -> Group:
    first = candidates[members[0]].result
    empty = first is None or first.empty
    weight = sum(candidates[position].weight for position in members) * (EMPTY if empty else 1.0)
    return Group(tuple(members), weight, empty)


def _representative(candidates: Sequence[Candidate], members: tuple[int, ...], tolerance: float) -> int:
    """The first of those that agree on the order of rows too, where most do."""
    kinds: list[list[int]] = []
    for position in members:
        kind = next(
            (k for k in kinds if _same(candidates, k[0], position, ordered=True, tolerance=tolerance)), None
        )
        if kind is None:
            kinds.append([position])
        else:
            kind.append(position)
    return max(kinds, key=len)[0]


def _same(
    candidates: Sequence[Candidate], one: int, other: int, *, ordered: bool = False, tolerance: float
) -> bool:
    first, second = candidates[one].result, candidates[other].result
    if first is None or second is None:
        return False
    return same_rows(first, second, ordered=ordered, tolerance=tolerance)
