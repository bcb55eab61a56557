"""What a DuckDB plan says about size, read from `EXPLAIN (FORMAT json)`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from text2sql.types import Estimate


def estimate(plan: str) -> Estimate:
    """The largest cardinality anywhere in the plan, and its operators, outermost first."""
    nodes = list(_nodes(json.loads(plan)))
    cardinalities = [number for node in nodes if (number := _cardinality(node)) is not None]
    operators = " < ".join(str(node.get("name", "")).strip() for node in nodes)
    return Estimate(rows=max(cardinalities, default=None), detail=operators)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    pending = list(tree) if isinstance(tree, list) else [tree]
    while pending:
        node = pending.pop(0)
        yield node
        pending[:0] = node.get("children", [])


def _cardinality(node: dict[str, Any]) -> int | None:
    text = str(node.get("extra_info", {}).get("Estimated Cardinality", ""))
    digits = text.lstrip("~")
    return int(digits) if digits.isdigit() else None
