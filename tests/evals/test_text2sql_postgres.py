"""Sets that come as PostgreSQL scripts, on an embedded server of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from evals.cli import command as cli
from evals.drafting.opened import close_all, opened
from evals.drafting.places import places
from evals.errors import EvalError
from evals.suites.databases import load
from tests.evals import sets
from text2sql.errors import QueryTimeout, WarehouseError


def run(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    out = tmp_path / "out.json"
    result = CliRunner().invoke(cli, ["text2sql", *map(str, arguments), "--out", str(out)])
    assert result.exit_code == 0, (result.output, result.exception)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def test_a_set_for_both_engines(tmp_path: Path) -> None:
    folder = sets.both_set(tmp_path / "set")
    lite = run(tmp_path, folder)
    assert lite["options"]["engine"] == "sqlite"
    full = run(tmp_path, folder, "--engine", "postgres")
    assert full["options"]["engine"] == "postgres"
    for report in (lite, full):
        assert report["n"] == 2
        assert report["execution_accuracy"] == 1.0
        # The draft shows the names alone: one of the columns that the set leaves open.
        assert report["exact_accuracy"] == 1.0


def test_columns_beside_the_gold_are_allowed_where_the_set_says_so(tmp_path: Path) -> None:
    folder = sets.both_set(tmp_path / "set")
    wide = sets.predictions(
        tmp_path / "p.jsonl",
        d1="SELECT count(*), 7 FROM baker",
        d2="SELECT age, name FROM baker WHERE wage > 0",
    )
    report = run(tmp_path, folder, "--predictions", wide)
    assert report["execution_accuracy"] == 1.0
    assert report["exact_accuracy"] == 0.0


def test_a_script_and_its_csv_files(tmp_path: Path) -> None:
    folder = sets.csv_set(tmp_path / "set")
    report = run(tmp_path, folder)
    assert report["n"] == 1
    assert report["left_out"] == {"gold_not_a_query": 1}
    assert report["rows"][0]["status"] == "correct"
    suite = load(folder)
    with places(suite, ["chain"], 2) as at:
        with psycopg.connect(at["chain"].url) as connection:
            rows = connection.execute("SELECT count(*), count(DISTINCT shop_cd) FROM shop").fetchone()
        assert rows is not None
        assert rows[0] == rows[1] > 20
        database = opened(at["chain"])
        try:
            assert database.gold("SELECT 1 AS a, 2 AS b", 5).columns == ((1,), (2,))
            with pytest.raises(WarehouseError):
                database.gold("DELETE FROM shop", 5)
            with pytest.raises(QueryTimeout):
                database.gold("SELECT pg_sleep(5)", 0.2)
            assert database.gold("SELECT count(*) FROM shop", 5).columns == ((rows[0],),)
        finally:
            close_all()


def test_a_script_reaches_nothing_of_the_machine_and_is_named(tmp_path: Path) -> None:
    folder = sets.csv_set(tmp_path / "set")
    script = folder / "schema.postgres.sql"
    script.write_text(
        "COPY (SELECT 1) TO PROGRAM 'touch owned'; CREATE TABLE shop (a int);", encoding="utf-8"
    )
    with pytest.raises(EvalError) as caught, places(load(folder), ["chain"]):
        pass
    assert "permission denied" in (caught.value.todo or "")
    assert caught.value.where == str(script)
