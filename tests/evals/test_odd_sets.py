"""Sets as they come: gold with comments, text that nothing can parse, databases that are none, files of another form."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evals.cases import read_cases
from evals.cli import command as cli
from evals.comparing import is_ordered, is_query, to_sqlite
from evals.drafting.predictions import read_predictions
from evals.errors import EvalError, SuiteError
from evals.paths import journal_of
from evals.report import save
from tests.evals import sets

DEEP = f"SELECT {'(' * 3000}1{')' * 3000}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return sets.sqlite_set(tmp_path / "set")


def report(tmp_path: Path, *arguments: object, name: str = "text2sql") -> dict[str, Any]:
    out = tmp_path / "out.json"
    result = CliRunner().invoke(cli, [name, *map(str, arguments), "--out", str(out)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def asked(folder: Path, gold: str, **more: Any) -> dict[str, Any]:
    return {**sets.rows()[0], "gold_sql": gold, **more}


@pytest.mark.parametrize(
    "gold",
    [
        "SELECT name FROM baker ORDER BY age; -- the youngest first",
        "-- the youngest first\nSELECT name FROM baker ORDER BY age /* ; */ ;;",
        "SELECT name FROM baker ORDER BY age;\n",
    ],
)
def test_comments_and_semicolons_change_nothing_of_gold(folder: Path, gold: str) -> None:
    path = sets.write_lines(folder / "q.jsonl", [asked(folder, gold)])
    (case,) = read_cases(path, "sqlite")
    assert not case.unscored
    assert is_ordered(case.gold[0], "sqlite")


def test_gold_that_is_only_a_comment_is_none(folder: Path) -> None:
    path = sets.write_lines(folder / "q.jsonl", [asked(folder, "-- nothing yet")])
    with pytest.raises(SuiteError, match="needs `gold_sql`"):
        read_cases(path, "sqlite")


def test_order_around_parentheses_counts() -> None:
    assert is_ordered("(SELECT a FROM t) ORDER BY a", "postgres")
    assert not is_ordered("(SELECT a FROM t)", "postgres")


def test_gold_nested_too_deeply_to_be_read_is_one_question_lost(folder: Path, tmp_path: Path) -> None:
    assert is_query(DEEP, "sqlite")
    assert not is_ordered(DEEP, "sqlite")
    assert to_sqlite(DEEP) is None
    path = sets.write_lines(folder / "q.jsonl", [*sets.rows(), asked(folder, DEEP, id="deep")])
    found = report(tmp_path, folder, "--questions", path)
    assert found["n"] == 7
    assert found["left_out"] == {"gold_fails": 1}


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 3000])
def test_a_database_that_is_none_is_the_fault_of_the_set(
    folder: Path, tmp_path: Path, content: bytes
) -> None:
    (folder / "databases" / "broken.sqlite").write_bytes(content)
    broken = {**sets.rows()[0], "id": "z", "db": "broken"}
    path = sets.write_lines(folder / "q.jsonl", [*sets.rows(), broken])
    drafted = report(tmp_path, folder, "--questions", path)
    file = sets.predictions(tmp_path / "p.jsonl", **sets.right())
    replayed = report(tmp_path, folder, "--questions", path, "--predictions", file)
    for found in (drafted, replayed):
        assert found["n"] == 7
        assert found["left_out"] == {"database_fails": 1}


def test_predictions_under_another_name_are_not_taken_for_none(folder: Path, tmp_path: Path) -> None:
    cases = read_cases(folder / "questions.jsonl", "sqlite")
    file = sets.write_lines(tmp_path / "p.jsonl", [{"id": "b1", "db": "bakery", "sql": "SELECT 1"}])
    with pytest.raises(SuiteError, match="pred_sql") as caught:
        read_predictions([file], cases, sampled=False)
    assert "line 1" in caught.value.where
    file = sets.write_lines(tmp_path / "p.jsonl", [{"id": "b1", "db": "bakery", "pred_sql": None}])
    assert "b1" in read_predictions([file], cases, sampled=False)[0].missing


def test_half_a_character_in_a_prediction_is_one_prediction_lost(folder: Path, tmp_path: Path) -> None:
    said = {**sets.right(), "b1": "SELECT '\ud83d'"}
    file = tmp_path / "p.jsonl"
    file.write_text("".join(json.dumps({"id": k, "pred_sql": v}) + "\n" for k, v in said.items()), "utf-8")
    found = report(tmp_path, folder, "--predictions", file)
    assert found["statuses"] == {"correct": 6, "wrong": 1}


def test_a_vote_on_nothing_that_has_a_score(folder: Path, tmp_path: Path) -> None:
    path = sets.write_lines(folder / "q.jsonl", [asked(folder, "SELECT nothing FROM nowhere")])
    files = [sets.predictions(tmp_path / f"{name}.jsonl", b1="SELECT 1") for name in "ab"]
    found = report(tmp_path, folder, "--questions", path, "--vote", "--predictions", *files)
    assert (found["n"], found["coverage"], found["vote"]["n"]) == (0, 0.0, 0)


def test_what_should_be_declined_and_was_is_called_so(folder: Path, tmp_path: Path) -> None:
    lines = [{"id": "u1", "pred_sql": "SELECT 1"}, {"id": "u2", "pred_sql": ""}]
    file = sets.write_lines(tmp_path / "p.jsonl", lines)
    found = report(tmp_path, folder, "--questions", "unanswerable.jsonl", "--predictions", file)
    assert {row["id"]: row["status"] for row in found["rows"]} == {"u1": "wrong", "u2": "declined"}
    assert found["declined"] == 0.5


def test_gold_that_finds_nothing_is_counted_whatever_was_drafted(folder: Path, tmp_path: Path) -> None:
    empty = asked(folder, "SELECT name FROM baker WHERE age > 900", question="Which glimmering zorb frobs?")
    found = report(tmp_path, folder, "--questions", sets.write_lines(folder / "q.jsonl", [empty]))
    assert found["statuses"] == {"declined": 1}
    assert found["gold_empty"] == 1


def test_the_guard_has_nothing_to_judge(folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["guard", str(folder), "--questions", "unanswerable.jsonl", "--out", str(tmp_path / "o.json")]
    )
    assert isinstance(result.exception, SuiteError)


def test_a_folder_in_the_place_of_the_report_is_said_before_the_run(folder: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["text2sql", str(folder), "--out", str(tmp_path)])
    assert isinstance(result.exception, EvalError)
    assert not list(tmp_path.parent.glob(f"{tmp_path.name}.journal*"))


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        save(pipe, {"n": 1})
        assert json.loads(os.read(reader, 1000)) == {"n": 1}
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert journal_of(pipe) is None


def test_an_instance_of_a_database_with_computed_columns_and_a_search_index(
    folder: Path, tmp_path: Path
) -> None:
    script = """
    CREATE TABLE item (id INTEGER PRIMARY KEY, price INTEGER, twice INTEGER GENERATED ALWAYS AS (price * 2) STORED);
    INSERT INTO item (id, price) VALUES (1, 5), (2, 7), (3, 9);
    CREATE VIRTUAL TABLE note USING fts5(body);
    INSERT INTO note VALUES ('one'), ('two');
    """
    sets.database(folder / "databases" / "odd.sqlite", script)
    base = {**sets.rows()[0], "db": "odd"}
    questions = [
        {**base, "id": "o1", "gold_sql": "SELECT id FROM item WHERE twice <> price * 2"},
        {**base, "id": "o2", "gold_sql": "SELECT body FROM note WHERE note MATCH 'two'"},
    ]
    path = sets.write_lines(folder / "q.jsonl", questions)
    file = sets.write_lines(
        tmp_path / "p.jsonl", ({"id": each["id"], "pred_sql": each["gold_sql"]} for each in questions)
    )
    found = report(tmp_path, folder, "--questions", path, "--predictions", file, "--instance", 1)
    assert found["left_out"] == {}
    assert found["gold_empty"] == 1
