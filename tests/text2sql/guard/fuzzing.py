"""The engines that generated statements are tried on, with canaries that tell of whatever should not be touched."""

from __future__ import annotations

import os
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from tests.text2sql.guard.cases import SCHEMA, shop
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Catalog, Dialect

SCALE = int(os.environ.get("FUZZ_SCALE", "1"))
"""How many times the statements of the long tests."""
START = int(os.environ.get("FUZZ_SEED", "0"))
"""The first seed: a failure names its own, and `FUZZ_SEED=n` begins with it."""
CANARY = "canary-7d1f"
CATALOGS: dict[str, Catalog] = {dialect: shop(dialect) for dialect in DIALECTS}  # type: ignore[arg-type]
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
_FOREIGN = ("secrets", "sqlite_master", "sqlite_schema", "sqlite_temp_master")
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
        self.touched: list[str] = []
        self.connection.set_authorizer(self._authorize)
        self.steps = 0
        self.connection.set_progress_handler(self._step, 10_000)

    def _step(self) -> int:
        self.steps += 1
        return int(self.steps > 200)  # two million instructions of its machine

    def _authorize(self, action: int, one: str | None, two: str | None, *_: object) -> int:
        """SQLite tells each table and function that a statement will reach: nothing but reading the four tables is fine."""
        calls = action == sqlite3.SQLITE_FUNCTION and two not in ("load_extension", "readfile", "writefile")
        reads = action == sqlite3.SQLITE_READ and (one or "").lower() not in _FOREIGN
        if calls or reads or action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        self.touched.append(f"{action} {one} {two}")
        return sqlite3.SQLITE_DENY

    def rows(self, sql: str) -> list[Any]:
        self.touched.clear()
        self.steps = 0
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
        self.before = self._state()

    def _state(self) -> list[Any]:
        names = self.connection.execute(
            "SELECT database_name, schema_name, table_name FROM duckdb_tables() ORDER BY ALL"
        ).fetchall()
        return [names, sorted(p.name for p in self.folder.iterdir())]

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

    def rows(self, sql: str) -> list[Any]:
        rows = self.connection.execute(sql.encode()).fetchall()
        if CANARY in repr(rows):
            raise Touched(sql)
        return rows

    def run(self, sql: str) -> Answer:
        return steady(self.rows(sql))

    def close(self) -> None:
        called = self.connection.execute("SELECT is_called FROM secret.touched").fetchone()
        writes = self.connection.execute("SELECT COUNT(*) FROM secret.secrets").fetchone()
        if called != (False,) or writes != (1,):
            raise Touched("The canary's function was called, or its table changed")
        self.connection.close()


@contextmanager
def opened(make: Callable[[], Engine]) -> Iterator[Engine]:
    engine = make()
    try:
        yield engine
    finally:
        engine.close()


def mutated(text: str, other: str, draw: random.Random, *, gently: bool = False) -> str:
    """The statement after one or two small changes: of characters, of words, of names, or with a piece of another."""
    for _ in range(draw.choice([1, 1, 2])):
        way = draw.choice(
            ["names", "names", "names", "word", "swap", "drop", "splice", "cut", "insert", "tail"]
        )
        way = "names" if gently else way
        words = text.split(" ")
        at, place = draw.randrange(max(1, len(text))), draw.randrange(len(words))
        theirs = other.split(" ")
        start = draw.randrange(len(theirs))
        if way == "names":
            found = [
                m
                for m in re.finditer(r"[A-Za-z_][A-Za-z_0-9]*|'[^']*'|\\d+", text)
                if not m.group().isupper()
            ]
            if found:
                one = draw.choice(found)
                text = text[: one.start()] + draw.choice(_NAMES) + text[one.end() :]
        elif way == "cut":
            text = text[:at] + text[at + draw.randint(1, 5) :]
        elif way == "insert":
            text = text[:at] + draw.choice(_SOUP) + text[at:]
        elif way == "swap":
            other_place = draw.randrange(len(words))
            words[place], words[other_place] = words[other_place], words[place]
            text = " ".join(words)
        elif way == "tail":
            text = text[:at] + other[draw.randrange(max(1, len(other))) :]
        else:
            put = {
                "word": [draw.choice(_SOUP)],
                "drop": [],
                "splice": theirs[start : start + draw.randint(1, 8)],
            }[way]
            words[place : place + 1] = put
            text = " ".join(words)
    return text


def soup(draw: random.Random) -> str:
    """Words of the language in any order, beginning like a query."""
    return draw.choice(["SELECT ", "WITH ", "(", "VALUES ", "FROM ", ""]) + " ".join(
        draw.choice(_SOUP) for _ in range(draw.randint(1, 25))
    )


_NAMES = (
    "secrets", "secret", "secret.secrets", "other.secrets", "other.main.secrets", "touch()", "secret.touch()", "'canary.csv'", "sqlite_master",
    "pg_class", "sales", "stores", "units", "note", "amount", "store_id", "sold_on", "1", "NULL", "'a'", "(SELECT 1)", "(units)", "sales.units", "t1", "t2", "rowid", "ctid", "oid", "tableoid", "*",
)  # fmt: skip
_SOUP = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "UNION", "ALL", "WITH", "AS", "(", ")", ",", "*", "sales", "stores",
    "units", "note", "store_id", "1", "'a'", "''", "=", "<", "||", "::", "->>", "->", "JOIN", "LEFT JOIN", "ON", "USING", "LATERAL", "NATURAL",
    "secrets", "secret", "secret.secrets", "other.secrets", "other.main.secrets", "touch()", "secret.touch()", "'canary.csv'", "canary.csv",
    "read_csv('canary.csv')", "sqlite_master", "pg_class", "pg_catalog", ".", ";", "--", "/*", "*/", "$$", "$1", "?", ":x", "@", "E'\\''", "U&'\\0041'",
    "\x00", "\ud800", "\u200b", "ｓｅｌｅｃｔ", "“", "«", "\\", "`", "[", "]", '"', "'", "{", "}", "NULL", "CAST(1 AS text)", "COUNT(*)", "OVER ()",
    "FOR UPDATE", "INTO", "DELETE", "INSERT INTO", "RETURNING", "VALUES (1)", "EXISTS", "IN", "NOT", "AND", "OR", "CASE WHEN", "THEN", "END", "RECURSIVE",
)  # fmt: skip
