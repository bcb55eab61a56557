"""Databases under proof in files: SQLite, and DuckDB, which can be filled from SQLite."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from evals.proving.copies import ROWS, Part, Result, Runs, parts, quoted
from evals.proving.drawing import Data
from evals.proving.policies import Posed
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse

SECONDS = 5.0
_STEPS = 20_000
_UNKNOWN = re.compile(
    r"no such (column|table)|ambiguous|does not exist|not found|cannot join using", re.IGNORECASE
)
_COLLATE = re.compile(r'(?:"([^"]+)"|`([^`]+)`|\[([^\]]+)\]|(\w+))[^,]*?\bCOLLATE\s+"?(\w+)', re.IGNORECASE)


def failed(error: Exception) -> Result:
    """An error as a result: its class, and what it said."""
    text = str(error)
    if "interrupted" in text.lower():
        return Result(failure="too slow", said=text)
    kind = "unknown name" if _UNKNOWN.search(text) else "does not run"
    return Result(failure=kind, said=text.splitlines()[0][:200] if text else type(error).__name__)


class SqliteBase:
    """An SQLite file, read-only; text that is not UTF-8 is decoded with replacement marks, as our warehouse does."""

    def __init__(self, path: Path) -> None:
        warehouse = open_warehouse(path)
        with closing(warehouse):
            self.catalog: Catalog = warehouse.catalog()
        self.connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True)
        self.connection.text_factory = _decoded
        self.full: Runs = _SqliteRuns(self.connection)

    @cached_property
    def data(self) -> Data:
        """Every row of every table and view."""
        return {
            t.qualified: self.connection.execute(
                f"SELECT {', '.join(quoted(c.name) for c in t.columns)} FROM {quoted(t.name)}"  # noqa: S608 - quoted
            ).fetchall()
            for t in self.catalog.tables
        }

    @cached_property
    def collations(self) -> dict[str, dict[str, str]]:
        """Table -> column -> collation, where one is declared."""
        found: dict[str, dict[str, str]] = {}
        for name, sql in self.connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
            for *names, collation in _COLLATE.findall(sql or ""):
                column = next(n for n in names if n)
                found.setdefault(name, {})[column] = collation.upper()
        return found

    @contextmanager
    def copy(self, posed: Posed) -> Iterator[Runs]:
        """The caller's copy, in memory, filled in the order in which the rows lie."""
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.text_factory = _decoded
            for part in parts(self.catalog, self.data, posed, self.collations):
                self._fill(connection, part)
            connection.execute("PRAGMA query_only = ON")
            yield _SqliteRuns(connection)

    def _fill(self, connection: sqlite3.Connection, part: Part) -> None:
        types = {c.name: c.type for c in part.table.columns}
        collations = self.collations.get(part.table.qualified, {})
        declared = []
        for name in part.columns:
            # What a mask shows is computed: of the column it has the type, and no collation.
            collation = "" if name in part.masked else collations.get(name, "")
            declared.append(f"{quoted(name)} {types[name]}" + (f" COLLATE {collation}" if collation else ""))
        table = quoted(part.table.name)
        connection.execute(f"CREATE TABLE {table} ({', '.join(declared)})")
        marks = ", ".join("?" * len(part.columns))
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", part.rows)  # noqa: S608 - quoted
        connection.commit()

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


