"""PostgreSQL under the contract, and what only it has."""

from __future__ import annotations

import re
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from tests.contracts.warehouse_contract import SALES, STORES, Capabilities, WarehouseContract
from tests.text2sql.warehouses.postgres_server import OwnServer
from text2sql.errors import QueryCancelled, QueryTimeout, WarehouseError, WarehouseUnavailable
from text2sql.types import Limits
from text2sql.warehouses.postgres import PostgresWarehouse

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT (i + 1) % 1000000 FROM n) "
SHOP = """
CREATE TABLE stores (id integer PRIMARY KEY, name text NOT NULL, region text);
CREATE TABLE sales (id integer PRIMARY KEY, store_id integer REFERENCES stores, sold_on date, amount integer);
CREATE VIEW big_sales AS SELECT * FROM sales WHERE amount > 100;
CREATE SEQUENCE numbers;
CREATE FUNCTION public.writing() RETURNS integer LANGUAGE sql VOLATILE AS $$
    INSERT INTO public.stores VALUES (9, 'x', 'y') RETURNING id $$;
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
MADE: set[tuple[int, str]] = set()


def write_shop(postgres: OwnServer) -> str:
    """The shop's URL. Made once: nothing that the tests of this folder open can change it."""
    if (postgres.port, "shop") not in MADE:
        MADE.add((postgres.port, "shop"))
        postgres.fresh("shop", SHOP)
        with postgres.connect("shop") as connection, connection.cursor() as cursor:
            cursor.executemany("INSERT INTO stores VALUES (%s, %s, %s)", STORES)
            cursor.executemany("INSERT INTO sales VALUES (%s, %s, %s, %s)", SALES)
            cursor.execute("ANALYZE")
    return postgres.url("shop")


@pytest.fixture
def shop(postgres: OwnServer) -> Iterator[PostgresWarehouse]:
    """The shop, opened as the superuser: what holds here holds for a role that may do everything."""
    with PostgresWarehouse(write_shop(postgres)) as warehouse:
        yield warehouse


def refused(warehouse: PostgresWarehouse, sql: str, seconds: float = 5) -> WarehouseError:
    with pytest.raises(WarehouseError) as caught:
        warehouse.run(sql, Limits(seconds=seconds))
    return caught.value


def value(warehouse: PostgresWarehouse, sql: str) -> object:
    (row,) = warehouse.run(sql, Limits()).rows()
    (only,) = row.values()
    return only


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
        write_shop(self.postgres)
        return folder / "shop"

    def open(self, path: Path) -> PostgresWarehouse:
        return PostgresWarehouse(self.postgres.url(path.name))


def test_nothing_is_changed_by_whatever_was_refused(postgres: OwnServer, shop: PostgresWarehouse) -> None:
    write_shop(postgres)
    for statement in OUTSIDE:
        refused(shop, statement)
    with postgres.connect("shop") as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM stores), (SELECT count(*) FROM sales), to_regclass('mine') IS NULL, "
            "(SELECT is_called FROM numbers), (SELECT count(*) FROM pg_largeobject_metadata)"
        ).fetchone()
    assert counts == (3, 5, True, False, 0)


def test_a_session_setting_ends_with_the_run(shop: PostgresWarehouse) -> None:
    """Even a function call that changes settings for the session: the next run has them as they were."""
    refused(shop, "SELECT set_config('transaction_read_only', 'off', false)")
    shop.run("SELECT set_config('search_path', 'public', false)", Limits())
    assert value(shop, "SELECT current_setting('transaction_read_only')") == "on"
    assert value(shop, "SELECT current_setting('search_path')") == "pg_catalog, pg_temp"
    shop.run("SELECT set_config('statement_timeout', '0', false)", Limits())
    assert value(shop, "SELECT current_setting('statement_timeout')") == "32s"


def test_what_a_session_is(shop: PostgresWarehouse) -> None:
    wanted = {
        "transaction_isolation": "repeatable read",
        "standard_conforming_strings": "on",
        "client_encoding": "UTF8",
        "application_name": "bunmyaku",
        "lock_timeout": "3s",
        "temp_file_limit": "4GB",
        "work_mem": "128MB",
    }
    assert {name: value(shop, f"SELECT current_setting('{name}')") for name in wanted} == wanted


