"""PostgreSQL under the contract, and what only it has."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.contracts.warehouse_contract import SALES, STORES, Capabilities, WarehouseContract
from tests.text2sql.warehouses.postgres_server import OwnServer
from text2sql.errors import QueryCancelled, QueryTimeout, WarehouseError, WarehouseUnavailable
from text2sql.types import Limits
from text2sql.warehouses import open_warehouse
from text2sql.warehouses.postgres import PostgresWarehouse

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT (i + 1) % 1000000 FROM n) "
SHOP = """
CREATE TABLE stores (id integer PRIMARY KEY, name text NOT NULL, region text);
CREATE TABLE sales (id integer PRIMARY KEY, store_id integer REFERENCES stores, sold_on date, amount integer);
CREATE VIEW big_sales AS SELECT * FROM sales WHERE amount > 100;
CREATE FUNCTION writing() RETURNS integer LANGUAGE sql VOLATILE AS $$ INSERT INTO stores VALUES (9, 'x', 'y') RETURNING id $$;
"""
OUTSIDE = (
    "COPY stores TO '/tmp/stolen.csv'",
    "COPY stores TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO STDOUT",
    "SELECT writing()",
    "SELECT public.writing()",
    "WITH w AS (INSERT INTO public.stores VALUES (9, 'x', 'y') RETURNING id) SELECT * FROM w",
    "WITH w AS (DELETE FROM public.sales RETURNING id) SELECT * FROM w",
    "INSERT INTO public.stores VALUES (9, 'x', 'y') RETURNING id",
    "SELECT * FROM public.stores FOR UPDATE",
    "SELECT nextval('public.numbers')",
    "SELECT lo_create(4711)",
    "SELECT 1 AS a INTO public.mine",
    "CREATE TEMP TABLE mine (i integer)",
    "EXPLAIN ANALYZE DELETE FROM public.sales",
    "DO $$ BEGIN DELETE FROM public.sales; END $$",
    "SET TRANSACTION READ WRITE",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET statement_timeout = 0",
    "RESET ALL",
    "COMMIT",
    "ROLLBACK",
    "COMMIT; DELETE FROM public.sales",
    "ROLLBACK; DELETE FROM public.sales; SELECT 1",
    "SELECT 1; COMMIT; DELETE FROM public.sales",
    "PREPARE p AS SELECT 1",
    "LISTEN x",
    "VACUUM",
    "CHECKPOINT",
)
_numbers = itertools.count(1)
_url = {}


def write_shop(postgres: OwnServer, name: str) -> str:
    postgres.fresh(name, SHOP + "CREATE SEQUENCE numbers;")
    with postgres.connect(name) as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO stores VALUES (%s, %s, %s)", STORES)
        cursor.executemany("INSERT INTO sales VALUES (%s, %s, %s, %s)", SALES)
        cursor.execute("ANALYZE")
    return postgres.url(name, options="-c search_path=public")


@pytest.fixture
def opened(postgres: OwnServer) -> Iterator[PostgresWarehouse]:
    """The shop, opened as the superuser: whatever holds, holds for a role that may do everything."""
    with PostgresWarehouse(write_shop(postgres, "shop")) as warehouse:
        yield warehouse


def refused(warehouse: PostgresWarehouse, sql: str, seconds: float = 5) -> WarehouseError:
    with pytest.raises(WarehouseError) as caught:
        warehouse.run(sql, Limits(seconds=seconds))
    return caught.value


class TestPostgres(WarehouseContract):
    capabilities = Capabilities(
        parameter="%(name)s",
        long_query="SELECT count(*) AS n FROM generate_series(1, 100000) a, generate_series(1, 10000000) b",
        endless_rows=ENDLESS + "SELECT i AS n FROM n",
        slow_rows=ENDLESS + "SELECT md5(repeat(i::text, 20000)) AS n FROM n",
        outside=OUTSIDE,
        qualifier="public.",
    )

    @pytest.fixture(autouse=True)
    def _server(self, postgres: OwnServer) -> None:
        self.postgres = postgres

    def make(self, folder: Path) -> Path:
        """A path stands for the database: the suite hands it on to `open`."""
        write_shop(self.postgres, "contract")
        return folder / "contract"

    def open(self, path: Path) -> PostgresWarehouse:
        return PostgresWarehouse(self.postgres.url(path.name))
