"""`bunmyaku eval linking`: gold tables among all schemas of several sets, and what counts as a gold table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from evals.catalogs import united
from evals.cli import command
from evals.errors import SuiteError
from evals.gold_tables import gold_tables
from tests.evals.little_sets import SHOP, ZOO, lines, make_sqlite, question, shop_set
from text2sql.types import Catalog, Column, ForeignKey, Table


def link(*arguments: str | Path) -> dict[str, Any]:
    given = [str(argument) for argument in arguments]
    result = CliRunner().invoke(command, ["linking", *given, "--embeddings", "none"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    report: dict[str, Any] = json.loads(Path(given[given.index("--out") + 1]).read_text(encoding="utf-8"))
    return report


def two_sets(folder: Path) -> tuple[Path, Path]:
    shop = shop_set(
        folder / "shop",
        [
            question("s1", "SELECT name FROM stores", "Names of the stores in Rome?"),
            question(
                "s2", "SELECT city FROM stores s JOIN sales x USING (store_id)", "Sales by city of the store"
            ),
        ],
    )
    make_sqlite(folder / "zoo" / "databases" / "zoo.sqlite.gz", ZOO)
    lines(
        folder / "zoo" / "questions.jsonl",
        [
            question("z1", "SELECT species FROM animals", "Which species are there?", "zoo"),
            question("z2", "SELECT x FROM unknown_table", "What is unknown?", "zoo"),
        ],
    )
    return shop, folder / "zoo"


def test_gold_tables_are_found_among_all_schemas(tmp_path: Path) -> None:
    report = link(*two_sets(tmp_path), "--out", tmp_path / "o.json")
    rows = {row["id"]: row for row in report["rows"]}
    assert report["tables"] == 5
    assert report["databases"] == 2
    assert rows["s2"]["tables"] == ["shop.sales", "shop.stores"]
    assert rows["s1"]["ranked"][0] == "shop.stores"
    assert rows["z1"]["ranked"][0] == "zoo.animals"
    assert rows["z2"]["status"] == "unscored"
    assert report["coverage"] == 0.75
    assert report["recall@5"] == report["all@5"] == 1.0
    assert {name: part["scored"] for name, part in report["sets"].items()} == {
        "shop/questions": 2,
        "zoo/questions": 1,
    }
    assert report["p50_ms"] > 0


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    sets = two_sets(tmp_path)
    for name in ("1", "2"):
        link(*sets, "--out", tmp_path / name, "--timings", tmp_path / f"{name}.t", "--limit", "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_other_questions_of_the_first_set(tmp_path: Path) -> None:
    shop, zoo = two_sets(tmp_path)
    lines(shop / "questions_ja.jsonl", [question("j", "SELECT name FROM stores", "店舗の名前", lang="ja")])
    report = link(shop, zoo, "--questions", "questions_ja.jsonl", "--out", tmp_path / "o")
    assert {row["id"] for row in report["rows"]} == {"j", "z1", "z2"}


def test_ids_that_two_sets_share_are_told_apart(tmp_path: Path) -> None:
    shop, zoo = two_sets(tmp_path)
    lines(zoo / "questions.jsonl", [question("s1", "SELECT species FROM animals", "Which species?", "zoo")])
    report = link(shop, zoo, "--out", tmp_path / "o")
    assert [row["id"] for row in report["rows"]] == ["shop/questions/s1", "s2", "zoo/questions/s1"]


def test_two_databases_of_one_name_cannot_stand_together(tmp_path: Path) -> None:
    shop, _ = two_sets(tmp_path)
    make_sqlite(tmp_path / "more" / "databases" / "shop.sqlite", SHOP)
    lines(tmp_path / "more" / "questions.jsonl", [question("m", "SELECT 1 FROM stores")])
    with pytest.raises(SuiteError, match="called 'shop'"):
        link(shop, tmp_path / "more", "--out", tmp_path / "o")


@pytest.mark.parametrize(
    ("sql", "dialect", "expected"),
    [
        ("SELECT a FROM T JOIN u ON 1 = 1", "sqlite", {"t", "u"}),
        ("WITH c AS (SELECT a FROM t) SELECT * FROM c JOIN u ON 1 = 1", "sqlite", {"t", "u"}),
        ("WITH t AS (SELECT a FROM t) SELECT * FROM t", "postgres", {"t"}),
        ("SELECT a FROM t WHERE a IN (SELECT b FROM u EXCEPT SELECT c FROM v)", "sqlite", {"t", "u", "v"}),
        ("SELECT x.a FROM (SELECT a FROM s.t) AS x", "postgres", {"t"}),
        ("SELECT a FROM t UNION SELECT a FROM u", "sqlite", {"t", "u"}),
        ("SELECT 1", "sqlite", set()),
        ("SELEC (", "sqlite", set()),
    ],
)
def test_gold_tables(sql: str, dialect: str, expected: set[str]) -> None:
    assert gold_tables(sql, dialect) == expected


def test_united_keys_stay_within_their_database() -> None:
    one = Table("a", (Column("b_id", "INT"),), foreign_keys=(ForeignKey(("b_id",), "public.b", ("id",)),))
    both = united([("x", Catalog("sqlite", (one,))), ("y", Catalog("sqlite", (one,)))], "sqlite")
    assert [table.qualified for table in both.tables] == ["x.a", "y.a"]
    assert [table.foreign_keys[0].to_table for table in both.tables] == ["x.b", "y.b"]
