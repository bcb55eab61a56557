from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.cases import Case, Engine, read_cases, spread
from evals.errors import SuiteError

BASE = {"id": "q1", "db": "shop", "question": "How many?", "gold_sql": "SELECT count(*) FROM t"}


def read(folder: Path, *rows: dict[str, Any], engine: Engine = "sqlite") -> tuple[Case, ...]:
    path = folder / "q.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return read_cases(path, engine)


def test_a_plain_question(tmp_path: Path) -> None:
    (case,) = read(tmp_path, {**BASE, "lang": "en"})
    assert (case.id, case.db, case.gold, case.expected) == ("q1", "shop", (BASE["gold_sql"],), "answer")
    assert (case.ordered, case.columns, case.unscored, case.dialect) == (None, "exact", "", "sqlite")


def test_the_language_is_seen_where_it_is_not_said(tmp_path: Path) -> None:
    (case,) = read(tmp_path, {**BASE, "question": "店舗は何軒ありますか"})
    assert case.language == "ja"


def test_every_answer_that_the_set_calls_right_is_one(tmp_path: Path) -> None:
    row = {
        **BASE,
        "dialect": "postgres",
        "gold_sql": "SELECT s.a, s.b FROM x.s",
        "gold_sql_raw": "SELECT {s.a, s.b} FROM x.s; SELECT s.c FROM x.s;",
        "gold_sql_alternatives": ["SELECT s.d FROM x.s;"],
        "gold_sql_sqlite": "SELECT s.a FROM s",
    }
    (case,) = read(tmp_path, row, engine="postgres")
    assert case.columns == "subset"
    assert case.gold == (
        "SELECT s.a, s.b FROM x.s",
        "SELECT s.d FROM x.s",
        "SELECT s.a FROM x.s",
        "SELECT s.b FROM x.s",
        "SELECT s.c FROM x.s",
    )
    (case,) = read(tmp_path, row, engine="sqlite")
    assert case.gold[0] == "SELECT s.a FROM s"
    assert set(case.gold[1:]) == {
        "SELECT s.d FROM s",
        "SELECT s.a, s.b FROM s",
        "SELECT s.b FROM s",
        "SELECT s.c FROM s",
    }


def test_what_cannot_be_scored_says_why(tmp_path: Path) -> None:
    cases = read(
        tmp_path,
        {**BASE, "schema_only_db": True},
        {**BASE, "id": "q2", "gold_sql": "DROP TABLE t"},
        {"id": "q3", "db": "shop", "question": "Who wins tomorrow?", "expected": "refuse"},
        {**BASE, "id": "q4", "ordered": True, "columns": "subset"},
    )
    assert [case.unscored for case in cases] == ["schema_only_db", "gold_not_a_query", "", ""]
    assert (cases[2].expected, cases[2].gold) == ("refuse", ())
    assert (cases[3].ordered, cases[3].columns) == (True, "subset")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**BASE}, {**BASE}], "twice"),
        ([{"id": "q", "question": "?", "gold_sql": "SELECT 1"}], "`db`"),
        ([{"id": "q", "db": "d", "question": "?"}], "gold_sql"),
        ([{**BASE, "expected": "maybe"}], "refuse"),
        ([{**BASE, "columns": "some"}], "subset"),
        ([], "no questions"),
    ],
)
def test_a_mistake_is_one_clear_error(tmp_path: Path, rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(tmp_path, *rows)
    assert said in f"{caught.value.what} {caught.value.todo}"
    assert "q.jsonl" in caught.value.where


def test_a_limit_takes_questions_from_the_whole_set(tmp_path: Path) -> None:
    cases = read(tmp_path, *({**BASE, "id": f"q{i}"} for i in range(10)))
    assert [case.id for case in spread(cases, 3)] == ["q0", "q3", "q6"]
    assert spread(cases, None) == cases == spread(cases, 99)
    with pytest.raises(SuiteError):
        spread(cases, 0)
