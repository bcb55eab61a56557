"""`bunmyaku eval proof`: a set on two engines, its report, and its exit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evals.cli import command
from evals.errors import EvalError
from evals.proving.running import Lot, close_all, prove, summarize
from tests.evals.little_sets import lines, question, shop_set

GOLD = [
    question("q1", "SELECT name FROM stores WHERE city = 'Rome'"),
    question("q2", "SELECT kind, SUM(amount) FROM sales GROUP BY kind ORDER BY 2 DESC LIMIT 1"),
    question("q3", "SELECT * FROM stores AS s JOIN sales AS x ON x.store_id = s.store_id"),
    question("q4", "SELECT COUNT(*) FROM sales"),
]


def test_gold_and_drafts_are_proved_on_both_engines(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", GOLD)
    drafts = lines(
        tmp_path / "p.jsonl",
        [
            {"id": "q1", "db": "shop", "pred_sql": "SELECT name FROM stores"},
            {"id": "q4", "pred_sql": GOLD[3]["gold_sql"]},
        ],
    )
    out = tmp_path / "proof.json"
    given = [
        "proof",
        str(folder),
        "--predictions",
        str(drafts),
        "--policies",
        "6",
        "--generated",
        "5",
        "--out",
        str(out),
    ]
    ran = CliRunner().invoke(command, given)
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["failures"] == report["lineage_failures"] == []
    assert ran.exit_code == 0, ran.output
    assert set(report["engines"]) == {"sqlite", "duckdb"}
    # Gold and drafts without repeats, and what was generated.
    assert 15 <= report["statements"] <= 20
    assert report["pairs"] == report["statements"] * 6
    assert report["equal"] > report["pairs"] * 0.4
    assert report["lineage"]["share"] == 1.0
    assert f"{report['equal']} equal" in ran.output


def test_an_engine_that_is_not_there_is_said(tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        command, ["proof", str(tmp_path), "--engine", "oracle", "--out", str(tmp_path / "o.json")]
    )
    assert isinstance(ran.exception, EvalError)


def test_what_differs_can_be_seen_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evals.proving import running
    from evals.proving.planted import no_policy

    monkeypatch.setattr(running, "_ours", no_policy)
    folder = shop_set(tmp_path / "set", GOLD)
    lot = Lot(
        "x",
        "sqlite",
        "shop",
        str(folder / "databases" / "shop.sqlite"),
        str(tmp_path),
        (1, 2, 3, 4),
        (GOLD[3]["gold_sql"],),
    )
    row = prove(lot)
    close_all()
    found = summarize([row])
    assert found["differs"] == len(found["failures"]) > 0
    assert {"seed", "db", "engine", "policy", "caller", "sql", "rewritten", "problem"} <= found["failures"][
        0
    ].keys()
