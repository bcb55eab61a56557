"""Mistakes of meaning in gold: which are made, and how what is said of them is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.flagging import flagged, gold_warned, weights
from evals.semantic_mutants import KINDS, MOST, semantic_mutants
from tests.evals.little_sets import lines, question, shop_set
from tests.evals.test_guard_command import guard
from text2sql.ddl import catalog_from_ddl

CATALOG = catalog_from_ddl(
    "CREATE TABLE stores (store_id INTEGER PRIMARY KEY, name TEXT, city TEXT);"
    "CREATE TABLE sales (sale_id INTEGER PRIMARY KEY, store_id INTEGER, amount INTEGER);",
    "sqlite",
)
JOINED = (
    "SELECT s.city, SUM(x.amount) FROM stores AS s JOIN sales AS x ON s.store_id = x.store_id "
    "WHERE s.name = 'North' AND x.amount > 3 GROUP BY s.city"
)


def made(sql: str, kind: str, most: int = 50) -> list[str]:
    return [mutant.sql for mutant in semantic_mutants(sql, "sqlite", CATALOG, most) if mutant.kind == kind]


def test_every_kind_is_made_a_few_times_and_always_the_same_ones() -> None:
    found = semantic_mutants(JOINED, "sqlite", CATALOG)
    assert {mutant.kind for mutant in found} == set(KINDS)
    assert all(sum(m.kind == kind for m in found) <= MOST for kind in KINDS)
    assert found == semantic_mutants(JOINED, "sqlite", CATALOG)
    assert JOINED not in {mutant.sql for mutant in found}


def test_a_join_loses_its_condition_wherever_it_stands() -> None:
    assert made(JOINED, "cartesian") == [JOINED.replace("s.store_id = x.store_id", "1 = 1")]
    inside = "SELECT name FROM stores AS s, sales AS x WHERE s.store_id = x.store_id AND amount > 3"
    assert made(inside, "cartesian") == [
        "SELECT name FROM stores AS s CROSS JOIN sales AS x WHERE amount > 3"
    ]
    alone = "SELECT name FROM stores AS s, sales AS x WHERE s.store_id = x.store_id"
    assert made(alone, "cartesian") == ["SELECT name FROM stores AS s CROSS JOIN sales AS x"]


def test_another_pair_of_columns_joins() -> None:
    found = made(JOINED, "wrong_key")
    assert found
    assert all("ON s." in sql and "s.store_id = x.store_id" not in sql for sql in found)


def test_values_of_another_type() -> None:
    assert sorted(made(JOINED, "type")) == [
        JOINED.replace("> 3", "> 'zebra'"),
        JOINED.replace("'North'", "7"),
    ]
    assert made("SELECT city FROM stores WHERE name = 3", "type") == []


def test_a_name_in_double_quotes_that_is_no_column_is_misspelt_too() -> None:
    [found] = made('SELECT city FROM stores WHERE name = "North"', "misspelt")
    assert found.startswith("SELECT city FROM stores WHERE name = '")
    assert "'North'" not in found
    assert made("SELECT city FROM stores WHERE name LIKE 'North'", "misspelt") == []


def test_a_column_is_added_beside_aggregates_alone() -> None:
    mutants = [m for m in semantic_mutants(JOINED, "sqlite", CATALOG) if m.kind == "ungrouped"]
    assert mutants
    assert all(m.settled and "MIN(" in m.settled[0] and "MAX(" in m.settled[1] for m in mutants)
    assert made("SELECT city FROM stores", "ungrouped") == []
    assert made("SELECT DISTINCT city FROM stores GROUP BY city", "ungrouped") == []


@pytest.mark.parametrize("sql", ["", "SELECT FROM WHERE", "DROP TABLE stores"])
def test_what_is_no_query_has_none(sql: str) -> None:
    assert semantic_mutants(sql, "sqlite", CATALOG) == []


def test_a_report_says_what_share_is_flagged(tmp_path: Path) -> None:
    sql = JOINED.replace("'North' AND x.amount > 3", "'North'")
    folder = shop_set(tmp_path / "set", [question("q1", sql), question("q2", "SELECT city FROM stores")])
    report = guard(folder, "--mutants", "--out", tmp_path / "o.json")
    assert report["mutants_flagged"]["value"] == 1.0
    assert report["mutants_flagged_by_kind"]["cartesian"]["n"] == 1
    assert report["gold_hard"] == {**report["gold_hard"], "k": 0, "n": 2}
    assert "mutants_flagged" not in guard(folder, "--out", tmp_path / "2.json")


def test_drafts_are_weighed_by_what_is_said_of_them(tmp_path: Path) -> None:
    folder = shop_set(tmp_path / "set", [question("q1", "SELECT name FROM stores WHERE city = 'Rome'")])
    wrong = lines(
        tmp_path / "w.jsonl", [{"id": "q1", "pred_sql": "SELECT name FROM stores WHERE city = 'Rmoe'"}]
    )
    right = lines(
        tmp_path / "r.jsonl", [{"id": "q1", "pred_sql": "SELECT name FROM stores WHERE city IN ('Rome')"}]
    )
    report = guard(folder, "--predictions", wrong, "--predictions", right, "--out", tmp_path / "o.json")
    assert set(report["weights"]) == {"any hard", "empty result", "literal_absent (hard)"}
    found = report["weights"]["literal_absent (hard)"]
    assert (found["with"]["value"], found["without"]["value"]) == (0.0, 1.0)
    assert found["weight"] < 0


def mutant(kind: str, *, flag: bool, changes: bool) -> dict[str, Any]:
    return {"kind": kind, "flagged": flag, "changes": changes}


def test_mutants_that_change_nothing_are_counted_apart() -> None:
    found = flagged([
        mutant("type", flag=True, changes=True), mutant("type", flag=False, changes=True),
        mutant("misspelt", flag=False, changes=False),
    ])  # fmt: skip
    assert (found["mutants_flagged"]["k"], found["mutants_flagged"]["n"]) == (1, 2)
    assert found["mutants_flagged_by_kind"]["misspelt"]["value"] is None
    assert found["mutants_without_effect"]["misspelt"]["n"] == 1


def test_gold_is_counted_by_how_sure_the_warning_is() -> None:
    rows: list[dict[str, Any]] = [
        {"severities": {"ungrouped": "soft"}},
        {"severities": {"ungrouped": "hard"}},
        {"severities": {}},
    ]
    found = gold_warned(rows)
    assert (found["gold_hard"]["k"], found["gold_warned"]["k"]) == (1, 2)
    assert found["gold_by_warning"] == {"ungrouped (hard)": 1, "ungrouped (soft)": 1}
    assert weights([{"severities": {}, "right": None, "empty": False}]) == {}
