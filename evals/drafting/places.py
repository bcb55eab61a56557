"""The databases of a set, ready to be opened: files as they are, unpacked, or with their rows resampled.

PostgreSQL databases are built on an embedded server in a temporary home.
"""

from __future__ import annotations

import contextlib
import gzip
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from evals.cases import Engine
from evals.errors import SuiteError
from evals.resampling import resample
from evals.suites.databases import Source, Suite
from retrieval.postgres.embedded import EmbeddedPostgres, Lease
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse

_REFERENCES = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one database is. Small enough to be sent to a worker; the repr shows no password."""

    db: str
    engine: Engine
    url: str = field(repr=False)


@contextlib.contextmanager
def places(suite: Suite, names: Iterable[str], instance: int = 0) -> Iterator[dict[str, Place]]:
    """Name -> place, gone afterwards. `instance` > 0: copies with resampled rows. Raises `EvalError`."""
    wanted = sorted(set(names))
    with tempfile.TemporaryDirectory(prefix="bunmyaku-eval-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        if suite.engine == "sqlite":
            found = {db: _file(suite.sources[db].path, folder, instance) for db in wanted}
            yield {db: Place(db, "sqlite", str(path)) for db, path in found.items()}
            return
        with EmbeddedPostgres(folder / "home").acquire() as lease:
            server = _Server(lease)
            yield {
                db: Place(db, "postgres", server.build(f"db{at}", suite.sources[db], instance))
                for at, db in enumerate(wanted)
            }


def _file(path: Path, folder: Path, instance: int) -> Path:
    if path.suffix != ".gz" and not instance:
        return path
    target = folder / path.name.removesuffix(".gz")
    try:
        with (
            gzip.open(path) if path.suffix == ".gz" else path.open("rb") as packed,
            target.open("wb") as file,
        ):
            shutil.copyfileobj(packed, file)
    except (OSError, EOFError) as error:
        raise SuiteError("A database cannot be read", where=str(path), todo=str(error)) from error
    if instance:
        try:
            _resample_file(target, instance)
        except sqlite3.Error as error:
            raise SuiteError(
                "The rows of a database cannot be resampled", where=str(path), todo=str(error)
            ) from error
    return target


def _catalog(url: str | Path) -> Catalog:
    warehouse = open_warehouse(url)
    try:
        return warehouse.catalog()
    finally:
        warehouse.close()


def _stored(catalog: Catalog, connection: sqlite3.Connection) -> Catalog:
    """What of a database is stored row by row: without generated columns, and without virtual tables and theirs."""
    kinds = {row[1]: row[2] for row in connection.execute("PRAGMA table_list")}
    tables = []
    for table in catalog.tables:
        if kinds.get(table.name) in ("virtual", "shadow"):
            continue
        columns = connection.execute(f"PRAGMA table_xinfo({_quoted(table.name)})").fetchall()
        kept = {row[1] for row in columns if not row[6]}
        tables.append(replace(table, columns=tuple(c for c in table.columns if c.name in kept)))
    return replace(catalog, tables=tuple(tables))


def _resample_file(path: Path, instance: int) -> None:
    whole = _catalog(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        catalog = _stored(whole, connection)
        tables = {t.qualified: _quoted(t.name) for t in catalog.tables if t.kind == "table"}
        listed = {t.qualified: ", ".join(_quoted(c.name) for c in t.columns) for t in catalog.tables}
        stored = {
            name: connection.execute(f"SELECT {listed[name]} FROM {table}").fetchall()  # noqa: S608 - quoted
            for name, table in tables.items()
        }
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN")
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {_quoted(trigger)}")
        for name, rows in resample(catalog, stored, instance).items():
            marks = ", ".join("?" * len(rows[0])) if rows else ""
            connection.execute(f"DELETE FROM {tables[name]}")  # noqa: S608 - a quoted name
            if rows:
                connection.executemany(
                    f"INSERT OR IGNORE INTO {tables[name]} ({listed[name]}) VALUES ({marks})",  # noqa: S608 - quoted
                    rows,
                )
        connection.execute("COMMIT")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class _Server:
    """The embedded server of one run: a database a source. Its role is no superuser, so no script reaches the machine."""

    def __init__(self, lease: Lease) -> None:
        self._dsn = lease.dsn

    def build(self, name: str, source: Source, instance: int) -> str:
        """Make and fill one database; returns its URL. Raises `SuiteError` naming the file."""
        with psycopg.connect(make_conninfo(self._dsn, dbname="postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        at = source.path
        try:
            with psycopg.connect(make_conninfo(self._dsn, dbname=name)) as connection:
                connection.execute(source.path.read_bytes())
                for table, at in source.tables:
                    _copy(connection, table, at)
        except (psycopg.Error, OSError, EOFError) as error:
            raise SuiteError("A database cannot be built", where=str(at), todo=str(error).strip()) from error
        if instance:
            try:
                self._resample(name, instance)
            except psycopg.Error as error:
                raise SuiteError(
                    "The rows of a database cannot be resampled",
                    where=str(source.path),
                    todo=str(error).strip(),
                ) from error
        with psycopg.connect(make_conninfo(self._dsn, dbname=name), autocommit=True) as connection:
            connection.execute("ANALYZE")
        return self._url(name)

    def _url(self, database: str) -> str:
        parts = conninfo_to_dict(self._dsn)
        user = quote(str(parts.pop("user")))
        return f"postgresql://{user}@/{database}?{urlencode(parts, quote_via=quote)}"

    def _resample(self, name: str, instance: int) -> None:
        catalog = _catalog(self._url(name))
        tables = {t.qualified: t for t in catalog.tables if t.kind == "table"}
        spelled = {n: sql.Identifier(*(p for p in (t.schema, t.name) if p)) for n, t in tables.items()}
        listed = {n: sql.SQL(", ").join(sql.Identifier(c.name) for c in t.columns) for n, t in tables.items()}
        with psycopg.connect(make_conninfo(self._dsn, dbname=name)) as connection:
            stored = {
                n: connection.execute(sql.SQL("SELECT {} FROM {}").format(listed[n], spelled[n])).fetchall()
                for n in tables
            }
            references = connection.execute(_REFERENCES).fetchall()
            for table, constraint, _ in references:  # names as PostgreSQL itself quotes them
                connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}".encode())
            for n, rows in resample(catalog, stored, instance).items():
                connection.execute(sql.SQL("DELETE FROM {}").format(spelled[n]))
                statement = sql.SQL("COPY {} ({}) FROM STDIN").format(spelled[n], listed[n])
                with connection.cursor().copy(statement) as copy:
                    for row in rows:
                        copy.write_row(row)
            for table, constraint, text in references:
                connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {text}".encode())


def _copy(connection: psycopg.Connection, table: str, path: Path) -> None:
    """Fill a table from a CSV file with a header."""
    statement = sql.SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER)").format(sql.Identifier(table))
    with (
        gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file,
        connection.cursor().copy(statement) as copy,
    ):
        while block := file.read(1 << 20):
            copy.write(block)
