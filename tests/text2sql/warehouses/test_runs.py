"""Statements that an engine does not notice being stopped in: one call of a function over long texts."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from retrieval.types import Principal
from tests.text2sql.warehouses.postgres_server import OwnServer
from tests.text2sql.warehouses.test_postgres import write_shop
from text2sql.errors import QueryCancelled, QueryTimeout, WarehouseError, WarehouseUnavailable
from text2sql.types import Limits
from text2sql.warehouses import _runs
from text2sql.warehouses._shared import SharedWarehouse
from text2sql.warehouses.duckdb import DuckDbWarehouse
from text2sql.warehouses.postgres import PostgresWarehouse
from text2sql.warehouses.sqlite import SqliteWarehouse

LONG = 30_000
DEAF = {
    "duckdb": "SELECT levenshtein(body, body || 'b') AS d FROM notes",
    "sqlite": "SELECT instr(body, substr(body, 1, length(body) / 2) || 'b') AS d FROM notes",
}
"""A few seconds in one call: long enough to be seen to outlive the caller, short enough to end with the test."""
AT_ONCE = 3.0
"""Seconds in which a caller is surely let go, on a busy machine too; a deaf statement takes longer."""


def made(engine: str, folder: Path) -> SharedWarehouse:
    path = folder / f"notes.{engine}"
    if engine == "duckdb":
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE notes AS SELECT repeat('a', {LONG}) AS body")
        return DuckDbWarehouse(path, infer_keys=False)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (body TEXT)")
        connection.execute("INSERT INTO notes VALUES (?)", ("a" * LONG * 15,))
        connection.commit()
    return SqliteWarehouse(path, infer_keys=False)


@pytest.fixture(params=["duckdb", "sqlite"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SharedWarehouse]:
    opened = made(request.param, tmp_path)
    opened.catalog()
    yield opened
    opened.close()


@pytest.fixture(scope="module", autouse=True)
def _all_ended() -> Iterator[None]:
    """What was left behind ends before the interpreter does."""
    yield
    until = time.monotonic() + 120
    while _runs.abandoned() and time.monotonic() < until:
        time.sleep(0.05)
    assert not _runs.abandoned()


def deaf(warehouse: SharedWarehouse) -> str:
    return DEAF[warehouse.dialect]


def test_a_caller_is_let_go_when_the_engine_does_not_notice(warehouse: SharedWarehouse) -> None:
    session, other = warehouse.session(), warehouse.session()
    threading.Timer(0.3, session.cancel).start()
    started = time.monotonic()
    with pytest.raises(QueryCancelled):
        session.run(deaf(warehouse), Limits())
    assert time.monotonic() - started < AT_ONCE
    assert other.run("SELECT 1 AS one", Limits()).rows() == [{"one": 1}]


def test_the_time_limit_lets_go_too(warehouse: SharedWarehouse) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"0\.3 seconds"):
        warehouse.run(deaf(warehouse), Limits(seconds=0.3))
    assert time.monotonic() - started < AT_ONCE


def test_statements_left_behind_cannot_pile_up(
    warehouse: SharedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_runs, "ABANDONED", 1)
    with pytest.raises(QueryTimeout):
        warehouse.run(deaf(warehouse), Limits(seconds=0.2))
    with pytest.raises(WarehouseUnavailable, match="still busy"):
        warehouse.run("SELECT 1 AS one", Limits())
    until = time.monotonic() + 60
    while _runs.abandoned() and time.monotonic() < until:
        time.sleep(0.05)
    assert warehouse.run("SELECT 1 AS one", Limits()).rows() == [{"one": 1}]


def test_closing_does_not_wait_for_what_was_left_behind(warehouse: SharedWarehouse) -> None:
    with pytest.raises(QueryTimeout):
        warehouse.run(deaf(warehouse), Limits(seconds=0.2))
    started = time.monotonic()
    warehouse.close()
    assert time.monotonic() - started < AT_ONCE


ASKING = """
import sys
from pathlib import Path
from app.interrupting import INTERRUPTED, leave
from text2sql.types import Limits
from text2sql.warehouses import open_warehouse
try:
    warehouse = open_warehouse(Path(sys.argv[1]))
    print("asking", flush=True)
    try:
        warehouse.session().run(sys.argv[2], Limits())
    finally:
        warehouse.close()
