"""What every test has: one embedded server for the session, a fresh database, a fixed clock, and no way outside."""

from __future__ import annotations

import itertools
import os
import signal
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from retrieval.postgres.database import Database, leased_database, open_database
from retrieval.postgres.embedded import EmbeddedPostgres, Lease
from retrieval.postgres.migrations import migrate
from retrieval.types import Clock, Principal

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = "bunmyaku_template"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=timezone(timedelta(hours=9)))
# A developer's keys, homes and proxies must neither help nor harm a test.
_PRIVATE = (
    "BUNMYAKU_",
    "AWS_",
    "PG",
    "LANGSMITH_",
    "LANGCHAIN_",
    "OPENAI_",
    "ANTHROPIC_",
    "HF_",
    "STREAMLIT_",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_numbers = itertools.count(1)

# In the background of a script Ctrl-C is ignored, and whatever is started from there ignores it too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure() -> None:
    """Before anything is collected: an environment without the developer's own."""
    for name in list(os.environ):
        if name.startswith(_PRIVATE) or name in _PROXIES:
            del os.environ[name]
    os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("user")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_way_outside() -> Iterator[None]:
    """Python's sockets reach this machine only: unix sockets and the loopback."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def allow(family: int, address: Any) -> None:
        if family != getattr(socket, "AF_UNIX", None) and not _loopback(address[0]):
            raise OSError(f"A test wanted to reach {address!r}: tests reach nothing outside the machine")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        allow(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        allow(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        allow(0, (host,))
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


def _loopback(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in {None, "", "localhost", socket.gethostname()}:
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home that the session's one embedded server lives in. Not for tests that kill or stop it."""
    return tmp_path_factory.mktemp("server") / "home"


@pytest.fixture(scope="session")
def server(server_home: Path) -> Iterator[Lease]:
    """The session's server: as users have it, but not waiting for the disk. Stopped at the end, or by its keeper."""
    fast = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with EmbeddedPostgres(server_home, settings=fast).acquire() as lease:
        yield lease


@pytest.fixture(scope="session")
def template(server: Lease, server_home: Path) -> str:
    """The name of a database with every package's migrations applied, for copying."""
    with open_database(server_home, name=TEMPLATE) as database:
        for package in ("retrieval", "ingest", "app"):
            folder = ROOT / package / "migrations"
            if folder.is_dir():
                migrate(database, package, folder)
    return TEMPLATE


@pytest.fixture
def database(server: Lease, server_home: Path, template: str) -> Iterator[Database]:
    """A fresh database, migrated for every package, dropped after the test."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    _administer(server, statement.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        with leased_database(EmbeddedPostgres(server_home).acquire(), name) as opened:
            yield opened
    finally:
        _administer(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _administer(server: Lease, statement: sql.Composed) -> None:
    with psycopg.connect(make_conninfo(server.dsn, dbname="postgres"), autocommit=True) as connection:
        connection.execute(statement)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def clock() -> Clock:
    """Always 20 November 2026, nine in the morning in Tokyo."""
    return lambda: NOW


@pytest.fixture
def principal() -> Principal:
    """An analyst of the default tenant."""
    return Principal(id="ana", roles=("analyst",), name="Ana", language="en")
