"""SQLite, opened so that nothing but reading is possible: `mode=ro`, `query_only`, and an authorizer behind both.

Each run has a connection of its own from a small pool, so that runs of several threads never wait for each other
and a cancel reaches one run. Values are read leniently: text that is not UTF-8 is decoded with replacement marks,
and a column that mixes types (SQLite lets it) becomes text.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from text2sql.errors import WarehouseError, WarehouseUnavailable
from text2sql.profiling import quoted
from text2sql.types import Catalog, Dialect, Estimate, Limits, ResultSet
from text2sql.warehouses._arrow import from_rows, size_of
from text2sql.warehouses._catalog_cache import CatalogCache, stamp
from text2sql.warehouses._runs import Run
from text2sql.warehouses._shared import (
    CEILING,
    MEMORY,
    SharedWarehouse,
    capped,
    needs_memory,
    options,
    without_values,
)
from text2sql.warehouses._sqlite_catalog import read_catalog
from text2sql.warehouses._sqlite_plan import aliases, estimate
from text2sql.warehouses._sqlite_wall import authorize

_BUSY_SECONDS = 2.0
"""How long to wait for a program that is writing."""
_DATA = re.compile(
    r"integer overflow|malformed JSON|JSON path|ESCAPE expression|pattern too complex|must have|BLOB"
)
"""Errors raised by a value that was met while running: all of them are one sentence."""
_STEPS = 5_000
"""Virtual machine steps between looks at the clock: well under a millisecond."""
_IDLE = 4
"""Connections kept for the next run."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 64 * 1024**2,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 500,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 200,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 2_000,
}


