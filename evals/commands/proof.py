"""`bunmyaku eval proof`: rewritten on all data = the original on the caller's copy, for real statements and random policies."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import sqlglot
import typer
from sqlglot.errors import SqlglotError

from evals.commands.guard import editions
from evals.drafting.places import Place, places
from evals.drafting.predictions import read_predictions
from evals.errors import EvalError, SuiteError
from evals.paths import journal_of
from evals.progress import Progress
from evals.proving.generating import made
from evals.proving.running import VERSION, Engine, Lot, close_all, prove, summarize
from evals.report import fingerprint, write
from evals.runner import run
from evals.suites.databases import Suite

_LOT = 150
"""Statements that share their policies."""
Texts = dict[tuple[Engine, str], list[str]]
"""(engine, database) -> distinct statements."""


def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Sets of questions over databases.")],
    out: Annotated[Path, typer.Option("--out", help="Where the report goes (JSON).")],
    predictions: Annotated[
        list[Path] | None,
        typer.Option(
            "--predictions", help="Drafts of systems for the first set, or a folder of them; repeat."
        ),
    ] = None,
    policies: Annotated[int, typer.Option("--policies", min=1, help="Random policies a statement.")] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Where the random policies begin.")] = 1,
    engine: Annotated[
        list[str] | None,
        typer.Option("--engine", help="sqlite, duckdb, postgres; repeat. Default: all there are."),
    ] = None,
    generated: Annotated[
        int, typer.Option("--generated", min=0, help="Generated statements a database.")
    ] = 0,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many questions a set.")] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes.")] = 1,
) -> None:
    """Prove the guard's rewriting on real statements under random policies; exit 1 where anything differs."""
    engines = _engines(engine)
    options = {"policies": policies, "seed": seed, "engines": engines, "generated": generated, "limit": limit}
    with ExitStack() as stack:
        stack.callback(close_all)
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="bunmyaku-proof-"))
        lots: list[Lot] = []
        used: list[Path] = []
        names: list[str] = []
        for at, folder in enumerate(folders):
            for suite in editions(folder, None, limit):
                kinds = [e for e in _kinds(suite) if e in engines]
                if not kinds:
                    continue
                found = stack.enter_context(places(suite, {case.db for case in suite.cases}))
                drafts, files = _drafts(suite, predictions if at == 0 else None, limit)
                used += [*suite.files, *files]
                names.append(suite.name)
                texts = _texts(suite, drafts, kinds)
                own = Path(scratch) / str(len(names))
                own.mkdir()
                made(texts, found, own, generated, seed)
                lots += _lots(f"{len(names)}/{suite.name}", texts, found, own, range(seed, seed + policies))
        if not lots:
            raise SuiteError("There is no statement to prove", where=", ".join(map(str, folders)))
        known = fingerprint(dict.fromkeys(used), folders[0], options)
        progress = stack.enter_context(Progress("proof"))
        rows = run(
            lots,
            prove,
            key=lambda lot: lot.id,
            jobs=jobs,
            group=lambda lot: lot.path,
            journal=journal_of(out),
            fingerprint=f"{VERSION} {known}",
            progress=progress,
        )
    summary = {
        "suite": f"proof/{'+'.join(dict.fromkeys(names))}",
        "n": len(rows),
        "version": VERSION,
        "coverage": sum(row["status"] == "ok" for row in rows) / len(rows),
        "options": options,
        "fingerprint": known,
        "failed": sum(row["status"] != "ok" for row in rows),
        **summarize(rows),
    }
    write(out, summary, [{k: v for k, v in row.items() if k != "failures"} for row in rows])
    silent = [engine for engine, part in summary["engines"].items() if not part["compared"]]
    typer.echo(
        f"{summary['statements']} statements ({summary['accepted']} taken), {summary['pairs']} pairs: {summary['equal']} equal, "
        f"{summary['differs']} differ, {summary['refused_rightly']} refused for what is not there, "
        f"{summary['refused']} refused otherwise, {summary['excluded']} excluded"
    )
    if silent:
        raise EvalError(f"Nothing could be compared on {', '.join(silent)}", where=str(out))
    if summary["differs"] or summary["failed"] or summary["lineage_failures"]:
        raise typer.Exit(1)


def _engines(given: Sequence[str] | None) -> list[Engine]:
    every: tuple[Engine, ...] = ("sqlite", "duckdb", "postgres")
    unknown = sorted(set(given or ()) - set(every))
    if unknown:
        raise EvalError(
            f"There is no engine {unknown[0]!r}", where="--engine", todo=f"Choose of {', '.join(every)}."
        )
    return [each for each in every if not given or each in given]


def _kinds(suite: Suite) -> tuple[Engine, ...]:
    """A set of SQLite files is proved on DuckDB as well, with its statements said in DuckDB's words."""
    return ("sqlite", "duckdb") if suite.engine == "sqlite" else ("postgres",)


def _drafts(
    suite: Suite, predictions: Sequence[Path] | None, limit: int | None
) -> tuple[list[tuple[str, str]], list[Path]]:
    """(database, statement) of every system, and the files that they are from."""
    if not predictions or suite.engine != "sqlite":
        return [], []
    systems = read_predictions(predictions, suite.cases, sampled=limit is not None)
    asked = {case.id: case.db for case in suite.cases}
    return [(asked[k], sql) for s in systems for k, sql in s.sql.items()], [s.path for s in systems]


def _texts(suite: Suite, drafts: Sequence[tuple[str, str]], kinds: Sequence[Engine]) -> Texts:
    found: dict[tuple[Engine, str], dict[str, None]] = {}
    gold = [(case.db, case.gold[0]) for case in suite.cases if case.gold and not case.unscored]
    for db, sql in (*gold, *drafts):
        for kind in kinds:
            text = _said(sql) if kind == "duckdb" else sql.strip()
            if text:
                found.setdefault((kind, db), {})[text] = None
    return {key: list(texts) for key, texts in found.items()}


def _said(sql: str) -> str:
    """A statement of SQLite as DuckDB says it, "" where that is not known."""
    try:
        return str(sqlglot.transpile(sql, read="sqlite", write="duckdb")[0])
    except (SqlglotError, RecursionError, IndexError):
        return ""


def _lots(name: str, texts: Texts, found: dict[str, Place], scratch: Path, seeds: range) -> Iterator[Lot]:
    for (kind, db), statements in texts.items():
        for at in range(0, len(statements), _LOT):
            # Each lot under policies of its own: a big database meets many.
            own = tuple(each + 1_000 * (at // _LOT) for each in seeds)
            chosen = tuple(statements[at : at + _LOT])
            yield Lot(f"{kind}:{name}/{db}/{at}", kind, db, found[db].url, str(scratch), own, chosen)
