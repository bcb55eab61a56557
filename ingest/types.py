"""The nouns of ingest. A source yields `Change`s, a parser returns `Parsed`, a run returns a `Report`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO, Literal, Protocol, runtime_checkable

from ingest.limits import Budget
from retrieval.types import Access

ChangeKind = Literal["upsert", "unchanged", "delete", "refused"]
BlockKind = Literal["heading", "paragraph", "list", "table", "code"]
Decision = Literal["ingested", "relabelled", "removed", "quarantined"]
"""What a run decided about one version of one document; kept in the manifest's history."""

Labels = Access | Collection[str] | Callable[[str], Access | Collection[str]]
"""Who may find a document: the same for all, or decided by its uri. Labels alone are not discoverable; empty: nobody."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a source says about one of its things, compared with what was known of it.

    `key` is stable and unique within the source; `fingerprint` is cheap to get and changes whenever the content
    may have changed ("" where it cannot be trusted). `refused` carries why the thing cannot be handed out.
    """

    kind: ChangeKind
    key: str
    uri: str
    fingerprint: str = ""
    modified: datetime | None = None
    size: int = 0
    reason: str = ""


class DocumentSource(Protocol):
    """Where documents come from. Listing and opening are separate, so that unchanged things are never read."""

    @property
    def name(self) -> str:
        """The name that deletions are decided within, and that uris carry."""
        ...

    def changes(self, known: Mapping[str, str]) -> Iterator[Change]:
        """Every difference to `known` (key -> fingerprint), `unchanged` ones too; deletions last.

        Raises SourceUnavailable when the listing as a whole fails: then nothing is to be deleted.
        """
        ...

    def open(self, change: Change) -> BinaryIO:
        """The bytes; raises Refused with the reason."""
        ...

    def settled(self, change: Change) -> bool:
        """False when the thing has changed since `change` was listed (bytes read meanwhile may be torn)."""
        ...


@runtime_checkable
class Relabels(Protocol):
    """What a semantic store may offer besides its port: another access to documents it keeps otherwise as they are."""

    def relabel(self, access: Mapping[str, Access]) -> int:
        """Access by document id, in force when it returns; returns how many documents there were."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch [start, end) of the extracted text that belongs together."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    """1 is the highest heading; 0 for everything else."""
    header: str = ""
    """A table's column names, which a piece cut from its middle is headed by."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A file found inside another one (attachment, archive member): read next, under the same budget."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser made of a document. `blocks` are in order, never overlap, and leave only blanks out.

    `pages` holds the offset at which each page starts (slides, sheets too; empty where there are none).
    `warnings` say what was left out: a document with warnings was read in part.
    """

    text: str
    blocks: tuple[Block, ...] = ()
    title: str = ""
    pages: tuple[int, ...] = ()
    language: str = ""
    media_type: str = ""
    parser: str = ""
    """Name and version of what read it, for example `pdf/1`."""
    warnings: tuple[str, ...] = ()
    embedded: tuple[Embedded, ...] = ()
    """Never stored: consumed while reading."""

    def page_of(self, offset: int) -> int | None:
        """The 1-based page that holds this character; None where the format has no pages."""
        return bisect_right(self.pages, offset) or 1 if self.pages else None

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form without `embedded`."""
        return {
            "text": self.text,
            "blocks": [[b.kind, b.start, b.end, b.level, b.header] for b in self.blocks],
            "title": self.title,
            "pages": list(self.pages),
            "language": self.language,
            "media_type": self.media_type,
            "parser": self.parser,
            "warnings": list(self.warnings),
        }

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Parsed:
        """The inverse of `to_json`; raises KeyError, TypeError or ValueError on anything else."""
        return Parsed(
            text=str(values["text"]),
            blocks=tuple(Block(*block) for block in values["blocks"]),
            title=str(values["title"]),
            pages=tuple(int(page) for page in values["pages"]),
            language=str(values["language"]),
            media_type=str(values["media_type"]),
            parser=str(values["parser"]),
            warnings=tuple(str(warning) for warning in values["warnings"]),
        )

    def with_(self, **changes: Any) -> Parsed:
        """A copy with these fields replaced."""
        return replace(self, **changes)


class Parser(Protocol):
    """Turns the bytes of some media types into text with structure."""

    @property
    def version(self) -> int:
        """Raised whenever the same bytes would give another text: documents read by an older one are read again."""
        ...

    @property
    def media_types(self) -> frozenset[str]:
        """What it reads."""
        ...

    def parse(self, raw: bytes, media_type: str, budget: Budget, /) -> Parsed:
        """Text, structure, title; raises Unreadable with a reason. Runs in a process of its own."""
        ...


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A document that could not be read, and why."""

    uri: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """One run over one or more sources. Every file is in exactly one of documents, unchanged, quarantined."""

    documents: int = 0
    """New or changed documents that are now searchable in this version."""
    chunks: int = 0
    unchanged: int = 0
    """Documents left as they were (those whose labels alone changed among them)."""
    relabelled: int = 0
    deleted: int = 0
    quarantined: tuple[Quarantined, ...] = ()
    partial: tuple[Quarantined, ...] = ()
    """Documents read in part in this run, and what was left out."""
    notices: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """What `--report` writes."""
        return {
            "documents": self.documents,
            "chunks": self.chunks,
            "unchanged": self.unchanged,
            "relabelled": self.relabelled,
            "deleted": self.deleted,
            "quarantined": [{"uri": q.uri, "reason": q.reason} for q in self.quarantined],
            "partial": [{"uri": q.uri, "reason": q.reason} for q in self.partial],
            "notices": list(self.notices),
            "seconds": round(self.seconds, 3),
        }

    def __add__(self, other: Report) -> Report:
        """The two runs as one, for several sources in a row."""
        return Report(
            self.documents + other.documents,
            self.chunks + other.chunks,
            self.unchanged + other.unchanged,
            self.relabelled + other.relabelled,
            self.deleted + other.deleted,
            self.quarantined + other.quarantined,
            self.partial + other.partial,
            self.notices + other.notices,
            self.seconds + other.seconds,
        )
