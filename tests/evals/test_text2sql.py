from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evals.cli import command as cli
from evals.errors import EvalError
from evals.suites.databases import load
from tests.evals import sets

Run = Callable[..., dict[str, Any]]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["text2sql", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sets.sqlite_set(tmp_path / "set")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def started(*arguments: object, out: str = "out.json") -> dict[str, Any]:
        result = invoke(*arguments, "--out", tmp_path / out)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads((tmp_path / out).read_text(encoding="utf-8"))
        return found

    return started


def by_id(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in report["rows"]}


def test_the_offline_drafter_on_files(folder: Path, run: Run) -> None:
    report = run(folder)
    rows = by_id(report)
    assert report["n"] == 7
    assert report["coverage"] == pytest.approx(0.7)
    assert report["left_out"] == {"gold_fails": 1, "gold_not_a_query": 1, "schema_only_db": 1}
    assert {name: rows[name]["status"] for name in ("b1", "b2", "b3", "b4", "l1", "l2")} == dict.fromkeys(
        ("b1", "b2", "b3", "b4", "l1", "l2"), "correct"
    )
    assert not rows["b5"]["answered"]
    assert not rows["b5"]["correct"]
    assert report["execution_accuracy"] == pytest.approx(6 / 7, abs=1e-6)
    low, high = report["execution_accuracy_interval"]
    assert low < 6 / 7 < high
    assert report["precision"] == 1.0
    given = sum(row["answered"] for row in rows.values() if "answered" in row)
    assert report["answered"] == pytest.approx(given / 7, abs=1e-6)
    assert report["curve"][-1]["precision"] <= report["curve"][0]["precision"]
    assert rows["b1"]["seconds"] > 0
    assert set(rows["b1"]) >= {"id", "db", "sql", "status", "correct", "confidence", "seconds", "timings"}


def test_the_same_run_twice_gives_the_same_bytes_on_any_number_of_processes(
    folder: Path, run: Run, tmp_path: Path
) -> None:
    run(folder, "--timings", tmp_path / "t1.json", out="1.json")
    run(folder, "--timings", tmp_path / "t2.json", "--jobs", 2, out="2.json")
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    timings = json.loads((tmp_path / "t1.json").read_text(encoding="utf-8"))
    assert timings["rows"][0]["seconds"] > 0
    assert timings["rows"][0]["timings"].keys() == {"draft", "guard", "run"}
    assert str(tmp_path) not in (tmp_path / "1.json").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "1.json",
        "2.json",
        "set",
        "t1.json",
        "t2.json",
    ]


def test_what_the_database_cannot_tell_should_be_declined(folder: Path, run: Run) -> None:
    report = run(folder, "--questions", "unanswerable.jsonl")
    assert report["declined"] == 0.5
    assert report["wrongly_answered_cases"] == ["u2"]
    assert "execution_accuracy" not in report
    rows = by_id(report)
    assert (rows["u1"]["status"], rows["u1"]["correct"]) == ("declined", True)
    assert (rows["u2"]["answered"], rows["u2"]["correct"]) == (True, False)


def test_a_question_put_to_another_database(folder: Path, run: Run) -> None:
    report = run(folder, "--wrong-db")
    assert report["n"] == 10
    for row in report["rows"]:
        assert {row["db"], row["asked"]} == {"bakery", "library"}
    assert report["declined"] + report["wrongly_answered"] == pytest.approx(1.0, abs=1e-5)
    assert report["declined"] > 0.8


def test_a_limit_and_another_instance(folder: Path, run: Run) -> None:
    assert len(run(folder, "--limit", 3)["rows"]) == 3
    report = run(folder, "--instance", 1)
    assert report["n"] == 7
    assert report["options"]["instance"] == 1
    assert by_id(report)["b1"]["correct"]


def test_another_instance_finds_what_was_right_by_accident(folder: Path, run: Run, tmp_path: Path) -> None:
    # The oldest earns the most in these rows; nothing says that it is always so.
    question = ("b6", "bakery", "Who earns the most?", "SELECT name FROM baker ORDER BY wage DESC LIMIT 1")
    asked = sets.write_lines(tmp_path / "more.jsonl", sets.rows([question]))
    said = sets.predictions(tmp_path / "p.jsonl", b6="SELECT name FROM baker ORDER BY age DESC LIMIT 1")
    arguments = (folder, "--questions", asked, "--predictions", said)
    assert run(*arguments)["execution_accuracy"] == 1.0
    found = [run(*arguments, "--instance", n)["execution_accuracy"] for n in range(1, 6)]
    assert 0.0 in found


