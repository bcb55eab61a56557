"""What each warning weighs: how much rarer it is on right drafts than on wrong ones, and how steady that is.

The likelihood ratio of a warning is P(it fires | right) / P(it fires | wrong), with one half added to each count. It
multiplies the odds of a draft's being right where it fires. Drafts of several systems for one question are alike, so
the ratio is measured again with each database left out; the spread of those is what is known of another database.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from text2sql.guard.weights import LEAST, UNMEASURED, family

Row = Mapping[str, Any]


def measured(drafts: Sequence[Row], command: str) -> dict[str, Any]:
    """The table of weights as it is shipped: by "code severity", with what it was measured on.

    `drafts` are rows with `right` (None: not judged), `severities`, `empty` and `db`. Shares are in [0, 1].
    """
    judged = [row for row in drafts if row["right"] is not None]
    marks = {id(row): marks_of(row) for row in judged}
    found: dict[str, Any] = {}
    for mark in sorted({mark for held in marks.values() for mark in held}):
        having = [row for row in judged if mark in marks[id(row)]]
        ratio = _ratio(judged, marks, mark)
        apart = [
            _ratio([row for row in judged if row["db"] != db], marks, mark)
            for db in sorted({row["db"] for row in having})
        ]
        found[mark] = {
            "n": len(having),
            "databases": len({row["db"] for row in having}),
            "right": round(sum(bool(row["right"]) for row in having) / len(having), 4),
            "likelihood_ratio": round(ratio, 4),
            "without_one_database": [round(min(apart), 4), round(max(apart), 4)],
        }
    return {
        "command": command,
        "drafts": len(judged),
        "base": round(sum(bool(row["right"]) for row in judged) / len(judged), 4) if judged else None,
        "weights": found,
    }


def marks_of(row: Row) -> frozenset[str]:
    """ "code severity" of what was said of a draft."""
    said = {f"{code} {severity}" for code, severity in row["severities"].items()}
    return frozenset(said | ({"empty_result soft"} if row["empty"] else set()))


def _ratio(rows: Sequence[Row], marks: Mapping[int, frozenset[str]], mark: str) -> float:
    right = [row for row in rows if row["right"]]
    wrong = [row for row in rows if not row["right"]]
    shares = [
        (sum(mark in marks[id(row)] for row in part) + 0.5) / (len(part) + 1) for part in (right, wrong)
    ]
    return shares[0] / shares[1]


def write_weights(path: Path, table: Mapping[str, Any]) -> None:
    """The table as the YAML file that the guard reads its weights from."""
    head = "# What each warning weighs, measured by the command below; see docs/warnings.md. Not written by hand.\n"
    path.write_text(head + yaml.safe_dump(dict(table), sort_keys=False, width=110), encoding="utf-8")


def lines(table: Mapping[str, Any], gold: Mapping[str, int]) -> list[str]:
    """The table for a reader. `gold`: on how many gold statements each fires."""
    rows = [("warning", "fired", "right", "base", "ratio", "without one database", "on gold")]
    for mark in sorted({*table["weights"], *gold}):
        entry = table["weights"].get(mark)
        if entry is None:
            rows.append((mark, "0", "", "", "", "", str(gold[mark])))
            continue
        low, high = entry["without_one_database"]
        rows.append((
            mark, str(entry["n"]), f"{entry['right']:.1%}", f"{table['base']:.1%}",
            f"{entry['likelihood_ratio']:.3f}", f"{low:.3f} to {high:.3f}", str(gold.get(mark, 0)),
        ))  # fmt: skip
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def calibration(drafts: Sequence[Row]) -> dict[str, Any]:
    """How well the base rate, and the base rate with the ratios of the other databases, foretell what is right.

    Leave-one-database-out: mean log loss (nats) of both, over all drafts that something was said of and over all.
    """
    judged = [row for row in drafts if row["right"] is not None]
    plain, weighted, said = [], [], []
    for db in sorted({row["db"] for row in judged}):
        rest = [row for row in judged if row["db"] != db]
        if not rest:
            continue
        table = measured(rest, "")
        for row in (row for row in judged if row["db"] == db):
            odds = math.log(table["base"] / (1 - table["base"]))
            shift = _shift(marks_of(row), table)
            plain.append(_loss(odds, right=bool(row["right"])))
            weighted.append(_loss(odds + shift, right=bool(row["right"])))
            said.append(shift != 0)
    return {
        "log_loss_base": _mean(plain),
        "log_loss_weighed": _mean(weighted),
        "log_loss_base_where_warned": _mean([x for x, w in zip(plain, said, strict=True) if w]),
        "log_loss_weighed_where_warned": _mean([x for x, w in zip(weighted, said, strict=True) if w]),
    }


def _shift(marks: frozenset[str], table: Mapping[str, Any]) -> float:
    by_family: dict[str, float] = {}
    for mark in marks:
        code, severity = mark.split()
        entry = table["weights"].get(mark)
        known = entry is not None and entry["n"] >= LEAST
        ratio = max(entry["without_one_database"]) if entry and known else UNMEASURED[severity]
        by_family[family(code)] = min(by_family.get(family(code), 0.0), math.log(ratio))
    return sum(by_family.values())


def _loss(odds: float, *, right: bool) -> float:
    return math.log1p(math.exp(-odds if right else odds))


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
