"""Reading reports back: what `bunmyaku eval … --out` wrote, checked before anything is said about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.errors import EvalError


@dataclass(frozen=True)
class Report:
    """A report as read: `rows` by id, `seconds` by id where they are known."""

    name: str
    summary: Mapping[str, Any]
    rows: Mapping[str, Mapping[str, Any]]
    seconds: Mapping[str, float]


def read_report(path: Path, timings: Path | None = None, name: str = "") -> Report:
    """A report of `bunmyaku eval …`, with timings of their own where given. Raises `EvalError`."""
    found = _read(path)
    rows = found.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise EvalError(
            "This is not a report with a row a case",
            where=str(path),
            todo="Give a file that `eval … --out` wrote.",
        )
    by_id = {str(row["id"]): row for row in rows}
    if len(by_id) != len(rows):
        double = next(key for key, count in Counter(str(row["id"]) for row in rows).items() if count > 1)
        raise EvalError(
            f"Two rows have the id {double!r}", where=str(path), todo="Give each case its own id."
        )
    if not rows:
        raise EvalError("The report has no rows", where=str(path), todo="Run the suite again.")
    timed = rows
    if timings is not None:
        other = _read(timings)
        if other.get("digest") != found.get("digest") or not isinstance(other.get("rows"), list):
            raise EvalError(
                "These timings belong to another report",
                where=str(timings),
                todo=f"Give those of {path.name}.",
            )
        timed = other["rows"]
    seconds = {str(row["id"]): float(row["seconds"]) for row in timed if is_number(row.get("seconds"))}
    return Report(name or path.name, {k: v for k, v in found.items() if k != "rows"}, by_id, seconds)


def names(paths: Sequence[Path]) -> list[str]:
    """Short names that tell the files apart: the file's, with as many folders as it needs."""
    for depth in range(1, 6):
        short = ["/".join(path.resolve().parts[-depth:]) for path in paths]
        if len(set(short)) == len(short):
            return short
    return [f"{path.name} ({number})" for number, path in enumerate(paths, 1)]


def is_number(value: Any) -> bool:
    """Whether JSON gave a number (true and false are none)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError("The report cannot be read", where=str(path), todo=str(error)) from error
    except ValueError as error:
        raise EvalError("The report is not JSON", where=str(path), todo=str(error)) from error
    if not isinstance(found, dict):
        raise EvalError(
            "The report is not a JSON object", where=str(path), todo="Give a file that --out wrote."
        )
    return found
