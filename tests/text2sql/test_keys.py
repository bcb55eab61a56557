from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest

from text2sql.errors import QueryTimeout
from text2sql.families import family
from text2sql.key_names import Name, belonging, key_score, pointing
from text2sql.keys import with_inferred_keys
from text2sql.profiling import profiled
from text2sql.types import Column, Dialect, ForeignKey, Table

Rows = list[tuple[Any, ...]]


def inferred(
    tables: Mapping[str, tuple[str, Rows]], *, dialect: Dialect = "sqlite", measured: bool = True
) -> dict[str, Table]:
    """Tables given as `name: ("column type, …", rows)`, in a database of their own, with keys inferred."""
    connection = sqlite3.connect(":memory:")
    bare = []
    for name, (columns, rows) in tables.items():
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
        marks = ", ".join("?" * len(columns.split(",")))
        connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', rows)
        parts = [part.split() for part in columns.split(",")]
        bare.append(Table(name, tuple(Column(n.strip('"'), t, family(t)) for n, t in parts), rows=len(rows)))

    def query(sql: str, seconds: float | None = None, /) -> Rows:
        return connection.execute(sql).fetchall()

    known = profiled(bare, "sqlite", query) if measured else bare
    return {table.name: table for table in with_inferred_keys(known, dialect, query)}


def references(table: Table) -> list[tuple[str, str, str]]:
    return [(key.columns[0], key.to_table, key.to_columns[0]) for key in table.foreign_keys]


STORES: tuple[str, Rows] = (
    "id INTEGER, name TEXT, region TEXT",
    [(1, "a", "x"), (2, "b", "x"), (3, "c", "y")],
)


class TestNames:
    @pytest.mark.parametrize(
        ("name", "words", "stem", "keyed"),
        [
            ("store_id", ("store", "id"), ("store",), True),
            ("StoreID", ("store", "id"), ("store",), True),
            ("storeid", ("store", "id"), ("store",), True),
            ("store_cd", ("store", "cd"), ("store",), True),
            ("Stores", ("store",), ("store",), False),
            ("id", ("id",), (), True),
            ("club_id_2", ("club", "id"), ("club",), True),
            ("店舗コード", ("店舗", "コード"), ("店舗",), True),
            ("paid", ("pa", "id"), ("pa",), True),  # no dictionary: the values decide
            ("amount", ("amount",), ("amount",), False),
        ],
    )
    def test_words(self, name: str, words: tuple[str, ...], stem: tuple[str, ...], keyed: bool) -> None:
        assert Name.of(name) == Name(words, stem, keyed)

    def test_whose_key_a_name_says_it_is(self) -> None:
        assert belonging(Name.of("store_id"), "stores") == 1
        assert belonging(Name.of("store_id"), "dim_store") == 0.8
        assert belonging(Name.of("stu_id"), "student") == 0.6
        assert belonging(Name.of("store_id"), "store_details") == 0

    def test_which_column_names_a_row(self) -> None:
        ranked = sorted(["name", "region_id", "store_id", "opened"], key=lambda c: -key_score("stores", c, 1))
        assert ranked[0] == "store_id"
        assert key_score("stores", "opened", 1) == 0

    @pytest.mark.parametrize(
        ("column", "table", "key", "low", "high"),
        [
            ("store_id", "stores", "store_id", 1, 1),
            ("store_id", "stores", "id", 0.97, 0.97),
            ("store_cd", "shops", "store_cd", 0.95, 0.95),
            ("home_store_id", "stores", "store_id", 0.75, 0.9),
            ("store", "stores", "id", 0.5, 0.7),
            ("winning_store", "stores", "store_id", 0.5, 0.7),
            ("visited_stores", "stores", "id", 0, 0),  # a number of them
            ("amount", "stores", "id", 0, 0),
            ("id", "stores", "id", 0, 0),
        ],
    )
    def test_pointing(self, column: str, table: str, key: str, low: float, high: float) -> None:
        assert low <= pointing(column, table, key, same_table=False) <= high