except KeyboardInterrupt:
    leave(SystemExit(INTERRUPTED))
    sys.exit(INTERRUPTED)
"""


def test_ctrl_c_ends_the_process_without_waiting_or_crashing(warehouse: SharedWarehouse) -> None:
    where = warehouse.where
    warehouse.close()
    arguments = [sys.executable, "-c", ASKING, where, deaf(warehouse)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root, env=dict(os.environ)
    ) as asking:
        assert asking.stdout is not None
        assert asking.stdout.readline() == "asking\n"
        time.sleep(0.5)
        asking.send_signal(signal.SIGINT)
        out, err = asking.communicate(timeout=AT_ONCE)
    assert (asking.returncode, out, err) == (130, "", "")


def test_more_memory_than_the_limit_is_an_error_and_the_next_query_runs(tmp_path: Path) -> None:
    made("duckdb", tmp_path).close()
    with DuckDbWarehouse(tmp_path / "notes.duckdb", memory=64 * 1024**2, infer_keys=False) as warehouse:
        for greedy in (
            "SELECT string_agg(repeat(body, 20)) AS x FROM notes, range(10000)",
            "SELECT repeat(body, 50) AS x FROM notes, range(100000)",
        ):
            with pytest.raises(WarehouseError, match="more memory than it may use"):
                warehouse.run(greedy, Limits(rows=10**9, bytes=10**12))
        assert warehouse.run("SELECT 1 AS one", Limits()).rows() == [{"one": 1}]


# Tags


def test_a_line_of_the_log_leads_to_the_question_and_names_nobody(
    warehouse: SharedWarehouse, caplog: pytest.LogCaptureFixture
) -> None:
    session = warehouse.session(Principal("ana@shop"), "abc123*/ DROP")
    with caplog.at_level(logging.INFO, "bunmyaku.queries"):
        session.run("SELECT 1 AS one", Limits())
        with pytest.raises(WarehouseError):
            session.run("SELECT colour FROM notes", Limits())
    good, bad = caplog.messages
    assert "question=abc123-DROP" in good
    assert "outcome=rows rows=1 " in good
    assert "outcome=WarehouseError rows=0" in bad
    assert "ana" not in caplog.text
    assert "SELECT" not in caplog.text


def test_the_statement_carries_the_tag_and_nothing_else_gets_in(
    warehouse: SharedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    run = type(warehouse)._run
    monkeypatch.setattr(
        type(warehouse),
        "_run",
        lambda self, owner, sql, *more: (seen.append(sql), run(self, owner, sql, *more))[1],
    )
    warehouse.session(Principal("ana"), "q-1 */ ; DROP TABLE x --").run("SELECT 1 AS one", Limits())
    warehouse.session().run("SELECT 1 AS one", Limits())
    tagged, plain = seen
    assert tagged.startswith("/* bunmyaku question=q-1-DROP-TABLE-x caller=")
    assert tagged.count("*/") == 1
    assert tagged.endswith(" */ SELECT 1 AS one")
    assert plain == "SELECT 1 AS one"


def test_a_server_is_told_the_question_by_name_and_in_the_text(postgres: OwnServer) -> None:
    with PostgresWarehouse(write_shop(postgres)) as warehouse:
        session = warehouse.session(Principal("ana"), "a1b2")
        sql = "SELECT application_name, query FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()"
        [row] = session.run(sql, Limits()).rows()
        assert row["application_name"] == "bunmyaku-a1b2"
        assert row["query"].startswith("/* bunmyaku question=a1b2 caller=")
        [row] = warehouse.run(sql, Limits()).rows()
        assert row["application_name"] == "bunmyaku"
