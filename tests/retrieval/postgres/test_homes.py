"""Homes that cannot be used, and what is said about them; homes of other versions."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from retrieval.errors import HomeUnusable, StoreUnavailable
from retrieval.postgres import keeper, locks, server
from retrieval.postgres.account import server_account
from retrieval.postgres.database import Database, leased_database, open_database
from retrieval.postgres.embedded import EmbeddedPostgres, status, stop
from retrieval.postgres.layout import server_folder
from retrieval.postgres.program import bundled
from tests.retrieval.postgres.helpers import Worker, down, eventually, only_root, ordinary_user


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("not a folder")
    with pytest.raises(HomeUnusable, match="not a folder") as caught:
        open_database(home)
    assert str(home) in caught.value.where
    assert caught.value.todo
    assert home.read_text() == "not a folder"


@pytest.fixture
def others_home() -> Iterator[Path]:
    """A folder of root's where ordinary users may look."""
    only_root()
    folder = Path(f"/tmp/bunmyaku-test-other-{os.getpid()}")
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_home_of_someone_else(others_home: Path, mode: int) -> None:
    others_home.chmod(mode)
    with Worker(others_home, **ordinary_user()) as worker:
        said = worker.read()
    assert said.startswith("error HomeUnusable: The home belongs to the user 'root', not to 'nobody'")
    assert "choose a home of your own" in said
    assert list(others_home.iterdir()) == []


def test_a_server_folder_of_someone_else(others_home: Path) -> None:
    others_home.chmod(0o777)
    (others_home / "postgres").mkdir(mode=0o700)
    with Worker(others_home, **ordinary_user()) as worker:
        assert worker.read().startswith("error HomeUnusable: The home belongs to the user 'root'")
    assert list((others_home / "postgres").iterdir()) == []


def test_a_home_below_a_folder_that_cannot_be_written(others_home: Path) -> None:
    with Worker(others_home / "new", **ordinary_user()) as worker:
        assert worker.read().startswith("error HomeUnusable: The home")
    assert list(others_home.iterdir()) == []


def test_an_unknown_user_to_run_as(tmp_path: Path) -> None:
    only_root()
    with pytest.raises(HomeUnusable, match="no user 'nosuchuser'"):
        open_database(tmp_path / "home", user="nosuchuser")
    with pytest.raises(HomeUnusable, match="superuser"):
        open_database(tmp_path / "home", user="root")


def test_root_runs_it_as_who_is_asked_for(tmp_path: Path) -> None:
    only_root()
    account = server_account(tmp_path, tmp_path / "data", "daemon")
    assert account.name == "daemon"
    assert account.switch


def test_a_long_home_gets_its_socket_elsewhere(made_home: Path) -> None:
    home = made_home.rename(made_home.with_name("long" * 30))
    with open_database(home) as database:
        with database.connection() as connection:
            connection.execute("CREATE TABLE public.sales AS SELECT 1 AS n")
        place = status(home).socket
        assert place is not None
        assert place != home / "postgres" / "run"
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        assert place.stat().st_uid == server_folder(home).account.uid
        os.kill(status(home).pid or 0, 9)
        assert eventually(lambda: status(home).pid is None)
        with database.connection() as connection:  # the server comes back with another socket
            assert connection.execute("SELECT n FROM public.sales").fetchall() == [(1,)]
        assert not place.exists()
        place = status(home).socket
        assert place is not None
    assert not place.exists()


def test_a_comma_in_the_path_is_no_second_host(made_home: Path) -> None:
    home = made_home.rename(made_home.with_name("one,two"))
    with open_database(home) as database, database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("name", ["short", "long" * 30])
def test_the_copy_of_a_running_home_leaves_the_original_alone(made_home: Path, name: str) -> None:
    home = made_home.rename(made_home.with_name(name))
    copy = home.with_name(f"{name}-copy")
    with open_database(home) as database:
        with database.connection() as connection:
            connection.execute("CREATE TABLE public.sales AS SELECT 1 AS n")
        subprocess.run(["cp", "-a", str(home), str(copy)], check=True)
        assert status(copy).state == "down"
        with open_database(copy) as other, other.connection() as connection:
            assert connection.execute("SELECT n FROM public.sales").fetchall() == [(1,)]
            assert status(copy).pid != status(home).pid
        assert down(copy)
        with psycopg.connect(database.dsn) as fresh:
            assert fresh.execute("SELECT n FROM public.sales").fetchall() == [(1,)]


