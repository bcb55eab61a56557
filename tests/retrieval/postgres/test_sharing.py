"""One server, several processes: started by the first, stopped by the last, whichever way they go."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from retrieval.errors import StoreUnavailable
from retrieval.postgres.database import open_database
from retrieval.postgres.embedded import EmbeddedPostgres, status, stop
from tests.retrieval.postgres.helpers import Worker, down, eventually, keeper_of


def test_the_first_starts_it_and_the_last_stops_it(made_home: Path) -> None:
    with Worker(made_home) as one, Worker(made_home) as two:
        assert [one.read(), two.read()] == ["ready", "ready"]
        pid = status(made_home).pid
        assert one.ask("write 1") == "written"
        assert two.ask("count") == "1"
        assert one.ask("leave") == "left"
        assert status(made_home).pid == pid
        assert two.ask("count") == "1"
        assert two.ask("leave") == "left"
        assert down(made_home)
        assert not status(made_home).users


def test_four_processes_make_one_cluster_together(home: Path) -> None:
    workers = [Worker(home) for _ in range(4)]
    try:
        assert [worker.read() for worker in workers] == ["ready"] * 4
        assert [worker.ask(f"write {n}") for n, worker in enumerate(workers)] == ["written"] * 4
        assert {worker.ask("count") for worker in workers} == {"4"}
        assert status(home).major == 18
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda worker: worker.ask("leave"), workers)) == ["left"] * 4
        assert down(home)
    finally:
        for worker in workers:
            worker.__exit__(None, None, None)


def test_two_databases_of_one_process_count_as_two_users(made_home: Path) -> None:
    first, second = open_database(made_home), open_database(made_home, name="other")
    first.close()
    first.close()
    with second.connection() as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("other",)
    second.close()
    assert down(made_home)


def test_a_second_user_survives_the_kill_of_the_one_who_started(made_home: Path) -> None:
    with Worker(made_home) as owner, Worker(made_home) as second:
        assert owner.read() == "ready"
        assert owner.ask("write 1") == "written"
        assert second.read() == "ready"
        pid = status(made_home).pid
        owner.kill()
        assert second.ask("write 2") == "written"
        assert second.ask("count") == "2"
        assert status(made_home).pid == pid
        assert second.ask("leave") == "left"
    assert down(made_home)


def test_the_keeper_stops_it_after_the_only_user_was_killed(made_home: Path) -> None:
    with Worker(made_home) as only:
        assert only.read() == "ready"
        assert only.ask("write 1") == "written"
        assert status(made_home).keeper
        only.kill()
    assert eventually(lambda: down(made_home))
    assert eventually(lambda: not status(made_home).keeper)
    with open_database(made_home) as database, database.connection() as connection:
        assert connection.execute("SELECT n FROM public.sales").fetchall() == [(1,)]


def test_a_careless_end_without_close_stops_it_too(made_home: Path) -> None:
    with Worker(made_home) as only:
        assert only.read() == "ready"
        only.process.communicate(timeout=30)
        assert only.process.returncode == 0
    assert eventually(lambda: down(made_home))


def test_a_killed_keeper_is_replaced_by_the_next_request(made_home: Path) -> None:
    with Worker(made_home) as only:
        assert only.read() == "ready"
        os.kill(keeper_of(made_home), signal.SIGKILL)
        assert eventually(lambda: not status(made_home).keeper)
        assert only.ask("write 1") == "written"
        assert eventually(lambda: status(made_home).keeper)
        only.kill()
    assert eventually(lambda: down(made_home))


def test_a_server_without_users_and_keeper_is_taken_over(made_home: Path) -> None:
    with Worker(made_home) as only:
        assert only.read() == "ready"
        os.kill(keeper_of(made_home), signal.SIGKILL)
        pid = status(made_home).pid
        only.kill()
    assert status(made_home).state == "up"
    with open_database(made_home):
        assert status(made_home).pid == pid
        assert eventually(lambda: status(made_home).keeper)
    assert down(made_home)


def test_stop_stops_it_under_its_users_who_start_it_again(made_home: Path) -> None:
    with Worker(made_home) as user:
        assert user.read() == "ready"
        assert user.ask("write 1") == "written"
        assert stop(made_home)
        assert down(made_home)
        assert not stop(made_home)
        assert user.ask("count") == "1"
        assert status(made_home).state == "up"


def test_stop_and_status_of_a_home_that_is_not_there_make_nothing(home: Path) -> None:
    assert not stop(home)
    assert status(home).state == "absent"
    assert not home.exists()


def test_a_stop_in_the_middle_of_a_query_ends_it_with_a_clear_error(made_home: Path) -> None:
    with Worker(made_home) as user:
        assert user.read() == "ready"
        assert user.ask("sleep") == "sleeping"
        assert stop(made_home)
        assert user.read().startswith("error The connection to the database broke")
        assert user.ask("write 1") == "written"


def test_the_server_does_not_run_on_for_a_killed_client(made_home: Path) -> None:
    with open_database(made_home) as database:
        with Worker(made_home) as busy:
            assert busy.read() == "ready"
            assert busy.ask("sleep") == "sleeping"
            busy.kill()

        def ended() -> bool:
            with database.connection() as connection:
                found = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()"
                ).fetchone()
            return found == (0,)

        assert eventually(ended)


def test_a_closed_lease_says_so(made_home: Path) -> None:
    lease = EmbeddedPostgres(made_home).acquire()
    lease.release()
    with pytest.raises(StoreUnavailable, match="closed"):
        lease.ensure()


def test_joining_a_running_server_is_quick(made_home: Path) -> None:
    with open_database(made_home):
        started = time.perf_counter()
        open_database(made_home).close()
        assert time.perf_counter() - started < 1.0  # 0.01 s alone; shared machines are slower
