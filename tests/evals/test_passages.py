"""`bunmyaku eval retrieval` on a set of our own: a real store, figures that can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from evals.cli import command
from evals.errors import SuiteError
from evals.suites.passages import fresh, load
from retrieval.errors import BunmyakuError
from retrieval.postgres.embedded import Lease

CORPUS = [
    {"id": "d1", "title": "Storm", "text": "Hail damage to vehicles is covered by the comprehensive plan."},
    {"id": "d2", "title": "Water", "text": "Burst pipes in winter flood the cellar."},
    {"id": "d3", "title": "Theft", "text": "Bicycles stolen from the yard are replaced once."},
    {"id": "d4", "title": "通院", "text": "通院給付金は事故の日から百八十日まで支払われます。"},
]
QUERIES = [
    {"id": "q1", "question": "Is hail damage to vehicles covered?", "relevant": ["d1"]},
    {"id": "q2", "question": "burst pipes in the cellar", "relevant": ["d2", "gone"]},
    {"id": "q3", "question": "通院給付金はいつまで支払われますか", "relevant": ["d4"]},
    {"id": "q4", "question": "What of nothing?", "relevant": []},
]


def write_set(folder: Path, corpus: list[dict[str, Any]], queries: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in (("corpus", corpus), ("queries", queries)):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return folder


def evaluate(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, ["retrieval", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    out = Path(arguments[arguments.index("--out") + 1])
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return report


def test_the_real_store_answers_and_the_figures_are_right(tmp_path: Path, server: Lease) -> None:
    folder = write_set(tmp_path / "set", CORPUS, QUERIES)
    report = evaluate(str(folder), "--dsn", server.dsn, "--out", str(tmp_path / "out.json"))
    rows = {row["id"]: row for row in report["rows"]}
    assert [row["ranked"][0] for row in report["rows"][:3]] == ["d1", "d2", "d4"]
    assert report["n"] == 4
    assert report["coverage"] == 0.75
    assert report["hit@1"] == 1.0
    assert report["recall@1"] == pytest.approx((1 + 0.5 + 1) / 3, abs=1e-6)
    assert report["mrr@10"] == 1.0
    assert report["relevant_missing"] == 1
    assert rows["q4"]["status"] == "unscored"
    assert rows["q1"]["seconds"] > 0
    assert report["p50_ms"] > 0
    assert report["intervals"]["recall@1"][0] < report["recall@1"]


def test_the_same_run_twice_gives_the_same_bytes_when_times_go_apart(tmp_path: Path, server: Lease) -> None:
    folder = write_set(tmp_path / "set", CORPUS, QUERIES)
    outs = []
    for number in (1, 2):
        out, times = tmp_path / f"{number}.json", tmp_path / f"{number}.times.json"
        report = evaluate(
            str(folder), "--dsn", server.dsn, "--out", str(out), "--timings", str(times), "--limit", "2"
        )
        assert report["p50_ms"] is None
        assert json.loads(times.read_text(encoding="utf-8"))["p50_ms"] > 0
        outs.append(out.read_bytes())
    assert outs[0] == outs[1]


def test_a_database_of_its_own_that_goes_afterwards(server: Lease) -> None:
    def names() -> set[str]:
        with psycopg.connect(server.dsn, dbname="postgres") as connection:
            return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}

    before = names()
    with fresh(server.dsn) as database, database.connection() as connection:
        assert connection.execute("SELECT current_database()").fetchone() not in {(name,) for name in before}
        assert len(names() - before) == 1
    assert names() == before


def test_a_limit_takes_questions_evenly_and_always_the_same(tmp_path: Path) -> None:
    many = [{"id": n, "question": f"q {n}", "relevant": ["d1"]} for n in range(10)]
    folder = write_set(tmp_path / "set", CORPUS, many)
    assert [query.id for query in load(folder, 5).queries] == ["0", "2", "4", "6", "8"]
    assert len(load(folder, 50).queries) == 10


@pytest.mark.parametrize(
    ("corpus", "queries", "what"),
    [
        ([CORPUS[0], CORPUS[0]], QUERIES, "twice"),
        (CORPUS, [QUERIES[0], QUERIES[0]], "twice"),
        ([{"id": "d"}], QUERIES, "`id` and `text`"),
        (CORPUS, [{"id": "q", "relevant": ["d1"]}], "`question` and `relevant`"),
        (CORPUS, [{"id": "q", "question": "x", "relevant": "d1"}], "`question` and `relevant`"),
        ([], QUERIES, "nothing to search"),
    ],
)
def test_a_set_that_cannot_be_read_is_one_clear_message(
    tmp_path: Path, corpus: list[dict[str, Any]], queries: list[dict[str, Any]], what: str
) -> None:
    with pytest.raises(SuiteError, match=what) as caught:
        load(write_set(tmp_path / "set", corpus, queries))
    assert caught.value.bad_input
    assert "set" in caught.value.where


def test_a_dsn_that_is_none_is_said_before_anything_is_made(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", CORPUS, QUERIES)
    with pytest.raises(BunmyakuError, match="DSN"):
        evaluate(str(folder), "--dsn", "host=x nonsense", "--out", str(tmp_path / "o.json"))
    assert not (tmp_path / "o.json").exists()
