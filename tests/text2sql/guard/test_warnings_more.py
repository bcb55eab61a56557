"""Sub-queries, repeated rows, NULL, what does not add up, and values however they are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.messages import finding_text
from tests.text2sql.guard.warned import TABLES, column, said, warnings
from text2sql.types import Catalog, Column, ForeignKey, Profile, Table

DAYS = Table(
    "days",
    (
        column("day", "date", "2024-01-01", "2024-01-02"),
        column("written", "text", "2024/01/05", "2024/02/06"),
        column("balance", "integer", "5", "7"),
        column("hit_rate", "integer", "1", "2"),
        column("shop_id", "integer", "1", "2"),
        replace(column("parent", "integer", "1"), profile=Profile(nulls=2, distinct=1, values=("1",))),
        column("far_id", "integer", "900", "901"),
    ),
    foreign_keys=(ForeignKey(("parent",), "days", ("shop_id",)),),
    rows=2,
)
LINES = Table(
    "lines",
    (
        column("order_id", "integer", "1", "2"),
        column("line", "integer", "1", "2"),
        column("sku", "text", "a"),
    ),
    primary_key=("order_id", "line"),
    rows=4,
)
PARCELS = Table(
    "parcels",
    (column("parcel", "integer", "7"), column("order_id", "integer", "1"), column("line", "integer", "1")),
    primary_key=("parcel",),
    foreign_keys=(ForeignKey(("order_id", "line"), "lines", ("order_id", "line")),),
    rows=1,
)
MORE = Catalog("sqlite", (*TABLES, DAYS, LINES, PARCELS))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        # Sub-queries and WITH names count as tables where they have several rows.
        ("SELECT s.name FROM stores AS s, (SELECT kind FROM sales) AS k", [("cartesian", "hard")]),
        ("WITH k AS (SELECT kind FROM sales GROUP BY kind) SELECT s.name FROM stores AS s JOIN k", [("cartesian", "hard")]),
        ("SELECT s.name FROM stores AS s CROSS JOIN (SELECT DISTINCT kind FROM sales) AS k", [("cartesian", "soft")]),
        ("SELECT s.name FROM stores AS s, (SELECT MAX(staff) AS m FROM stores) AS k WHERE s.staff > 1", []),
        ("WITH k AS (SELECT 8 AS m) SELECT s.name FROM stores AS s, k", []),
        ("SELECT s.name FROM stores AS s, (SELECT store_id FROM sales) AS k WHERE k.store_id = s.store_id", []),
        ("SELECT COUNT(*) FROM (SELECT s.name FROM stores AS s, sales AS x) AS t", [("cartesian", "hard")]),
        # Rows repeated two joins away, and through what is grouped before.
        (("SELECT SUM(g.goal) FROM goals AS g JOIN stores AS s ON g.store_id = s.store_id "
         "JOIN sales AS x ON x.store_id = s.store_id"), [("fan_out", "soft")]),
        (("SELECT SUM(s.staff) FROM stores AS s JOIN (SELECT store_id, kind FROM sales GROUP BY store_id, kind) AS k "
         "ON k.store_id = s.store_id"), [("fan_out", "soft")]),
        (("SELECT SUM(s.staff) FROM stores AS s JOIN (SELECT store_id, SUM(amount) AS a FROM sales GROUP BY store_id) "
         "AS k ON k.store_id = s.store_id"), []),
        (("SELECT SUM(s.staff) FROM stores AS s JOIN (SELECT DISTINCT store_id FROM sales) AS k "
         "ON k.store_id = s.store_id"), []),
        ("SELECT SUM(DISTINCT s.staff) FROM stores AS s JOIN sales AS x ON s.store_id = x.store_id", []),
        ("SELECT SUM(s.staff) FROM stores AS s JOIN lines AS l ON l.order_id = s.store_id WHERE l.line = 1",
         [("join_not_key", "soft")]),
        # NULL.
        ("SELECT name FROM stores WHERE city = NULL", [("null_compared", "hard")]),
        ("SELECT name FROM stores WHERE city NOT IN ('Rome', NULL)", [("null_compared", "hard")]),
        ("SELECT CASE city WHEN NULL THEN 1 END FROM stores", [("null_compared", "hard")]),
        ("SELECT name FROM stores WHERE city IS NULL", []),
        ("SELECT name FROM stores WHERE city IS NOT NULL", []),
        ("SELECT day FROM days WHERE shop_id NOT IN (SELECT parent FROM days)", [("not_in_nulls", "hard")]),
        ("SELECT day FROM days WHERE shop_id NOT IN (SELECT parent FROM days WHERE balance > 5)",
         [("not_in_nulls", "soft")]),
        ("SELECT day FROM days WHERE shop_id NOT IN (SELECT parent FROM days WHERE parent IS NOT NULL)", []),
        ("SELECT day FROM days WHERE shop_id IN (SELECT parent FROM days)", []),
        ("SELECT name FROM stores WHERE store_id NOT IN (SELECT store_id FROM sales)", []),
        # IN (SELECT …).
        ("SELECT name FROM stores WHERE store_id IN (SELECT store_id FROM sales)", []),
        ("SELECT name FROM stores WHERE store_id IN (SELECT far_id FROM days)", [("in_select", "hard")]),
        ("SELECT name FROM stores WHERE store_id IN (SELECT sale_id FROM sales)", [("in_select", "soft")]),
        # A part of a key.
        ("SELECT p.parcel FROM parcels AS p JOIN lines AS l ON l.order_id = p.order_id", [("part_of_key", "hard")]),
        ("SELECT p.parcel FROM parcels AS p JOIN lines AS l ON l.order_id = p.order_id AND l.line = p.line", []),
        # What does not add up.
        ("SELECT SUM(hit_rate) FROM days", [("not_additive", "soft")]),
        ("SELECT AVG(hit_rate), SUM(balance) FROM days", []),
        ("SELECT SUM(a) FROM (SELECT AVG(amount) AS a FROM sales GROUP BY kind) AS k", [("not_additive", "soft")]),
        ("SELECT SUM(a) FROM (SELECT SUM(amount) AS a FROM sales GROUP BY kind) AS k", []),
        ("SELECT SUM(a) FROM (SELECT COUNT(DISTINCT store_id) AS a FROM sales GROUP BY kind) AS k",
         [("not_additive", "soft")]),
        # Groups of one row.
        ("SELECT store_id, COUNT(*) FROM stores GROUP BY store_id", [("group_of_one", "soft")]),
        ("SELECT store_id FROM stores GROUP BY store_id HAVING COUNT(*) > 1", [("group_of_one", "hard")]),
        ("SELECT store_id FROM stores GROUP BY store_id HAVING COUNT(*) > 0", [("group_of_one", "soft")]),
        ("SELECT store_id FROM sales GROUP BY store_id HAVING COUNT(*) > 1", []),
        ("SELECT store_id FROM stores GROUP BY store_id", []),
        # Dates written in another way.
        ("SELECT day FROM days WHERE written > '2024-01-05'", [("date_form", "hard")]),
        ("SELECT day FROM days WHERE written BETWEEN '20240101' AND '20240131'",
         [("date_form", "hard"), ("date_form", "hard")]),
        ("SELECT day FROM days WHERE written >= '2024/01/05'", []),
        ("SELECT day FROM days WHERE day >= '2024-01-01'", []),
        ("SELECT day FROM days WHERE day >= '01/05/2024'", [("date_form", "hard")]),
        # A list of many cases names what may still come.
        ("SELECT name FROM stores WHERE city IN ('Rome', 'Berlin')", [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE city IN ('Rome', 'Olso')", [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE city IN ('Berlin', 'Paris')",
         [("literal_absent", "hard"), ("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE city <> 'unknown'", [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE city <> 'Romee'", [("literal_absent", "hard")]),
        ("SELECT CASE city WHEN 'Rome' THEN 1 WHEN 'Oslo' THEN 2 WHEN 'Berlin' THEN 3 END FROM stores",
         [("literal_absent", "soft")]),
        ("SELECT CASE WHEN city = 'Rome' THEN 1 WHEN city = 'Oslo' THEN 2 WHEN city = 'Berlin' THEN 3 END FROM stores",
         [("literal_absent", "soft")]),
        ("SELECT CASE city WHEN 'Rome' THEN 1 WHEN 'Oslo' THEN 2 WHEN 'Olso' THEN 3 END FROM stores",
         [("literal_absent", "soft")]),
        ("SELECT CASE city WHEN 'Rmoe' THEN 1 END FROM stores", [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE city LIKE 'Rmoe'", [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE city LIKE 'rome'", []),  # SQLite's LIKE
        ("SELECT name FROM stores WHERE LOWER(city) = 'Rome'", [("literal_absent", "hard")]),
        ("SELECT name FROM stores WHERE UPPER(TRIM(city)) = 'ROME'", []),
    ],
)  # fmt: skip
def test_more_of_what_is_said_of_a_statement(sql: str, expected: list[tuple[str, str]]) -> None:
    assert said(sql, MORE) == expected


JAPANESE = Catalog(
    "postgres",
    (Table("店舗", (column("都市", "text", "東京都", "大阪府", "トウキョウ"), column("区分", "text", "Ａ型", "b 型")), rows=3),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("column_", "text", "nearest"),
    [
        ("都市", "ﾄｳｷｮｳ", "トウキョウ"),  # width
        ("都市", "とうきょう", "トウキョウ"),  # kana
        ("都市", "東京", "東京都"),  # spelling
        ("都市", "大 阪 府", "大阪府"),  # spaces
        ("区分", "A型", "Ａ型"),  # width
        ("区分", "B型", "b 型"),  # case and space
    ],
)
def test_values_are_found_however_they_are_written(column_: str, text: str, nearest: str) -> None:
    [found] = warnings(f"""SELECT COUNT(*) FROM "店舗" WHERE "{column_}" = '{text}'""", JAPANESE)
    assert (found.code, found.severity) == ("literal_absent", "hard")
    assert found.suggestions[0] == nearest
    assert nearest in finding_text(found, "ja")
    assert nearest in finding_text(found, "en")


def test_of_values_known_in_part_only_other_spellings_are_told() -> None:
    def some(*values: str) -> Catalog:
        known = Profile(nulls=0, distinct=90_000, values=values)
        return Catalog(
            "sqlite", (Table("stores", (Column("name", "TEXT", "text", profile=known),), rows=90_000),)
        )

    sql = "SELECT name FROM stores WHERE name = 'NORTH  end'"
    assert said(sql, some("North End")) == [("literal_absent", "soft")]
    assert said(sql, some("North Ent")) == []


def test_letters_that_the_engine_takes_as_one_are_no_mistake() -> None:
    for kind, text, expected in (
        ("citext", "ROME", []),
        ("char(6)", "Rome  ", []),
        ("text", "ROME", ["hard"]),
    ):
        city = replace(column("city", "text", "Rome"), type=kind)
        cities = Catalog("postgres", (Table("cities", (city,), rows=1),))
        found = said(f"SELECT COUNT(*) FROM cities WHERE city = '{text}'", cities)
        assert [severity for _, severity in found] == expected


def test_big_tables_are_read_from_some_day_on() -> None:
    def of(rows: int, comment: str = "") -> Catalog:
        table = Table(
            "events",
            (
                column("at", "timestamp", "2020-01-01"),
                column("kind", "text", "a"),
                column("id", "integer", "1"),
            ),
            primary_key=("id",),
            rows=rows,
            comment=comment,
        )
        return Catalog("sqlite", (table,))

    every = "SELECT COUNT(*) FROM events WHERE kind = 'a'"
    assert said(every, of(5_000_000)) == [("no_time_bound", "soft")]
    assert said(every, of(5_000)) == []
    assert said(every, of(5_000, "Events. Partitioned by kind")) == []
    assert said("SELECT COUNT(*) FROM events", of(5_000, "PARTITIONED BY (at)")) == [
        ("no_time_bound", "soft")
    ]
    assert said("SELECT COUNT(*) FROM events WHERE at >= '2020-01-01'", of(5_000_000)) == []
    assert said("SELECT kind FROM events WHERE id = 1", of(5_000_000)) == []
