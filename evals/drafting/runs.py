"""A whole run: places made, questions worked through (in parallel, resumable), reports written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from app.settings import ModelSettings
from evals.cases import Case
from evals.drafting.asking import Asking, ask
from evals.drafting.opened import close_all
from evals.drafting.places import Place, places
from evals.drafting.predictions import Predictions, read_predictions
from evals.drafting.replaying import (
    Replayed,
    Replaying,
    replay,
    rows_of,
    system_figures,
    together,
    vote_figures,
)
from evals.drafting.summing import VERSION, Row, figures, settled
from evals.errors import EvalError
from evals.paths import journal_of
from evals.progress import Progress
from evals.report import fingerprint, write
from evals.runner import run
from evals.suites.databases import Suite
from retrieval.types import system_clock

T = TypeVar("T")
_PACKAGES = ("evals", "app", "text2sql", "retrieval", "prompts")
"""What a row depends on: a run is not resumed with other code."""


@dataclass(frozen=True)
class Options:
    """How a run is made. `today` None: the day it is."""

    jobs: int = 1
    instance: int = 0
    wrong_db: bool = False
    vote: bool = False
    seconds: float = 10.0
    today: datetime | None = None
    limit: int | None = None
    model: ModelSettings | None = None

    def said(self, suite: Suite) -> dict[str, Any]:
        """For the report: everything that a figure depends on."""
        return {
            "questions": suite.files[0].name,
            "engine": suite.engine,
            "instance": self.instance,
            "wrong_db": self.wrong_db,
            "vote": self.vote,
            "limit": self.limit,
            "query_limit": self.seconds,
            "today": self.today.date().isoformat() if self.today else None,
        }


@dataclass(frozen=True)
class Outputs:
    """Where reports go: one for the run, one for its times, one a system."""

    out: Path | None
    timings: Path | None = None
    folder: Path | None = None

    @property
    def journal(self) -> Path | None:
        """What a run that was stopped goes on from."""
        return journal_of(self.out or (self.folder or Path()) / "run")


def run_drafter(suite: Suite, name: str, options: Options, outputs: Outputs) -> None:
    """Every question put to a drafter. Raises `EvalError`."""
    names = sorted(suite.sources) if options.wrong_db else sorted({case.db for case in suite.cases})
    if options.wrong_db and len(names) < 2:
        raise EvalError("There is no other database to ask", where=suite.name, todo="Leave out --wrong-db.")
    said = {**options.said(suite), "drafter": name}
    if options.model is not None:
        said |= {"rounds": options.model.rounds, "tokens": options.model.tokens}
        provider, _, rest = options.model.name.partition(":")
        said["model"] = f"{provider}:{Path(rest).name if provider == 'replay' else rest}"
    data = fingerprint(suite.files, suite.root)

    def work(at: Mapping[str, Place]) -> Callable[[Case], Row]:
        today = options.today or system_clock()
        return partial(
            ask, Asking(at, today, name, options.model, options.seconds, options.wrong_db, options.vote)
        )

    with places(suite, names, options.instance) as at:
        rows = _run(suite.cases, work(at), _Case(), options, outputs, [data, said])
    rows = settled(suite.cases, rows, refusing=options.wrong_db)
    _write(outputs.out, outputs.timings, suite, said, data, figures(rows), rows)


def run_predictions(suite: Suite, files: Sequence[Path], options: Options, outputs: Outputs) -> None:
    """Every prediction judged, each system by itself and, with `vote`, all of them together. Raises `EvalError`."""
    systems = read_predictions(files, suite.cases, sampled=options.limit is not None)
    if options.vote and len(systems) < 2:
        raise EvalError("A vote takes at least two files of predictions", where="--vote")
    said = {**options.said(suite), "drafter": "replay"}
    data = fingerprint(suite.files, suite.root)
    # Not of the data: systems are what is compared, on the same data.
    replayed = fingerprint([each.path for each in systems], suite.root)
    with places(suite, {case.db for case in suite.cases}, options.instance) as at:
        work = partial(replay, Replaying(at, options.seconds, options.vote))
        rows = _run(
            together(suite.cases, systems), work, _Replayed(), options, outputs, [data, said, replayed]
        )
    rows = settled(suite.cases, rows)
    split = {each.name: rows_of(each.name, rows) for each in systems}
    found = {each.name: system_figures(each, split[each.name]) for each in systems}
    if outputs.folder is not None:
        _write_each(suite, said, data, outputs, split, found)
    if len(systems) == 1:
        _write(
            outputs.out, outputs.timings, suite, said, data, found[systems[0].name], split[systems[0].name]
        )
        return
    summary: dict[str, Any] = {"predictions": replayed}
    summary |= {key: found[systems[0].name][key] for key in ("n", "coverage", "left_out")}
    summary["systems"] = {name: _short(each) for name, each in found.items()}
    if options.vote:
        votes = rows_of("vote", rows)
        summary["vote"] = vote_figures(votes, split)
        if outputs.folder is not None:
            _write_each(suite, said, data, outputs, {"vote": votes}, {"vote": summary["vote"]})
    _write(outputs.out, outputs.timings, suite, said, data, summary, [_joined(row, systems) for row in rows])


def _run(
    cases: Sequence[T],
    work: Callable[[T], Row],
    of: Callable[[T], Case],
    options: Options,
    outputs: Outputs,
    parts: Sequence[Any],
) -> list[Row]:
    mark = hashlib.sha256(repr([*parts, _code()]).encode()).hexdigest()[:16]
    try:
        with Progress("text2sql") as progress:
            return run(
                cases,
                work,
                key=lambda case: of(case).id,
                group=lambda case: of(case).db,
                jobs=options.jobs,
                journal=outputs.journal,
                fingerprint=mark,
                progress=progress,
            )
    finally:
        close_all()


class _Case:
    """The case itself."""

    def __call__(self, item: Case) -> Case:
        return item


class _Replayed:
    """The case of a replayed question."""

    def __call__(self, item: Replayed) -> Case:
        return item.case


def _code() -> str:
    """A hash over our own code and the version."""
    sha = hashlib.sha256(metadata.version("bunmyaku").encode())
    root = Path(__file__).resolve().parent.parent.parent
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            sha.update(path.read_bytes())
    return sha.hexdigest()


def _write(
    out: Path | None,
    timings: Path | None,
    suite: Suite,
    said: Mapping[str, Any],
    data: str,
    found: Mapping[str, Any],
    rows: Sequence[Row],
) -> None:
    if out is None:
        return
    head = {
        "suite": f"text2sql/{suite.name}",
        "n": found["n"],
        "version": VERSION,
        "coverage": found["coverage"],
        "options": said,
        "fingerprint": data,
    }
    write(out, {**head, **found}, rows, timings)


def _write_each(
    suite: Suite,
    said: Mapping[str, Any],
    data: str,
    outputs: Outputs,
    split: Mapping[str, Sequence[Row]],
    found: Mapping[str, Mapping[str, Any]],
) -> None:
    folder = outputs.folder or Path()
    for name, rows in split.items():
        safe = name.replace("/", "_")
        timings = folder / f"{safe}.timings.json" if outputs.timings else None
        _write(
            folder / f"{safe}.json",
            timings,
            suite,
            {**said, "vote": name == "vote"},
            data,
            {"system": name, **found[name]},
            rows,
        )


def _short(found: Mapping[str, Any]) -> dict[str, Any]:
    """A system's figures without those that a table has no room for."""
    return {
        key: value
        for key, value in found.items()
        if key not in ("curve", "by_db", "n", "coverage", "left_out")
    }


def _joined(row: Row, systems: Sequence[Predictions]) -> Row:
    """A question's row in a report on many systems: the vote's, and of each system what became of it."""
    if "systems" not in row:
        return row
    cells = row["systems"]
    kept = ("status", "correct", "group", "refused_right", "reason", "seconds", "timings")
    short = {
        each.name: {key: cells[each.name][key] for key in kept if key in cells[each.name]} for each in systems
    }
    bare = {key: value for key, value in row.items() if key not in ("systems", "vote")}
    return {**bare, **row.get("vote", {}), "systems": short}