def test_predictions_of_one_system(folder: Path, run: Run, tmp_path: Path) -> None:
    said = sets.right() | {
        "b2": "SELECT age, name FROM baker ORDER BY age",  # columns the other way round
        "b3": sets.WRONG,
        "b4": "SELECT count(*) FROM brunch",
        "b5": "SELECT name FROM baker WHERE age > 40 FOR UPDATE",
        "l1": None,
        "zz": "SELECT 1",
    }
    del said["l2"]
    report = run(folder, "--predictions", sets.predictions(tmp_path / "mine.jsonl", **said))
    rows = by_id(report)
    statuses = {name: rows[name]["status"] for name in ("b1", "b2", "b3", "b4", "b5", "l1", "l2")}
    assert statuses == {
        "b1": "correct", "b2": "correct", "b3": "wrong", "b4": "refused", "b5": "refused", "l1": "wrong", "l2": "wrong",
    }  # fmt: skip
    assert rows["l2"]["reason"] == "missing"
    assert (report["missing"], report["unknown_ids"], report["refused"]) == (5, 1, 2)
    assert report["execution_accuracy"] == pytest.approx(2 / 7, abs=1e-6)
    assert report["refused_though_right"] == 0


def test_what_the_guard_costs_is_counted(folder: Path, run: Run, tmp_path: Path) -> None:
    # Right, and refused: which file a database is in is nobody's business.
    sql = "SELECT count(*) FROM baker WHERE EXISTS (SELECT 1 FROM pragma_table_info('baker'))"
    report = run(
        folder, "--predictions", sets.predictions(tmp_path / "p.jsonl", **{**sets.right(), "b1": sql})
    )
    row = by_id(report)["b1"]
    assert (row["status"], row["correct"]) == ("refused", False)
    assert report["refused_though_right"] == int(row["refused_right"])


def test_many_systems_and_their_vote(folder: Path, run: Run, tmp_path: Path) -> None:
    good, other, bad = (
        sets.right(),
        sets.right() | {"b3": sets.WRONG},
        {**sets.right(), "b1": "SELECT 1", "b3": None},
    )
    files = [
        sets.predictions(tmp_path / "p" / f"{name}.jsonl", **said)
        for name, said in (("bad", bad), ("good", good), ("other", other))
    ]
    report = run(folder, "--predictions", *files, "--vote", "--out-dir", tmp_path / "each")
    scores = {name: found["execution_accuracy"] for name, found in report["systems"].items()}
    assert scores == {
        "bad": pytest.approx(5 / 7, abs=1e-6),
        "good": 1.0,
        "other": pytest.approx(6 / 7, abs=1e-6),
    }
    vote = report["vote"]
    assert vote["best_member"] == "good"
    assert vote["gain"]["difference"] == pytest.approx(vote["execution_accuracy"] - 1.0, abs=1e-5)
    rows = by_id(report)
    assert (rows["b1"]["confidence"], rows["b1"]["correct"]) == (pytest.approx(2 / 3, abs=1e-6), True)
    assert rows["b2"]["unanimous"]
    assert not rows["b3"]["unanimous"]
    assert rows["b1"]["systems"]["bad"]["group"] == 1
    assert vote["unanimous_precision"] == 1.0
    assert sorted(path.name for path in (tmp_path / "each").iterdir()) == [
        "bad.json", "good.json", "other.json", "vote.json",
    ]  # fmt: skip
    one = json.loads((tmp_path / "each" / "bad.json").read_text(encoding="utf-8"))
    assert one["execution_accuracy"] == scores["bad"]
    assert one["system"] == "bad"
    assert one["fingerprint"] == report["fingerprint"]
    # A folder stands for the files in it.
    again = run(folder, "--predictions", tmp_path / "p", out="again.json")
    assert {name: found["execution_accuracy"] for name, found in again["systems"].items()} == scores


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('{"id": "b1", "pred_sql": "SELECT 1"}\n{"id": "b1", "pred_sql": "SELECT 1"}\n', "twice"),
        ('{"id": "b1", "pred_sql": 7}\n', "pred_sql"),
        ('{"id": "b1", "db": "library", "pred_sql": "SELECT 1"}\n', "is about"),
        ('{"id": "other", "pred_sql": "SELECT 1"}\n', "None of the predictions"),
        ('{"id": "b1"\n', "JSON"),
    ],
)
def test_predictions_with_a_mistake(folder: Path, tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(lines, encoding="utf-8")
    error = invoke(folder, "--predictions", path, "--out", tmp_path / "o.json").exception
    assert isinstance(error, EvalError)
    assert said in error.what
    assert "p.jsonl" in error.where
    assert not (tmp_path / "o.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "no such folder"),
        (("set", "--questions", "nothing.jsonl"), "no such file"),
        (("set", "--engine", "postgres"), "no databases for postgres"),
        (("set/databases",), "questions.jsonl"),
        (("set", "set/questions.jsonl"), "One folder"),
        (("set", "--drafter", "offline", "--predictions", "set/questions.jsonl"), "replayed"),
        (("set", "--drafter", "replay"), "no predictions"),
        (("set", "--limit", "0"), "at least 1"),
        (("set", "--drafter", "model", "--model", "none"), "No chat model"),
    ],
)
def test_bad_input_is_one_clear_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(folder.parent)
    error = invoke(*arguments, "--out", "o.json").exception
    assert isinstance(error, EvalError)
    assert said in error.what


