"""`eval answers` as a command: what it refuses, and what its summary says. Whole runs: test_planted_faults.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.errors import SettingsError
from evals.asking import GoldFailed, gold_of, same
from evals.cli import command
from evals.commands.answers import summarise
from evals.errors import EvalError
from evals.suites.house import HouseCase
from retrieval.types import Principal

SUITE = "cases:\n  - {id: a, question: Q, must_decline: true, tags: [x]}\n"


def asked(folder: Path, *options: str) -> Any:
    (folder / "s.yaml").write_text(SUITE, encoding="utf-8")
    arguments = ["answers", str(folder / "s.yaml"), "--out", str(folder / "o.json"), *options]
    return CliRunner().invoke(command, arguments, env={"BUNMYAKU_HOME": str(folder / "home")}).exception


@pytest.mark.parametrize(
    ("options", "said"), [(["--tags", "y"], "No case"), (["--today", "20.11.2026"], "not a day")]
)
def test_options_that_make_no_sense_are_said(tmp_path: Path, options: list[str], said: str) -> None:
    error = asked(tmp_path, *options)
    assert isinstance(error, EvalError)
    assert said in error.what


def test_a_home_that_was_not_set_up_is_said_and_not_begun(tmp_path: Path) -> None:
    assert isinstance(asked(tmp_path), SettingsError)
    assert not (tmp_path / "home").exists()


def row(passed: bool | None, **fields: Any) -> dict[str, Any]:
    base = {"status": "ok", "kind": "answer", "language": "en", "route": "query", "tags": ["t"], "leaks": []}
    return {**base, "passed": passed, **fields}


def test_the_summary_counts_what_has_a_score() -> None:
    rows = [
        row(True, seconds=0.1),
        row(True, language="ja", tags=["t", "u"], seconds=0.3),
        row(False, failed_part="policy", leaks=["rows"]),
        row(None, status="gold_failed"),
        {"id": "e", "status": "error", "error": "boom"},
    ]
    found = summarise("s", rows, {}, "data", {})
    assert (found["n"], found["scored"], found["passed"], found["coverage"]) == (5, 4, 2, 0.8)
    assert (found["pass_rate"], found["leaks"]) == (0.5, 1)
    assert found["failed_parts"] == {"error": 1, "policy": 1}
    assert found["by_tag"]["t"]["scored"] == 3
    assert found["by_tag"]["u"]["pass_rate"] == 1.0
    assert found["by_language"]["ja"]["interval"][0] < 1.0
    assert found["p50_ms"] == pytest.approx(200)


def test_no_rows_are_a_summary_too() -> None:
    assert summarise("s", [], {}, "data", {})["coverage"] == 0.0


def test_gold_without_a_warehouse_has_no_score() -> None:
    one = HouseCase("a", "Q", "en", "", sql=("SELECT 1",))
    with pytest.raises(GoldFailed, match="no warehouse"):
        gold_of(one, None, Principal("kim"))
    assert gold_of(HouseCase("a", "Q", "en", ""), None, Principal("kim")).alternatives == ()


def test_rows_are_the_same_whatever_their_order_and_names() -> None:
    assert same([{"a": 1}, {"a": 2}], [{"b": 2, "c": "x"}, {"b": 1, "c": "y"}], ordered=False)
    assert not same([{"a": 1}, {"a": 2}], [{"b": 2}, {"b": 1}], ordered=True)
    assert same([], [], ordered=False)
    assert not same([{"a": 1}], [], ordered=False)
