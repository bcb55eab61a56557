"""Promise 2: the statement only reads, at every depth."""

from __future__ import annotations

from tests.promises.shop import DIALECTS, ENGINES, ROWS, allowed, place, refused
from text2sql.errors import WarehouseError
from text2sql.types import Limits

WRITES = (
    "DELETE FROM stores",
    "INSERT INTO stores SELECT * FROM stores",
    "UPDATE stores SET size = 0",
    "CREATE TABLE copied AS SELECT * FROM stores",
    "DROP TABLE stores",
    "SELECT * INTO copied FROM stores",
    "SET search_path TO secret",
    "CALL refresh()",
    "EXPLAIN ANALYZE DELETE FROM stores",
    "COPY stores TO 'out.csv'",
    "PRAGMA writable_schema = 1",
    "ATTACH 'other.db' AS other",
    "BEGIN",
    "VACUUM",
)
DEEP = (
    "WITH gone AS (DELETE FROM sales RETURNING *) SELECT * FROM gone",
    "WITH a AS (WITH b AS (INSERT INTO stores VALUES (99, 'x', 1) RETURNING region) SELECT * FROM b) SELECT * FROM a",
    "SELECT * FROM (UPDATE stores SET size = 0 RETURNING region) AS changed",
    "SELECT region FROM stores FOR UPDATE",
    "SELECT region FROM (SELECT region FROM stores FOR SHARE) AS locked",
    "SELECT region FROM stores WHERE store_id IN (SELECT store_id FROM stores FOR UPDATE)",
)


def test_what_writes_is_refused() -> None:
    for dialect in DIALECTS:
        for sql in WRITES:
            refused(dialect, sql)


def test_what_writes_inside_is_refused() -> None:
    for dialect in DIALECTS:
        for sql in DEEP:
            refused(dialect, sql)


def test_nodes_and_arguments_that_nobody_listed_are_refused() -> None:
    refused("duckdb", "SELECT region FROM stores AT (VERSION => 1)")
    refused("postgres", "SELECT region FROM ONLY stores")
    refused("duckdb", "DESCRIBE stores")
    refused("athena", "SELECT region FROM stores FOR VERSION AS OF 7")


def test_the_engines_sessions_write_nothing_either() -> None:
    for engine in ENGINES:
        warehouse = place(engine).warehouse
        for sql in ("DELETE FROM stores", "CREATE TABLE copied (a INTEGER)", "UPDATE stores SET size = 0"):
            try:
                warehouse.run(sql, Limits())
            except WarehouseError:
                continue
            raise AssertionError(f"{engine} ran {sql}")
        assert place(engine).rows("SELECT COUNT(*) FROM stores") == [(len(ROWS["stores"]),)]


def test_reading_is_allowed() -> None:
    for dialect in DIALECTS:
        allowed(dialect, "WITH big AS (SELECT region FROM stores WHERE size > 30) SELECT COUNT(*) FROM big")
