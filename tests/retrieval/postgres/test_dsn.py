"""Any other PostgreSQL by DSN: a second server plays it. Bad DSNs are answered with what is wrong and what to do."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from retrieval.errors import StoreUnavailable
from retrieval.postgres import database as module
from retrieval.postgres import dsn as messages
from retrieval.postgres.cluster import passed
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.embedded import EmbeddedPostgres, stop
from retrieval.postgres.layout import server_folder
from retrieval.postgres.migrations import migrate
from retrieval.postgres.program import bundled, run

SECRET = "hunter2-very-secret"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The parts of a DSN to somebody's server behind a TCP port, with a password in it."""
    home = tmp_path_factory.mktemp("other") / "home"
    EmbeddedPostgres(home).acquire().release()
    folder, postgres = server_folder(home), bundled().path("postgres")
    with passed(folder.data) as ((data,), fds):
        run(
            [postgres, "--single", "-D", data, "postgres"],
            folder.account,
            check=True,
            pass_fds=fds,
            input="CREATE ROLE visitor LOGIN PASSWORD 'visiting';\n",
            capture_output=True,
        )
    with EmbeddedPostgres(home).acquire() as lease, socket.create_server(("127.0.0.1", 0)) as listening:
        target = f"{conninfo_to_dict(lease.dsn)['host']}/.s.PGSQL.5432"
        threading.Thread(target=_serve, args=(listening, target), daemon=True).start()
        password = (home / "postgres" / "pgpass").read_text().strip().rsplit(":", 1)[1]
        port = str(listening.getsockname()[1])
        yield {"host": "127.0.0.1", "port": port, "user": "bunmyaku", "password": password}


def _serve(listening: socket.socket, target: str) -> None:
    """Hand every TCP connection on to the server's socket, until the listener is closed."""
    while True:
        try:
            client = listening.accept()[0]
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(target)
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError), sink:
        while content := source.recv(65536):
            sink.sendall(content)
        sink.shutdown(socket.SHUT_RDWR)


def test_a_server_by_url(other: dict[str, str], home: Path, tmp_path: Path) -> None:
    url = "postgresql://{user}:{password}@{host}:{port}/shop".format(**other)
    (tmp_path / "0001_sales.sql").write_text("CREATE SCHEMA shop; CREATE TABLE shop.sales (v vector(2));")
    with open_database(home, url) as database:
        assert not database.embedded
        assert database.name == "shop"
        assert migrate(database, "shop", tmp_path) == ["0001_sales.sql"]
        assert other["password"] not in repr(database)
    with open_database(home, url) as database, database.connection() as connection:
        connection.execute("INSERT INTO shop.sales VALUES ('[1,2]')")
        assert migrate(database, "shop", tmp_path) == []
    assert not home.exists()


def test_without_a_database_the_usual_name_is_taken(other: dict[str, str], home: Path) -> None:
    with open_database(home, make_conninfo(**other)) as database:
        assert database.name == "bunmyaku"
    with open_database(home, make_conninfo(**other), name="else") as database:
        assert database.name == "else"


def refusal(dsn: str, home: Path) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as caught:
        open_database(home, dsn)
    assert SECRET not in str(caught.value)
    assert caught.value.todo
    return caught.value


def test_a_wrong_password(other: dict[str, str], home: Path) -> None:
    error = refusal(make_conninfo(**{**other, "password": SECRET}), home)
    assert "refuses the user 'bunmyaku' or the password" in error.what
    assert error.where == f"127.0.0.1:{other['port']}/bunmyaku"


def test_a_user_that_may_not_create_the_database(other: dict[str, str], home: Path) -> None:
    parts = {**other, "user": "visitor", "password": "visiting", "dbname": "never_made"}
    error = refusal(make_conninfo(**parts), home)
    assert error.what == "The database 'never_made' does not exist and cannot be made"
    assert "administrator" in error.todo


