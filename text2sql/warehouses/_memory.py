"""What a statement takes of this process's memory beside what its engine accounts for.

DuckDB keeps its limit for tables, hashes and sorts, not for the vectors on the way between operators: a thousand
rows with a text of 10 MB each are 10 GB that it does not count. So the process itself is watched while one runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

_STATM = Path("/proc/self/statm")
_SLACK = 512 * 1024**2
"""Bytes of growth that are nobody's fault: the rows read, other sessions, the allocator."""


def grown(limit: int) -> Callable[[], bool] | None:
    """Asks whether the process has grown by more than `limit` bytes from now on; None where that cannot be seen."""
    before = _resident()
    if before is None:
        return None

    def heavy() -> bool:
        now = _resident()
        return now is not None and now - before > limit + _SLACK

    return heavy


def _resident() -> int | None:
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
