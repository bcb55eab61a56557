"""`bunmyaku eval linking`: whether the tables that a question needs come first among all there are."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.catalogs import catalogs, united
from evals.errors import SuiteError
from evals.gold_tables import gold_tables
from evals.paths import journal_of
from evals.progress import Progress
from evals.ranking import averages, complete, recall
from evals.report import fingerprint, latency, write
from evals.runner import run
from evals.suites.databases import Suite, load
from retrieval.embeddings import build_embeddings
from text2sql.table_linking import TableRanker
from text2sql.types import Catalog

VERSION = "linking 1"
DEPTHS = (5, 10, 20)
MEASURES = (*(f"recall@{k}" for k in DEPTHS), *(f"all@{k}" for k in DEPTHS))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the qualified names of its gold tables, empty where they cannot be told."""

    id: str
    suite: str
    question: str
    tables: frozenset[str]


def command(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Sets whose schemas stand together.")],
    out: Annotated[Path, typer.Option("--out", help="Where the report goes (JSON).")],
    questions: Annotated[
        Path | None, typer.Option("--questions", help="Another file of questions, of the first DIR.")
    ] = None,
    timings: Annotated[Path | None, typer.Option("--timings", help="A file of their own for times.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many questions a set.")] = None,
    embeddings: Annotated[str, typer.Option("--embeddings", help="`none`: words alone.")] = "minilm",
) -> None:
    """Put the schemas of all databases into one catalogue and look for each question's gold tables in it."""
    suites = [load(folder, None if at else questions, limit=limit) for at, folder in enumerate(folders)]
    started = time.perf_counter()
    catalog = united(_all(suites).items(), "sqlite")
    model = None if embeddings == "none" else build_embeddings(embeddings)
    ranker = TableRanker(catalog, model)
    ranker.rank("", 1)
    built = time.perf_counter() - started
    names = {table.qualified.casefold() for table in catalog.tables}
    asked = _told_apart([item for suite in suites for item in _asked(suite, names)])
    options = {"limit": limit, "embeddings": model.identity if model else "none"}
    files = {path: suite for suite in suites for path in suite.files}
    known = fingerprint(files, Path(folders[0]).parent, options)
    with Progress("linking") as progress:
        rows = run(
            asked,
            partial(link, ranker),
            key=lambda item: item.id,
            journal=journal_of(out),
            fingerprint=f"{VERSION} {known}",
            progress=progress,
        )
    summary = {
        "suite": "linking/" + "+".join(suite.name for suite in suites),
        "n": len(rows),
        "version": VERSION,
        "coverage": sum(row["status"] != "unscored" for row in rows) / len(rows),
        "options": options,
        "fingerprint": known,
        "tables": len(names),
        "databases": len({table.schema for table in catalog.tables}),
        **_scores(rows),
        "sets": {
            suite.name: _scores([row for row in rows if row.get("suite") == suite.name]) for suite in suites
        },
        **latency([row.get("seconds") for row in rows]),
        "build_seconds": built,
    }
    write(out, summary, rows, timings)


def link(ranker: TableRanker, asked: Asked) -> dict[str, Any]:
    """One question as a row: the first 20 tables, and how many of its own are among them."""
    started = time.perf_counter()
    ranked = [table.qualified.casefold() for table, _ in ranker.rank(asked.question, max(DEPTHS))]
    row: dict[str, Any] = {"id": asked.id, "suite": asked.suite, "status": "ok"}
    seconds = time.perf_counter() - started
    if not asked.tables:
        return {**row, "status": "unscored", "ranked": ranked, "seconds": seconds}
    found = {f"recall@{k}": recall(ranked, asked.tables, k) for k in DEPTHS}
    whole = {f"all@{k}": complete(ranked, asked.tables, k) for k in DEPTHS}
    return {**row, **found, **whole, "tables": sorted(asked.tables), "ranked": ranked, "seconds": seconds}


def _scores(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    scored = [row for row in rows if row["status"] != "unscored"]
    for row in scored:
        if row["status"] == "error":  # what could not be ranked was not found
            row.update(dict.fromkeys(MEASURES, 0.0))
    return {"scored": len(scored), **averages(scored, MEASURES)}


def _all(suites: Sequence[Suite]) -> dict[str, Catalog]:
    """Every database with its catalogue. Raises `SuiteError` where two sets have one of the same name."""
    found: dict[str, Catalog] = {}
    for suite in suites:
        for db, catalog in catalogs(suite):
            if db in found:
                raise SuiteError(f"Two sets have a database called {db!r}", where=suite.name)
            found[db] = catalog
    return found


def _told_apart(asked: list[Asked]) -> list[Asked]:
    """Ids that two sets share carry the name of their set."""
    times = Counter(item.id for item in asked)
    return [replace(item, id=f"{item.suite}/{item.id}") if times[item.id] > 1 else item for item in asked]


def _asked(suite: Suite, names: set[str]) -> list[Asked]:
    """The questions; those whose gold reads a table that the catalogue does not have are left unscored."""
    result = []
    for case in suite.cases:
        read = frozenset(
            f"{case.db}.{name}".casefold()
            for name in (gold_tables(case.gold[0], case.dialect) if case.gold and not case.unscored else ())
        )
        result.append(Asked(case.id, suite.name, case.question, read if read <= names else frozenset()))
    return result