def test_role_defaults_cannot_loosen_it(postgres: OwnServer) -> None:
    write_shop(postgres)
    with postgres.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS loose")
        connection.execute("CREATE ROLE loose SUPERUSER LOGIN PASSWORD 'x'")
        for setting in ("default_transaction_read_only = off", "standard_conforming_strings = off",
                        "statement_timeout = 0", "search_path = public", "\"DateStyle\" = 'German'"):  # fmt: skip
            connection.execute(f"ALTER ROLE loose SET {setting}".encode())
    with PostgresWarehouse(postgres.url("shop", "loose", "x")) as warehouse:
        refused(warehouse, "SELECT public.writing()")
        assert value(warehouse, r"SELECT length('a\\n')") == 4
        assert value(warehouse, "SELECT date '2024-02-01'") == date(2024, 2, 1)
        assert "does not exist" in refused(warehouse, "SELECT * FROM stores").what


def test_a_function_of_the_database_cannot_stand_in_for_one_of_the_engine(postgres: OwnServer) -> None:
    name = postgres.fresh(
        "trap",
        "CREATE FUNCTION public.upper(varchar) RETURNS text LANGUAGE sql AS $$ SELECT 'trapped' $$;"
        "CREATE TABLE t (v varchar); INSERT INTO t VALUES ('a');",
    )
    with postgres.connect(name) as connection:
        assert connection.execute("SELECT upper(v) FROM t").fetchone() == ("trapped",)
    with PostgresWarehouse(postgres.url(name)) as warehouse:
        assert value(warehouse, "SELECT upper(v) FROM public.t") == "A"


def test_a_server_that_does_not_act_on_a_cancel_is_left(postgres: OwnServer, shop: PostgresWarehouse) -> None:
    caught: list[WarehouseError] = []
    thread = threading.Thread(
        target=lambda: caught.append(refused(shop, "SELECT pg_sleep(60) AS frozen", 60)), daemon=True
    )
    thread.start()
    process = backend(postgres, "frozen")
    postgres.freeze(process)
    try:
        started = time.monotonic()
        shop.cancel()
        thread.join(6)
        assert not thread.is_alive()
        assert time.monotonic() - started < 5
    finally:
        postgres.thaw(process)
    assert isinstance(caught[0], QueryCancelled)
    assert value(shop, "SELECT 1") == 1


def backend(postgres: OwnServer, sign: str) -> int:
    """The process that runs a statement with this sign in it."""
    until = time.monotonic() + 5
    with postgres.connect() as connection:
        while time.monotonic() < until:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE %s AND state = 'active' AND pid <> pg_backend_pid()",
                [f"%AS {sign}%"],
            ).fetchone()
            if found:
                return int(found[0])
            time.sleep(0.02)
    raise AssertionError("it does not run")


def test_a_locked_table_is_waited_for_and_named(postgres: OwnServer, shop: PostgresWarehouse) -> None:
    with psycopg.connect(postgres.url("shop")) as locker:
        locker.execute("LOCK TABLE stores IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        assert "locked" in refused(shop, "SELECT * FROM public.stores", 20).what
        assert time.monotonic() - started < 6
        with pytest.raises(QueryTimeout):
            shop.run("SELECT * FROM public.stores", Limits(seconds=0.4))
        locker.rollback()
    assert value(shop, "SELECT count(*) FROM public.stores") == 3


def test_a_restarted_server_is_found_again() -> None:
    server = OwnServer()
    try:
        with PostgresWarehouse(server.url("postgres")) as warehouse:
            assert value(warehouse, "SELECT 1") == 1
            server.stop()
            with pytest.raises(WarehouseUnavailable, match="cannot be reached") as caught:
                warehouse.run("SELECT 1", Limits())
            assert caught.value.todo
            server.start()
            assert value(warehouse, "SELECT 2") == 2
            server.stop()
            server.start()  # this time nobody asked while it was away: the kept connection is broken
            assert value(warehouse, "SELECT 3") == 3
    finally:
        server.close()


def test_a_connection_that_was_ended_between_two_runs_is_replaced(
    postgres: OwnServer, shop: PostgresWarehouse
) -> None:
    first = value(shop, "SELECT pg_backend_pid()")
    assert value(shop, "SELECT pg_backend_pid()") == first, "it is kept"
    with postgres.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 2000)", [first])
    assert value(shop, "SELECT pg_backend_pid()") != first


