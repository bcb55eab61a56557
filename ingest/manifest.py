"""The manifest: every document, version, hash, parser, embedder and decision, in the relational store.

Two steps a write: `begin` before the semantic store is touched, `finish` after. Whatever dies between leaves rows in
the state `writing`, which the next run writes again or deletes, so nothing in the semantic store is ever unknown here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from ingest.errors import IngestBusy
from ingest.types import Decision, Quarantined
from retrieval.postgres.database import Database
from retrieval.types import Access


@dataclass(frozen=True, slots=True)
class Entry:
    """One document as the manifest knows it."""

    id: str
    key: str
    uri: str
    state: str
    version: str
    sha256: str
    fingerprint: str
    parser: str
    splitter: str
    embedder: str
    media_type: str
    title: str
    language: str
    labels: frozenset[str]
    warnings: tuple[str, ...]
    chunks: int
    as_of: datetime | None
    discoverable: bool
    owner: str

    @property
    def access(self) -> Access:
        """Who may find it."""
        return Access(self.labels, self.discoverable, self.owner)


@dataclass(frozen=True, slots=True)
class Held:
    """One document in quarantine."""

    id: str
    key: str
    uri: str
    sha256: str
    fingerprint: str
    readers: str
    reason: str
    retry: bool
    attempts: int


_ENTRY = ", ".join(Entry.__dataclass_fields__)
_HELD = ", ".join(Held.__dataclass_fields__)
_UPSERT = f"""
    INSERT INTO ingest.documents ({_ENTRY}, tenant, source, decided_at)
    VALUES ({", ".join(["%s"] * (len(Entry.__dataclass_fields__) + 3))})
    ON CONFLICT (id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in Entry.__dataclass_fields__ if name != "id")},
    decided_at = excluded.decided_at
