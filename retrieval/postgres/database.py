"""One database and the connections to it: on the embedded server of a home, or on any PostgreSQL by DSN."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from retrieval.errors import StoreUnavailable
from retrieval.postgres.dsn import cannot_connect, lacks_pgvector, parse, place, with_database

if TYPE_CHECKING:
    from retrieval.postgres.embedded import Lease

Connection = psycopg.Connection[Any]
WAIT_SECONDS = 30.0
"""How long `connection()` waits for a free connection, a restart of the embedded server included."""

_SLICE = 1.0  # seconds between two looks at the embedded server while waiting
_POOL = 10  # connections a process keeps at most
_OLDEST_PGVECTOR = (0, 8)  # halfvec, sparsevec, and iterative index scans
_MAINTENANCE = "postgres"
_QUIET = logging.NullHandler()


class Database:
    """A database in use by this process. `pool` opens connections when they are first asked for.

    Take connections from `connection()`: it brings back an embedded server that was killed. Not to be used in a
    forked child. The repr shows no password.
    """

    def __init__(self, parts: dict[str, str], lease: Lease | None = None) -> None:
        # The pool reports every failed attempt of its own; what matters reaches the caller as an error. Where nobody
        # has set logging up, Python would print those lines to the user.
        logging.getLogger("psycopg.pool").addHandler(_QUIET)
        self._parts = parts
        self._lease = lease
        self.embedded = lease is not None
        self.name = parts["dbname"]
        self.pool: ConnectionPool[Connection] = ConnectionPool(
            lambda: self.dsn,  # the socket of a restarted server may be elsewhere
            min_size=0,
            max_size=_POOL,
            open=True,
            check=ConnectionPool.check_connection,
            timeout=WAIT_SECONDS,
            reconnect_timeout=5.0,
            num_workers=2,
            name=f"bunmyaku-{self.name}",
        )

    @property
    def dsn(self) -> str:
        """How to connect, for libpq. Embedded: without a password (libpq reads it from its file)."""
        if self._lease is not None:
            return make_conninfo(self._lease.dsn, dbname=self.name)
        return make_conninfo(**self._parts)

    @contextlib.contextmanager
    def connection(self, timeout: float = WAIT_SECONDS) -> Iterator[Connection]:
        """A connection in a transaction: committed at the end of the block, rolled back when it raises.

        Raises StoreUnavailable when none can be had within `timeout` seconds, when it breaks inside the block (ask
        again: an embedded server is started again), or when the server's disk is full. What was committed stays.
        """
        connection = self._checkout(timeout)
        try:
            with connection:
                yield connection
        except psycopg.errors.DiskFull as error:
            raise StoreUnavailable(
                "The database server's disk is full",
                where=self._where,
                todo="Free some space; nothing committed is lost.",
            ) from error
        except psycopg.OperationalError as error:
            if not (connection.broken or connection.closed):
                raise
            raise StoreUnavailable(
                "The connection to the database broke",
                where=self._where,
                todo="Try again; nothing committed is lost.",
            ) from error
        finally:
            self.pool.putconn(connection)

    def close(self) -> None:
        """Close the connections and leave the embedded server (the last one to leave stops it). Safe to call twice."""
        self.pool.close()
        if self._lease is not None:
            self._lease.release()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Database({self._where!r}, embedded={self.embedded})"

    @property
    def _where(self) -> str:
        return str(self._lease.folder.path) if self._lease is not None else place(self._parts)

    def _checkout(self, timeout: float) -> Connection:
        deadline = time.monotonic() + timeout
        while True:
            if self._lease is not None:
                self._lease.ensure()
            remaining = deadline - time.monotonic()
            try:
                return self.pool.getconn(timeout=max(0.01, min(_SLICE, remaining)))
            except PoolClosed as error:
                raise StoreUnavailable("The database has been closed", where=self._where) from error
            except PoolTimeout as error:
                if remaining <= _SLICE:
                    raise self._no_connection(timeout) from error
                self._look(error)

    def _look(self, waited: PoolTimeout) -> None:
        """While waiting: bring an embedded server back; of another one, ask why there is no connection at all."""
        if self._lease is not None:
            self._lease.settle()
        elif self.pool.get_stats().get("pool_size", 0) == 0:
            try:
                psycopg.connect(self.dsn).close()
            except psycopg.Error as error:
                raise cannot_connect(error, self._parts) from waited

    def _no_connection(self, timeout: float) -> StoreUnavailable:
        """Why there was none: asked of the server itself, for its reason."""
        try:
            psycopg.connect(self.dsn, connect_timeout=2).close()
        except psycopg.Error as error:
            return cannot_connect(error, self._parts)
        return StoreUnavailable(
            f"No database connection became free within {timeout:.0f} s", where=self._where, todo="Try again."
        )


def open_database(
    home: Path, dsn: str | None = None, *, name: str = "bunmyaku", user: str | None = None
) -> Database:
    """The database `name` on the home's embedded server, or the one a DSN leads to (`name` where it names none).

    Database and extension `vector` are made where absent. `user` is who runs the embedded server when we are root.
    Raises HomeUnusable, StoreUnavailable.
    """
    if dsn is not None:
        parts = parse(dsn, name)
        _provide(parts)
        return Database(parts)
    lease = _embedded(home, user)
    try:
        return leased_database(lease, name)
    except BaseException:
        lease.release()
        raise


def leased_database(lease: Lease, name: str) -> Database:
    """A database on an embedded server already acquired; closing it releases the lease. Raises StoreUnavailable."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        parts = parse(lease.dsn, name)
        try:
            _provide(parts)
        except (
            StoreUnavailable
        ) as error:  # it may be recovering from the crash of a backend, or have been killed
            if time.monotonic() > deadline or not _passing(error.__cause__):
                raise
            time.sleep(0.1)
            lease.settle()
        else:
            return Database(parts, lease)