def test_a_question_about_no_database_of_the_set(folder: Path) -> None:
    path = sets.write_lines(folder / "odd.jsonl", [{**sets.rows()[0], "db": "bank"}])
    with pytest.raises(EvalError) as caught:
        load(folder, path)
    assert "bank" in caught.value.what
    assert "bakery, library" in (caught.value.todo or "")


def test_a_file_that_is_no_database(folder: Path, tmp_path: Path) -> None:
    (folder / "databases" / "library.sqlite.gz").write_bytes(b"no gzip")
    error = invoke(folder, "--out", tmp_path / "o.json").exception
    assert isinstance(error, EvalError)
    assert "library.sqlite.gz" in error.where


def test_a_damaged_database_costs_its_own_questions_only(folder: Path, run: Run) -> None:
    path = folder / "databases" / "bakery.sqlite"
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 9000)
    report = run(folder)
    rows = by_id(report)
    assert {rows[name]["status"] for name in ("b1", "b2", "b3", "b4", "b5")} == {"unscored"}
    assert report["left_out"]["database_fails"] == 6
    assert rows["l1"]["correct"]


def test_databases_are_opened_for_reading_only(folder: Path, run: Run, tmp_path: Path) -> None:
    path = folder / "databases" / "bakery.sqlite"
    before = path.read_bytes()
    evil = {
        **sets.right(),
        "b1": "DELETE FROM baker",
        "b2": "SELECT 1; DROP TABLE baker",
        "b3": "PRAGMA user_version = 9",
    }
    report = run(folder, "--predictions", sets.predictions(tmp_path / "evil.jsonl", **evil))
    assert {by_id(report)[name]["status"] for name in ("b1", "b2", "b3")} == {"refused"}
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*-wal"))
    assert sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute(
        "SELECT count(*) FROM baker"
    ).fetchone() == (6,)


def test_a_killed_run_goes_on_where_it_was(folder: Path, tmp_path: Path) -> None:
    many = [{**row, "id": f"{row['id']}-{i}"} for i in range(60) for row in sets.rows()]
    asked = sets.write_lines(tmp_path / "many.jsonl", many)

    def start(out: Path) -> subprocess.Popen[bytes]:
        arguments = ["text2sql", folder, "--questions", asked, "--out", out, "--timings", tmp_path / "t.json"]
        code = "import sys; from evals.cli import command; command(sys.argv[1:])"
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], cwd=Path(__file__).parents[2]
        )

    out, journal = tmp_path / "killed.json", tmp_path / "killed.json.journal"
    process = start(out)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") > 20:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = journal.read_bytes().count(b"\n") - 1
    assert 0 < kept < len(many)
    assert not out.exists()
    assert start(out).wait() == 0
    assert not journal.exists()
    assert start(tmp_path / "whole.json").wait() == 0
    assert out.read_bytes() == (tmp_path / "whole.json").read_bytes()
