"""JSON Lines, plain or gzipped, with the line that is wrong named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.errors import SuiteError


def found(folder: Path, name: str) -> Path:
    """The file of that name in the folder, or its `.gz`. Raises `SuiteError` where there is neither."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise SuiteError(
        f"There is no {name} and no {name}.gz", where=str(folder), todo="Check the folder of the set."
    )


def read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file and line, object) a line, empty lines left out. Raises `SuiteError` naming file and line."""
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.strip():
                    yield f"{path}, line {number}", _object(raw, f"{path}, line {number}")
    except (OSError, EOFError) as error:
        raise SuiteError(
            "The file cannot be read", where=f"{path}, after line {number}", todo=str(error)
        ) from error


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        text = json.dumps(json.loads(raw.decode("utf-8-sig")), ensure_ascii=False)
        # Half of a pair of surrogates is no text: no engine takes it and no file holds it.
        value = json.loads(text.encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise SuiteError("A line is not JSON in UTF-8", where=where, todo=str(error)) from error
    if not isinstance(value, dict):
        raise SuiteError("A line is not a JSON object", where=where)
    return value
