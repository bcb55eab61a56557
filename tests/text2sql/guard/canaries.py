"""The engines that generated statements are tried on, with canaries that tell of whatever should not be touched."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.text2sql.guard.cases import SCHEMA
from text2sql.guard.allowlist import allowlist
from text2sql.types import Dialect

CANARY = "canary-7d1f"
_ROWS = {
    "stores": "(1, 'Kanto', 'a', '2024-01-01'), (2, 'O''Brien', '東京', '2024-02-29'), (3, NULL, 'x_y', NULL)",
    "products": "(1, 'A', 'a', 1.5), (2, 'a', '100%', 0), (3, NULL, NULL, NULL), (10, 'é', 'a', 100.25)",
    "sellers": "(1, 'A', 2, '2024-01-01'), (2, 'a', NULL, '1999-12-31'), (3, 'O''Brien', 2, '2024-02-29')",
    "sales": "(1, 1, 1, 1, 'A', '2024-01-01', 3, 1.5, 'a'), (2, 2, 2, 2, 'a', '2024-02-29', 0, NULL, '100%'), "
    "(3, 1, 10, NULL, NULL, NULL, NULL, 100.25, 'x_y'), (4, 3, 3, 1, '東京', '1999-12-31', 10, -0.5, ''), "
    "(5, NULL, 2, 3, 'é', '2030-06-30', 2, 0, ' ')",
}
FILL = "".join(f"INSERT INTO {table} VALUES {rows};\n" for table, rows in _ROWS.items())
Answer = Counter[Any]
_TABLES = frozenset(_ROWS)
_OPERATORS = frozenset({"->", "->>", "like", "glob", "current_date", "current_time", "current_timestamp"})
_SIGNS = ("read_csv", "read_json", "read_parquet", "parquet_scan", "read_text")


class Touched(AssertionError):
    """A statement reached what is outside of the caller's catalogue."""


class Engine:
    """One engine with a little data. `run` gives the rows; a canary that was touched raises `Touched`."""

    dialect: Dialect
    errors: tuple[type[Exception], ...]

    def run(self, sql: str) -> Answer:
        raise NotImplementedError

    def prepare(self, sql: str) -> None:
        self.rows(f"EXPLAIN {sql}")

    def rows(self, sql: str) -> list[Any]:
        raise NotImplementedError

    def close(self) -> None: ...


def steady(rows: list[Any]) -> Answer:
    return Counter(repr(row) for row in rows)


class Sqlite(Engine):
    dialect: Dialect = "sqlite"
    errors = (sqlite3.Error, UnicodeError, OverflowError)

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.executescript(SCHEMA + FILL)
        self.connection.execute(f"CREATE TABLE secrets AS SELECT '{CANARY}' AS secret")
        for function in (
            "json_each('[]')",
            "json_tree('[]')",
        ):  # whose tables SQLite makes at their first use
            self.connection.execute(f"SELECT 1 FROM {function}").fetchall()
        self.functions = allowlist("sqlite").functions.keys() | _OPERATORS
        self.running = ""
        self.touched: list[str] = []
        self.connection.set_authorizer(self._authorize)
        self.steps = 0
        self.connection.set_progress_handler(self._step, 10_000)

    def _step(self) -> int:
        self.steps += 1
        return int(self.steps > 200)  # two million instructions of its machine

    def _authorize(
        self, action: int, one: str | None, two: str | None, database: str | None, _: object
    ) -> int:
        """SQLite tells each table and function that a statement will reach: those of the catalogue and the list alone are fine."""
        fine = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE)
        if action == sqlite3.SQLITE_FUNCTION:
            fine = (two or "").lower() in self.functions
        if action == sqlite3.SQLITE_READ:
            fine = self._reads(str(one).lower(), two or "", database)
        if not fine:
            self.touched.append(f"{action} {one} {two} {database}")
        return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY

    def _reads(self, table: str, column: str, database: str | None) -> bool:
        if table in _TABLES or table in self.functions:
            return (database or "main").lower() == "main"
        # A WITH query that is kept, or of which no column is read, is told of like a table.
        said = re.sub(r"--[^\n]*|/\*.*?\*/", " ", self.running, flags=re.DOTALL)
        named = re.search(rf"\b{re.escape(table)}\W*(\([^)]*\)\s*)?as\b", said, re.IGNORECASE)
        there = table == "secrets" or table.startswith("sqlite_")
        return named is not None and not (there and (database or column))

    def rows(self, sql: str) -> list[Any]:
        self.touched.clear()
        self.steps, self.running = 0, sql
        try:
            return self.connection.execute(sql).fetchall()
        finally:
            if self.touched:
                raise Touched(f"{self.touched}: {sql}")

    def run(self, sql: str) -> Answer:
        return steady(self.rows(sql))

    def close(self) -> None:
        self.connection.close()


