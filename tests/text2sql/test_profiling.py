from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import duckdb
import pytest

from text2sql.errors import QueryTimeout, WarehouseError
from text2sql.profiling import Budget, Query, profiled
from text2sql.types import Column, Profile, Table

SMALL = Budget(cells=1_000, sample=200)
COLUMNS = (
    Column("id", "INTEGER", "integer"),
    Column("region", "VARCHAR", "text"),
    Column("sold_on", "DATE", "date"),
    Column("amount", "DOUBLE", "number"),
)


def sqlite_query(rows: int, extra: str = "") -> Query:
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        f"CREATE TABLE sales (id INTEGER, region TEXT, sold_on DATE, amount REAL); {extra}"
    )
    connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", _rows(rows))

    def query(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    return query


def duckdb_query(rows: int) -> Query:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE sales (id INTEGER, region VARCHAR, sold_on DATE, amount DOUBLE)")
    connection.execute(
        f"""INSERT INTO sales SELECT i, CASE WHEN i % 10 = 0 THEN NULL ELSE 'r' || (i % 3) END,
            DATE '2024-01-01' + (i % 31)::INTEGER, i / 2 FROM range({rows}) AS t(i)"""
    )

    def query(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        return connection.execute(sql).fetchall()

    return query


def _rows(count: int) -> list[tuple[Any, ...]]:
    return [
        (i, None if i % 10 == 0 else f"r{i % 3}", f"2024-01-{1 + i % 31:02}", i / 2) for i in range(count)
    ]


def profiles(
    query: Query, dialect: str, budget: Budget, columns: tuple[Column, ...] = COLUMNS
) -> dict[str, Profile]:
    (table,) = profiled([Table("sales", columns)], dialect, query, budget)  # type: ignore[arg-type]
    assert all(column.profile is not None for column in table.columns)
    return {column.name: column.profile for column in table.columns if column.profile is not None}


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_a_small_table_is_read_whole(dialect: str) -> None:
    query = sqlite_query(100) if dialect == "sqlite" else duckdb_query(100)
    found = profiles(query, dialect, Budget())
    assert not any(profile.sampled for profile in found.values())
    assert (found["id"].nulls, found["id"].distinct, found["id"].minimum, found["id"].maximum) == (
        0,
        100,
        "0",
        "99",
    )
    assert len(found["id"].values) == 50
    assert not found["id"].complete
    region = found["region"]
    assert (region.nulls, region.distinct, region.complete) == (10, 3, True)
    assert set(region.values) == {"r0", "r1", "r2"}
    assert (found["sold_on"].minimum, found["sold_on"].maximum) == ("2024-01-01", "2024-01-31")


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_of_a_big_table_what_cannot_be_known_is_not_said(dialect: str) -> None:
    query = sqlite_query(5_000) if dialect == "sqlite" else duckdb_query(5_000)
    found = profiles(query, dialect, SMALL)
    assert found["id"].sampled
    assert not found["id"].complete
    # Few values: all of them, counted over the whole table.
    assert set(found["region"].values) == {"r0", "r1", "r2"}
    assert (found["region"].sampled, found["region"].complete, found["region"].distinct) == (False, True, 3)
    assert (found["sold_on"].minimum, found["sold_on"].maximum) == ("2024-01-01", "2024-01-31")
    if dialect == "duckdb":
        assert found["id"].distinct is not None
        assert abs(found["id"].distinct - 5_000) < 750
        assert found["region"].nulls == 500
    else:
        assert (found["id"].distinct, found["id"].nulls, found["id"].minimum) == (None, None, None)


def test_the_sample_is_spread_over_the_table() -> None:
    found = profiles(sqlite_query(5_000), "sqlite", SMALL)
    values = [int(value) for value in found["id"].values]
    assert max(values) - min(values) > 1_000


def test_a_table_without_row_ids_is_sampled_too() -> None:
    extra = """CREATE TABLE codes (code TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
        INSERT INTO codes WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 3000)
        SELECT 'c' || n, n % 2 FROM i;"""
    table = Table("codes", (Column("code", "TEXT", "text"), Column("n", "INTEGER", "integer")))

    base = sqlite_query(1, extra)

    def query(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        try:
            return base(sql, seconds)
        except sqlite3.Error as error:
            raise WarehouseError(str(error)) from error

    (found,) = profiled([table], "sqlite", query, SMALL)
    assert found.rows == 3_000
    assert all(column.profile is not None for column in found.columns)
    assert found.columns[1].profile is not None
    assert found.columns[1].profile.values == ("0", "1")


def test_frequent_values_come_first_and_long_ones_are_left_out() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE notes (note TEXT)")
        connection.executemany("INSERT INTO notes VALUES (?)", [("b",), ("b",), ("a",), ("x" * 500,)])

        def query(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        (table,) = profiled([Table("notes", (Column("note", "TEXT", "text"),))], "sqlite", query)
    profile = table.columns[0].profile
    assert profile is not None
    assert profile.values == ("b", "a")
    assert not profile.complete, "one value was too long to keep"


def test_text_with_many_values_keeps_them_while_they_are_few_enough() -> None:
    budget = Budget(text_values=80, values=5)
    query = duckdb_query(100)
    columns = (Column("region", "VARCHAR", "text"), Column("id", "INTEGER", "integer"))
    found = profiles(query, "duckdb", budget, columns)
    assert (len(found["region"].values), len(found["id"].values)) == (3, 5)


def test_without_time_nothing_is_measured_and_nothing_fails() -> None:
    def never(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        raise AssertionError("there was no time to ask")

    (table,) = profiled([Table("sales", COLUMNS)], "sqlite", never, Budget(seconds=0))
    assert [column.profile for column in table.columns] == [None] * 4
    assert table.rows is None


def test_a_statement_that_takes_too_long_leaves_a_column_unknown() -> None:
    base = duckdb_query(100)

    def slow(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        assert seconds is not None
        if "DISTINCT" in sql:
            raise QueryTimeout("stopped")
        return base(sql, seconds)

    (table,) = profiled([Table("sales", COLUMNS)], "duckdb", slow)
    assert table.rows == 100
    assert [column.profile for column in table.columns] == [None] * 4


def test_binary_and_nested_columns_are_not_read() -> None:
    columns = (
        Column("id", "INTEGER", "integer"),
        Column("photo", "BLOB", "binary"),
        Column("tags", "VARCHAR[]", "other"),
    )
    asked: list[str] = []

    def query(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        asked.append(sql)
        return (
            [(1,)]
            if sql.startswith("SELECT count(*) FROM")
            else [(1, 1, 1, 7, 7)]
            if "DISTINCT" in sql
            else [("7", 1)]
        )

    (table,) = profiled([Table("t", columns)], "duckdb", query)
    assert not [sql for sql in asked if "photo" in sql or "tags" in sql]
    assert [column.profile is None for column in table.columns] == [False, True, True]


def test_names_are_quoted() -> None:
    with closing(duckdb.connect()) as connection:
        connection.execute(
            'CREATE SCHEMA "s 1"; CREATE TABLE "s 1"."a""b" ("from" INTEGER); INSERT INTO "s 1"."a""b" VALUES (4)'
        )

        def query(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        (table,) = profiled(
            [Table('a"b', (Column("from", "INTEGER", "integer"),), schema="s 1")], "duckdb", query
        )
    assert table.columns[0].profile is not None
    assert table.columns[0].profile.values == ("4",)
