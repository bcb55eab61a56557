"""DuckDB, opened so that nothing but reading is possible: read-only file, no external access, configuration locked.

`read_only` alone would still read and write other files of the machine; the settings in `_SAFE` close that, and
`lock_configuration` keeps a statement from opening it again. DuckDB allows one configuration for one file within
a process, so time limits are kept by interrupting, and the memory limit is the one given when opening.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from text2sql.errors import WarehouseError, WarehouseUnavailable
from text2sql.types import Catalog, Dialect, Estimate, Limits, ResultSet
from text2sql.warehouses._arrow import plain, take
from text2sql.warehouses._catalog_cache import CatalogCache, stamp
from text2sql.warehouses._duckdb_catalog import read_catalog
from text2sql.warehouses._duckdb_plan import estimate
from text2sql.warehouses._memory import grown
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

_SAFE = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "lock_configuration": "true",
}
_BATCH = 1024
_DATA_ERRORS = (duckdb.DataError, duckdb.InvalidInputException)
"""Errors raised by a value that was met while running: their text quotes the value."""


class DuckDbWarehouse(SharedWarehouse):
    """A DuckDB database file. Raises `WarehouseUnavailable` when it is missing, locked or not a database."""

    def __init__(
        self, path: Path, *, memory: int = MEMORY, ceiling: Limits = CEILING, infer_keys: bool = True
    ) -> None:
        super().__init__(str(path), memory=memory, ceiling=ceiling, infer_keys=infer_keys)
        self.path = path
        self._connection = self._connect()

    @property
    def dialect(self) -> Dialect:
        """`duckdb`."""
        return "duckdb"

    def _connect(self) -> duckdb.DuckDBPyConnection:
        if not self.path.is_file():
            raise WarehouseUnavailable(
                "There is no such DuckDB file", where=self.where, todo="Check the path of the warehouse."
            )
        self._opened = _stamp(self.path)
        config: dict[str, str | bool | int | float | list[str]] = {
            **_SAFE,
            "memory_limit": f"{max(1, self._memory // 1024**2)}MiB",
            "max_temp_directory_size": "4GiB",
            "max_execution_time": str(int(self._ceiling.seconds * 1000)),
        }
        try:
            return duckdb.connect(str(self.path), read_only=True, config=config)
        except duckdb.Error as error:
            raise _unavailable(error, self.where) from error

    def _read_catalog(self) -> Catalog:
        return read_catalog(self.query, infer=self._infer_keys)

    def _mark(self) -> str | None:
        return stamp(self.path, (".wal",))

    def _reopen(self) -> None:
        if self.path.is_file() and _stamp(self.path) == self._opened:
            return
        self._drain()  # the file under the running statements is gone
        self._connection.close()
        self._connection = self._connect()

    def _explain(self, owner: object, sql: str, parameters: Mapping[str, Any]) -> Estimate:
        with self._connection.cursor() as cursor:
            self._check_one(cursor, sql)
        rows = self.query(f"EXPLAIN (FORMAT json) {sql}", self._ceiling.seconds, parameters, owner=owner)
        return estimate(str(rows[0][1]), self._rows_of)

    def _rows_of(self, name: str) -> int | None:
        """Rows of a table by the plan's name of it (`catalog.schema.table`)."""
        table = self.catalog().table(name.partition(".")[2]) or self.catalog().table(name)
        return table.rows if table is not None else None

    def query(
        self,
        sql: str,
        seconds: float | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        owner: object = None,
    ) -> list[tuple[Any, ...]]:
        """Rows of a statement of our own (catalogue, profiles); not for text from outside."""
        with (
            self._connection.cursor() as cursor,
            self._running(owner or self, cursor.interrupt, seconds) as run,
        ):
            try:
                return list(cursor.execute(sql, parameters or None).fetchall())
            except duckdb.Error as error:
                raise self._error(error, run, sql, seconds or 0) from error

    def _run(self, owner: object, sql: str, limits: Limits, parameters: Mapping[str, Any]) -> ResultSet:
        limits = capped(limits, self._ceiling)
        started = time.perf_counter()
        with (
            self._connection.cursor() as cursor,
            self._running(owner, cursor.interrupt, limits.seconds, grown(self._memory)) as run,
        ):
            self._check_one(cursor, sql)
            try:
                reader = cursor.sql(sql, params=dict(parameters) or None).to_arrow_reader(_BATCH)
                table, truncated = take(reader, reader.schema, limits)
                del reader  # the cursor cannot close over an open result
            except (duckdb.Error, OSError, pa.ArrowException, MemoryError) as error:
                raise self._error(error, run, sql, limits.seconds) from error
            # A stream that is interrupted may simply end: what came until then must not pass for the whole.
            if stopped := self._stopped(run, limits.seconds):
                raise stopped
        table = plain(table)
        return ResultSet(table, time.perf_counter() - started, truncated, table.nbytes)

    def _check_one(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
        """A second wall behind the guard: exactly one statement, and it selects."""
        try:
            statements = cursor.extract_statements(sql)
        except duckdb.Error as error:
            raise WarehouseError(without_values(str(error), sql), where=self.where) from error
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise WarehouseError("Only one SELECT statement can run here", where=self.where)

    def _error(self, error: Exception, run: Run, sql: str, seconds: float) -> WarehouseError:
        stopped = self._stopped(run, seconds)
        if stopped is not None:
            return stopped
        if isinstance(error, duckdb.OutOfMemoryException | MemoryError) or "Arrow Appender" in str(error):
            return needs_memory(self.where)
        if isinstance(error, _DATA_ERRORS) or not isinstance(error, duckdb.Error):
            kind = str(error).split(":", 1)[0]
            return WarehouseError(
                f"{kind}: a stored value does not fit the expression",
                where=self.where,
                todo="Use TRY_CAST or another expression.",
            )
        return WarehouseError(without_values(str(error), sql), where=self.where)

    def _close(self) -> None:
        with suppress(duckdb.Error):  # a statement that does not notice it was stopped still uses it
            self._connection.close()


def _stamp(path: Path) -> tuple[int, int, int]:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _unavailable(error: duckdb.Error, where: str) -> WarehouseUnavailable:
    text = str(error)
    if "lock" in text.casefold():
        return WarehouseUnavailable(
            "Another program has the DuckDB file open for writing",
            where=where,
            todo="Close that program, or work on a copy of the file.",
        )
    if "different configuration" in text:
        return WarehouseUnavailable(
            "The DuckDB file is already open in this process with other settings",
            where=where,
            todo="Close the other connection, or open both with the same memory and time limits.",
        )
    if "not a valid DuckDB" in text:
        return WarehouseUnavailable(
            "The file is not a DuckDB database", where=where, todo="Check the path of the warehouse."
        )
    return WarehouseUnavailable(without_values(text, ""), where=where, todo="Check the file and its rights.")


def build(settings: Mapping[str, Any]) -> DuckDbWarehouse:
    """From settings `path` and, optionally, `memory` (bytes), `cache` (a folder for the catalogue)."""
    opened = DuckDbWarehouse(Path(settings["path"]), **options(settings))
    if settings.get("cache"):
        opened.kept = CatalogCache(Path(settings["cache"]), opened.path)
    return opened
