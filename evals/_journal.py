"""The journal of a run: finished rows, one a line, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from evals.errors import EvalError


class Journal:
    """A context manager that holds the file for one run. `rows` are what an earlier run finished, by key.

    A journal of another fingerprint counts for nothing and is begun anew. Raises `EvalError` where another run
    holds it or it cannot be written.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._lock = FileLock(str(path) + ".lock", timeout=0)
        self.rows: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._read()
            self._file = self._path.open("a", encoding="utf-8")
            if self._path.stat().st_size == 0:
                self._write({"fingerprint": self._fingerprint})
        except Timeout as error:
            raise EvalError(
                "Another run is writing there",
                where=str(self._path),
                todo="Wait for it, or choose another --out.",
            ) from error
        except OSError as error:
            self._lock.release()
            raise EvalError(
                "The journal cannot be written", where=str(self._path), todo=str(error.strerror or error)
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # what could not be written is still in its buffer
            self._file.close()
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def append(self, key: str, row: dict[str, Any]) -> None:
        """Keep one finished row, at once."""
        self._write({"key": key, "row": row})

    def discard(self) -> None:
        """The run is complete: nothing to go on from."""
        self._path.unlink(missing_ok=True)

    def _write(self, line: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:  # a full disk: what was written before stays
            raise EvalError(
                "The journal cannot be written", where=str(self._path), todo=str(error.strerror or error)
            ) from error

    def _read(self) -> None:
        """Take what is whole; a last line that was cut while it was written is cut off."""
        if not self._path.exists():
            return
        raw, end, head = self._path.read_bytes(), 0, False
        for line in raw.splitlines(keepends=True):
            try:
                entry = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                entry = None
            if not isinstance(entry, dict) or not (head or entry.get("fingerprint") == self._fingerprint):
                break
            if head:
                self.rows[str(entry["key"])] = dict(entry["row"])
            head, end = True, end + len(line)
        with self._path.open("r+b") as file:
            file.truncate(end)
