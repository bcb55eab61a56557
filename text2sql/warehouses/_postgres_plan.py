"""What a PostgreSQL plan says about size and cost, read from `EXPLAIN (FORMAT JSON)`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from text2sql.types import Estimate

_LEADER = 0.3
"""What each worker takes of the leader's time, as PostgreSQL's own costing has it."""


def estimate(plan: str) -> Estimate:
    """The largest cardinality anywhere in the plan, its cost, and its operators, outermost first."""
    top = json.loads(plan)[0]["Plan"]
    nodes = list(_nodes(top, 1.0))
    rows = max((round(node.get("Plan Rows", 0) * share) for node, share in nodes), default=None)
    return Estimate(
        rows=rows,
        cost=float(top.get("Total Cost", 0.0)),
        detail=" < ".join(_spelled(node) for node, _ in nodes),
    )


def writes(plan: str) -> bool:
    """Whether the plan changes rows."""
    return any(node["Node Type"] == "ModifyTable" for node, _ in _nodes(json.loads(plan)[0]["Plan"], 1.0))


def _nodes(node: dict[str, Any], share: float) -> Iterator[tuple[dict[str, Any], float]]:
    """Each node with how often its rows come: below a Gather a parallel node counts those of one process."""
    workers = int(node.get("Workers Planned", 0))
    yield node, share if _partial(node) else 1.0
    below = workers + max(0.0, 1 - _LEADER * workers) if workers else share
    for child in node.get("Plans", []):
        yield from _nodes(child, below)


def _partial(node: dict[str, Any]) -> bool:
    return bool(node.get("Parallel Aware")) or node.get("Partial Mode") == "Partial"


def _spelled(node: dict[str, Any]) -> str:
    relation = node.get("Relation Name") or node.get("CTE Name") or ""
    return f"{node['Node Type']} {relation}".strip()
