"""Mutants: each kind is made where it can be, and the others are left alone."""

from __future__ import annotations

import sqlite3

import pytest

from evals.mutants import mutants
from tests.evals.little_sets import SHOP


def by_kind(sql: str, dialect: str = "sqlite") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for mutant in mutants(sql, dialect):
        found.setdefault(mutant.kind, set()).add(mutant.sql)
    return found


@pytest.mark.parametrize(
    ("sql", "kind", "expected"),
    [
        ("SELECT a FROM t WHERE a > 1 AND b = 'x'", "drop_condition", "SELECT a FROM t WHERE b = 'x'"),
        ("SELECT a FROM t WHERE b = 'x'", "drop_condition", "SELECT a FROM t"),
        ("SELECT a FROM t WHERE a > 1", "flip_comparison", "SELECT a FROM t WHERE a >= 1"),
        ("SELECT a FROM t WHERE a > 1", "flip_comparison", "SELECT a FROM t WHERE a < 1"),
        ("SELECT a FROM t WHERE a = 1", "flip_comparison", "SELECT a FROM t WHERE a <> 1"),
        ("SELECT a FROM t WHERE a = 1 OR b = 2", "swap_and_or", "SELECT a FROM t WHERE a = 1 AND b = 2"),
        ("SELECT a FROM t WHERE NOT a IN (1, 2)", "drop_not", "SELECT a FROM t WHERE a IN (1, 2)"),
        ("SELECT DISTINCT a FROM t", "drop_distinct", "SELECT a FROM t"),
        ("SELECT COUNT(DISTINCT a) FROM t", "drop_distinct", "SELECT COUNT(a) FROM t"),
        ("SELECT COUNT(a) FROM t", "add_distinct", "SELECT COUNT(DISTINCT a) FROM t"),
        ("SELECT MAX(a) FROM t", "change_aggregate", "SELECT MIN(a) FROM t"),
        ("SELECT SUM(a) FROM t", "change_aggregate", "SELECT AVG(a) FROM t"),
        ("SELECT a FROM t ORDER BY a", "flip_order", "SELECT a FROM t ORDER BY a DESC"),
        ("SELECT a FROM t JOIN u ON t.i = u.i", "drop_join_condition", "SELECT a FROM t JOIN u ON TRUE"),
        ("SELECT a FROM t JOIN u ON t.i = u.i", "left_join", "SELECT a FROM t LEFT JOIN u ON t.i = u.i"),
        ("SELECT a FROM t GROUP BY a HAVING COUNT(*) > 1", "drop_having", "SELECT a FROM t GROUP BY a"),
        ("SELECT a FROM t GROUP BY a, b", "drop_group_key", "SELECT a FROM t GROUP BY a"),
        ("SELECT a FROM t LIMIT 3", "off_by_one", "SELECT a FROM t LIMIT 2"),
        ("SELECT a FROM t WHERE a > 7", "off_by_one", "SELECT a FROM t WHERE a > 8"),
        ("SELECT a FROM t INTERSECT SELECT a FROM u", "change_set", "SELECT a FROM t UNION SELECT a FROM u"),
    ],
)
def test_each_kind(sql: str, kind: str, expected: str) -> None:
    assert expected in by_kind(sql)[kind]


def test_a_join_condition_is_not_turned_round() -> None:
    kinds = by_kind("SELECT t.a FROM t JOIN u ON t.i = u.i AND u.b > 3")
    assert all("t.i <> u.i" not in sql for found in kinds.values() for sql in found)
    assert any("u.b >= 3" in sql for sql in kinds["flip_comparison"])


def test_the_place_of_a_column_is_no_number_to_change() -> None:
    assert by_kind("SELECT a, b FROM t ORDER BY 2").keys() == {"flip_order"}
    assert "off_by_one" not in by_kind("SELECT CAST(a AS VARCHAR(10)) FROM t", "postgres")


def test_one_never_becomes_no_rows_at_all() -> None:
    assert by_kind("SELECT a FROM t LIMIT 1")["off_by_one"] == {"SELECT a FROM t LIMIT 2"}


def test_each_text_once_never_the_original_and_at_most_so_many() -> None:
    sql = "SELECT a FROM t WHERE " + " AND ".join(f"c{n} > {n}" for n in range(20))
    found = mutants(sql, "sqlite", most=15)
    assert len(found) == 15
    texts = [mutant.sql for mutant in mutants(sql, "sqlite", most=10_000)]
    assert len(texts) == len(set(texts))
    assert sql not in texts


def test_the_same_every_time_and_nothing_from_what_cannot_be_read() -> None:
    sql = "SELECT kind, SUM(amount) FROM sales WHERE amount > 5 GROUP BY kind ORDER BY 2 DESC LIMIT 2"
    assert mutants(sql, "sqlite") == mutants(sql, "sqlite")
    assert mutants("SELEC nothing FRM", "sqlite") == []


def test_mutants_run() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SHOP)
    sql = (
        "SELECT s.city, COUNT(DISTINCT x.kind), SUM(x.amount) FROM stores s JOIN sales x ON s.store_id = x.store_id "
        "WHERE x.amount > 5 AND NOT x.kind = 'toys' GROUP BY s.city, s.name HAVING COUNT(*) >= 1 ORDER BY 3 LIMIT 3"
    )
    wanted = connection.execute(sql).fetchall()
    found = mutants(sql, "sqlite")
    assert len(found) >= 15
    differing = [m.kind for m in found if connection.execute(m.sql).fetchall() != wanted]
    assert {"drop_not", "flip_order", "off_by_one", "drop_condition", "drop_join_condition"} <= set(differing)
    connection.close()
