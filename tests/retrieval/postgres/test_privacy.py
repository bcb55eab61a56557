"""Who may see and reach what: users, modes, passwords, logs."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from retrieval.errors import HomeUnusable
from retrieval.postgres import program
from retrieval.postgres.account import Account, server_account
from retrieval.postgres.database import leased_database, open_database
from retrieval.postgres.embedded import EmbeddedPostgres, status
from tests.retrieval.postgres.helpers import Worker, down, only_root, ordinary_user


def modes(path: Path) -> dict[Path, tuple[int, int, int]]:
    return {one: (one.stat().st_mode, one.stat().st_uid, one.stat().st_gid) for one in (path, *path.parents)}


def test_as_root_the_server_runs_unprivileged_below_a_closed_folder(tmp_path: Path) -> None:
    only_root()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = modes(closed)
    home = closed / "deeper" / "home"
    with open_database(home) as database, database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        pid = status(home).pid
        assert pid is not None
        processes = [pid, connection.info.backend_pid]
        for process in processes:
            assert Path(f"/proc/{process}").stat().st_uid != 0
            groups = Path(f"/proc/{process}/status").read_text().split("Groups:")[1].split("\n")[0].split()
            assert "0" not in groups
    assert modes(closed) == before
    assert down(home)


def test_nothing_in_the_home_is_open_to_others(made_home: Path) -> None:
    with open_database(made_home):
        for path in (made_home, *made_home.rglob("*")):
            if not path.is_symlink():
                assert not path.stat().st_mode & 0o077, path
        passfile = made_home / "postgres" / "pgpass"
        assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
        assert passfile.stat().st_uid == os.geteuid()
        assert not (made_home / "postgres" / "data.new").exists()


def test_an_ordinary_user_has_everything_in_the_home(tmp_path: Path) -> None:
    user = ordinary_user()
    home = tmp_path / "home"
    if user:  # the folder is theirs; pytest's own parents are closed, so it goes beside them
        home = Path(f"/tmp/bunmyaku-test-{os.getpid()}") / "home"
        home.parent.mkdir(mode=0o700)
        os.chown(home.parent, user["user"], user["group"])
    try:
        with Worker(home, **user) as worker:
            assert worker.read() == "ready"
            assert worker.ask("write 1") == "written"
            pid = status(home).pid
            assert pid is not None
            owner = user.get("user", os.geteuid())
            assert Path(f"/proc/{pid}").stat().st_uid == owner
            assert {path.stat().st_uid for path in home.rglob("*")} == {owner}
            assert worker.ask("leave") == "left"
        if user:  # and root works in that home without taking it over
            with open_database(home) as database, database.connection() as connection:
                assert connection.execute("SELECT n FROM public.sales").fetchall() == [(1,)]
                assert Path(f"/proc/{status(home).pid}").stat().st_uid == owner
            assert {path.stat().st_uid for path in home.rglob("*")} == {owner}
            with Worker(home, **user) as worker:
                assert worker.read() == "ready"
                assert worker.ask("count") == "1"
                assert worker.ask("leave") == "left"
    finally:
        if user:
            shutil.rmtree(home.parent)


def test_a_wrong_or_missing_password_is_refused(server_home: Path, database: object) -> None:
    with EmbeddedPostgres(server_home).acquire() as lease:
        for password in ("wrong", ""):
            dsn = make_conninfo(lease.dsn, dbname="postgres", password=password, passfile="/dev/null")
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(dsn)
        for role in ("postgres", os.environ.get("USER", "root")):
            with pytest.raises(psycopg.OperationalError, match=r"authentication failed|no password"):
                psycopg.connect(make_conninfo(lease.dsn, dbname="postgres", user=role, password="guess"))


def test_no_port_is_opened_and_the_role_is_no_superuser(server_home: Path, database: object) -> None:
    with (
        EmbeddedPostgres(server_home).acquire() as lease,
        psycopg.connect(make_conninfo(lease.dsn, dbname="postgres"), autocommit=True) as connection,
    ):
        row = connection.execute(
            "SELECT current_setting('listen_addresses'), rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert row == ("", False)
        for statement in ("COPY (SELECT 1) TO PROGRAM 'true'", "SELECT pg_read_file('/etc/passwd')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_log_holds_no_data(made_home: Path) -> None:
    with open_database(made_home) as database:
        with database.connection() as connection:
            connection.execute("CREATE TABLE public.sales (buyer text PRIMARY KEY, n int)")
            connection.execute("INSERT INTO public.sales VALUES ('secret-buyer', 1)")
        for statement in (
            "INSERT INTO public.sales VALUES ('secret-buyer', 2)",
            "SELECT 'secret-buyer'::int",
            "SELECT * FROM secret_buyer",
        ):
            with pytest.raises(psycopg.Error), database.connection() as connection:
                connection.execute(statement)
    log = (made_home / "postgres" / "server.log").read_text()
    assert "database system is ready" in log
    assert "secret" not in log


def test_a_link_in_place_of_a_file_of_ours_is_not_followed(made_home: Path, tmp_path: Path) -> None:
    only_root()
    target = tmp_path / "precious"
    target.write_text("keep")
    lock = made_home / "postgres" / "users.lock"
    lock.unlink()
    lock.symlink_to(target)
    try:
        with pytest.raises(HomeUnusable, match="symbolic link"):
            open_database(made_home)
    finally:
        lock.unlink()
    assert target.read_text() == "keep"


def test_programs_out_of_reach_are_copied_once_and_checked(made_home: Path, tmp_path: Path) -> None:
    only_root()
    original = program.bundled()
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    package = closed / original.root.parent.name
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            original.root / part,
            package / original.root.name / part,
            ignore=shutil.ignore_patterns("pgxs", "*.a"),
        )
    libraries = original.root.parents[1] / f"{original.root.parent.name}.libs"
    shutil.copytree(libraries, closed / libraries.name)
    hidden = program.Program(18, package / original.root.name)
    account = server_account(made_home, made_home / "postgres" / "data")
    # pytest's own folder is closed to everybody, so a cache below it would be as well
    cache = Path(f"/tmp/bunmyaku-test-cache-{os.getpid()}")
    try:
        copy = program.program_for(account, hidden, cache)
        assert copy.root.is_relative_to(cache)
        assert {path.stat().st_uid for path in cache.rglob("*")} == {0}
        assert not any(path.stat().st_mode & 0o022 for path in (cache, *cache.rglob("*")))
        made = copy.root.stat().st_ino
        assert program.program_for(account, hidden, cache).root.stat().st_ino == made
        _damage(copy)
        assert program.program_for(account, hidden, cache).root.stat().st_ino != made
        lease = EmbeddedPostgres(made_home, program=copy).acquire()
        with leased_database(lease, "shop") as database, database.connection() as connection:
            assert connection.execute("SELECT '[1]'::vector::text").fetchone() == ("[1]",)
    finally:
        shutil.rmtree(cache)


def _damage(copy: program.Program) -> None:
    path = Path(copy.path("postgres"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_folder_others_can_write_is_no_cache(tmp_path: Path) -> None:
    only_root()
    shared = tmp_path / "cache"
    shared.mkdir()
    shared.chmod(0o777)
    closed = program.Program(18, tmp_path / "package" / "pginstall18")
    (closed.root / "bin").mkdir(parents=True)
    Path(closed.path("postgres")).write_text("not executable")
    with pytest.raises(HomeUnusable, match="cannot be copied"):
        program.program_for(Account(os.geteuid(), os.getegid(), switch=False), closed, shared)


def test_root_in_a_container_may_not_trace_and_still_stops_its_server(made_home: Path) -> None:
    only_root()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    code = (
        "import sys; from pathlib import Path; from retrieval.postgres.database import leased_database, open_database;"
        "from retrieval.postgres.embedded import status; home = Path(sys.argv[1]);"
        "d = open_database(home); assert status(home).pid; d.close(); print(status(home).state)"
    )
    command = [
        setpriv,
        "--bounding-set=-sys_ptrace",
        "--inh-caps=-sys_ptrace",
        sys.executable,
        "-c",
        code,
        str(made_home),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip() == "down", done.stderr


def test_python_sockets_of_tests_reach_nothing_outside() -> None:
    with socket.socket() as outside, pytest.raises(OSError, match="nothing outside"):
        outside.connect(("192.0.2.1", 80))