class SqliteWarehouse(SharedWarehouse):
    """An SQLite file. Raises `WarehouseUnavailable` when it is missing, locked or not a database."""

    def __init__(
        self, path: Path, *, memory: int = MEMORY, ceiling: Limits = CEILING, infer_keys: bool = True
    ) -> None:
        super().__init__(str(path), memory=memory, ceiling=ceiling, infer_keys=infer_keys)
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        with closing(self._connect()) as connection:
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except sqlite3.Error as error:
                raise self._unavailable(error) from error

    @property
    def dialect(self) -> Dialect:
        """`sqlite`."""
        return "sqlite"

    def _connect(self) -> sqlite3.Connection:
        if not self.path.is_file():
            raise WarehouseUnavailable(
                "There is no such SQLite file", where=self.where, todo="Check the path of the warehouse."
            )
        # Not `immutable`: another program may write while we read, and SQLite's locks keep both honest.
        uri = f"file:{quote(str(self.path.resolve()))}?mode=ro"
        try:
            connection = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            connection.text_factory = _decode
            for pragma in ("query_only = ON", "trusted_schema = OFF", f"hard_heap_limit = {self._memory}"):
                connection.execute(f"PRAGMA {pragma}").close()
        except sqlite3.Error as error:
            raise self._unavailable(error) from error
        for limit, value in _LIMITS.items():
            connection.setlimit(limit, value)
        return connection

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        """A connection behind the authorizer, back in the pool afterwards."""
        with self._idle_lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
            try:
                _wake_virtual_tables(connection)
            except sqlite3.Error as error:
                connection.close()
                raise self._unavailable(error) from error
            connection.set_authorizer(authorize)
        try:
            yield connection
        finally:
            connection.set_progress_handler(None, 0)
            with self._idle_lock:
                keep = len(self._idle) < _IDLE and not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def _mark(self) -> str | None:
        return stamp(self.path, ("-wal", "-journal"))

    def _read_catalog(self) -> Catalog:
        with closing(self._connect()) as connection:

            def query(sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
                with self._running(self, connection.interrupt, seconds) as run:
                    try:
                        return connection.execute(sql).fetchall()
                    except (sqlite3.Error, MemoryError) as error:
                        raise self._error(error, run, sql, seconds or 0) from error

            return read_catalog(query, infer=self._infer_keys)

    def _explain(self, owner: object, sql: str, parameters: Mapping[str, Any]) -> Estimate:
        """SQLite estimates no row counts: `rows` is what the loops of its plan would read, by the catalogue's counts."""
        seconds = self._ceiling.seconds
        with self._guarded() as connection, self._running(owner, connection.interrupt, seconds) as run:
            try:
                plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", dict(parameters)).fetchall()
            except (sqlite3.Error, sqlite3.Warning) as error:
                raise self._error(error, run, sql, seconds) from error
        catalog = self.catalog()

        def rows_of(name: str) -> int | None:
            table = catalog.table(name)
            return table.rows if table is not None else None

        return estimate(plan, rows_of, aliases(sql))

    def _run(self, owner: object, sql: str, limits: Limits, parameters: Mapping[str, Any]) -> ResultSet:
        limits = capped(limits, self._ceiling)
        started = time.perf_counter()
        with self._guarded() as connection, self._running(owner, connection.interrupt, limits.seconds) as run:
            # `interrupt` alone is lost while no statement runs yet; the handler sees the reason at the next look.
            connection.set_progress_handler(lambda: run.reason is not None, _STEPS)
            try:
                with closing(connection.execute(sql, dict(parameters))) as cursor:
                    if cursor.description is None:
                        raise WarehouseError("Only a SELECT can run here", where=self.where)
                    names = [column[0] for column in cursor.description]
                    rows, truncated = _fetch(cursor, limits)
            except (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError) as error:
                raise self._error(error, run, sql, limits.seconds) from error
        table = from_rows(names, rows)
        return ResultSet(table, time.perf_counter() - started, truncated, table.nbytes)

    def _error(self, error: Exception, run: Run, sql: str, seconds: float) -> WarehouseError:
        stopped = self._stopped(run, seconds)
        if stopped is not None:
            return stopped
        text = str(error)
        if "locked" in text or "busy" in text:
            return self._unavailable(error)
        if "not authorized" in text or "prohibited" in text:
            return WarehouseError("SQLite refused the statement: it does more than read", where=self.where)
        if isinstance(error, MemoryError) or "too big" in text:
            return needs_memory(self.where)
        if _DATA.search(text):
            return WarehouseError(
                "A stored value does not fit the expression",
                where=self.where,
                todo="Use another expression, or leave such rows out.",
            )
        return WarehouseError(without_values(text, sql), where=self.where)

    def _unavailable(self, error: Exception) -> WarehouseUnavailable:
        text = str(error)
        if "locked" in text or "busy" in text:
            return WarehouseUnavailable(
                f"Another program is writing to the SQLite file (waited {_BUSY_SECONDS:g} seconds)",
                where=self.where,
                todo="Wait until it has finished, or work on a copy of the file.",
            )
        if "not a database" in text or "malformed" in text:
            return WarehouseUnavailable(
                "The file is not an SQLite database, or it is damaged",
                where=self.where,
                todo="Check the path of the warehouse.",
            )
        return WarehouseUnavailable(
            f"The SQLite file cannot be opened: {text}",
            where=self.where,
            todo="Check the file and its rights.",
        )

    def _close(self) -> None:
        with self._idle_lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _wake_virtual_tables(connection: sqlite3.Connection) -> None:
    """Let full-text and other virtual tables set themselves up, which the authorizer would take for a write."""
    found = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual'"
    )
    for (name,) in found.fetchall():
        with suppress(sqlite3.Error):  # its module is not here: the table cannot be read, the others can
            connection.execute(f"SELECT * FROM {quoted(name)} LIMIT 0").close()  # noqa: S608 - a quoted name


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _fetch(cursor: sqlite3.Cursor, limits: Limits) -> tuple[list[tuple[Any, ...]], bool]:
    """Rows up to the caps, and whether there were more."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        size += size_of(row)
        if len(rows) >= limits.rows or size > limits.bytes:
            return rows, True
        rows.append(row)
    return rows, False


def build(settings: Mapping[str, Any]) -> SqliteWarehouse:
    """From settings `path` and, optionally, `memory` (bytes), `cache` (a folder for the catalogue)."""
    opened = SqliteWarehouse(Path(settings["path"]), **options(settings))
    if settings.get("cache"):
        opened.kept = CatalogCache(Path(settings["cache"]), opened.path)
    return opened
