"""How sure a draft is once the guard has looked at it: its own confidence, and what the warnings weigh."""

from __future__ import annotations

import math
from collections.abc import Iterable

from text2sql.guard.weights import family
from text2sql.types import Warn

_LEAST, _MOST = 0.01, 0.99


def weighed(confidence: float, warnings: Iterable[Warn]) -> float:
    """The confidence in [0, 1] after the warnings: log odds plus the logarithms of their likelihood ratios.

    Of each family of warnings only the heaviest counts. Without warnings the confidence stays what it is.
    """
    heaviest: dict[str, float] = {}
    for warning in warnings:
        if 0 < warning.weight < 1:
            about = family(warning.code)
            heaviest[about] = min(heaviest.get(about, 1.0), warning.weight)
    if not heaviest:
        return confidence
    start = min(max(confidence, _LEAST), _MOST)
    odds = math.log(start / (1 - start)) + sum(map(math.log, heaviest.values()))
    return round(min(confidence, max(_LEAST, 1 / (1 + math.exp(-odds)))), 4)
