"""What warnings weigh: counted on drafts, steady or not from database to database, written and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from evals.weighing import calibration, lines, marks_of, measured, write_weights


def row(db: str, right: bool | None, *codes: str, empty: bool = False) -> dict[str, Any]:
    return {"db": db, "right": right, "empty": empty, "severities": dict.fromkeys(codes, "hard")}


DRAFTS = [
    *(row("a", True) for _ in range(40)),
    *(row("b", True) for _ in range(40)),
    *(row("a", False, "told") for _ in range(9)),
    row("a", True, "told"),
    *(row("b", False, "told") for _ in range(3)),
    *(row("b", False) for _ in range(6)),
    row("b", None, "told"),
]


def test_the_ratio_is_of_shares_among_right_and_wrong() -> None:
    table = measured(DRAFTS, "command")
    told = table["weights"]["told hard"]
    assert (table["drafts"], table["base"]) == (99, round(81 / 99, 4))
    assert (told["n"], told["databases"], told["right"]) == (13, 2, round(1 / 13, 4))
    assert told["likelihood_ratio"] == round((1.5 / 82) / (12.5 / 19), 4)
    without_a, without_b = round(0.5 / 41 / (3.5 / 10), 4), round(1.5 / 42 / (9.5 / 10), 4)
    assert told["without_one_database"] == [without_a, without_b]


def test_no_rows_count_as_a_warning() -> None:
    assert marks_of(row("a", True, "told", empty=True)) == {"told hard", "empty_result soft"}


def test_weights_that_say_something_foretell_better() -> None:
    found = calibration(DRAFTS)
    assert found["log_loss_weighed_where_warned"] < found["log_loss_base_where_warned"]
    assert found["log_loss_weighed"] < found["log_loss_base"]


def test_the_file_is_read_back_and_shown(tmp_path: Path) -> None:
    table = measured(DRAFTS, "bunmyaku eval guard")
    write_weights(tmp_path / "weights.yaml", table)
    assert yaml.safe_load((tmp_path / "weights.yaml").read_text(encoding="utf-8")) == table
    shown = lines(table, {"other soft": 2})
    assert [line.split()[0] for line in shown] == ["warning", "other", "told"]
    assert "7.7%" in shown[2]


def test_without_drafts_there_is_nothing_to_weigh() -> None:
    table = measured([], "command")
    assert (table["drafts"], table["base"], table["weights"]) == (0, None, {})
    assert set(calibration([]).values()) == {None}
    assert len(lines(table, {})) == 1


@pytest.mark.parametrize("right", [True, False])
def test_one_database_alone_is_measured_but_never_foretold(right: bool) -> None:
    rows = [row("a", right, "told") for _ in range(6)]
    assert measured(rows, "")["weights"]["told hard"]["n"] == 6
    assert calibration(rows)["log_loss_base"] is None
