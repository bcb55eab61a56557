"""What a PostgreSQL plan says about size and cost, read from `EXPLAIN (FORMAT JSON)`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from text2sql.types import Estimate

_LEADER = 0.3
"""What each worker takes of the leader's time, as PostgreSQL's own costing has it."""

_WHOLE = frozenset({"Seq Scan", "Foreign Scan"})
_GENERATORS = frozenset({"Function Scan"})


def estimate(plan: str, rows_of: Callable[[str], int | None] | None = None) -> Estimate:
    """Of a plan as JSON: what it reads and makes, its cost, and its operators, outermost first.

    `rows_of` tells how many rows a table has, by its bare name: a scan is given as what passes its filter, but reads
    the whole table where no index leads to the rows.
    """
    top = json.loads(plan)[0]["Plan"]
    nodes = list(_nodes(top, 1.0))
    made = [_made(node, share) for node, share in nodes]
    return Estimate(
        rows=max(made, default=None),
        cost=float(top.get("Total Cost", 0.0)),
        detail=" < ".join(_spelled(node) for node, _ in nodes),
        scanned=sum(_scanned(node, share, rows_of or (lambda _: None)) for node, share in nodes),
        returned=round(float(top.get("Plan Rows", 0))),
    )


def _made(node: dict[str, Any], share: float) -> int:
    """Rows that a node makes, or the pairs that a nested loop meets: its inner side is counted for one round."""
    made = float(node.get("Plan Rows", 0)) * share
    if node["Node Type"] == "Nested Loop":
        sides = [child.get("Plan Rows", 0) for child in node.get("Plans", [])][:2]
        made = max(made, math.prod(sides) * share)
    return round(made)


def _scanned(node: dict[str, Any], share: float, rows_of: Callable[[str], int | None]) -> int:
    if "Relation Name" not in node and node["Node Type"] not in _GENERATORS:
        return 0
    made = round(float(node.get("Plan Rows", 0)) * share)
    return max(made, rows_of(node["Relation Name"]) or 0) if node["Node Type"] in _WHOLE else made


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
