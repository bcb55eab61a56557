"""How sure a reading is: measured features, and one function from them to [0, 1].

The function is made by hand so far; a calibrated one takes the same features.
"""

from __future__ import annotations

from dataclasses import dataclass

from text2sql.drafters.planning.plan import QueryPlan
from text2sql.drafters.planning.resolver import Resolver
from text2sql.drafters.planning.sketch import Sketch

THRESHOLD = 0.8
"""Below this a draft is not offered: no answer is better than a wrong one."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a reading's certainty may depend on; counts unless said otherwise."""

    unknown: int
    """Content words that name nothing."""
    unexplained: int
    """Pieces that were recognised but play no part in the plan."""
    weak_links: tuple[tuple[str, float], ...]
    """How, and with which score in (0, 1), words were linked to something called otherwise."""
    ambiguous: int
    tables: int
    doubts: int
    detours: int
    """Tables reached by going to a shared partner and out again, which relates rows only loosely."""
    content: int
    """Content words in all."""


def features(sketch: Sketch, resolver: Resolver, tables: int, detours: int = 0) -> Features:
    """Measure one reading."""
    left = sketch.unexplained
    return Features(
        unknown=sum(item.code == "U" for item in left),
        unexplained=sum(item.code != "U" for item in left),
        weak_links=tuple((link.how, link.score) for link in resolver.chosen.values() if link.score < 0.95),
        ambiguous=len(resolver.ambiguities),
        tables=tables,
        doubts=len(sketch.weak),
        detours=detours,
        content=sum(item.content for item in sketch.items),
    )


def confidence(found: Features, plan: QueryPlan) -> float:
    """In [0, 1]: every unknown, unused or doubtful piece costs its share."""
    score = 0.97 * 0.5**found.unknown * 0.5**found.unexplained * 0.85**found.doubts * 0.8**found.ambiguous
    score *= 0.75**found.detours
    for how, link in found.weak_links:
        score *= 0.98 if how == "common" else 0.4 + 0.6 * link
    score *= 0.97 ** max(0, found.tables - 1)
    if not plan.aggregate and not plan.filters and not plan.order and found.tables > 1:
        score *= 0.9  # a bare join of tables is seldom what is asked for
    return round(score, 4)
