"""`bunmyaku eval guard`: the guard's verdicts against what the engine makes of the same statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.cases import Engine
from evals.drafting.opened import close_all
from evals.drafting.places import Place, places
from evals.drafting.predictions import read_predictions
from evals.errors import EvalError, SuiteError
from evals.guarding import VERSION, Statement, judge, summarize
from evals.paths import journal_of
from evals.progress import Progress
from evals.report import fingerprint, write
from evals.runner import run
from evals.suites.databases import Suite, load
from evals.weighing import calibration, lines, measured, write_weights


def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR [FILE]…", help="The set; further files of predictions.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where the report goes (JSON).")],
    predictions: Annotated[
        list[Path] | None,
        typer.Option("--predictions", help="A system's drafts, or a folder of them; repeat."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Ask the engine for its plan as well.")] = False,
    mutants: Annotated[
        bool,
        typer.Option("--mutants", help="Also make mistakes of meaning in gold, and count those flagged."),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="Measure what warnings weigh, and write it here (YAML)."),
    ] = None,
    questions: Annotated[Path | None, typer.Option("--questions", help="Another file of questions.")] = None,
    timings: Annotated[Path | None, typer.Option("--timings", help="A file of their own for times.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many questions.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 1,
) -> None:
    """Check gold and drafts, run them as written, count refusals that were right and wrong."""
    folder, *files = paths
    if files and not predictions:
        raise EvalError("One folder at a time", where=str(files[0]), todo="Files go with --predictions.")
    given = [*(predictions or []), *files]
    suites = editions(folder, questions, limit)
    options = {"explain": explain, "limit": limit, "mutants": mutants, "systems": 0}
    with ExitStack() as stack:
        stack.callback(close_all)
        statements: list[Statement] = []
        used: list[Path] = []
        for suite in suites:
            at = stack.enter_context(places(suite, {case.db for case in suite.cases}))
            statements += gold_of(suite, at, explain=explain)
            statements += mutants_of(suite, at) if mutants else []
            used += suite.files
            if given and suite is suites[0]:
                systems = read_predictions(given, suite.cases, sampled=limit is not None)
                options["systems"] = len(systems)
                used += [system.path for system in systems]
                for system in systems:
                    statements += drafts_of(suite, at, system.name, dict(system.sql), explain=explain)
        if not statements:
            raise SuiteError("The set has no statement to judge", where=str(folder))
        known = fingerprint(dict.fromkeys(used), suites[0].root, options)
        progress = stack.enter_context(Progress("guard"))
        rows = run(
            statements,
            judge,
            key=lambda statement: statement.id,
            jobs=jobs,
            group=lambda statement: statement.place.db,
            journal=journal_of(out),
            fingerprint=f"{VERSION} {known}",
            progress=progress,
        )
    parts = {suite.engine: summarize([r for r in rows if _of(r, suite.engine)]) for suite in suites}
    summary = {
        "suite": f"guard/{suites[0].name}",
        "n": len(rows),
        "version": VERSION,
        "coverage": sum(row["status"] == "ok" for row in rows) / len(rows),
        "options": options,
        "fingerprint": known,
        "failed": sum(row["status"] != "ok" for row in rows),
        **parts[suites[0].engine],
        "engines": {
            engine: {k: v for k, v in part.items() if not isinstance(v, list)}
            for engine, part in parts.items()
        },
    }
    for suite in suites[1:]:  # what went wrong is listed whichever engine it was on
        for name, found in parts[suite.engine].items():
            if isinstance(found, list):
                summary[name] = [*summary[name], *found]
    write(out, summary, rows, timings)
    _tell(rows, summary["suite"], weights)


def _tell(rows: Sequence[Mapping[str, Any]], suite: str, path: Path | None) -> None:
    """For each warning: on how many drafts it fired, how many of those are right, what it weighs; on how much gold."""
    done = [row for row in rows if row["status"] == "ok"]
    drafts = [row for row in done if row["kind"] == "draft"]
    gold: Counter[str] = Counter(
        f"{code} {severity}"
        for row in done
        if row["kind"] == "gold"
        for code, severity in row["severities"].items()
    )
    command = f"bunmyaku eval guard {suite.split('/')[1]} --predictions DIR --weights FILE"
    table = measured(drafts, command)
    typer.echo("\n".join(lines(table, gold)))
    if any(row["right"] is not None for row in drafts):
        for name, value in calibration(drafts).items():
            typer.echo(f"{name} {value:.4f}" if value is not None else f"{name} -")
    if path is not None:
        if not table["weights"]:
            raise EvalError("No draft was judged", where=str(path), todo="Give --predictions.")
        write_weights(path, table)


def editions(folder: Path, questions: Path | None, limit: int | None) -> list[Suite]:
    """The set, once for each engine that it has databases for. Raises `SuiteError`."""
    first = load(folder, questions, None, limit)
    other: Engine = "postgres" if first.engine == "sqlite" else "sqlite"
    try:
        return [first, load(folder, questions, other, limit)]
    except SuiteError:  # the file of questions was read just now: it is the databases that are not there
        return [first]


def gold_of(suite: Suite, at: dict[str, Place], *, explain: bool) -> list[Statement]:
    """The gold of every question; of tasks that do more than read, what must be refused."""
    return [
        Statement(
            f"{suite.engine}:gold/{case.id}",
            "write" if case.unscored == "gold_not_a_query" else "gold",
            at[case.db],
            case.gold[0],
            explain,
            suite.engine,
        )
        for case in suite.cases
        if case.gold and case.unscored in ("", "gold_not_a_query")
    ]


def mutants_of(suite: Suite, at: dict[str, Place]) -> list[Statement]:
    """The gold of every question, to be mistaken in small ways."""
    return [
        Statement(
            f"{suite.engine}:mutants/{case.id}", "mutants", at[case.db], case.gold[0], dialect=suite.engine
        )
        for case in suite.cases
        if case.gold and not case.unscored
    ]


def drafts_of(
    suite: Suite, at: dict[str, Place], system: str, sql: dict[str, str], *, explain: bool
) -> list[Statement]:
    """The drafts of one system."""
    cases = {case.id: case for case in suite.cases}
    return [
        Statement(
            f"{suite.engine}:{system}/{key}",
            "draft",
            at[cases[key].db],
            text,
            explain,
            suite.engine,
            cases[key].gold if not cases[key].unscored else (),
            cases[key].columns,
        )
        for key, text in sql.items()
    ]


def _of(row: dict[str, object], engine: Engine) -> bool:
    return str(row["id"]).startswith(f"{engine}:")
