"""Writes what a run decided, in the one order that a kill at any point cannot hurt.

begin in the manifest ─► semantic store ─► finish in the manifest        (documents)
semantic store ─► manifest                                              (removals, quarantine)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from ingest import parsers
from ingest.errors import LimitExceeded, Refused, Unreadable
from ingest.manifest import Entry, Held, Manifest
from ingest.types import Decision, Quarantined, Relabels
from retrieval.embeddings import EmbeddingModel
from retrieval.indexing import index
from retrieval.types import Chunk, Clock, Progress, SemanticStore

# Written together: enough chunks to fill the embedder's batches, few enough to be lost to a kill without regret.
_BATCH_CHUNKS = 512
_BATCH_DOCUMENTS = 128


@dataclass(frozen=True, slots=True)
class Ready:
    """A document that only has to be stored."""

    entry: Entry
    chunks: Sequence[Chunk]


@dataclass(slots=True)
class Counts:
    """What was done so far."""

    documents: int = 0
    chunks: int = 0
    relabelled: int = 0
    readded: int = 0
    """Those of them that had to be stored again."""
    deleted: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    partial: list[Quarantined] = field(default_factory=list)


@dataclass(slots=True)
class Writer:
    """The only one in a run that touches the semantic store and the manifest's rows."""

    manifest: Manifest
    store: SemanticStore
    model: EmbeddingModel | None
    clock: Clock
    progress: Progress | None
    held: Mapping[str, Held]
    """What is in quarantine already, by key."""
    counts: Counts = field(default_factory=Counts)
    _relabelling: set[str] = field(default_factory=set)
    _ready: list[Ready] = field(default_factory=list)
    _waiting: int = 0

    def add(self, ready: Ready) -> None:
        """Store it, with others, soon; `flush` when nothing follows."""
        self._ready.append(ready)
        self._waiting += len(ready.chunks)
        if len(self._ready) >= _BATCH_DOCUMENTS or self._waiting >= _BATCH_CHUNKS:
            self.flush()

    def flush(self) -> None:
        """Store what waits."""
        batch, self._ready, self._waiting = self._ready, [], 0
        if not batch:
            return
        try:
            self._store(batch)
        except psycopg.DataError:
            # Something in one document that the store cannot hold: the others must not suffer for it.
            for one in batch:
                self._store_alone(one)

    def relabel(self, entries: Sequence[Entry]) -> list[Entry]:
        """Give documents another access; returns those that a following `add` must bring back under it.

        A store that can change it in place does so. From any other they are taken out at once, because an
        access that was narrowed must not wait for the embedder.
        """
        if not entries:
            return []
        if isinstance(self.store, Relabels):
            self.store.relabel({entry.id: entry.access for entry in entries})
            self.manifest.finish(entries, self.clock(), "relabelled")
            self.counts.relabelled += len(entries)
            return []
        self.manifest.begin(entries, self.clock())
        self.store.delete([entry.id for entry in entries])
        self._relabelling |= {entry.id for entry in entries}
        return list(entries)

    def quarantine(self, held: Held, error: Unreadable, *, stored: bool) -> None:
        """Out of the store first, then into quarantine."""
        if stored:
            self.store.delete([held.id])
        self.manifest.quarantine(held, self.clock())
        self.counts.quarantined.append(Quarantined(held.uri, error.what))

    def remove(self, ids: Sequence[str], reason: str) -> None:
        """These are gone from the source."""
        for start in range(0, len(ids), 1000):
            part = ids[start : start + 1000]
            self.store.delete(part)
            self.manifest.forget(part, self.clock(), reason)
            self.counts.deleted += len(part)

    def _store(self, batch: Sequence[Ready]) -> None:
        self.manifest.begin([one.entry for one in batch], self.clock())
        index((chunk for one in batch for chunk in one.chunks), self.model, self.store)
        decisions: tuple[Decision, ...] = ("relabelled", "ingested")
        for decision in decisions:
            done = [o.entry for o in batch if (o.entry.id in self._relabelling) == (decision == "relabelled")]
            if done:
                self.manifest.finish(done, self.clock(), decision)
        for one in batch:
            if one.entry.id in self._relabelling:
                self.counts.relabelled += 1
                self.counts.readded += 1
                continue
            self.counts.documents += 1
            self.counts.chunks += len(one.chunks)
            self.counts.partial += [Quarantined(one.entry.uri, warning) for warning in one.entry.warnings]
        if self.progress is not None:
            self.progress("stored", self.counts.documents, 0)

    def _store_alone(self, one: Ready) -> None:
        try:
            self._store([one])
        except psycopg.DataError as error:
            reason = Unreadable(f"cannot be stored ({type(error).__name__})")
            self.quarantine(held_for(one.entry, reason, self.held.get(one.entry.key)), reason, stored=True)


def held_for(entry: Entry, error: Unreadable, before: Held | None) -> Held:
    """The quarantine row for a document (of whose entry only id, key, uri, hash and fingerprint count)."""
    attempts = before.attempts + 1 if before is not None and before.sha256 == entry.sha256 else 1
    return Held(
        id=entry.id,
        key=entry.key,
        uri=entry.uri,
        sha256=entry.sha256,
        fingerprint=entry.fingerprint,
        readers=parsers.fingerprint(),
        reason=error.what,
        # A refusal or a limit may pass by itself; asking a source again costs nothing, so it never wears out.
        retry=isinstance(error, (Refused, LimitExceeded)),
        attempts=0 if isinstance(error, Refused) else attempts,
    )
