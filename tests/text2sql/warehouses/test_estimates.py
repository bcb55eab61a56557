"""What plans say before anything runs, on both embedded engines, against what the statements really read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest

from text2sql.warehouses._postgres_plan import estimate as of_postgres
from text2sql.warehouses._shared import SharedWarehouse
from text2sql.warehouses.duckdb import DuckDbWarehouse
from text2sql.warehouses.sqlite import SqliteWarehouse

N = 10_000


@pytest.fixture(scope="module", params=["duckdb", "sqlite"])
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedWarehouse]:
    path = tmp_path_factory.mktemp("estimates") / f"t.{request.param}"
    if request.param == "duckdb":
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE t AS SELECT range AS id, range % 100 AS g FROM range({N})")
        opened: SharedWarehouse = DuckDbWarehouse(path)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, g INTEGER)")
            connection.executemany("INSERT INTO t VALUES (?, ?)", ((n, n % 100) for n in range(N)))
            connection.commit()
        opened = SqliteWarehouse(path)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("sql", "least", "most"),
    [
        ("SELECT sum(g) FROM t", N, N),
        ("SELECT sum(g) FROM t WHERE g = 7", N, N),  # what passes is less, what is read is not
        ("SELECT sum(a.g) FROM t a JOIN t b ON a.id = b.id", N, 2 * N),
        ("SELECT count(*) FROM t a, t b", N * N, N * N),
        ("SELECT count(*) FROM t a, t b, t c", N**3, N**3),
        ("SELECT count(*) FROM t a JOIN t b ON a.g <> b.g", N * N, N * N),
        ("SELECT g FROM t UNION ALL SELECT g FROM t", 2 * N, 2 * N),
        ("WITH x AS (SELECT id, g FROM t ORDER BY g LIMIT 9000) SELECT count(*) FROM x a, x b", N * N // 2, 2 * N * N),
    ],
)  # fmt: skip
def test_work_is_what_is_read_or_met(warehouse: SharedWarehouse, sql: str, least: int, most: int) -> None:
    work = warehouse.explain(sql).work
    assert work is not None
    assert least <= work <= most


def test_a_search_by_key_reads_no_table_in_sqlite(warehouse: SharedWarehouse) -> None:
    work = warehouse.explain("SELECT g FROM t WHERE id = 7").work
    assert work == (1 if warehouse.dialect == "sqlite" else N)


def test_a_limit_that_stops_the_scan_is_seen_in_duckdb(warehouse: SharedWarehouse) -> None:
    if warehouse.dialect == "duckdb":
        assert warehouse.explain("SELECT g FROM t LIMIT 5").work == 5
        assert warehouse.explain("SELECT g FROM t ORDER BY g LIMIT 5").work >= N  # type: ignore[operator]


def test_a_correlated_subquery_repeats_in_sqlite(warehouse: SharedWarehouse) -> None:
    sql = "SELECT (SELECT count(*) FROM t b WHERE b.g > a.id) FROM t a"
    if warehouse.dialect == "sqlite":
        assert warehouse.explain(sql).work == N * N


def test_a_nested_loop_of_postgres_meets_every_pair() -> None:
    plan = """[{"Plan": {"Node Type": "Nested Loop", "Plan Rows": 10, "Total Cost": 1.5, "Plans": [
        {"Node Type": "Seq Scan", "Relation Name": "t", "Plan Rows": 100},
        {"Node Type": "Materialize", "Plan Rows": 200,
         "Plans": [{"Node Type": "Seq Scan", "Relation Name": "t", "Plan Rows": 200}]}]}}]"""
    found = of_postgres(plan, {"t": 5000}.get)
    assert (found.rows, found.scanned, found.returned, found.cost) == (20_000, 10_000, 10, 1.5)