class TestPrimaryKeys:
    def test_a_unique_identifier_is_the_key(self) -> None:
        found = inferred({"stores": STORES, "goods": ("name TEXT, good_cd TEXT", [("a", "1"), ("a", "2")])})
        assert found["stores"].primary_key == ("id",)
        assert found["goods"].primary_key == ("good_cd",)

    def test_an_identifier_that_repeats_or_is_missing_is_not(self) -> None:
        found = inferred(
            {
                "visits": ("store_id INTEGER, n INTEGER", [(1, 1), (1, 2)]),
                "gaps": ("id INTEGER, n INTEGER", [(1, 1), (None, 1)]),
            }
        )
        assert found["visits"].primary_key == ()
        assert found["gaps"].primary_key == ()

    def test_a_measure_that_happens_to_be_unique_is_not(self) -> None:
        found = inferred({"sales": ("region TEXT, amount INTEGER", [("x", 1), ("x", 2)])})
        assert found["sales"].primary_key == ()

    def test_a_composite_key_is_as_short_as_it_can_be(self) -> None:
        lines = [(d, s, r, n, 5) for d in (1, 2) for s in ("a", "b") for r in (1, 2) for n in (1, 2)]
        found = inferred(
            {
                "receipts": (
                    "day_no INTEGER, store_cd TEXT, receipt_no INTEGER, line_no INTEGER, units INTEGER",
                    lines,
                )
            }
        )
        assert found["receipts"].primary_key == ("day_no", "store_cd", "receipt_no", "line_no")
        shorter = [(1, s, r, n, 5) for s in ("a", "b") for r in (1, 2) for n in (1, 2)]
        found = inferred(
            {
                "receipts": (
                    "day_no INTEGER, store_cd TEXT, receipt_no INTEGER, line_no INTEGER, units INTEGER",
                    shorter,
                )
            }
        )
        assert found["receipts"].primary_key == ("store_cd", "receipt_no", "line_no")

    def test_an_empty_table_is_known_by_name_alone(self) -> None:
        found = inferred(
            {"stores": ("id INTEGER, region_id INTEGER", []), "notes": ("first TEXT, store_id INTEGER", [])}
        )
        assert found["stores"].primary_key == ("id",)
        assert found["notes"].primary_key == ()

    def test_a_declared_key_is_left_alone(self) -> None:
        table = Table(
            "stores",
            (Column("id", "INTEGER", "integer"), Column("code", "TEXT", "text")),
            primary_key=("code",),
            rows=0,
        )
        (found,) = with_inferred_keys([table], "sqlite", lambda sql, seconds=None, /: [])
        assert found.primary_key == ("code",)


