"""One case, whatever happens to it: a row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from app.interrupting import pressed
from evals.report import plain

C = TypeVar("C")
Row = dict[str, Any]
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


def attempt(work: Callable[[C], Row], case: C, name: str) -> Row:
    """The row of one case, or what went wrong with it; raises only `KeyboardInterrupt`."""
    try:
        # Through JSON, so that a row that was read from a journal and one that was not are the same.
        return dict(json.loads(json.dumps(plain(work(case)), ensure_ascii=False)))
    except (Exception, SystemExit) as error:
        if pressed():  # compiled code can turn Ctrl-C into an error of its own
            raise KeyboardInterrupt from error
        return failure(name, f"{type(error).__name__}: {error}")


def failure(name: str, reason: str) -> Row:
    """The row of a case that could not be finished. Addresses of memory are left out: they differ every time."""
    return {"id": name, "status": "error", "error": _ADDRESS.sub("0x…", reason)}
