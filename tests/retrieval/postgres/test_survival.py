"""kill -9 of the server: nothing committed is lost, and the next request finds it running again."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from retrieval.errors import StoreUnavailable
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.embedded import status
from tests.retrieval.postgres.helpers import Worker, down, eventually, kill_server


def test_committed_rows_survive_a_kill_in_the_middle_of_writing(made_home: Path) -> None:
    committed: list[int] = []
    enough = threading.Event()
    with open_database(made_home) as database:
        with database.connection() as connection:
            connection.execute("CREATE TABLE public.sales (n int, filler text)")

        def write() -> None:
            for n in itertools.count():
                if enough.is_set():
                    return
                with contextlib.suppress(StoreUnavailable), database.connection() as connection:
                    connection.execute("INSERT INTO public.sales VALUES (%s, repeat('x', 500))", [n])
                    connection.commit()
                    committed.append(n)

        writer = threading.Thread(target=write)
        writer.start()
        assert eventually(lambda: len(committed) > 50)
        killed = kill_server(made_home)
        before = len(committed)
        assert eventually(lambda: len(committed) > before + 10, 60)  # it goes on by itself
        enough.set()
        writer.join(60)
        assert not writer.is_alive()
        with database.connection() as connection:
            found = {row[0] for row in connection.execute("SELECT n FROM public.sales")}
        assert set(committed) <= found
        assert len(found) <= len(committed) + 1  # the one whose commit was not heard of
        assert status(made_home).pid not in {None, killed}


def test_the_next_request_restarts_it_without_an_error(made_home: Path) -> None:
    with open_database(made_home) as database:
        with database.connection() as connection:
            connection.execute("CREATE TABLE public.sales AS SELECT 1 AS n")
        kill_server(made_home)
        started = time.perf_counter()
        with database.connection() as connection:
            assert connection.execute("SELECT n FROM public.sales").fetchall() == [(1,)]
        assert time.perf_counter() - started < 15
    assert down(made_home)


def test_every_user_gets_through_after_a_kill(made_home: Path) -> None:
    with Worker(made_home) as one, Worker(made_home) as two:
        assert [one.read(), two.read()] == ["ready", "ready"]
        assert one.ask("write 1") == "written"
        kill_server(made_home)
        one.tell("write 2")
        two.tell("count")
        assert one.read() == "written"
        assert two.read() in {"1", "2"}
        assert two.ask("count") == "2"


def test_many_threads_get_through_after_a_kill(made_home: Path) -> None:
    with open_database(made_home) as database:
        with database.connection() as connection:
            connection.execute("SELECT 1")
        kill_server(made_home)
        answers: list[int] = []

        def ask() -> None:
            with database.connection() as connection:
                row = connection.execute("SELECT 7").fetchone()
                answers.append(row[0] if row else 0)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert answers == [7] * 8


def test_a_busy_backend_left_by_a_killed_server_is_ended(made_home: Path) -> None:
    """It notices nothing while it computes, and would keep the next server from starting."""
    with Worker(made_home) as busy:
        assert busy.read() == "ready"
        assert busy.ask("sleep") == "sleeping"
        kill_server(made_home)
        with open_database(made_home) as database, database.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert busy.read().startswith("error The connection to the database broke")


def _kill_own_backend(database: Database) -> None:
    with database.connection() as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        connection.execute("SELECT 1")


def test_a_killed_backend_breaks_only_its_own_block(made_home: Path) -> None:
    with open_database(made_home) as database:
        with pytest.raises(StoreUnavailable, match="broke"):
            _kill_own_backend(database)
        with database.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_stale_pid_file_naming_a_living_stranger_does_not_matter(made_home: Path) -> None:
    """What a container finds after its restart: the old server's number now belongs to something else."""
    with open_database(made_home):
        kill_server(made_home)
    path = made_home / "postgres" / "data" / "postmaster.pid"
    text = path.read_text() if path.exists() else f"{os.getpid()}\n/elsewhere\n0\n5432\n\n\n  1 1\n"
    path.write_text(f"{os.getppid()}\n" + text.split("\n", 1)[1])
    assert status(made_home).pid is None
    with open_database(made_home) as database, database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_pool_used_directly_recovers_too(made_home: Path) -> None:
    with open_database(made_home) as database:
        with database.pool.connection() as connection:
            connection.execute("SELECT 1")
        kill_server(made_home)
        with database.connection():
            pass
        with database.pool.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_cancelled_query_is_no_broken_connection(made_home: Path) -> None:
    with open_database(made_home) as database, database.connection() as connection:
        connection.execute("SET LOCAL statement_timeout = 50")
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(10)")
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)
