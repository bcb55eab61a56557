"""The nouns every package shares. Frozen values go in and out of the ports; nothing here does any work.

Times are timezone-aware. Offsets (`start`, `end`, `Span`) count characters of the *extracted text* of one
document version, so that a citation can be read back from the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, runtime_checkable

Language = Literal["en", "ja"]
Clock = Callable[[], datetime]
"""Returns an aware datetime. Passed in wherever "now" or "today" matters; never read in place."""

EVERYONE = "everyone"
"""The label that admits every caller of the tenant."""


def system_clock() -> datetime:
    """The real time, in UTC: what the wiring passes where nothing else is asked for."""
    return datetime.now(tz=UTC)  # noqa: TID251 - this is the clock


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `attributes` are what policies may refer to (for example `{"regions": ["Kanto"]}`).

    A value is a scalar or a tuple of scalars. Nothing in a question or a retrieved text can change a Principal.
    """

    id: str
    tenant: str = "default"
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    language: Language = "en"

    @property
    def labels(self) -> frozenset[str]:
        """Every access label this caller holds: `everyone`, `user:<id>` and one `role:<role>` a role."""
        return frozenset({EVERYONE, f"user:{self.id}", *(f"role:{role}" for role in self.roles)})


DocumentKind = Literal["document", "table", "metric", "dimension", "term", "verified"]
"""`document` is prose brought in by ingest; the others are catalogue objects made by text2sql."""


@dataclass(frozen=True, slots=True)
class Span:
    """A marked stretch of text: what it is (for example `email`) and where, as [start, end) character offsets."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Access:
    """Who may find a document, as its `labels`, `discoverable` and `owner` say; by default nobody may."""

    labels: frozenset[str] = frozenset()
    discoverable: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One version of one thing that can be found. `id` is stable over versions; `version` is a content hash.

    `labels` says who may find it: a caller sees it when they hold at least one of them; an empty set admits
    nobody (default deny). `discoverable` lets a caller without access learn *that* something matched.
    """

    id: str
    version: str
    uri: str
    title: str
    kind: DocumentKind = "document"
    language: str = "en"
    tenant: str = "default"
    labels: frozenset[str] = frozenset({EVERYONE})
    discoverable: bool = False
    owner: str = ""
    """Whom to ask for access; told only to those who may learn that something matched. "" where unknown."""
    as_of: datetime | None = None
    """When what it says was true (modification time of the source); None where unknown."""
    source: str = ""
    """Which configured source it came from; deletions are decided within one source."""
    media_type: str = "text/plain"
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document small enough to be found by. `text` equals the extracted text at [start, end)."""

    id: str
    """`<document id>#<ordinal>`; unique within the store."""
    document: Document
    ordinal: int
    text: str
    start: int = 0
    end: int = 0
    page: int | None = None
    """1-based page the chunk starts on, None where the format has no pages."""
    heading: str = ""
    pii: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as found for one question, with the scores that put it there (all in [0, 1])."""

    chunk: Chunk
    score: float
    lexical: float = 0.0
    dense: float = 0.0


@dataclass(frozen=True, slots=True)
class SemanticQuery:
    """What to look for. `principal` is not optional: the store decides access before it ranks."""

    text: str
    principal: Principal
    limit: int = 10
    kinds: tuple[DocumentKind, ...] = ()
    """Empty: every kind."""
    sources: tuple[str, ...] = ()
    dense: bool = True
    """False leaves the vector side out (used where no embedder is configured)."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found: passages the caller may read, best first, and how many they may only know of."""

    passages: tuple[Passage, ...]
    withheld: int = 0
    """Matches marked `discoverable` that the caller may not read. Everything else hidden is not counted."""
    owners: tuple[str, ...] = ()
    """Whom to ask for those, best match first, each once; empty where no owner is known."""


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Sizes of a semantic store."""

    documents: int
    chunks: int
    by_kind: Mapping[str, int]
    embedder: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One situational fact: `name` (for example `customer.plan`), a JSON-able value, when, and from where."""

    name: str
    value: Any
    origin: str
    as_of: datetime | None = None
    entity: str = ""
    """The thing it is about (`user`, `conversation`, or `<entity>:<key>`)."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the value is called, by language; the first name is the one shown, the others are synonyms."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer in a conversation."""

    conversation_id: str
    user_id: str
    question: str
    answer: str
    record_id: str
    at: datetime
    tenant: str = "default"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence of an answer comes from: enough to open the page and mark the span."""

    marker: int
    """1-based number shown as [1] in the text."""
    chunk_id: str
    document_id: str
    version: str
    uri: str
    title: str
    quote: str
    start: int
    end: int
    page: int | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a Context: a passage or a fact with why it is there and what it costs."""

    kind: str
    """`fact`, `turn`, or a `DocumentKind`."""
    text: str
    origin: str
    tokens: int
    reason: str
    as_of: datetime | None = None
    passage: Passage | None = None
    fact: Fact | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Situational and semantic context, merged: authorised, deduplicated, dated, inside `budget` tokens.

    `left_out` names what did not fit or could not be had (a source that failed is named here, never silent).
    """

    question: str
    principal: Principal
    language: Language
    pieces: tuple[Piece, ...]
    tokens: int
    budget: int
    left_out: tuple[str, ...] = ()
    withheld: int = 0
    owners: tuple[str, ...] = ()
    """Whom to ask for what is withheld; empty where no owner is known."""

    def passages(self, *kinds: str) -> tuple[Passage, ...]:
        """The passages of these kinds (all when none is named), in order of rank."""
        return tuple(
            piece.passage
            for piece in self.pieces
            if piece.passage is not None and (not kinds or piece.kind in kinds)
        )

    def facts(self) -> tuple[Fact, ...]:
        """The situational facts, in order of use."""
        return tuple(piece.fact for piece in self.pieces if piece.fact is not None)


@runtime_checkable
class SemanticStore(Protocol):
    """Where chunks are found by meaning and by word. Access is decided inside `search`, before ranking."""

    def upsert(self, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]) -> None:
        """Replace all chunks of every document named, atomically per document; one vector a chunk."""
        ...

    def delete(self, document_ids: Sequence[str]) -> int:
        """Remove documents with their chunks; returns how many documents went."""
        ...

    def search(self, query: SemanticQuery, vector: Sequence[float] | None = None) -> SearchResult:
        """Find passages; `vector` is the embedded query, None for a lexical search."""
        ...

    def get(self, chunk_ids: Sequence[str], principal: Principal) -> list[Chunk]:
        """The named chunks that this caller may read, in the order asked."""
        ...

    def stats(self) -> StoreStats:
        """Sizes."""
        ...


class SituationalSource(Protocol):
    """Where facts about the asker and the thing asked about come from."""

    @property
    def name(self) -> str:
        """Shown as the facts' origin, and named when the source fails."""
        ...

    def fetch(self, principal: Principal, question: str) -> list[Fact]:
        """Facts this caller may know; an empty list when it has nothing to say."""
        ...


class ConversationStore(Protocol):
    """Turns, kept per conversation; a caller reads only their own."""

    def append(self, turn: Turn) -> None:
        """Keep one turn."""
        ...

    def recent(self, principal: Principal, conversation_id: str, n: int) -> list[Turn]:
        """The last `n` turns of this caller's conversation, oldest first."""
        ...

    def search(self, principal: Principal, text: str, limit: int = 10) -> list[Turn]:
        """This caller's turns whose question or answer holds the words, newest first."""
        ...


Progress = Callable[[str, int, int], None]
"""Called as `(stage, done, total)`; total is 0 while unknown."""

Rows = Iterator[Mapping[str, Any]]