class _SqliteRuns:
    """Runs on one connection, within the time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __call__(self, sql: str, parameters: dict[str, Any] | None = None) -> Result:
        end = time.perf_counter() + SECONDS
        self._connection.set_progress_handler(lambda: time.perf_counter() > end, _STEPS)
        try:
            cursor = self._connection.execute(sql, parameters or {})
            rows = cursor.fetchmany(ROWS + 1)
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            return failed(error)
        width = len(cursor.description or ())
        cursor.close()
        return Result(failure="too many rows") if len(rows) > ROWS else Result(rows, width)


class DuckdbBase:
    """A DuckDB file, read-only."""

    def __init__(self, path: Path) -> None:
        warehouse = open_warehouse(path)
        with closing(warehouse):
            self.catalog: Catalog = warehouse.catalog()
        self.connection = duckdb.connect(str(path), read_only=True)
        _quieten(self.connection)
        self.full: Runs = _DuckdbRuns(self.connection)

    @cached_property
    def data(self) -> Data:
        """Every row of every table and view."""
        return {
            t.qualified: self.connection.execute(
                f"SELECT {', '.join(quoted(c.name) for c in t.columns)} FROM {_path(t.schema, t.name)}"  # noqa: S608 - quoted
            ).fetchall()
            for t in self.catalog.tables
        }

    @contextmanager
    def copy(self, posed: Posed) -> Iterator[Runs]:
        """The caller's copy, in memory."""
        with closing(duckdb.connect()) as connection:
            _quieten(connection)
            for part in parts(self.catalog, self.data, posed, {}):
                types = {c.name: "VARCHAR" if c.name in part.text else c.type for c in part.table.columns}
                if part.table.schema:
                    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(part.table.schema)}")
                fill_duckdb(
                    connection,
                    _path(part.table.schema, part.table.name),
                    {c: types[c] for c in part.columns},
                    part.rows,
                )
            yield _DuckdbRuns(connection)

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()


def _path(schema: str, name: str) -> str:
    return f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)


def _quieten(connection: duckdb.DuckDBPyConnection) -> None:
    # A run on two cores adds numbers up in an order of its own.
    connection.execute("SET threads = 1")


def fill_duckdb(
    connection: duckdb.DuckDBPyConnection, table: str, types: dict[str, str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Make a table of these types and fill it, rows in their order."""
    import pyarrow as pa

    declared = ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())
    connection.execute(f"CREATE TABLE {table} ({declared})")
    if not rows:
        return
    columns = zip(*rows, strict=True)
    arrays = [pa.array(list(values)) for values in columns]
    block = pa.Table.from_arrays(arrays, names=[f"c{i}" for i in range(len(arrays))])
    connection.register("block_of_rows", block)
    connection.execute(f"INSERT INTO {table} SELECT * FROM block_of_rows")  # noqa: S608 - quoted above
    connection.unregister("block_of_rows")


class _DuckdbRuns:
    """Runs on one connection, within the time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __call__(self, sql: str, parameters: dict[str, Any] | None = None) -> Result:
        timer = threading.Timer(SECONDS, self._connection.interrupt)
        timer.start()
        try:
            cursor = self._connection.execute(sql, parameters or {})
            rows = cursor.fetchmany(ROWS + 1)
            width = len(cursor.description or ())
        except (duckdb.Error, ValueError, OverflowError) as error:
            return failed(error)
        finally:
            timer.cancel()
        return Result(failure="too many rows") if len(rows) > ROWS else Result(rows, width)

    @contextmanager
    def as_written(self) -> Iterator[None]:
        """Runs without DuckDB's optimizer, whose mistakes are not the text's."""
        self._connection.execute("PRAGMA disable_optimizer")
        try:
            yield
        finally:
            self._connection.execute("PRAGMA enable_optimizer")


def to_duckdb(source: Path, target: Path) -> None:
    """The same rows as a DuckDB file: each column of the type that all its values have, else text."""
    base = SqliteBase(source)
    with closing(base), closing(duckdb.connect(str(target))) as connection:
        for table in base.catalog.tables:
            rows = base.data[table.qualified]
            kinds = {c.name: _kind(c.type, [row[i] for row in rows]) for i, c in enumerate(table.columns)}
            fixed = [tuple(_as(v, kind) for v, kind in zip(row, kinds.values(), strict=True)) for row in rows]
            fill_duckdb(connection, quoted(table.name), kinds, fixed)


_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])")


def _kind(declared: str, values: Sequence[Any]) -> str:
    known = [v for v in values if v is not None]
    if not known:
        return "BIGINT" if "INT" in declared.upper() else "VARCHAR"
    if all(isinstance(v, int) for v in known):
        return "BIGINT"
    if all(isinstance(v, int | float) for v in known):
        return "DOUBLE"
    if declared.upper().startswith("DATE") and all(isinstance(v, str) and _DAY.fullmatch(v) for v in known):
        return "DATE"
    return "VARCHAR"


def _as(value: Any, kind: str) -> Any:
    if value is None or kind == "BIGINT":
        return value
    if kind == "DOUBLE":
        return float(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
