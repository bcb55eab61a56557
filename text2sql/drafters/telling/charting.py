"""Which chart would show a plan's result."""

from __future__ import annotations

from text2sql.drafters.planning.measures import title
from text2sql.drafters.planning.plan import Bucket, QueryPlan
from text2sql.drafters.planning.scope import Names


def chart(plan: QueryPlan, names: Names) -> dict[str, str]:
    """Hints: time runs along x as a line, anything else as bars; a second group is the series. {} for no chart."""
    if not plan.measures or not 1 <= len(plan.keys) <= 2:
        return {}
    titles = [key.unit if isinstance(key, Bucket) else key.dimension for key in plan.keys]
    hints = {"x": titles[0], "y": title(plan.measures[0], names)}
    hints["kind"] = "line" if isinstance(plan.keys[0], Bucket) else "bar"
    if len(titles) == 2:
        hints["series"] = titles[1]
    return hints
