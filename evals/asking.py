"""Asking the cases of a suite: each as its own user, through the whole way, on the home that is configured."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

from app.record import jsonable
from app.settings import Settings, load
from app.walk import Warehousing
from app.wiring import Application, open_application
from evals.errors import EvalError
from evals.judging import Gold, judge
from evals.suites.house import HouseCase
from retrieval.types import Clock, Principal, system_clock
from text2sql.errors import WarehouseError
from text2sql.same_rows import Grid, same_rows
from text2sql.types import Verdict

GOLD_FAILED = "gold_failed"
"""Status of a case whose own statement does not run: it has no score."""


class GoldFailed(Exception):
    """A case's own statement cannot be run; the text says why."""


def clock_of(today: datetime | None) -> Clock:
    """The real clock, or one that stands still at this (aware) time, so that "last month" means the same twice."""
    return system_clock if today is None else partial(_still, today)


def _still(today: datetime) -> datetime:
    return today


@lru_cache(maxsize=1)
def opened(home: Path, today: datetime | None) -> Application:
    """The application of this process, opened once and closed with it."""
    application = open_application(load(home), clock=clock_of(today))
    atexit.register(application.close)
    return application


def prepare(home: Path, today: datetime | None) -> None:
    """What a worker does before its first case."""
    opened(home, today)


def ask(case: HouseCase, home: Path, today: datetime | None) -> dict[str, Any]:
    """Ask one case and judge it; the row of the report."""
    application = opened(home, today)
    principal = application.principal(case.user or None)
    head = {
        "id": case.id, "question": case.question, "user": principal.id, "language": case.language,
        "kind": case.kind, "tags": list(case.tags),
    }  # fmt: skip
    try:
        gold = gold_of(case, application.warehousing, principal)
    except GoldFailed as error:
        return {**head, "status": GOLD_FAILED, "passed": None, "details": [str(error)], "leaks": []}
    started = perf_counter()
    record = application.assistant.unrecorded().answer(case.question, principal)
    seconds = perf_counter() - started
    judged = judge(case, record, gold, partial(same, ordered=case.ordered))
    return {
        **head,
        "status": "ok",
        "passed": judged.passed,
        "outcome": record.outcome,
        "route": record.route,
        "failed_part": judged.failed_part or None,
        "details": list(judged.details),
        "leaks": list(judged.leaks),
        "confidence": record.confidence,
        "seconds": seconds,
    }


def same(expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], *, ordered: bool) -> bool:
    """Whether the rows that were found hold the expected ones; an answer may show columns beside them."""
    return same_rows(_grid(expected), _grid(found), ordered=ordered, columns="subset")


def gold_of(case: HouseCase, side: Warehousing | None, principal: Principal) -> Gold:
    """Run the case's statements under this asker's policy, and those that name secrets without any.

    Raises `GoldFailed`.
    """
    if not case.sql and not case.secrets_sql:
        return Gold()
    if side is None:
        raise GoldFailed("the home has no warehouse to run the gold statement on")
    alternatives, tables = [], frozenset[str]()
    for number, sql in enumerate(case.sql):
        rows, verdict = _run(side, sql, principal, policed=True)
        alternatives.append(rows)
        tables = frozenset(verdict.tables) if number == 0 else tables
    secrets: list[Any] = []
    if case.secrets_sql:
        rows, _ = _run(side, case.secrets_sql, principal, policed=False)
        secrets = [value for row in rows for value in row.values()]
    return Gold(tuple(alternatives), tables, tuple(secrets))


def _run(
    side: Warehousing, sql: str, principal: Principal, *, policed: bool
) -> tuple[list[dict[str, Any]], Verdict]:
    verdict = side.guard.check(sql, side.warehouse.catalog(), principal, side.policy if policed else None)
    if not verdict.allowed:
        raise GoldFailed(f"gold refused: {'; '.join(v.message for v in verdict.violations)}")
    try:
        result = side.warehouse.run(verdict.sql, side.limits, verdict.parameters)
    except WarehouseError as error:
        raise GoldFailed(f"gold failed: {error.what}") from error
    return [jsonable(row) for row in result.rows()], verdict


def _grid(rows: Sequence[Mapping[str, Any]]) -> Grid:
    return Grid.of([tuple(row.values()) for row in rows], len(rows[0]) if rows else 0)


def home_of(settings: Settings, application: Application) -> dict[str, Any]:
    """What the home holds, so that a reader sees whether two runs asked the same data."""
    stats = application.stores.store.stats()
    found: dict[str, Any] = {
        "documents": stats.by_kind.get("document", 0),
        "chunks": stats.chunks,
        "model": getattr(settings.model, "name", settings.model),
    }
    if application.warehousing is not None:
        catalog = application.warehousing.warehouse.catalog()
        found["catalog"] = catalog.fingerprint
        found["rows"] = sum(table.rows or 0 for table in catalog.tables)
    return found


def files_of(settings: Settings) -> list[Path]:
    """The files of a home that decide how it answers; raises `EvalError` where one is missing."""
    names = ("semantic_model", "policy", "glossary", "verified", "situational")
    files = [settings.path(value) for name in names if (value := getattr(settings, name))]
    for path in files:
        if not path.is_file():
            raise EvalError("A file of the home is missing", where=str(path), todo="Check config.yaml.")
    return files