def _passing(error: BaseException | None) -> bool:
    """Whether a failed connection is worth another try: the server is starting, recovering, or just went away."""
    text = str(error)
    return isinstance(error, psycopg.OperationalError) and any(
        sign in text for sign in ("database system is", "Connection refused", "No such file", "server closed")
    )


def _embedded(home: Path, user: str | None) -> Lease:
    try:
        from retrieval.postgres.embedded import EmbeddedPostgres  # it needs fcntl, which Windows has not
    except ImportError as error:
        raise StoreUnavailable(
            "The embedded PostgreSQL does not run on this system",
            todo="Give the DSN of a PostgreSQL with pgvector.",
        ) from error
    return EmbeddedPostgres(home, user=user).acquire()


def _provide(parts: dict[str, str]) -> None:
    """Make the database and its extension where absent."""
    try:
        connection = psycopg.connect(make_conninfo(**parts), autocommit=True)
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error) or "database" not in str(error):
            raise cannot_connect(error, parts) from error
        connection = _create(parts, error)
    with contextlib.closing(connection):
        _provide_pgvector(connection, parts)


def _create(parts: dict[str, str], missing: psycopg.Error) -> Connection:
    """Create the database, beside others who may be doing the same, and connect to it."""
    last: psycopg.Error = missing
    for _ in range(20):
        try:
            with psycopg.connect(with_database(parts, _MAINTENANCE), autocommit=True) as maintenance:
                maintenance.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(parts["dbname"])))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            pass  # someone was quicker
        except psycopg.errors.ObjectInUse as error:  # someone is copying the same template
            last = error
            time.sleep(0.1)
            continue
        except psycopg.errors.DiskFull as error:
            raise StoreUnavailable(
                "The database server's disk is full",
                where=place(parts),
                todo="Free some space and try again.",
            ) from error
        except psycopg.Error as error:
            raise cannot_connect(missing, parts) from error
        try:
            return psycopg.connect(make_conninfo(**parts), autocommit=True)
        except psycopg.OperationalError as error:
            last = error
            time.sleep(0.1)
    raise cannot_connect(last, parts) from last


def _provide_pgvector(connection: Connection, parts: dict[str, str]) -> None:
    found = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    if found is None:
        offered = connection.execute(
            "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
        ).fetchone()
        if offered is None:
            raise lacks_pgvector(parts, None)
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        except psycopg.errors.UniqueViolation:
            pass  # another process was making it at the same moment
        except psycopg.Error as error:
            raise StoreUnavailable(
                "This user may not install pgvector in the database",
                where=place(parts),
                todo=f"Ask the server's administrator to run CREATE EXTENSION vector in {parts['dbname']!r}.",
            ) from error
        found = offered
    version = str(found[0])
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_PGVECTOR:
        raise lacks_pgvector(parts, version)
