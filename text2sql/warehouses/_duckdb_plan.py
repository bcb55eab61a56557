"""What a DuckDB plan says about size, read from `EXPLAIN (FORMAT json)`.

Three things are mended in what it says. A cross product has no figure of its own: its sides multiply. A join that
compares every pair is guessed by what comes out of it: here by the pairs. A scan is given as what passes its
filter: here as what the table holds, for that is what is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

from text2sql.types import Estimate

_PAIRS = frozenset({"CROSS_PRODUCT", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "POSITIONAL_JOIN"})
_EARLY = frozenset({"STREAMING_LIMIT"})
_ADDED = frozenset({"UNION"})
_THROUGH = frozenset({"PROJECTION"})


def estimate(plan: str, rows_of: Callable[[str], int | None] | None = None) -> Estimate:
    """Of a plan as JSON. `rows_of` tells how many rows a table has, by the plan's name of it."""
    trees = _trees(json.loads(plan))
    nodes = [node for tree in trees for node in _nodes(tree)]
    made = [number for tree in trees for node in _worked(tree) if (number := _made(node)) is not None]
    scanned = [_scanned(tree, rows_of or (lambda _: None)) for tree in trees]
    return Estimate(
        rows=max(made, default=None),
        detail=" < ".join(_name(node) for node in nodes),
        scanned=sum(scanned),
        returned=_returned(trees[0]) if trees else None,
    )


def _trees(plan: Any) -> list[dict[str, Any]]:
    return plan if isinstance(plan, list) else [plan]


def _nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pending = [tree]
    while pending:
        node = pending.pop(0)
        yield node
        pending[:0] = node.get("children", [])


def _worked(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes but for those below a LIMIT that stops them at once."""
    if _name(tree) in _EARLY and _stopped_early(tree) is not None:
        return
    yield tree
    for child in tree.get("children", []):
        yield from _worked(child)


def _name(node: dict[str, Any]) -> str:
    return str(node.get("name", "")).strip()


def _made(node: dict[str, Any]) -> int | None:
    """Rows that a node makes or meets."""
    said = _cardinality(node)
    sides = [number for child in node.get("children", []) if (number := _made(child)) is not None]
    if _name(node) in _PAIRS and len(sides) == 2:
        pairs = math.prod(sides)
        return pairs if said is None else max(pairs, said)
    if said is not None:
        return said
    if _name(node) in _ADDED:
        return sum(sides) if sides else None
    return max(sides, default=None)


def _returned(top: dict[str, Any]) -> int | None:
    said = _cardinality(top)
    return _made(top) if said is None else said


def _cardinality(node: dict[str, Any]) -> int | None:
    digits = str(node.get("extra_info", {}).get("Estimated Cardinality", "")).lstrip("~")
    return int(digits) if digits.isdigit() else None


def _scanned(node: dict[str, Any], rows_of: Callable[[str], int | None]) -> int:
    """Rows that the scans of a tree read."""
    if _name(node) in _EARLY and (most := _stopped_early(node)) is not None:
        return most
    children = node.get("children", [])
    if children:
        return sum(_scanned(child, rows_of) for child in children)
    info = node.get("extra_info", {})
    said = _cardinality(node) or 0
    return max(said, rows_of(str(info["Table"])) or 0) if "Table" in info else said


def _stopped_early(node: dict[str, Any]) -> int | None:
    """How many rows are read where a LIMIT stops a scan without a filter; None where it does not."""
    limit = str(node.get("extra_info", {}).get("Limit", ""))
    below = node
    while len(below.get("children", [])) == 1:
        below = below["children"][0]
        info = below.get("extra_info", {})
        if "Filters" in info or (_name(below) not in _THROUGH and "Table" not in info):
            return None
    return int(limit) if limit.isdigit() and not below.get("children") else None
