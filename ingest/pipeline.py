"""From a source to the semantic store: what changed is read, split, embedded and stored; what went is deleted.

    source ─► raw zone ─► (a process of its own: sniff, parse, split) ─► extracted zone ─► begin ─► store ─► finish
                                        └─► quarantine, with the reason

A run that is killed anywhere leaves a state from which the next one reaches the same end: bytes and text in the lake
are named by their content, and the manifest marks a document before the store is touched and again after.

Decisions about trust: a document that was good and can no longer be read (permission taken, file damaged, grown over
the limits) is removed from the store and put in quarantine, because an answer quoted from a version that nobody can
open any more cannot be checked. It comes back by itself once it is readable. Labels are changed before anything is
read, so that a narrowed access does not wait for a long run. An empty folder deletes what it used to hold: nothing
is lost by it that ingesting again would not bring back.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace

from ingest import parsers, splitting
from ingest.errors import LakeError, LimitExceeded, Refused, Unreadable
from ingest.lake import Lake, Raw
from ingest.limits import Limits, size_in_words
from ingest.manifest import Entry, Held, Manifest
from ingest.preparing import Prepared
from ingest.readers import Readers
from ingest.reading import file_stem
from ingest.types import Change, DocumentSource, Labels, Parsed, Quarantined, Report
from ingest.writing import Ready, Writer, held_for
from retrieval.embeddings import EmbeddingModel
from retrieval.postgres.database import Database
from retrieval.types import Access, Clock, Document, Progress, SemanticStore

# How often a limit that was exceeded (perhaps only because the machine was busy) is tried again.
_ATTEMPTS = 3


def ingest(  # noqa: PLR0913 - the parts of a house; all but the source are keywords
    source: DocumentSource,
    *,
    database: Database,
    lake: Lake,
    store: SemanticStore,
    model: EmbeddingModel | None,
    clock: Clock,
    progress: Progress | None = None,
    labels: Labels = frozenset(),
    tenant: str = "default",
    limits: Limits | None = None,
    workers: int = 2,
) -> Report:
    """Bring the store in step with `source`; documents that cannot be read are in `Report.quarantined`.

    `labels` decide who may find a document (nobody by default), and as an `Access` who may learn of it. `progress` hears `("read", done, seen so far)` and
    `("stored", documents, 0)`. Raises SourceUnavailable, IngestBusy, LakeError, or what the stores raise; whatever it
    raises, a later run carries on from there.
    """
    manifest = Manifest(database, tenant, source.name)
    limits = limits or Limits()
    with manifest.lock(), Readers(limits, workers) as readers:
        lake.sweep(clock())
        held = manifest.held()
        writer = Writer(manifest, store, model, clock, progress, held)
        run = _Run(source, lake, readers, writer, manifest.entries(), held, labels, tenant, limits)
        return run.report(workers)


def document_id(tenant: str, source: str, key: str) -> str:
    """Stable over versions: a hash of whose, where from, and the path there."""
    return hashlib.sha256("\0".join((tenant, source, key)).encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Run:
    """One run: decides about every change; the Writer carries the decisions out."""

    source: DocumentSource
    lake: Lake
    readers: Readers
    writer: Writer
    entries: dict[str, Entry]
    held: dict[str, Held]
    labels: Labels
    tenant: str
    limits: Limits
    under_way: dict[Future[Prepared], tuple[Change, Raw]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    touched: dict[str, str] = field(default_factory=dict)
    seen: int = 0
    unchanged: int = 0

    def report(self, workers: int) -> Report:
        """The whole run."""
        started = self.writer.clock()
        self._relabel()
        known = {key: entry.fingerprint for key, entry in self.entries.items()}
        known |= {key: held.fingerprint for key, held in self.held.items()}
        for change in self.source.changes(known):
            self._take(change)
            while len(self.under_way) > workers * 2:
                self._collect()
        while self.under_way:
            self._collect()
        self.writer.flush()
        self.writer.remove(self.gone, "gone from the source")
        self.writer.manifest.touch(self.touched)
        counts = self.writer.counts
        return Report(
            counts.documents,
            counts.chunks,
            self.unchanged + counts.readded,
            counts.relabelled,
            counts.deleted,
            tuple(sorted(counts.quarantined, key=lambda q: q.uri)),
            tuple(sorted(counts.partial, key=lambda q: q.uri)),
            self._notices(),
            (self.writer.clock() - started).total_seconds(),
        )

    # --- what the source says ---

    def _take(self, change: Change) -> None:
        if change.kind == "delete":
            self._delete(change)
            return
        self.seen += 1
        entry, held = self.entries.get(change.key), self.held.get(change.key)
        if change.kind == "refused":
            self._quarantine(change, "", Refused(change.reason))
        elif change.kind == "unchanged" and held is not None and _keeps(held):
            self._still_held(held)
        elif change.kind == "unchanged" and entry is not None and self._is_current(entry):
            self.unchanged += 1
        elif change.kind != "unchanged" or entry is None or not self._reuse(change, entry):
            self._read(change)
        self._tell()

    def _delete(self, change: Change) -> None:
        """What was only in quarantine was never there to be deleted, so it is not counted."""
        identifier = self._id(change.key)
        if change.key in self.entries:
            self.gone.append(identifier)
        else:
            self.writer.manifest.forget([identifier], self.writer.clock(), "gone from the source")

    def _still_held(self, held: Held) -> None:
        self.writer.counts.quarantined.append(Quarantined(held.uri, held.reason))

    def _is_current(self, entry: Entry) -> bool:
        return entry.state == "current" and _is_read_as_now(entry) and entry.embedder == self._embedder()

    def _reuse(self, change: Change, entry: Entry) -> bool:
        """Same bytes, but another embedder, or a run that was killed: from the lake. False where that cannot be."""
        if not _is_read_as_now(entry):
            return False
        try:
            parsed = self.lake.extracted(entry.version)
        except LakeError:
            return False
        self._add(change, entry.sha256, Prepared(parsed, tuple(splitting.pieces(parsed))))
        return True

    def _read(self, change: Change) -> None:
        try:
            raw = self._snapshot(change)
        except Unreadable as error:
            self._quarantine(change, "", error)
            return
        entry, held = self.entries.get(change.key), self.held.get(change.key)
        if entry is not None and entry.sha256 == raw.sha256 and self._is_current(entry):
            self.touched[entry.id] = change.fingerprint
            self.unchanged += 1
        elif held is not None and held.sha256 == raw.sha256 and _keeps(held):
            self.touched[held.id] = change.fingerprint
            self._still_held(held)
        else:
            self.under_way[self.readers.submit(raw.path, change.key)] = (change, raw)

    def _snapshot(self, change: Change) -> Raw:
        """The bytes in the lake, all of one moment; raises Unreadable."""
        if change.size > self.limits.raw_bytes:
            raise LimitExceeded(f"larger than {size_in_words(self.limits.raw_bytes)}")
        try:
            with self.source.open(change) as stream:
                raw = self.lake.take(stream, self.limits.raw_bytes)
        except OSError as error:
            raise Refused(f"cannot be read: {error.strerror or type(error).__name__}") from error
        if not self.source.settled(change):
            raise Refused("changed while it was read; the next run tries again")
        return raw

    # --- what was read ---

    def _collect(self) -> None:
        done, _ = wait(self.under_way, return_when=FIRST_COMPLETED)
        for future in done:
            change, raw = self.under_way.pop(future)
            try:
                prepared = future.result()
            except Unreadable as error:
                self._quarantine(change, raw.sha256, error)
            else:
                self._add(change, raw.sha256, prepared)
        self._tell()

    def _add(self, change: Change, sha256: str, prepared: Prepared) -> None:
        parsed = prepared.parsed
        document = self._document(change, self.lake.keep(sha256, parsed), parsed)
        chunks = splitting.chunks_of(prepared.pieces, parsed, document)
        self.writer.add(Ready(self._entry(change, sha256, document, parsed, len(chunks)), chunks))

    def _document(self, change: Change, version: str, parsed: Parsed) -> Document:
        access = self._access_to(change.uri)
        return Document(
            id=self._id(change.key),
            version=version,
            uri=change.uri,
            title=parsed.title or file_stem(change.key),
            language=parsed.language,
            tenant=self.tenant,
            labels=access.labels,
            discoverable=access.discoverable,
            owner=access.owner,
            as_of=change.modified,
            source=self.source.name,
            media_type=parsed.media_type,
        )

    def _entry(self, change: Change, sha256: str, document: Document, parsed: Parsed, chunks: int) -> Entry:
        return Entry(
            id=document.id,
            key=change.key,
            uri=change.uri,
            state="writing",
            version=document.version,
            sha256=sha256,
            fingerprint=change.fingerprint,
            parser=parsed.parser,
            splitter=splitting.identity(),
            embedder=self._embedder(),
            media_type=parsed.media_type,
            title=document.title,
            language=parsed.language,
            labels=document.labels,
            warnings=parsed.warnings,
            chunks=chunks,
            as_of=change.modified,
            discoverable=document.discoverable,
            owner=document.owner,
        )

    def _quarantine(self, change: Change, sha256: str, error: Unreadable) -> None:
        nothing = Document(self._id(change.key), "", change.uri, "")
        entry = self._entry(change, sha256, nothing, Parsed(""), 0)
        held = held_for(entry, error, self.held.get(change.key))
        self.writer.quarantine(held, error, stored=change.key in self.entries)

    # --- access ---

    def _relabel(self) -> None:
        """Documents whose access is no longer what the settings say; first of all, and without parsing them."""
        changed = [
            replace(entry, labels=wanted.labels, discoverable=wanted.discoverable, owner=wanted.owner)
            for entry in self.entries.values()
            if entry.state == "current" and (wanted := self._access_to(entry.uri)) != entry.access
        ]
        again = {entry.key for entry in self.writer.relabel(changed)}
        for entry in changed:
            self.entries[entry.key] = replace(entry, state="writing" if entry.key in again else "current")

    def _access_to(self, uri: str) -> Access:
        found = self.labels(uri) if callable(self.labels) else self.labels
        if isinstance(found, Access):
            return found
        # A single label given as text is not a collection of letters.
        return Access(frozenset([found] if isinstance(found, str) else found))

    # --- small things ---

    def _id(self, key: str) -> str:
        return document_id(self.tenant, self.source.name, key)

    def _embedder(self) -> str:
        return self.writer.model.identity if self.writer.model is not None else "none"

    def _tell(self) -> None:
        if self.writer.progress is not None:
            self.writer.progress("read", self.seen - len(self.under_way), self.seen)

    def _notices(self) -> tuple[str, ...]:
        notices = []
        if not self.seen:
            notices.append(f"{self.source.name} holds no files")
        if self.writer.counts.documents and not callable(self.labels) and not self._access_to("").labels:
            notices.append("no access labels are set: nobody can find these documents")
        return tuple(notices)


def _is_read_as_now(entry: Entry) -> bool:
    """Today's parser and splitter would give the same chunks."""
    name = entry.parser.partition("/")[0]
    return parsers.identities().get(name) == entry.parser and entry.splitter == splitting.identity()


def _keeps(held: Held) -> bool:
    """Nothing has changed that could make it readable."""
    return held.readers == parsers.fingerprint() and (not held.retry or held.attempts >= _ATTEMPTS)
