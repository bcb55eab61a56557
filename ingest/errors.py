"""Errors of ingest.

BunmyakuError
└── IngestError
    ├── SourceUnavailable   the source itself cannot be listed; nothing is decided about its documents
    ├── IngestBusy          another ingest of the same source is running
    ├── LakeError           the lake cannot be written, or what it holds was altered
    └── Unreadable          one document cannot be read; it goes to quarantine with `what` as its reason
        ├── LimitExceeded   it is larger, deeper or slower than the limits allow
        └── Refused         the source will not hand it out (permission, link, not a file, still changing)

Only `Unreadable` is about one document, and never stops a run; the others end it and change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from retrieval.errors import BunmyakuError


class IngestError(BunmyakuError):
    """Something in ingest failed."""


class SourceUnavailable(IngestError):
    """The source cannot be listed."""


class IngestBusy(IngestError):
    """Another ingest of the same source is running."""


class LakeError(IngestError):
    """The lake cannot be written, or what it holds is not what was put there."""


class Unreadable(IngestError):
    """One document cannot be read. `what` is the reason shown to people."""


class LimitExceeded(Unreadable):
    """The document asks for more than the limits allow."""


class Refused(Unreadable):
    """The source will not, or cannot now, hand the document out; worth trying again on the next run."""


@contextmanager
def optional_part() -> Iterator[None]:
    """A part that a document can do without: its damage is passed over, a limit that it breaks is not."""
    try:
        yield
    except LimitExceeded:
        raise
    except Unreadable:
        return
