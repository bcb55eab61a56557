"""What warnings weigh toward "the result is right": read from `warnings/weights.yaml`, which a command measures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

WEIGHTS = Path(__file__).with_name("warnings") / "weights.yaml"
LEAST = 5
"""Firings from which a measured ratio is believed."""
UNMEASURED: Mapping[str, float] = {"hard": 0.2, "soft": 0.7}
"""What a warning weighs that the measuring never, or hardly ever, met: by severity, and milder than those it did."""
LOWEST = 0.02
"""No warning weighs more than this: the measuring knows fewer databases than there are."""
_FAMILIES: Mapping[str, str] = {
    "cartesian": "join",
    "join_not_key": "join",
    "no_common_values": "join",
    "part_of_key": "join",
    "in_select": "join",
    "fan_out": "sum",
    "not_additive": "sum",
    "literal_absent": "value",
    "out_of_range": "value",
    "date_form": "value",
    "type_mismatch": "value",
    "null_compared": "value",
    "empty_result": "value",
    "not_in_nulls": "value",
    "ungrouped": "group",
    "group_of_one": "group",
}
"""Warnings that tell of one thing: only the heaviest of a family counts, for their ratios are not independent."""


def family(code: str) -> str:
    """What a warning is about; one that belongs nowhere is about itself."""
    return _FAMILIES.get(code, code)


@cache
def _measured() -> Mapping[str, float]:
    if not WEIGHTS.exists():
        return {}
    raw = yaml.safe_load(WEIGHTS.read_text(encoding="utf-8"))
    return {
        # The mildest of those measured with one database left out: what holds elsewhere as well.
        mark: max(LOWEST, min(1.0, max(entry["without_one_database"])))
        for mark, entry in raw["weights"].items()
        if entry["n"] >= LEAST
    }


def weight(code: str, severity: str) -> float:
    """The likelihood ratio in [LOWEST, 1]: what the odds of a right result are multiplied by where it fires."""
    found = _measured().get(f"{code} {severity}")
    return UNMEASURED[severity] if found is None else found