def test_a_connection_that_ends_while_a_query_runs(postgres: OwnServer, shop: PostgresWarehouse) -> None:
    caught: list[WarehouseError] = []
    thread = threading.Thread(target=lambda: caught.append(refused(shop, "SELECT pg_sleep(60) AS ended", 60)))
    thread.start()
    with postgres.connect() as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [backend(postgres, "ended")])
    thread.join(5)
    assert isinstance(caught[0], WarehouseUnavailable)
    assert "Try again" in caught[0].todo


def test_more_threads_than_connections(shop: PostgresWarehouse) -> None:
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(value(shop, "SELECT 1 FROM pg_sleep(0.05)")))
        for _ in range(25)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [1] * 25


def test_a_cancel_reaches_those_who_wait_for_a_connection(shop: PostgresWarehouse) -> None:
    caught: list[WarehouseError] = []
    threads = [
        threading.Thread(target=lambda: caught.append(refused(shop, "SELECT pg_sleep(60)", 60)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.8)
    shop.cancel()
    for thread in threads:
        thread.join(6)
    assert [type(error) for error in caught] == [QueryCancelled] * 12


def test_results_are_streamed_memory_stays_flat(shop: PostgresWarehouse) -> None:
    sql = "SELECT repeat('x', 1000) AS v FROM pg_catalog.generate_series(1, 2000000)"
    tracemalloc.start()
    try:
        result = shop.run(sql, Limits(rows=10**7, bytes=4_000_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.truncated
    assert result.table.num_rows > 3_000
    assert peak < 30_000_000


def test_wide_rows_are_not_gathered_before_the_cap_is_seen(shop: PostgresWarehouse) -> None:
    sql = "SELECT repeat('x', 1000000) AS v FROM pg_catalog.generate_series(1, 3000)"
    tracemalloc.start()
    try:
        result = shop.run(sql, Limits(bytes=8_500_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (result.truncated, result.table.num_rows) == (True, 8)
    assert peak < 100_000_000


def test_a_text_that_is_none_is_refused(shop: PostgresWarehouse) -> None:
    assert "character" in refused(shop, "SELECT '\ud800'").what
    assert refused(shop, 'SELECT 1 AS "a\x00b"')


def test_messages_hold_neither_details_nor_stored_values(postgres: OwnServer) -> None:
    name = postgres.fresh(
        "secrets",
        "CREATE TABLE people (id int, salary text, hidden_bonus int); INSERT INTO people VALUES (1, 'secret-4711', 3);"
        "CREATE FUNCTION said(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'value %', $1; END $$;",
    )
    with PostgresWarehouse(postgres.url(name)) as warehouse:
        for sql in (
            "SELECT salary::integer FROM public.people",
            "SELECT public.said(salary) FROM public.people",
            "SELECT ('{' || salary)::jsonb FROM public.people",
            "SELECT hidden_bonuses FROM public.people",
            "SELECT salary::date FROM public.people",
        ):
            told = str(refused(warehouse, sql))
            assert "4711" not in told
            assert not re.search(r"hidden_bonus\b", told)
        assert "hidden_bonuses" in refused(warehouse, "SELECT hidden_bonuses FROM public.people").what


def test_a_parameter_without_a_value_and_signs_that_are_none(shop: PostgresWarehouse) -> None:
    with pytest.raises(WarehouseError, match="region"):
        shop.run("SELECT id FROM public.stores WHERE region = %(region)s", Limits(), {"name": "x"})
    sql = "SELECT name FROM public.stores WHERE name LIKE '%%za' AND region = %(r)s AND region = %(r)s AND 5 %% 3 = 2"
    assert shop.run(sql, Limits(), {"r": "Kanto"}).rows() == [{"name": "Ginza"}]
    assert value(shop, "SELECT '100%' || '%(name)s'") == "100%%(name)s"
    many = shop.run("SELECT id FROM public.stores WHERE id = ANY(%(ids)s)", Limits(), {"ids": [1, 3]})
    assert [row["id"] for row in many.rows()] == [1, 3]


def test_a_plan_has_a_cost_and_no_plan_is_made_of_a_write(shop: PostgresWarehouse) -> None:
    estimate = shop.explain("SELECT count(*) FROM public.sales")
    assert estimate.cost
    assert "Seq Scan sales" in estimate.detail
    for sql in (
        "INSERT INTO public.stores VALUES (1, 'a', 'b') RETURNING id",
        "COMMIT",
        "SELECT 1; SELECT 2",
    ):
        with pytest.raises(WarehouseError):
            shop.explain(sql)
