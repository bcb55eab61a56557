"""Each warning: when it speaks, when it keeps silent, and how sure it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.messages import finding_text
from tests.text2sql.guard.warned import GOALS, SALES, STORES, TABLES, catalog, column, said, sampled, warnings
from text2sql.types import Catalog, Table

JOIN = "SELECT s.name FROM stores AS s JOIN sales AS x ON {}"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # Tables that nothing joins.
        ("SELECT s.name FROM stores AS s, sales AS x", [("cartesian", "hard")]),
        ("SELECT s.name FROM stores AS s, sales AS x WHERE s.city = 'Rome' AND x.kind = 'food'", [("cartesian", "hard")]),
        (JOIN.format("1 = 1"), [("cartesian", "hard")]),
        (JOIN.format("s.store_id = x.store_id AND x.kind = 'food'"), []),
        ("SELECT s.name FROM stores AS s, sales AS x WHERE x.store_id = s.store_id", []),
        ("SELECT name FROM stores NATURAL JOIN sales", []),
        # Joins beside the keys.
        (JOIN.format("s.store_id = x.sale_id"), [("join_not_key", "hard")]),
        (JOIN.format("s.store_id = x.store_id AND s.size = x.amount"), []),
        ("SELECT s.name FROM stores AS s JOIN stores AS t ON s.city = t.city", []),
        ("SELECT x.kind FROM sales AS x JOIN goals AS g ON x.store_id = g.store_id", []),
        ("SELECT x.kind FROM sales AS x JOIN (SELECT store_id AS i FROM stores) AS t ON t.i = x.store_id", []),
        ("SELECT x.kind FROM sales AS x JOIN (SELECT size AS i FROM stores) AS t ON t.i = x.sale_id",
         [("join_not_key", "hard"), ("no_common_values", "hard")]),
        # Columns that hold nothing in common.
        ("SELECT s.name FROM stores AS s JOIN goals AS g ON s.store_id = g.store_id AND s.city = g.town",
         [("no_common_values", "hard")]),
        ("SELECT s.name FROM stores AS s JOIN goals AS g ON s.store_id = g.store_id OR s.city = g.town", []),
        # Rows repeated under an aggregate.
        ("SELECT SUM(s.staff) FROM stores AS s JOIN sales AS x ON s.store_id = x.store_id", [("fan_out", "soft")]),
        ("SELECT SUM(x.amount) FROM stores AS s JOIN sales AS x ON s.store_id = x.store_id", []),
        # Columns beside aggregates.
        ("SELECT name, COUNT(*) FROM stores GROUP BY city", [("ungrouped", "hard")]),
        ("SELECT name, COUNT(*) FROM stores", [("ungrouped", "hard")]),
        ("SELECT size, COUNT(*) FROM stores GROUP BY name", [("ungrouped", "soft")]),
        ("SELECT s.name, COUNT(*) FROM stores AS s JOIN sales AS x ON s.store_id = x.store_id GROUP BY x.store_id", []),
        ("SELECT s.name, COUNT(*) FROM stores AS s JOIN sales AS x ON s.store_id = x.store_id GROUP BY s.store_id", []),
        ("SELECT city, COUNT(*) FROM stores WHERE city = 'Rome'", []),
        # Types.
        ("SELECT name FROM stores WHERE size = 'big'", [("type_mismatch", "hard")]),
        ("SELECT name FROM stores WHERE size > 'big'", [("type_mismatch", "hard")]),
        ("SELECT name FROM stores WHERE size = '100'", []),
        ("SELECT name FROM stores WHERE opened > 7", [("type_mismatch", "hard")]),
        ("SELECT name FROM stores WHERE opened > 'big'", [("type_mismatch", "hard")]),
        ("SELECT name FROM stores WHERE opened BETWEEN '2020-01-01' AND '2021'", []),
        ("SELECT kind FROM sales WHERE code > 16", []),
        ("SELECT kind FROM sales GROUP BY kind HAVING COUNT(*) > 'many'", [("type_mismatch", "hard")]),
        (JOIN.format("s.name = x.amount"),
         [("join_not_key", "hard"), ("no_common_values", "hard"), ("type_mismatch", "hard")]),
        # Values.
        ("SELECT name FROM stores WHERE city = 'Rmoe'", [("literal_absent", "hard")]),
        ('SELECT name FROM stores WHERE city = "Rmoe"', [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE LOWER(city) = 'rome'", []),
        ("SELECT name FROM stores WHERE city = 'rome'", [("literal_absent", "hard")]),
        ("SELECT CASE WHEN city = 'Rmoe' THEN 1 END FROM stores", [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE city LIKE 'Rm%'", []),
        ("SELECT name FROM stores WHERE size = 900", [("out_of_range", "soft")]),
        ("SELECT name FROM stores WHERE size = 150", []),
        ("SELECT name FROM stores WHERE size > 900", []),
    ],
)  # fmt: skip
def test_what_is_said_of_a_statement(sql: str, expected: list[tuple[str, str]]) -> None:
    assert said(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name FROM stores WHERE city = 'Rmoe'",
        "SELECT name FROM stores WHERE size = 900",
        "SELECT s.name FROM stores AS s JOIN goals AS g ON s.store_id = g.store_id AND s.city = g.town",
    ],
)
def test_what_a_sample_lacks_is_not_absent(sql: str) -> None:
    assert said(sql) != []
    assert said(sql, sampled()) == []


def test_what_the_policy_keeps_from_the_caller_speaks_of_nothing() -> None:
    rows = "tables: {stores: {grants: [{roles: [everyone], rows: \"city = 'Rome'\"}]}}"
    masks = "tables: {stores: {grants: [{roles: [everyone], masks: {city: hash}}]}}"
    sql = "SELECT name FROM stores WHERE city = 'Rmoe'"
    assert said(sql) == [("literal_absent", "hard")]
    assert said(sql, policy=rows) == said(sql, policy=masks) == []


def test_types_that_an_engine_holds_to_are_sure_without_values() -> None:
    bare = tuple(replace(t, columns=tuple(replace(c, profile=None) for c in t.columns)) for t in TABLES)
    sql = "SELECT name FROM stores WHERE size = 'big'"
    assert said(sql, Catalog("duckdb", bare)) == [("type_mismatch", "hard")]
    assert said(sql, Catalog("sqlite", bare)) == [("type_mismatch", "soft")]


def test_the_way_out_is_offered_in_both_languages() -> None:
    [found] = warnings("SELECT s.name FROM stores AS s JOIN sales AS x ON s.store_id = x.sale_id")
    assert found.suggestions == ("x.store_id = s.store_id",)
    assert "x.store_id = s.store_id" in finding_text(found, "en")
    assert "x.store_id = s.store_id" in finding_text(found, "ja")
    [absent] = warnings("SELECT name FROM stores WHERE city = 'Rmoe'")
    assert "Rome" in finding_text(absent, "ja")


def test_what_only_names_call_a_key_is_doubted_softly() -> None:
    apart = Catalog("sqlite", (STORES, replace(SALES, foreign_keys=()), replace(GOALS, foreign_keys=())))
    assert said(JOIN.format("s.store_id = x.store_id"), apart) == [("join_not_key", "soft")]
    assert said(JOIN.format("s.store_id = x.sale_id"), apart) == [("join_not_key", "hard")]
    sql = "SELECT x.kind FROM sales AS x JOIN goals AS g ON x.store_id = g.store_id"
    assert said(sql, apart) == [("join_not_key", "soft")]  # unique in goals, as far as its rows go
    buyers = replace(SALES, columns=(*SALES.columns, column("buyer_id", "integer", "1", "3")))
    bought = JOIN.format("s.store_id = x.buyer_id")
    assert said(bought, Catalog("sqlite", (STORES, buyers))) == [("join_not_key", "soft")]
    assert said(bought.replace("buyer_id", "amount"), Catalog("sqlite", (STORES, buyers)))[0][1] == "hard"


def test_time_beside_an_interval_is_no_number() -> None:
    day = "SELECT name FROM stores WHERE opened >= CURRENT_DATE - INTERVAL '7 days'"
    assert said(day, catalog("postgres")) == []
    assert said("SELECT name FROM stores WHERE opened >= 3 + 4") == [
        ("type_mismatch", "hard")
    ]  # others refuse it


def test_of_many_values_the_nearest_are_offered() -> None:
    names = [f"Store {number:04}" for number in range(4_000)]
    many = Catalog("sqlite", (Table("stores", (column("name", "text", *names, "Northern"),)),))
    [found] = warnings("SELECT name FROM stores WHERE name = 'Nothern'", many)
    assert found.suggestions == ("Northern",)


def test_hard_ones_come_first() -> None:
    sql = "SELECT name, size, COUNT(*) FROM stores WHERE size = 900 AND city = 'Rmoe'"
    severities = [severity for _, severity in said(sql)]
    assert severities == sorted(severities)
    assert set(severities) == {"hard", "soft"}
