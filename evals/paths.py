"""Where a run keeps what belongs to its report."""

from __future__ import annotations

from pathlib import Path

from evals.errors import EvalError


def journal_of(out: Path) -> Path | None:
    """The journal beside a report: what a run that was stopped goes on from. None beside what is no file (/dev/null).

    Raises `EvalError` where a folder has the report's name: better before the run than after it.
    """
    if out.is_dir():
        raise EvalError("The report cannot be written", where=str(out), todo="Name a file, not a folder.")
    if out.exists() and not out.is_file():
        return None
    return out.with_name(f"{out.name}.journal")
