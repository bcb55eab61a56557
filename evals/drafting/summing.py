"""Figures of a run, each with its interval and with the share of questions that it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from evals.cases import Case
from evals.report import latency
from evals.statistics import wilson

Row = dict[str, Any]
VERSION = {"text2sql": "1"}
"""Raised whenever the same drafts would get other figures."""
_STEPS = 20
"""Points of a curve: one for each twentieth of the questions answered."""


def settled(cases: Sequence[Case], rows: Sequence[Row], *, refusing: bool = False) -> list[Row]:
    """Rows with a score each: a question that broke the drafter was not answered rightly."""
    result = []
    for case, row in zip(cases, rows, strict=True):
        settled_row = dict(row)
        if row["status"] == "error":
            settled_row |= {
                "db": case.db,
                "sql": None,
                "correct": False,
                "answered": False,
                "confidence": 0.0,
            }
        if (refusing or case.expected == "refuse") and row["status"] != "unscored":
            settled_row["expected"] = "refuse"
        result.append(settled_row)
    return result


def figures(rows: Sequence[Row]) -> dict[str, Any]:
    """Everything a run says. Questions that should be declined are counted apart from those with an answer."""
    scored = [row for row in rows if row["status"] != "unscored"]
    answers = [row for row in scored if row.get("expected") != "refuse"]
    refusals = [row for row in scored if row.get("expected") == "refuse"]
    found: dict[str, Any] = {
        "n": len(scored),
        "coverage": len(scored) / len(rows) if rows else 0.0,
        "left_out": dict(
            sorted(Counter(row["reason"] for row in rows if row["status"] == "unscored").items())
        ),
    }
    if answers:
        found |= _answering(answers)
    if refusals:
        # `answered` is of the questions with an answer where there are any, else of these.
        found = _refusing(refusals) | found
    found["statuses"] = dict(sorted(Counter(row["status"] for row in scored).items()))
    return found | latency([row.get("seconds") for row in scored])


def share(name: str, k: int, n: int) -> dict[str, Any]:
    """A share with its interval, under these names; null where there is nothing to share."""
    return {name: k / n if n else None, f"{name}_interval": wilson(k, n).to_json() if n else None}


def _answering(rows: list[Row]) -> dict[str, Any]:
    right = sum(bool(row["correct"]) for row in rows)
    given = [row for row in rows if row["answered"]]
    found = share("execution_accuracy", right, len(rows))
    exact = [row for row in rows if "exact" in row]
    if exact:  # sets that allow columns beside the gold's: also without them
        found |= share("exact_accuracy", sum(row["exact"] for row in exact), len(rows))
    found |= share("answered", len(given), len(rows))
    found |= share("precision", sum(bool(row["correct"]) for row in given), len(given))
    found["curve"] = curve(rows)
    found["gold_empty"] = sum(bool(row.get("gold_empty")) for row in rows)
    found["by_db"] = _by(rows, "db")
    return found


def _refusing(rows: list[Row]) -> dict[str, Any]:
    given = [row for row in rows if row["answered"]]
    found = share("answered", len(given), len(rows)) | share("declined", len(rows) - len(given), len(rows))
    found |= share("wrongly_answered", len(given), len(rows))
    found["wrongly_answered_cases"] = [row["id"] for row in given]
    return found


def _by(rows: list[Row], key: str) -> dict[str, Any]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(str(row.get(key)), []).append(row)
    return {
        name: {"n": len(group), "execution_accuracy": sum(bool(row["correct"]) for row in group) / len(group)}
        for name, group in sorted(groups.items())
    }


def curve(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Share answered -> precision, were everything of at least this confidence answered; about twenty points.

    Questions of equal confidence come together. Drafts that did not run, or that nothing was drafted for, are never
    answered, so the curve may end below 1.
    """
    runnable = [row for row in rows if row["status"] in ("correct", "wrong") and row["sql"]]
    ranked = sorted(runnable, key=lambda row: -float(row["confidence"]))
    points: list[dict[str, Any]] = []
    right, due = 0, 1
    for position, row in enumerate(ranked, 1):
        right += bool(row["correct"])
        last = position == len(ranked)
        if not last and ranked[position]["confidence"] == row["confidence"]:
            continue
        if last or position * _STEPS >= due * len(rows):
            points.append(
                {
                    "answered": position / len(rows),
                    "precision": right / position,
                    "interval": wilson(right, position).to_json(),
                    "confidence": row["confidence"],
                }
            )
            due = position * _STEPS // len(rows) + 1
    return points
