"""Where a run keeps what belongs to its report."""

from __future__ import annotations

from pathlib import Path


def journal_of(out: Path) -> Path:
    """The journal beside a report: what a run that was stopped goes on from."""
    return out.with_name(f"{out.name}.journal")
