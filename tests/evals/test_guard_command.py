"""`bunmyaku eval guard`: verdicts beside the engine's, for gold, drafts and tasks that write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evals.cli import command
from evals.errors import EvalError, SuiteError
from evals.guarding import summarize
from tests.evals.little_sets import lines, make_sqlite, question, shop_set

GOLD = [
    question("q1", "SELECT name FROM stores WHERE city = 'Rome'"),
    question("q2", "SELECT kind, SUM(amount) FROM sales GROUP BY kind ORDER BY 2 DESC"),
    question("q3", "SELECT name FROM stores LIMIT 2"),
    question("q4", "DROP TABLE sales"),
]
GOOD = {"q1": "SELECT name FROM stores", "q2": "SELECT COUNT(*) FROM sales", "q3": "SELECT 1"}
BAD = {"q1": "SELECT colour FROM stores", "q2": "SELECT FROM WHERE", "q3": "SELECT name FROM nowhere"}


def predictions(path: Path, sql: dict[str, str]) -> Path:
    return lines(path, [{"id": key, "db": "shop", "pred_sql": text} for key, text in sql.items()])


def guard(*arguments: str | Path) -> dict[str, Any]:
    given = [str(argument) for argument in arguments]
    result = CliRunner().invoke(command, ["guard", *given])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    report: dict[str, Any] = json.loads(Path(given[given.index("--out") + 1]).read_text(encoding="utf-8"))
    return report


def test_gold_drafts_and_writes_in_one_report(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", GOLD)
    report = guard(
        folder, "--predictions", predictions(tmp_path / "good.jsonl", GOOD),
        "--predictions", predictions(tmp_path / "bad.jsonl", BAD), "--out", tmp_path / "o.json",
    )  # fmt: skip
    assert report["n"] == 4 + 6
    assert report["coverage"] == 1.0
    assert report["options"]["systems"] == 2
    assert (report["gold"], report["writes"], report["drafts"], report["drafts_failing"]) == (3, 1, 6, 3)
    assert report["gold_accepted"]["value"] == 1.0
    assert report["gold_same"]["k"] == 3
    assert report["writes_refused"]["value"] == 1.0
    assert report["precision"]["value"] == report["recall"]["value"] == 1.0
    low, high = report["recall"]["interval"]
    assert low < 1.0 == high
    assert report["failing_passed"] == report["running_refused"] == []
    assert report["p95_ms"] > 0


def test_files_may_follow_the_folder_and_a_folder_may_hold_them(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", GOLD)
    one, two = predictions(tmp_path / "p" / "a.jsonl", GOOD), predictions(tmp_path / "p" / "b.jsonl", BAD)
    listed = guard(folder, "--predictions", one, two, "--out", tmp_path / "1.json")
    held = guard(folder, "--predictions", tmp_path / "p", "--out", tmp_path / "2.json")
    assert listed["digest"] == held["digest"]
    with pytest.raises(EvalError, match="One folder"):
        guard(folder, one, "--out", tmp_path / "3.json")


def test_with_explain_the_engine_is_asked_as_well_and_nothing_that_runs_is_lost(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", GOLD)
    given = "--predictions", predictions(tmp_path / "p.jsonl", {**BAD, "q3": GOOD["q3"]})
    report = guard(folder, *given, "--explain", "--out", tmp_path / "o.json")
    assert report["recall"]["k"] == report["recall"]["n"] == 2
    assert report["running_refused"] == report["gold_refused"] == []


def test_the_same_bytes_twice_and_in_two_processes(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", GOLD)
    given = folder, "--predictions", predictions(tmp_path / "p.jsonl", BAD)
    for name, jobs in (("1", "1"), ("2", "2")):
        guard(
            *given,
            "--jobs",
            jobs,
            "--timings",
            tmp_path / f"{name}.t.json",
            "--out",
            tmp_path / f"{name}.json",
        )
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()


def test_a_set_for_two_engines_is_judged_on_both(tmp_path: Path) -> None:
    folder = tmp_path / "both"
    make_sqlite(folder / "sqlite" / "shop.sqlite", "CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2);")
    (folder / "schemas").mkdir()
    (folder / "schemas" / "shop.postgres.sql").write_text(
        "CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2);", encoding="utf-8"
    )
    sql = "SELECT MAX(a) FROM t"
    lines(folder / "questions.jsonl", [question("q", sql, gold_sql_sqlite=sql, dialect="postgres")])
    report = guard(folder, "--out", tmp_path / "o.json")
    assert {row["id"] for row in report["rows"]} == {"sqlite:gold/q", "postgres:gold/q"}
    assert (
        report["engines"]["postgres"]["gold_same"]["k"] == report["engines"]["sqlite"]["gold_same"]["k"] == 1
    )


def row(kind: str, *, allowed: bool, runs: bool | None, same: bool | None = None) -> dict[str, Any]:
    return {
        "id": f"{kind}{allowed}{runs}", "kind": kind, "status": "ok", "allowed": allowed, "runs": runs, "same": same,
        "code": "" if allowed else "function", "problem": "", "severities": {}, "right": None, "empty": False, "sql": "SELECT 1", "seconds": 0.001,
    }  # fmt: skip


def test_what_went_wrong_is_listed() -> None:
    found = summarize([
        row("draft", allowed=True, runs=False), row("draft", allowed=False, runs=True),
        row("draft", allowed=False, runs=False), row("draft", allowed=True, runs=True),
        row("gold", allowed=False, runs=True), row("gold", allowed=True, runs=True, same=False),
        row("write", allowed=True, runs=None),
    ])  # fmt: skip
    assert (found["precision"]["k"], found["precision"]["n"]) == (1, 2)
    assert (found["recall"]["k"], found["recall"]["n"]) == (1, 2)
    listed = ("failing_passed", "running_refused", "gold_refused", "gold_changed", "writes_passed")
    assert [len(found[name]) for name in listed] == [1, 1, 1, 1, 1]
    assert found["gold_same"]["value"] == 0.0
    assert found["writes_refused"]["value"] == 0.0


def test_without_drafts_there_is_no_precision() -> None:
    found = summarize([row("gold", allowed=True, runs=True, same=True)])
    assert found["precision"]["value"] is None
    assert found["recall"]["interval"] is None


def test_predictions_for_other_questions_are_refused(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", GOLD)
    with pytest.raises(SuiteError, match="None of the predictions"):
        guard(
            folder,
            "--predictions",
            predictions(tmp_path / "p.jsonl", {"x": "SELECT 1"}),
            "--out",
            tmp_path / "o",
        )