class TestForeignKeys:
    def test_names_propose_and_values_decide(self) -> None:
        found = inferred(
            {
                "stores": STORES,
                "sales": (
                    "sale_id INTEGER, store_id INTEGER, units INTEGER",
                    [(1, 1, 1), (2, 3, 2), (3, 3, 2)],
                ),
                "other": ("other_id INTEGER, store_id INTEGER", [(1, 77), (2, 78)]),
            }
        )
        assert references(found["sales"]) == [("store_id", "stores", "id")]
        assert found["sales"].foreign_keys[0].inferred
        assert references(found["other"]) == []
        assert references(found["stores"]) == []

    def test_a_few_orphans_are_forgiven_where_the_name_is_sure(self) -> None:
        rows = [(i, i % 3 + 1) for i in range(20)] + [(20, 0)]
        found = inferred({"stores": STORES, "sales": ("sale_id INTEGER, store_id INTEGER", rows)})
        assert references(found["sales"]) == [("store_id", "stores", "id")]
        vague = [(i, i % 3 + 1) for i in range(20)] + [(20, 9)]
        found = inferred({"stores": STORES, "sales": ("sale_id INTEGER, best_store INTEGER", vague)})
        assert references(found["sales"]) == []

    def test_two_roles_of_one_table(self) -> None:
        teams = ("team_id INTEGER, name TEXT", [(1, "a"), (2, "b")])
        games = ("game_id INTEGER, home_team_id INTEGER, away_team_id INTEGER", [(1, 1, 2), (2, 2, 1)])
        found = inferred({"teams": teams, "games": games})
        assert references(found["games"]) == [
            ("home_team_id", "teams", "team_id"),
            ("away_team_id", "teams", "team_id"),
        ]

    def test_a_table_may_refer_to_itself(self) -> None:
        found = inferred({"areas": ("area_id INTEGER, parent_area_id INTEGER", [(1, None), (2, 1), (3, 1)])})
        assert references(found["areas"]) == [("parent_area_id", "areas", "area_id")]

    def test_the_details_point_at_the_thing_not_the_other_way(self) -> None:
        stores = ("store_id INTEGER, name TEXT", [(1, "a"), (2, "b")])
        details = ("store_id INTEGER, floor INTEGER", [(1, 10), (2, 20)])
        found = inferred({"store_details": details, "stores": stores})
        assert references(found["store_details"]) == [("store_id", "stores", "store_id")]
        assert references(found["stores"]) == []

    def test_a_unique_name_can_be_pointed_at(self) -> None:
        grapes = ("no INTEGER, grape TEXT", [(1, "Merlot"), (2, "Koshu")])
        wines = ("wine_no INTEGER, grape TEXT", [(1, "Koshu"), (2, "Koshu"), (3, "Merlot")])
        found = inferred({"grapes": grapes, "wines": wines})
        assert references(found["wines"]) == [("grape", "grapes", "grape")]

    def test_types_must_fit_except_where_the_engine_does_not_mind(self) -> None:
        tables = {"stores": STORES, "sales": ("sale_no INTEGER, store_id TEXT", [(1, "1"), (2, "2")])}
        assert references(inferred(tables)["sales"]) == [("store_id", "stores", "id")]
        assert references(inferred(tables, dialect="duckdb")["sales"]) == []

    def test_japanese_names(self) -> None:
        stores = ('"店舗コード" TEXT, "店舗名" TEXT', [("001", "銀座"), ("002", "梅田")])
        sales = ('"売上番号" INTEGER, "店舗コード" TEXT', [(1, "001"), (2, "001"), (3, "002")])
        found = inferred({"店舗": stores, "売上": sales})
        assert found["店舗"].primary_key == ("店舗コード",)
        assert references(found["売上"]) == [("店舗コード", "店舗", "店舗コード")]

    def test_declared_ones_are_kept_and_not_doubled(self) -> None:
        declared = ForeignKey(("store_id",), "stores", ("id",))
        stores = Table("stores", (Column("id", "INTEGER", "integer"),), primary_key=("id",), rows=0)
        sales = Table("sales", (Column("store_id", "INTEGER", "integer"),), foreign_keys=(declared,), rows=0)
        found = with_inferred_keys([stores, sales], "sqlite", lambda sql, seconds=None, /: [])
        assert found[1].foreign_keys == (declared,)

    def test_empty_tables_need_a_sure_name(self) -> None:
        tables: dict[str, tuple[str, Rows]] = {
            "stores": ("id INTEGER, name TEXT", []),
            "sales": ("sale_id INTEGER, store_id INTEGER, best_store INTEGER", []),
        }
        assert references(inferred(tables)["sales"]) == [("store_id", "stores", "id")]

    def test_when_the_time_is_up_what_was_found_stays(self) -> None:
        def late(sql: str, seconds: float | None = None, /) -> Rows:
            raise QueryTimeout("stopped")

        tables = [
            Table("stores", (Column("id", "INTEGER", "integer"),), primary_key=("id",), rows=10),
            Table("sales", (Column("store_id", "INTEGER", "integer"),), rows=10),
        ]
        found = with_inferred_keys(tables, "sqlite", late)
        assert [table.primary_key for table in found] == [("id",), ()]
        assert references(found[1]) == [("store_id", "stores", "id")], "the name alone is sure"
