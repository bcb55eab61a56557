"""Numbered SQL files, applied once and in order: `NNNN_name.sql` in each package's `migrations/` folder.

What was applied is kept in `public.bunmyaku_migrations` with the hash of its text. An applied file never changes: a
later one mends it. Every file runs in a transaction of its own together with its record.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from retrieval.errors import MigrationError
from retrieval.postgres.database import Connection, Database

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_TRANSACTION = re.compile(
    r"^\s*(begin|start\s+transaction|commit|end|rollback|abort)\s*(work|transaction)?\s*;",
    re.IGNORECASE | re.MULTILINE,
)
_LOCK = 0x62756E6D  # an arbitrary number of ours ("bunm"): two processes never migrate one database together
_TABLE = """
CREATE TABLE IF NOT EXISTS public.bunmyaku_migrations (
    package text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (package, number)
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `sha256` is over its text with `\\n` line ends, so that a checkout's line ends do not matter."""

    number: int
    name: str
    text: str
    sha256: str


def read_migrations(folder: Path) -> list[Migration]:
    """The files of a folder in order: 0001, 0002 … without gap. Raises MigrationError for anything else in `*.sql`."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(
                f"{path.name} is not named like 0001_what_it_does.sql", where=str(path), todo="Rename it."
            )
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        if _TRANSACTION.search(text):
            raise MigrationError(
                f"{path.name} begins or ends a transaction itself",
                where=str(path),
                todo="Take that statement out: every migration already runs in one.",
            )
        found.append(Migration(int(match[1]), path.name, text, hashlib.sha256(text.encode()).hexdigest()))
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            problem = "twice" if migration.number < expected else f"where {expected:04d} should be"
            raise MigrationError(
                f"The number {migration.number:04d} is there {problem}",
                where=str(folder / migration.name),
                todo="Number migrations 0001, 0002 … without gap.",
            )
    return found


def migrate(database: Database, package: str, folder: Path) -> list[str]:
    """Bring one package's tables up to date; returns the names of the files applied now.

    Raises MigrationError when a file fails (nothing of it stays), was changed or removed after it had been applied,
    or when the database was made by a newer version; StoreUnavailable when the database cannot be had.
    """
    migrations = read_migrations(folder)
    with database.connection() as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            connection.execute(_TABLE)
            connection.commit()
            pending = _pending(connection, package, migrations, folder)
            for migration in pending:
                _apply(connection, package, migration, folder)
        finally:
            if not connection.broken:
                connection.rollback()
                connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return [migration.name for migration in pending]


def _pending(
    connection: Connection, package: str, migrations: list[Migration], folder: Path
) -> list[Migration]:
    rows = connection.execute(
        "SELECT number, name, sha256 FROM public.bunmyaku_migrations WHERE package = %s ORDER BY number",
        [package],
    ).fetchall()
    known = {migration.number: migration for migration in migrations}
    for number, name, sha256 in rows:
        migration = known.get(number)
        if migration is None:
            raise MigrationError(
                f"The database holds {package}/{name}, which this version does not know",
                where=str(folder),
                todo="It was made by a newer version of Bunmyaku: use that one, or another home.",
            )
        if migration.sha256 != sha256:
            raise MigrationError(
                f"{package}/{migration.name} was changed after it had been applied",
                where=str(folder / migration.name),
                todo="Put the file back as it was and write the change as a new migration.",
            )
    applied = {number for number, _, _ in rows}
    return [migration for migration in migrations if migration.number not in applied]


def _apply(connection: Connection, package: str, migration: Migration, folder: Path) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.text.encode())  # without parameters: several statements at once
            connection.execute(
                "INSERT INTO public.bunmyaku_migrations (package, number, name, sha256) VALUES (%s, %s, %s, %s)",
                [package, migration.number, migration.name, migration.sha256],
            )
        connection.commit()
    except (psycopg.errors.DiskFull, psycopg.OperationalError):
        raise  # says what happened to the server, not to the migration
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = migration.text.count("\n", 0, int(position) - 1) + 1 if position else 1
        raise MigrationError(
            f"{package}/{migration.name} failed: {error.diag.message_primary or error}",
            where=f"{folder / migration.name}:{line}",
            todo="Nothing of it was applied. Mend the file and try again.",
        ) from error
