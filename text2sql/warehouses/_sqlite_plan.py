"""What an SQLite plan says about size: it names scans, but counts no rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from text2sql.types import Estimate


def estimate(plan: Sequence[tuple[Any, ...]], rows: Sequence[int]) -> Estimate:
    """`rows`: of the tables that the statement reads, in any order; plan rows are `(id, parent, _, detail)`.

    Scans beside each other are nested loops without an index, so their sizes multiply: an upper bound, as the
    plan names aliases and the largest tables are taken for them.
    """
    scans = Counter(
        parent
        for _, parent, _, detail in plan
        if detail.startswith("SCAN ") and not detail.startswith(("SCAN (", "SCAN CONSTANT"))
    )
    largest = sorted(rows, reverse=True)
    deepest = max(scans.values(), default=0)
    repeated = [*largest[:deepest], *largest[:1] * (deepest - len(largest))]  # a table joined with itself
    together = math.prod(repeated) if repeated else max(largest, default=None)
    return Estimate(rows=together, detail="; ".join(str(row[3]) for row in plan))
