"""What happens to one document between its bytes and its chunks, as one pure function.

Engines decide where it runs (a process of its own here, a cluster elsewhere); it touches no store, no lake and no
clock, and what it returns can be sent as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.limits import Limits
from ingest.reading import read
from ingest.splitting import SIZE, Piece, pieces
from ingest.types import Parsed


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document's text and where its chunks lie."""

    parsed: Parsed
    pieces: tuple[Piece, ...]

    def to_json(self) -> dict[str, Any]:
        """For sending between processes."""
        return {
            "parsed": self.parsed.to_json(),
            "pieces": [[p.start, p.end, p.page, p.heading] for p in self.pieces],
        }

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Prepared:
        """The inverse of `to_json`."""
        return Prepared(
            Parsed.from_json(values["parsed"]), tuple(Piece(*piece) for piece in values["pieces"])
        )


def prepare(raw: bytes, name: str, limits: Limits | None = None, size: int = SIZE) -> Prepared:
    """Read and split one document; raises Unreadable with the reason it goes to quarantine for."""
    parsed = read(raw, name, limits)
    return Prepared(parsed, tuple(pieces(parsed, size)))