def test_nobody_listens(home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = refusal(f"postgresql://ana:{SECRET}@127.0.0.1:{port}/shop", home)
    assert error.what.startswith("The PostgreSQL server cannot be reached")
    assert error.where == f"127.0.0.1:{port}/shop"
    assert "host and port" in error.todo


def test_a_name_that_is_no_host(home: Path) -> None:
    error = refusal(f"postgresql://ana:{SECRET}@no-such-host.invalid/shop?connect_timeout=5", home)
    assert "cannot be reached" in error.what


def test_a_server_that_never_answers(home: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = refusal(
            f"host=127.0.0.1 port={silent.getsockname()[1]} connect_timeout=2 password={SECRET}", home
        )
    assert "cannot be reached" in error.what


@pytest.mark.parametrize(
    "dsn", [f"nonsense {SECRET}", f"postgresql://ana:{SECRET}@host:port/x", f"colour={SECRET}"]
)
def test_text_that_is_no_dsn(dsn: str, home: Path) -> None:
    error = refusal(dsn, home)
    assert "cannot be read" in error.what or "cannot be reached" in error.what


def test_a_server_without_pgvector(
    other: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """template0 has no extension, and the server is made to offer none."""
    with psycopg.connect(make_conninfo(**other, dbname="postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain TEMPLATE template0")
    error = refusal(make_conninfo(**other, dbname="plain"), home)  # offered, but not to this user
    assert "may not install pgvector" in error.what
    assert "CREATE EXTENSION vector" in error.todo
    with psycopg.connect(make_conninfo(**other, dbname="plain"), autocommit=True) as connection:
        connection.execute(
            "CREATE VIEW public.pg_available_extensions AS SELECT 'x'::text AS name, '1' AS default_version"
        )
        connection.execute("ALTER ROLE bunmyaku IN DATABASE plain SET search_path = public, pg_catalog")
    error = refusal(make_conninfo(**other, dbname="plain"), home)
    assert "has no pgvector" in error.what
    assert "Install pgvector" in error.todo


def test_an_old_pgvector(other: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OLDEST_PGVECTOR", (99, 0))
    error = refusal(make_conninfo(**other, dbname="bunmyaku"), home)
    assert "0.7 or newer" in error.what


@pytest.fixture
def short_home(made_home: Path) -> Iterator[Path]:
    """Where the socket lies in the home itself, so that it comes back under the same name."""
    with tempfile.TemporaryDirectory(prefix="b") as folder:
        home = made_home.rename(Path(folder) / "home")
        yield home
        stop(home)


def test_a_server_that_goes_away_is_noticed_before_the_timeout(short_home: Path) -> None:
    with EmbeddedPostgres(short_home).acquire() as lease:
        by_dsn = open_database(short_home / "none", make_conninfo(lease.dsn, dbname="shop"))
        with by_dsn.connection() as connection:
            connection.execute("SELECT 1")
    with pytest.raises(StoreUnavailable, match="cannot be reached"), by_dsn.connection(timeout=20):
        pass
    with EmbeddedPostgres(short_home).acquire(), by_dsn.connection(timeout=20) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    by_dsn.close()


def test_every_connection_taken(database: Database) -> None:
    taken = [database.pool.getconn() for _ in range(10)]
    try:
        with (
            pytest.raises(StoreUnavailable, match="became free within 0 s"),
            database.connection(timeout=0.2),
        ):
            pass
    finally:
        for connection in taken:
            database.pool.putconn(connection)
    with database.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_parts_of_a_dsn() -> None:
    parts = messages.parse("postgresql://ana:x@db.shop:6000", "bunmyaku")
    assert messages.place(parts) == "db.shop:6000/bunmyaku"
    assert parts["connect_timeout"] == "10"
    assert conninfo_to_dict(messages.with_database(parts, "else"))["dbname"] == "else"
    assert (
        "no connection left"
        in messages.cannot_connect(psycopg.OperationalError("too many clients already"), parts).what
    )
    assert "OperationalError" in messages.cannot_connect(psycopg.OperationalError(""), parts).what
