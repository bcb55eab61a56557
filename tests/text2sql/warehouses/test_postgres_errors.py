"""What is said when a PostgreSQL cannot be used; never with a password."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests.text2sql.warehouses.postgres_server import PASSWORD, OwnServer
from text2sql.errors import QueryCancelled, WarehouseError, WarehouseUnavailable
from text2sql.types import Limits
from text2sql.warehouses import is_server, open_warehouse, redacted
from text2sql.warehouses._postgres_address import Address
from text2sql.warehouses._postgres_connections import Connections, Line
from text2sql.warehouses._postgres_plan import estimate, writes
from text2sql.warehouses.postgres import PostgresWarehouse


def failure(url: str) -> WarehouseUnavailable:
    with pytest.raises(WarehouseUnavailable) as caught:
        open_warehouse(url)
    assert caught.value.todo
    assert PASSWORD not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    return caught.value


@pytest.fixture
def nobody_home() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_wrong_password(postgres: OwnServer) -> None:
    found = failure(postgres.url("postgres", password="not-it-4711"))
    assert "refuses the user 'postgres'" in found.what
    assert "4711" not in str(found)
    assert f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres" == found.where


def test_no_such_database_and_no_such_user(postgres: OwnServer) -> None:
    assert "no database 'nowhere'" in failure(postgres.url("nowhere")).what
    assert "refuses the user" in failure(postgres.url("postgres", "stranger")).what


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert "cannot be reached" in failure(f"postgresql://u:p@127.0.0.1:{port}/db").what


def test_a_peer_that_says_nothing_is_given_up(nobody_home: int) -> None:
    started = time.monotonic()
    failure(f"postgresql://u:p@127.0.0.1:{nobody_home}/db?connect_timeout=2")
    assert time.monotonic() - started < 6


def test_a_cancel_while_connecting_does_not_wait(nobody_home: int) -> None:
    line = Line()
    threading.Timer(0.2, line.interrupt).start()
    started = time.monotonic()
    with pytest.raises(QueryCancelled):
        Connections(Address.of(f"postgresql://u:p@127.0.0.1:{nobody_home}/db")).connect(line)
    assert time.monotonic() - started < 1


def test_a_role_without_connections_left(postgres: OwnServer) -> None:
    with postgres.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS narrow")
        connection.execute("CREATE ROLE narrow LOGIN PASSWORD 'n' CONNECTION LIMIT 1")
    with closing(psycopg.connect(postgres.url("postgres", "narrow", "n"))):
        assert "no connection left" in failure(postgres.url("postgres", "narrow", "n")).what


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:pass%zzword@h/db", "postgresql://u:p@h/db?colour=red", "postgresql://u:p@h:port/db?x", "postgres://u:p@[h/db"],
)  # fmt: skip
def test_a_url_that_cannot_be_read_is_not_repeated_with_its_password(url: str) -> None:
    found = failure(url)
    assert "zzword" not in str(found)
    assert ":p@" not in str(found)


@pytest.mark.parametrize("mark", ["/", "@", "?", "#", ":", " ", "/@?"])
def test_a_password_that_was_not_encoded_is_not_shown(mark: str) -> None:
    assert "zz" not in str(failure(f"postgresql://u:pass{mark}zz@127.0.0.1:1/db"))


def test_a_host_with_a_telling_name_is_a_host() -> None:
    assert "cannot be reached" in str(failure("postgresql://u:p@no.such.host.invalid/db"))
    assert "parameter" in str(failure("postgresql://u:p@127.0.0.1:one/db"))
    assert "parameter" in str(failure("postgresql://u:p@127.0.0.1/db?sslmode=perhaps"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:a/b@h:1/db?sslmode=require", "postgresql://u@h:1/db?sslmode=require"),
        ("postgresql://u:a?b@h:1/db", "postgresql://u@h:1/db"),
        ("postgresql://u:p@h:1/db", "postgresql://u@h:1/db"),
        ("postgres://u:p%40:@h/db?sslmode=require&password=x", "postgres://u@h/db?sslmode=require"),
        ("postgresql:///db?host=/tmp&passfile=/x&PASSWORD=y", "postgresql:///db?host=/tmp"),
        ("postgresql://u:a@b@h/db?password=y", "postgresql://u@h/db"),
        ("postgresql://h/db", "postgresql://h/db"),
        ("mysql://u:p@h/db", "mysql://u@h/db"),
        ("duckdb:///a@b:c.duckdb", "duckdb:///a@b:c.duckdb"),
        ("/home/x@y/a.sqlite", "/home/x@y/a.sqlite"),
    ],
)
def test_how_a_url_is_shown(url: str, shown: str) -> None:
    assert redacted(url) == shown
    assert is_server(url) is (url.split("://", maxsplit=1)[0] in {"postgresql", "postgres", "mysql"})


def test_an_address_and_its_repr(postgres: OwnServer) -> None:
    address = Address.of("postgresql://u:top%20secret@h1:1,h2:2/d%20b?schemas=a,%20b%20c,a&sslmode=require")
    assert address.where == "postgresql://u@h1:1,h2:2/d b"
    assert address.schemas == ("a", "b c")
    assert "top secret" in address.conninfo
    assert "schemas" not in address.conninfo
    with PostgresWarehouse(postgres.url("postgres")) as warehouse:
        assert PASSWORD not in f"{address!r} {warehouse!r} {warehouse.where} {warehouse.notes()}"


def test_closing_twice_and_waiting_afterwards(postgres: OwnServer) -> None:
    warehouse = PostgresWarehouse(postgres.url("postgres"))
    warehouse.run("SELECT 1", Limits())
    warehouse.close()
    warehouse.close()
    with pytest.raises(WarehouseError, match="closed"):
        warehouse.explain("SELECT 1")
    with closing(postgres.connect()) as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bunmyaku'"
        until = time.monotonic() + 5
        while connection.execute(count).fetchone() != (0,) and time.monotonic() < until:
            time.sleep(0.05)
        assert connection.execute(count).fetchone() == (0,)


def test_plans_of_parallel_workers_count_for_all_of_them() -> None:
    plan = """[{"Plan": {"Node Type": "Gather", "Plan Rows": 1000, "Total Cost": 12.5, "Workers Planned": 2, "Plans": [
        {"Node Type": "Seq Scan", "Relation Name": "facts", "Parallel Aware": true, "Plan Rows": 1000000}]}}]"""
    found = estimate(plan)
    assert (found.rows, found.cost, found.detail) == (2_400_000, 12.5, "Gather < Seq Scan facts")
    assert not writes(plan)
    assert writes('[{"Plan": {"Node Type": "ModifyTable", "Plan Rows": 0, "Total Cost": 1, "Plans": []}}]')
