"""A PostgreSQL database under proof, and its copies: a second database made from it, emptied and filled in a transaction
that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql as names

from evals.proving.bases import SECONDS, failed
from evals.proving.copies import ROWS, Part, Result, Runs, parts
from evals.proving.drawing import Data
from evals.proving.policies import Posed
from text2sql.types import Catalog, Table
from text2sql.warehouses import open_warehouse

_CONSTRAINTS = """
SELECT conrelid::regclass::text, quote_ident(conname), contype, connamespace::regnamespace::text,
  (SELECT relname FROM pg_class WHERE oid = conrelid)
FROM pg_constraint WHERE conrelid <> 0 AND contype <> 'n' AND connamespace::regnamespace::text NOT LIKE 'pg\\_%' ORDER BY contype"""


class PostgresBase:
    """A database on a server where we may make another. Raises `psycopg.Error` where that cannot be done."""

    def __init__(self, url: str) -> None:
        parted = urlsplit(url)
        name = parted.path.lstrip("/")
        self._copied = f"{name}_copied"
        with psycopg.connect(urlunsplit(parted._replace(path="/postgres")), autocommit=True) as connection:
            both = names.Identifier(self._copied), names.Identifier(name)
            connection.execute(names.SQL("DROP DATABASE IF EXISTS {}").format(both[0]))
            connection.execute(names.SQL("CREATE DATABASE {} TEMPLATE {}").format(*both))
        warehouse = open_warehouse(url)
        with closing(warehouse):
            self.catalog: Catalog = warehouse.catalog()
        self._connection = psycopg.connect(url)
        self._copy = psycopg.connect(urlunsplit(parted._replace(path=f"/{self._copied}")))
        self.full: Runs = _PostgresRuns(self._connection)

    @cached_property
    def data(self) -> Data:
        """Every row of every table and view."""
        with self._connection.transaction(force_rollback=True):
            return {
                t.qualified: self._connection.execute(
                    names.SQL("SELECT {} FROM {}").format(
                        names.SQL(", ").join(names.Identifier(c.name) for c in t.columns), _path(t)
                    )
                ).fetchall()
                for t in self.catalog.tables
            }

    @contextmanager
    def copy(self, posed: Posed) -> Iterator[Runs]:
        """The caller's copy. A key stays one only where none of its columns is masked or hidden."""
        with self._copy.transaction(force_rollback=True):
            there = {part.table.qualified: part for part in parts(self.catalog, self.data, posed, {})}
            self._unbind(there)
            for table in self.catalog.tables:
                part = there.get(table.qualified)
                if part is None:
                    kind = names.SQL("VIEW" if table.kind == "view" else "TABLE")
                    self._do("DROP {} {} CASCADE", kind, _path(table))
                else:
                    self._fill(part)
            yield _PostgresRuns(self._copy)

    def _unbind(self, there: dict[str, Part]) -> None:
        """Drop what would keep the copy from being another: references, checks, and keys that are masked."""
        keys = {
            (t.schema, t.name): set(t.primary_key)
            <= set(there[t.qualified].columns) - there[t.qualified].masked
            for t in self.catalog.tables
            if t.qualified in there
        }
        for table, constraint, kind, schema, name in self._copy.execute(_CONSTRAINTS).fetchall():
            if kind != "p" or not keys.get((schema, name), False):
                self._copy.execute(
                    f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint} CASCADE".encode()
                )

    def _fill(self, part: Part) -> None:
        table = _path(part.table)
        self._do("TRUNCATE {} CASCADE", table)
        for column in part.table.columns:
            name = names.Identifier(column.name)
            if column.name not in part.columns:
                self._do("ALTER TABLE {} DROP COLUMN {} CASCADE", table, name)
            elif column.name in part.masked:
                self._do("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL", table, name)
                self._do("ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT", table, name)
                if column.name in part.text:
                    self._do("ALTER TABLE {} ALTER COLUMN {} TYPE TEXT", table, name)
                elif column.type.startswith(("character varying(", "varchar(")):  # a hash is longer
                    self._do("ALTER TABLE {} ALTER COLUMN {} TYPE VARCHAR", table, name)
        listed = names.SQL(", ").join(map(names.Identifier, part.columns))
        with self._copy.cursor().copy(names.SQL("COPY {} ({}) FROM STDIN").format(table, listed)) as copy:
            for row in part.rows:
                copy.write_row(row)

    def _do(self, text: str, *parts_of_it: names.Composable) -> None:
        self._copy.execute(names.SQL(text).format(*parts_of_it))

    def close(self) -> None:
        """Let go of both."""
        self._connection.close()
        self._copy.close()


def _path(table: Table) -> names.Composable:
    return names.Identifier(*(part for part in (table.schema, table.name) if part))


class _PostgresRuns:
    """Runs on one connection, each statement in a transaction of its own or inside the one that is open."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def __call__(self, sql: str, parameters: dict[str, Any] | None = None) -> Result:
        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(f"SET LOCAL statement_timeout = {int(SECONDS * 1000)}".encode())
                cursor = self._connection.execute(sql.encode(), parameters or None)
                rows = cursor.fetchmany(ROWS + 1) if cursor.description else []
                width = len(cursor.description or ())
        except psycopg.errors.QueryCanceled as error:
            return Result(failure="too slow", said=str(error))
        except psycopg.Error as error:
            return failed(error)
        return Result(failure="too many rows") if len(rows) > ROWS else Result(rows, width)
