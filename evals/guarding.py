"""What the guard says of a statement beside what the engine says of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evals.comparing import is_ordered, is_query
from evals.drafting.opened import ROWS, Opened, grid, opened
from evals.drafting.places import Place
from evals.flagging import flagged, gold_warned, mutants_of, share, warned, weights
from evals.order_free import without_limit
from evals.report import latency
from retrieval.types import Principal
from text2sql.errors import QueryTimeout, WarehouseError
from text2sql.guard import SqlGuard
from text2sql.same_rows import Grid, same_rows
from text2sql.types import Limits, Verdict

VERSION = "guard 2"
CALLER = Principal("eval")
SECONDS = 10.0
_TOO_MUCH = ("More rows than can be compared", "The query needs more memory than it may use")
"""The statement ran; it is only that its rows cannot be kept."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement to judge. `kind`: gold that should run, a draft that may, or a task that does more than read.

    `mutants`: gold whose mutants of meaning are judged. `gold` (drafts only): statements any of which is right.
    """

    id: str
    kind: Literal["gold", "draft", "write", "mutants"]
    place: Place
    sql: str
    explain: bool = False
    dialect: str = "sqlite"
    gold: tuple[str, ...] = ()
    columns: Literal["exact", "subset"] = "exact"


def judge(statement: Statement) -> dict[str, Any]:
    """One statement as a row: verdict, milliseconds of the check, and whether the engine runs it as written.

    `same` (gold only): whether the text that the guard wrote gives the rows of the text that it was given.
    """
    at = opened(statement.place)
    if statement.kind == "mutants":
        found = mutants_of(at, statement.sql, statement.dialect, CALLER)
        return {"id": statement.id, "kind": "mutants", "status": "ok", "mutants": found}
    started = time.perf_counter()
    verdict = SqlGuard().check(statement.sql, at.catalog, CALLER)
    seconds = time.perf_counter() - started
    allowed, code = verdict.allowed, verdict.violations[0].code if verdict.violations else ""
    if allowed and statement.explain and (problem := _explained(at, verdict)):
        allowed, code = False, f"explain: {problem}"
    row = {
        "id": statement.id,
        "kind": statement.kind,
        "db": statement.place.db,
        "status": "ok",
        "allowed": allowed,
        "code": code,
        "severities": warned(verdict),
    }
    if statement.kind == "write":
        return {**row, "runs": None, "problem": "", "same": None, "sql": statement.sql, "seconds": seconds}
    runs, problem, same = _run(at, statement, verdict if allowed else None)
    row |= {"runs": runs, "problem": problem, "same": same, "sql": statement.sql, "seconds": seconds}
    return {**row, **_right(at, statement, runs=runs)} if statement.kind == "draft" else row


def _right(at: Opened, statement: Statement, *, runs: bool) -> dict[str, bool | None]:
    """Whether a draft gives the rows of a gold statement, None where that cannot be said; and whether it gives none."""
    if not statement.gold:
        return {"right": None, "empty": False}
    if not runs:
        return {"right": False, "empty": False}
    try:
        found = at.gold(statement.sql, SECONDS)
        right = any(
            same_rows(
                at.gold(sql, SECONDS),
                found,
                ordered=is_ordered(sql, statement.dialect),
                columns=statement.columns,
            )
            for sql in statement.gold
        )
    except WarehouseError:
        return {"right": None, "empty": False}
    return {"right": right, "empty": found.height == 0}


def _explained(at: Opened, verdict: Verdict) -> str:
    try:
        at.warehouse.explain(verdict.sql, verdict.parameters)
    except WarehouseError as error:
        return error.what
    return ""


def _run(at: Opened, statement: Statement, verdict: Verdict | None) -> tuple[bool, str, bool | None]:
    """Whether the engine runs it, why not, and whether what the guard wrote gives the same."""
    if statement.place.engine == "postgres" and not is_query(statement.sql, "postgres"):
        return False, "not a query", None
    try:
        wanted = at.gold(statement.sql, SECONDS)
    except QueryTimeout:
        return True, "too slow to compare", None
    except WarehouseError as error:
        return error.what in _TOO_MUCH, error.what, None
    if verdict is None or statement.kind != "gold":
        return True, "", None
    found = _written(at, verdict.sql, verdict)
    if isinstance(found, str):
        return True, f"as written by the guard: {found}", False
    if same_rows(wanted, found, ordered=is_ordered(statement.sql, statement.dialect)):
        return True, "", True
    return True, *_uncut(at, statement, verdict)


def _written(at: Opened, sql: str, verdict: Verdict) -> Grid | str:
    try:
        return grid(at.warehouse.run(sql, Limits(rows=ROWS, seconds=SECONDS), verdict.parameters))
    except WarehouseError as error:
        return error.what


def _uncut(at: Opened, statement: Statement, verdict: Verdict) -> tuple[str, bool]:
    """Where LIMIT cuts by chance, which rows come is the engine's affair: both are compared without it."""
    whole = without_limit(statement.sql, statement.dialect)
    written = without_limit(verdict.sql, statement.dialect)
    if whole is None or written is None:
        return "", False
    try:
        wanted = at.gold(whole, SECONDS)
    except WarehouseError as error:
        return f"without LIMIT: {error.what}", False
    found = _written(at, written, verdict)
    same = not isinstance(found, str) and same_rows(wanted, found)
    return ("compared without LIMIT" if same else "also without LIMIT"), same


def summarize(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Shares with intervals: gold accepted and unchanged, writes refused, drafts refused that fail and the reverse."""
    mutants = [m for row in rows if row["status"] == "ok" for m in row.get("mutants", ())]
    judged = [row for row in rows if row["status"] == "ok" and row.get("kind") != "mutants"]
    gold = [row for row in judged if row["kind"] == "gold" and row["runs"]]
    writes = [row for row in judged if row["kind"] == "write"]
    drafts = [row for row in judged if row["kind"] == "draft"]
    failing = [row for row in drafts if not row["runs"]]
    refused = [row for row in drafts if not row["allowed"]]
    caught = sum(not row["allowed"] for row in failing)
    return {
        "gold": len(gold),
        "gold_failing": sum(row["kind"] == "gold" and not row["runs"] for row in judged),
        "gold_accepted": share(sum(row["allowed"] for row in gold), len(gold)),
        "gold_same": share(
            sum(row["same"] is True for row in gold), sum(row["same"] is not None for row in gold)
        ),
        "gold_without_limit": sum(row["problem"] == "compared without LIMIT" for row in gold),
        **gold_warned(gold),
        **(flagged(mutants) if mutants else {}),
        "writes": len(writes),
        "writes_refused": share(sum(not row["allowed"] for row in writes), len(writes)),
        "drafts": len(drafts),
        "drafts_failing": len(failing),
        "precision": share(caught, len(refused)),
        "recall": share(caught, len(failing)),
        "weights": weights(drafts),
        "failing_passed": [_named(row) for row in failing if row["allowed"]],
        "running_refused": [_named(row) for row in refused if row["runs"]],
        "gold_refused": [_named(row) for row in gold if not row["allowed"]],
        "gold_changed": [_named(row) for row in gold if row["same"] is False],
        "writes_passed": [_named(row) for row in writes if row["allowed"]],
        **latency([row["seconds"] for row in judged]),
    }


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {"id": row["id"], "code": row["code"], "problem": row["problem"], "sql": row["sql"][:400]}