def test_no_place_for_a_socket(made_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_LONGEST_PATH", 10)
    with pytest.raises(HomeUnusable, match="path is too long"):
        open_database(made_home)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 MB: a cluster fits, little more does."""
    only_root()
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)], check=False).returncode
        != 0
    ):
        pytest.skip("mounting is not allowed here")
    yield disk
    stop(disk / "home")
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_leaves_nothing_half_made(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * 45_000_000)
    home = small_disk / "home"
    with pytest.raises(HomeUnusable, match="The disk is full") as caught:
        open_database(home)
    assert "Free some space" in caught.value.todo
    assert status(home).state == "absent"
    assert not (home / "postgres" / "data.new").exists()
    filler.unlink()
    open_database(home).close()
    assert down(home)


def test_a_disk_that_fills_loses_nothing(small_disk: Path) -> None:
    home = small_disk / "home"
    with open_database(home) as database:
        with database.connection() as connection:
            connection.execute("CREATE TABLE public.sales AS SELECT 1 AS n, '' AS filler")
        with pytest.raises(StoreUnavailable, match=r"disk is full|connection to the database broke"):
            _fill(database)
        (small_disk / "filler").unlink(missing_ok=True)
        subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
        with database.connection() as connection:
            assert connection.execute("SELECT n FROM public.sales").fetchall() == [(1,)]


def _fill(database: Database) -> None:
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO public.sales SELECT n, repeat(md5(n::text), 60) FROM generate_series(1, 200000) n"
        )


def test_a_limit_on_file_sizes_is_a_full_disk_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    limit = (400_000, 400_000)
    with Worker(home, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)) as worker:
        said = worker.read()
    assert said.startswith("error HomeUnusable:")
    assert not (home / "postgres" / "data.new").exists()
    assert not (home / "postgres" / "data").exists()


def test_a_cluster_of_a_newer_postgresql_is_refused(made_home: Path) -> None:
    mark = made_home / "postgres" / "data" / "PG_VERSION"
    mark.write_text("19\n")
    with pytest.raises(StoreUnavailable, match="holds a PostgreSQL 19 cluster") as caught:
        open_database(made_home)
    assert "dump it" in caught.value.todo
    mark.write_text("nonsense\n")
    with pytest.raises(HomeUnusable, match="version mark"):
        open_database(made_home)
    mark.write_text("18\n")
    open_database(made_home).close()


def test_a_cluster_of_an_older_postgresql_runs_on_with_its_own_programs(home: Path) -> None:
    lease = EmbeddedPostgres(home, program=bundled(16)).acquire()
    with leased_database(lease, "bunmyaku") as database, database.connection() as connection:
        connection.execute("CREATE TABLE public.sales AS SELECT '[1,2]'::vector AS v")
    with open_database(home) as database, database.connection() as connection:
        assert connection.info.server_version // 10000 == 16
        assert connection.execute("SELECT v::text FROM public.sales").fetchall() == [("[1,2]",)]


def test_a_lost_password_file_is_made_again(made_home: Path) -> None:
    with open_database(made_home) as database, database.connection() as connection:
        connection.execute("CREATE TABLE public.sales AS SELECT 1 AS n")
    passfile = made_home / "postgres" / "pgpass"
    old = passfile.read_text()
    passfile.unlink()
    with open_database(made_home) as database, database.connection() as connection:
        assert connection.execute("SELECT n FROM public.sales").fetchall() == [(1,)]
    assert passfile.read_text() != old
    assert stat.S_IMODE(passfile.stat().st_mode) == 0o600


def test_what_a_killed_initialisation_left_is_cleaned(home: Path) -> None:
    staging = home / "postgres" / "data.new"
    staging.mkdir(parents=True)
    (staging / "PG_VERSION").write_text("18\n")
    open_database(home).close()
    assert not staging.exists()
    assert status(home).major == 18


def test_a_log_stays_bounded(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_bytes(b"a" * keeper.LOG_LIMIT + b"end")
    with log.open("ab") as appending:
        keeper.trim(log)
        appending.write(b"more")
    content = log.read_bytes()
    assert content.endswith(b"endmore")
    assert len(content) < keeper.LOG_LIMIT
    keeper.trim(log)
    assert log.read_bytes() == content
    keeper.trim(tmp_path / "none")


def test_locks_shared_and_alone(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not locks.held(path)
    assert not locks.in_use(path)
    with locks.FileLock(path) as one, locks.FileLock(path) as two:
        assert one.try_shared()
        assert two.try_shared()
        assert not two.try_exclusive()
        assert not locks.held(path)
        assert locks.in_use(path)
        one.close()
        assert two.wait_exclusive(1)
        assert locks.held(path)
        with locks.FileLock(path) as three:
            assert not three.wait_shared(0.05)
    assert not locks.in_use(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
