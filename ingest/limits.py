"""What one document may cost. Real piles hold bombs: every number here is there because something exceeds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ingest.errors import LimitExceeded


def size_in_words(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1_000_000:.0f} MB" if size >= 1_000_000 else f"{size / 1000:.0f} kB"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for reading one document."""

    raw_bytes: int = 200_000_000
    """Larger files are not even copied."""
    expanded_bytes: int = 300_000_000
    """Everything unpacked from it, at every level together."""
    ratio: int = 200
    """An archive member may expand to this many times its packed size once it is over 20 MB."""
    members: int = 20_000
    """Files inside archives and attachments, at every level together."""
    depth: int = 4
    """Files inside files inside files."""
    text_chars: int = 10_000_000
    """Extracted text is cut here, and the cut is said."""
    memory_bytes: int = 2_000_000_000
    """Address space of the process that parses."""
    cpu_seconds: int = 60
    wall_seconds: float = 90.0

    def to_json(self) -> dict[str, Any]:
        """For sending to the process that parses."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Limits:
        """The inverse of `to_json`."""
        return Limits(**values)


@dataclass(slots=True)
class Budget:
    """What is left of the limits while one document, and everything inside it, is being read."""

    limits: Limits = field(default_factory=Limits)
    expanded: int = 0
    members: int = 0

    def spend(self, size: int) -> None:
        """Count unpacked bytes; raises LimitExceeded beyond the limit."""
        self.expanded += size
        if self.expanded > self.limits.expanded_bytes:
            raise LimitExceeded(f"unpacks to more than {size_in_words(self.limits.expanded_bytes)}")

    def member(self) -> None:
        """Count one file inside; raises LimitExceeded beyond the limit."""
        self.members += 1
        if self.members > self.limits.members:
            raise LimitExceeded(f"holds more than {self.limits.members} files")

    @property
    def left(self) -> int:
        """Bytes that may still be unpacked."""
        return max(0, self.limits.expanded_bytes - self.expanded)