"""  # noqa: S608 - names of our own fields
_QUARANTINE = """
    INSERT INTO ingest.quarantine AS held
        (id, tenant, source, key, uri, sha256, fingerprint, readers, reason, retry, attempts, first_at, last_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (id) DO UPDATE SET
        uri = excluded.uri, sha256 = excluded.sha256, fingerprint = excluded.fingerprint, readers = excluded.readers,
        reason = excluded.reason, retry = excluded.retry, attempts = excluded.attempts, last_at = excluded.last_at
"""
_DECIDE = """
    INSERT INTO ingest.decisions (document_id, uri, version, decision, reason, decided_at)
    VALUES (%s, %s, %s, %s, %s, %s)
"""


class Manifest:
    """The manifest of one source of one tenant."""

    def __init__(self, database: Database, tenant: str, source: str) -> None:
        self._database = database
        self._tenant = tenant
        self._source = source

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held by one ingest of this source at a time; raises IngestBusy. A killed holder lets go by dying."""
        name = f"ingest:{self._tenant}:{self._source}"
        with self._database.connection() as connection:
            row = connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,)
            ).fetchone()
            connection.commit()
            if row is None or not row[0]:
                raise IngestBusy(
                    "another ingest of this source is running",
                    where=self._source,
                    todo="Wait until it has ended.",
                )
            try:
                yield
            finally:
                # A connection that broke meanwhile took the lock with it.
                with suppress(psycopg.Error):
                    connection.rollback()
                    connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (name,))
                    connection.commit()

    def entries(self) -> dict[str, Entry]:
        """Documents by key."""
        query = f"SELECT {_ENTRY} FROM ingest.documents WHERE tenant = %s AND source = %s"  # noqa: S608 - own fields
        with self._database.connection() as connection:
            rows = connection.execute(query, (self._tenant, self._source)).fetchall()
        return {entry.key: entry for entry in map(_entry, rows)}

    def held(self) -> dict[str, Held]:
        """Documents in quarantine by key."""
        query = f"SELECT {_HELD} FROM ingest.quarantine WHERE tenant = %s AND source = %s"  # noqa: S608 - own fields
        with self._database.connection() as connection:
            rows = connection.execute(query, (self._tenant, self._source)).fetchall()
        return {held.key: held for held in (Held(*row) for row in rows)}

    def begin(self, entries: Sequence[Entry], now: datetime) -> None:
        """These are about to be written to the semantic store."""
        self._write([_with_state(entry, "writing") for entry in entries], now)

    def finish(self, entries: Sequence[Entry], now: datetime, decision: Decision = "ingested") -> None:
        """These are in the semantic store; they leave quarantine, and the decision is remembered."""
        done = [_with_state(entry, "current") for entry in entries]
        with (
            self._database.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.executemany(_UPSERT, [self._row(entry, now) for entry in done])
            cursor.execute(
                "DELETE FROM ingest.quarantine WHERE id = ANY(%s)", ([entry.id for entry in done],)
            )
            cursor.executemany(
                _DECIDE,
                [(e.id, e.uri, e.version, decision, "; ".join(e.warnings)[:2000], now) for e in done],
            )

    def touch(self, fingerprints: Mapping[str, str]) -> None:
        """The content of these (by id) is what it was, though its fingerprint is another."""
        values = [(value, identifier) for identifier, value in fingerprints.items()]
        with (
            self._database.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.executemany("UPDATE ingest.documents SET fingerprint = %s WHERE id = %s", values)
            cursor.executemany("UPDATE ingest.quarantine SET fingerprint = %s WHERE id = %s", values)

    def forget(self, ids: Sequence[str], now: datetime, reason: str) -> None:
        """These are no longer in the semantic store, nor in quarantine."""
        with (
            self._database.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "INSERT INTO ingest.decisions (document_id, uri, version, decision, reason, decided_at)"
                " SELECT id, uri, version, 'removed', %s, %s FROM ingest.documents WHERE id = ANY(%s)",
                (reason, now, list(ids)),
            )
            cursor.execute("DELETE FROM ingest.documents WHERE id = ANY(%s)", (list(ids),))
            cursor.execute("DELETE FROM ingest.quarantine WHERE id = ANY(%s)", (list(ids),))

    def quarantine(self, held: Held, now: datetime) -> None:
        """This one cannot be read, and is not in the semantic store any more."""
        with (
            self._database.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.execute("DELETE FROM ingest.documents WHERE id = %s", (held.id,))
            cursor.execute(
                _QUARANTINE,
                (
                    held.id,
                    self._tenant,
                    self._source,
                    held.key,
                    held.uri,
                    held.sha256,
                    held.fingerprint,
                    held.readers,
                    held.reason,
                    held.retry,
                    held.attempts,
                    now,
                    now,
                ),
            )
            cursor.execute(_DECIDE, (held.id, held.uri, held.sha256, "quarantined", held.reason, now))

    def _write(self, entries: Sequence[Entry], now: datetime) -> None:
        with (
            self._database.connection() as connection,
            connection.transaction(),
            connection.cursor() as cursor,
        ):
            cursor.executemany(_UPSERT, [self._row(entry, now) for entry in entries])

    def _row(self, entry: Entry, now: datetime) -> tuple[Any, ...]:
        values: list[Any] = [getattr(entry, name) for name in Entry.__dataclass_fields__]
        listed = [
            sorted(v) if isinstance(v, frozenset) else list(v) if isinstance(v, tuple) else v for v in values
        ]
        return (*listed, self._tenant, self._source, now)


def quarantined(database: Database, *, tenant: str = "default") -> list[Quarantined]:
    """Everything in quarantine, over all sources, by uri."""
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT uri, reason FROM ingest.quarantine WHERE tenant = %s ORDER BY uri", (tenant,)
        ).fetchall()
    return [Quarantined(str(uri), str(reason)) for uri, reason in rows]


def _entry(row: Sequence[Any]) -> Entry:
    values = dict(zip(Entry.__dataclass_fields__, row, strict=True))
    return Entry(**{**values, "labels": frozenset(values["labels"]), "warnings": tuple(values["warnings"])})


def _with_state(entry: Entry, state: str) -> Entry:
    return Entry(**{name: getattr(entry, name) for name in Entry.__dataclass_fields__} | {"state": state})
