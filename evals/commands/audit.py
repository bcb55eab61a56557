"""`bunmyaku eval audit`: what is wrong with the gold of a set, before anything is measured by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.auditing import CODES, VERSION, Audited, among_others, audit
from evals.drafting.opened import close_all
from evals.drafting.places import Place, places
from evals.errors import SuiteError
from evals.paths import journal_of
from evals.progress import Progress
from evals.report import fingerprint, latency, write
from evals.runner import run
from evals.statistics import wilson
from evals.suites.databases import Suite, load
from retrieval.errors import BunmyakuError


def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A set of questions over databases.")],
    out: Annotated[Path, typer.Option("--out", help="Where the report goes (JSON).")],
    questions: Annotated[Path | None, typer.Option("--questions", help="Another file of questions.")] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="sqlite or postgres, where a set has both.")
    ] = None,
    instances: Annotated[
        int, typer.Option("--instances", min=0, help="Resampled copies that a result must differ on.")
    ] = 2,
    mutate: Annotated[bool, typer.Option("--mutants/--no-mutants", help="Look for mistakes unseen.")] = True,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="For one query.")] = 5.0,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many questions.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 1,
    timings: Annotated[Path | None, typer.Option("--timings", help="A file of their own for times.")] = None,
) -> None:
    """Audit gold: what fails, is empty, is settled by chance, ambiguous, repeated, constant, or told from no mutant."""
    if engine not in (None, "sqlite", "postgres"):
        raise SuiteError(
            "There is no such engine", where=f"--engine {engine}", todo="Use sqlite or postgres."
        )
    suite = load(folder, questions, engine, limit)  # type: ignore[arg-type]  # checked just above
    cases = [case for case in suite.cases if case.gold and not case.unscored]
    if not cases:
        raise SuiteError("No question of the set has gold that can be run", where=str(folder))
    options = {
        "engine": suite.engine, "instances": instances, "mutants": mutate, "seconds_a_query": seconds, "limit": limit
    }  # fmt: skip
    known = fingerprint(suite.files, suite.root, options)
    names = {case.db for case in cases}
    with ExitStack() as stack:
        stack.callback(close_all)
        at = stack.enter_context(places(suite, names))
        copies = stack.enter_context(_copies(suite, names, instances))
        items = [Audited(case, at[case.db], copies.get(case.db, ()), seconds, mutate) for case in cases]
        rows = run(
            items,
            audit,
            key=lambda item: item.case.id,
            jobs=jobs,
            group=lambda item: item.place.db,
            journal=journal_of(out),
            fingerprint=f"{VERSION} {known}",
            progress=stack.enter_context(Progress("audit")),
        )
    among_others([row for row in rows if row["status"] == "ok"])
    summary = {
        "suite": f"audit/{suite.name}",
        "n": len(rows),
        "version": VERSION,
        "coverage": sum(row["status"] == "ok" for row in rows) / len(suite.cases),
        "options": options,
        "fingerprint": known,
        "unscored": len(suite.cases) - len(cases),
        "with_instances": sum(bool(copies.get(case.db)) for case in cases),
        **summarize(rows),
    }
    write(out, summary, rows, timings)


@contextmanager
def _copies(suite: Suite, names: set[str], instances: int) -> Iterator[dict[str, tuple[Place, ...]]]:
    """Resampled copies a database; none of one that cannot be resampled, which the report counts."""
    # One server for all databases of PostgreSQL; of files each on its own, so that one is left out alone.
    groups = [sorted(names)] if suite.engine == "postgres" else [[db] for db in sorted(names)]
    with ExitStack() as stack:
        found: dict[str, tuple[Place, ...]] = {}
        for group in groups if instances else []:
            try:
                made = [stack.enter_context(places(suite, group, number + 1)) for number in range(instances)]
            except BunmyakuError:
                continue
            found |= {db: tuple(each[db] for each in made) for db in group}
        yield found


def summarize(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many questions have each finding, their share with its interval, and what mutants showed."""
    codes = {row["id"]: {finding["code"] for finding in row.get("findings", ())} for row in rows}
    counts = {code: sum(code in found for found in codes.values()) for code in CODES}
    tried = sum(row.get("mutants", 0) for row in rows)
    kinds: dict[str, int] = {}
    for row in rows:
        for kind, count in row.get("survivors", {}).items():
            kinds[kind] = kinds.get(kind, 0) + count
    serious = sum(bool(found - {"mutants", "duplicate", "ties"}) for found in codes.values())
    return {
        "failed": sum(row["status"] == "error" for row in rows),
        "findings": counts,
        "intervals": {code: wilson(count, len(rows)).to_json() for code, count in counts.items()},
        "without_findings": sum(not found for found in codes.values()),
        "doubtful": serious,
        "mutants_run": tried,
        "mutants_unseen": sum(kinds.values()),
        "mutants_unseen_by_kind": dict(sorted(kinds.items())),
        "ids": {
            code: [key for key, found in codes.items() if code in found]
            for code in CODES
            if code != "mutants"
        },
        **latency([row.get("seconds") for row in rows]),
    }