class Duckdb(Engine):
    dialect: Dialect = "duckdb"
    errors = (duckdb.Error, UnicodeError)

    def __init__(self, folder: Path) -> None:
        other = folder / "other.db"
        with duckdb.connect(str(other)) as connection:
            connection.execute(f"CREATE TABLE secrets AS SELECT '{CANARY}' AS secret")
        (folder / "canary.csv").write_text(f"secret\n{CANARY}\n")
        (folder / "canary.json").write_text(f'{{"secret": "{CANARY}"}}')
        self.folder = folder
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute(SCHEMA + FILL)
        self.connection.execute(f"ATTACH '{other}' AS other (READ_ONLY)")
        self.connection.execute(
            f"CREATE SCHEMA secret; CREATE TABLE secret.secrets AS SELECT '{CANARY}' AS secret"
        )
        self.connection.execute(f"SET file_search_path = '{folder}'")
        self.connection.execute("SET enable_object_cache = FALSE; SET lock_configuration = TRUE")
        self.before = self._state()

    def _state(self) -> list[Any]:
        asked = (
            "SELECT database_name, schema_name, table_name, estimated_size FROM duckdb_tables() ORDER BY ALL",
            "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL",
            "SELECT function_name FROM duckdb_functions() WHERE NOT internal ORDER BY ALL",
            "SELECT name, value FROM duckdb_settings() ORDER BY ALL",
            "SELECT database_name, path, readonly FROM duckdb_databases() ORDER BY ALL",
            "SELECT extension_name, loaded, installed FROM duckdb_extensions() ORDER BY ALL",
            "SELECT name FROM duckdb_secrets() ORDER BY ALL",
        )
        files = sorted((p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in self.folder.iterdir())
        return [*(self.connection.execute(sql).fetchall() for sql in asked), files]

    def rows(self, sql: str) -> list[Any]:
        rows = self.connection.execute(sql).fetchall()
        if CANARY in repr(rows):
            raise Touched(sql)
        return rows

    def run(self, sql: str) -> Answer:
        plan = repr(self.rows(f"EXPLAIN {sql}")).lower()
        for sign in _SIGNS:
            # A function that reads is an operator of the plan; what the statement merely says stands in quotes there.
            if sign in plan and sign not in sql.lower():
                raise Touched(f"{sign}: {sql}")
        return steady(self.rows(sql))

    def close(self) -> None:
        if self._state() != self.before:
            raise Touched("Tables or files have changed")
        self.connection.close()


class Postgres(Engine):
    dialect: Dialect = "postgres"
    errors = (psycopg.Error, UnicodeError)

    def __init__(self, dsn: str) -> None:
        self.connection = psycopg.connect(dsn, autocommit=True)
        for statement in (
            SCHEMA, FILL, "CREATE SCHEMA secret",
            f"CREATE TABLE secret.secrets AS SELECT '{CANARY}'::text AS secret", "CREATE SEQUENCE secret.touched",
            f"""CREATE FUNCTION secret.touch() RETURNS text LANGUAGE sql AS $$SELECT '{CANARY}'::text || nextval('secret.touched')$$""",
            "SET search_path TO public, secret", "SET statement_timeout TO '5s'", "SET default_transaction_read_only TO on",
            "SET lock_timeout TO '1s'",
        ):  # fmt: skip
            self.connection.execute(statement.encode())
        self.before = self._state()

    def _state(self) -> list[Any]:
        asked = (
            "SELECT pg_stat_force_next_flush()",
            "SELECT relid::text, seq_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE schemaname = 'secret'",
            "SELECT name, setting FROM pg_settings ORDER BY 1",
            "SELECT oid::text, relname FROM pg_class ORDER BY 1",
            "SELECT oid::text, proname FROM pg_proc ORDER BY 1",
            "SELECT nspname FROM pg_namespace ORDER BY 1",
            "SELECT rolname FROM pg_roles ORDER BY 1",
            "SELECT objid::text FROM pg_locks WHERE locktype = 'advisory'",
            "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY 1",
        )
        return [self.connection.execute(sql.encode()).fetchall() for sql in asked]

    def rows(self, sql: str) -> list[Any]:
        rows = self.connection.execute(sql.encode()).fetchall()
        if CANARY in repr(rows):
            raise Touched(sql)
        return rows

    def run(self, sql: str) -> Answer:
        return steady(self.rows(sql))

    def close(self) -> None:
        for before, after in zip(self.before, self._state(), strict=True):
            if before != after:
                raise Touched(f"{set(before) ^ set(after)}")
        called = self.connection.execute("SELECT is_called FROM secret.touched").fetchone()
        if called != (False,):
            raise Touched("The canary's function was called")
        self.connection.close()


@contextmanager
def opened(make: Callable[[], Engine]) -> Iterator[Engine]:
    engine = make()
    try:
        yield engine
    finally:
        engine.close()
