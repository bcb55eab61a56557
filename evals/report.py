"""Reports as files: the same run twice gives the same bytes, or at least the same digest.

    {suite, n, version, coverage, options, fingerprint, …scores…, digest, rows: [one a case]}

Timing fields (`seconds`, `…_seconds`, `…_ms`, `timings`) stand in the report itself, or, with a file of their own,
are null in it. `digest` is over everything but them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evals.errors import EvalError

REQUIRED = ("suite", "n", "version", "coverage", "options", "fingerprint")
"""What every summary carries: no score without what it was measured on, and on how much of it."""
DIGITS = 6


def write(
    path: Path, summary: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], timings: Path | None = None
) -> str:
    """Write a report, and its timings apart where `timings` names a file; returns the digest.

    Keys keep their order, floats are rounded to 6 digits, the file is replaced at once. Raises `EvalError` where a
    file cannot be written; `ValueError` where the summary lacks one of `REQUIRED` (a fault of ours).
    """
    lacking = [name for name in REQUIRED if name not in summary]
    if lacking:
        raise ValueError(f"A summary without {', '.join(lacking)}")
    whole = {**plain(dict(summary)), "digest": "", "rows": plain(list(rows))}
    bare = without_timings(whole)
    digest = hashlib.sha256(_text({**bare, "digest": ""}).encode()).hexdigest()
    document = bare if timings is not None else whole
    save(path, {**document, "digest": digest})
    if timings is not None:
        save(timings, _timed(whole, digest))
    return digest


def save(path: Path, document: Mapping[str, Any]) -> None:
    """Write JSON (UTF-8, a line a row, newline at the end) by replacing the file at once. Raises `EvalError`.

    What is no file (/dev/null, a pipe) is written to, and stays what it is.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            path.write_text(_text(document) + "\n", encoding="utf-8")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(_text(document) + "\n")
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise EvalError(
            "The report cannot be written", where=str(path), todo=str(error.strerror or error)
        ) from error


def fingerprint(files: Iterable[Path], root: Path, options: Mapping[str, Any] | None = None) -> str:
    """16 hex digits over these files' names (relative to `root`) and bytes, and the options; raises `EvalError`.

    `.gz` counts by what is in it, so that the same data packed twice is the same data.
    """
    sha = hashlib.sha256(json.dumps(options or {}, sort_keys=True, default=str).encode())
    for name, path in sorted((_under(root, path), path) for path in files):
        sha.update(f"\0{name.as_posix()}\0".encode())
        try:
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                while block := file.read(1 << 20):
                    sha.update(block)
        except (OSError, EOFError) as error:
            raise EvalError("A file cannot be read", where=str(path), todo=str(error)) from error
    return sha.hexdigest()[:16]


def _under(root: Path, path: Path) -> Path:
    """A file's name as it is hashed: the same however its path was written."""
    whole, above = (Path(os.path.normpath(each.absolute())) for each in (path, root))
    return whole.relative_to(above) if whole.is_relative_to(above) else Path(path.name)


def latency(seconds: Sequence[float | None]) -> dict[str, float | None]:
    """`p50_ms` and `p95_ms` of these seconds; null where none was measured."""
    known = [value for value in seconds if value is not None]
    if not known:
        return {"p50_ms": None, "p95_ms": None}
    middle, late = np.quantile(np.asarray(known), [0.5, 0.95])
    return {"p50_ms": float(middle) * 1000, "p95_ms": float(late) * 1000}


def plain(value: Any) -> Any:
    """JSON's own types: numpy scalars unpacked, floats rounded, what is no number (NaN, infinity) as null."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, DIGITS) if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def without_timings(value: Any) -> Any:
    """The same with null in every timing field, at any depth."""
    if isinstance(value, dict):
        return {key: None if is_timing(key) else without_timings(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_timings(item) for item in value]
    return value


def is_timing(name: str) -> bool:
    """Whether a field of this name holds time that was measured."""
    return name in ("seconds", "timings") or name.endswith(("_ms", "_seconds"))


def _timed(whole: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """What goes into the file of timings: those of the summary, and those of each row under its id."""
    summary = _only_timings({key: value for key, value in whole.items() if key != "rows"})
    rows = [{"id": row.get("id"), **_only_timings(row)} for row in whole["rows"]]
    return {"suite": whole["suite"], "n": whole["n"], "digest": digest, **summary, "rows": rows}


def _only_timings(value: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, item in value.items():
        if is_timing(key):
            kept[key] = item
        elif isinstance(item, Mapping) and (inner := _only_timings(item)):
            kept[key] = inner
    return kept


def _text(document: Mapping[str, Any]) -> str:
    """One line a key, one line a row: what a person can read and a diff can show."""
    lines = []
    for key, value in document.items():
        if key == "rows":
            rows = ",\n".join(f"  {_line(row)}" for row in value)
            lines.append(f'"rows": [\n{rows}\n]' if value else '"rows": []')
        else:
            lines.append(f"{_line(key)}: {_line(value)}")
    return "{\n" + ",\n".join(lines) + "\n}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
