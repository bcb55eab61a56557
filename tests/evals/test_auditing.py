"""The audit: every planted fault is found under its name, and gold without a fault has no finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evals.auditing import asked
from evals.cli import command
from evals.errors import SuiteError
from tests.evals.little_sets import question, shop_set

CLEAN = "SELECT SUM(amount) FROM sales WHERE kind = 'food' AND amount >= 10"


def audit(folder: Path, out: Path, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, ["audit", str(folder), "--out", str(out), *options])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return report


def codes(report: dict[str, Any]) -> dict[str, set[str]]:
    return {row["id"]: {finding["code"] for finding in row["findings"]} for row in report["rows"]}


PLANTED = [
    ("fails", question("fails", "SELECT colour FROM sales")),
    ("empty", question("empty", "SELECT name FROM stores WHERE city = 'Paris'")),
    ("null", question("null", "SELECT MAX(note) FROM sales")),
    ("cut", question("no order", "SELECT name FROM stores LIMIT 2")),
    ("cut", question("tie", "SELECT kind FROM sales ORDER BY amount DESC LIMIT 1")),
    ("ties", question("list", "SELECT kind, amount, sale_id FROM sales ORDER BY kind")),
    ("order_sensitive", question("bare", "SELECT city, name FROM stores GROUP BY city")),
    ("nondeterministic", question("clock", "SELECT date('now') FROM stores")),
    (
        "alternatives",
        question(
            "other", "SELECT COUNT(*) FROM sales", gold_sql_alternatives=["SELECT COUNT(*) FROM stores"]
        ),
    ),
    ("mutants", question("blind", "SELECT COUNT(*) FROM sales WHERE amount > 4 AND store_id < 9")),
    ("constant", question("fixed", "SELECT COUNT(DISTINCT kind) FROM sales")),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("planted")
    rows = [
        *(row for _, row in PLANTED),
        question("ask 1", CLEAN, "What did food bring?"),
        question("ask 2", "SELECT SUM(amount) FROM sales", "What did  FOOD bring"),
        question("again 1", "SELECT MAX(amount) FROM sales", "What is the most?"),
        question("again 2", "SELECT MAX(amount) AS most FROM sales", "what is the most"),
    ]
    return audit(shop_set(folder, rows), folder / "out.json", "--instances", "2")


@pytest.mark.parametrize(("code", "row"), PLANTED, ids=[row["id"] for _, row in PLANTED])
def test_each_planted_fault_is_found(planted: dict[str, Any], code: str, row: dict[str, Any]) -> None:
    assert code in codes(planted)[row["id"]]
    assert row["id"] in planted["ids"].get(code, [row["id"]])
    assert planted["findings"][code] >= 1


def test_the_same_question_with_another_answer_and_with_the_same_one(planted: dict[str, Any]) -> None:
    found = codes(planted)
    assert "ambiguous" in found["ask 1"]
    assert "ambiguous" in found["ask 2"]
    assert "duplicate" not in found["ask 2"]
    assert "duplicate" in found["again 2"]
    assert "duplicate" not in found["again 1"]
    assert "ambiguous" not in found["again 1"]


def test_what_was_counted_adds_up(planted: dict[str, Any]) -> None:
    assert planted["n"] == len(planted["rows"]) == len(PLANTED) + 4
    assert planted["coverage"] == 1.0
    assert planted["with_instances"] == planted["n"]
    assert planted["mutants_unseen"] == sum(planted["mutants_unseen_by_kind"].values()) > 0
    assert planted["mutants_run"] > planted["mutants_unseen"]
    for code, count in planted["findings"].items():
        low, high = planted["intervals"][code]
        assert low <= count / planted["n"] <= high


def test_gold_without_a_fault_has_no_finding(tmp_path: Path) -> None:
    rows = [
        question("sum", CLEAN),
        question("by kind", "SELECT kind, SUM(amount) FROM sales GROUP BY kind"),
        question("most", "SELECT SUM(amount) FROM sales WHERE store_id = 2"),
    ]
    report = audit(shop_set(tmp_path / "set", rows), tmp_path / "out.json", "--instances", "2")
    found = {row["id"]: row["findings"] for row in report["rows"]}
    assert found == {"sum": [], "by kind": [], "most": []}
    assert report["without_findings"] == 3
    assert report["doubtful"] == 0


def test_the_same_bytes_twice_and_in_two_processes(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", [row for _, row in PLANTED])
    outs = []
    for number, jobs in ((1, "1"), (2, "2")):
        out = tmp_path / f"{number}.json"
        audit(
            folder, out, "--jobs", jobs, "--instances", "0", "--timings", str(tmp_path / f"{number}.t.json")
        )
        outs.append(out.read_bytes())
    assert outs[0] == outs[1]


def test_questions_without_gold_to_run_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [
        question("good", CLEAN),
        question("makes", "CREATE TABLE x (i INT)"),
        question("schema", CLEAN, schema_only_db=True),
        {"id": "no", "db": "shop", "question": "Who am I?", "expected": "refuse"},
    ]
    report = audit(shop_set(tmp_path / "set", rows), tmp_path / "out.json", "--instances", "0")
    assert report["n"] == 1
    assert report["unscored"] == 3
    assert report["coverage"] == 0.25


def test_alternatives_may_show_other_columns_of_the_same_rows(tmp_path: Path) -> None:
    others = ["SELECT city FROM stores", "SELECT name, city FROM stores"]
    row = question("columns", "SELECT name FROM stores", gold_sql_alternatives=others, columns="subset")
    report = audit(shop_set(tmp_path / "set", [row]), tmp_path / "out.json", "--instances", "0")
    assert "alternatives" not in codes(report)["columns"]
    row["gold_sql_alternatives"] = ["SELECT city FROM stores WHERE city <> 'Oslo'"]
    report = audit(shop_set(tmp_path / "two", [row]), tmp_path / "out.json", "--instances", "0")
    assert "alternatives" in codes(report)["columns"]


def test_a_set_with_nothing_to_audit_is_said(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", [question("makes", "DROP TABLE sales")])
    with pytest.raises(SuiteError, match="No question"):
        audit(folder, tmp_path / "out.json")
    with pytest.raises(SuiteError, match="no such engine"):
        audit(folder, tmp_path / "out.json", "--engine", "oracle")


def test_questions_compare_without_case_width_and_marks() -> None:
    assert asked("  What IS　the total？") == asked("what is the total")
    assert asked("売上はいくらですか。") == asked("売上はいくらですか")
    assert asked("in 2023") != asked("in 2024")
