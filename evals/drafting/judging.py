"""One draft against the gold: guard, plan, run, compare. Nothing that the guard refuses counts as right."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

from evals.cases import Case
from evals.comparing import is_ordered
from evals.drafting.opened import Opened, grid
from retrieval.types import Principal
from text2sql.errors import QueryTimeout, WarehouseError
from text2sql.guard import SqlGuard
from text2sql.same_rows import Grid, same_rows
from text2sql.types import Limits

Status = Literal["correct", "wrong", "declined", "refused", "failed", "timeout"]
CALLER = Principal("eval")
_SLACK = 1_000
"""Rows fetched beyond the longest gold: enough to see that there are more."""


@dataclass(frozen=True)
class Gold:
    """What a gold statement gives, and whether its order counts."""

    rows: Grid
    ordered: bool


@dataclass(frozen=True)
class Judged:
    """What became of one draft. `exact`: right without columns beside the gold's. `reason`: why it did not run."""

    status: Status
    rows: Grid | None = None
    exact: bool = False
    reason: str = ""
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def correct(self) -> bool:
        """Whether it answers the question."""
        return self.status == "correct"


def gold_of(case: Case, at: Opened, seconds: float) -> tuple[Gold, ...]:
    """What the gold statements give on this database, the set's own first.

    Raises `WarehouseError` where that one does not run; others that do not are left out.
    """
    found: list[Gold] = []
    for position, sql in enumerate(case.gold):
        try:
            rows = at.gold(sql, seconds)
        except WarehouseError:
            if position == 0:
                raise
            continue
        ordered = case.ordered if case.ordered is not None else is_ordered(sql, case.dialect)
        found.append(Gold(rows, ordered))
    return tuple(found)


def judge(sql: str, case: Case, gold: tuple[Gold, ...], at: Opened, seconds: float) -> Judged:
    """Put one draft through guard, plan check and engine, and compare. Without gold (a question that the database
    cannot answer), whatever runs is `wrong`."""
    timings: dict[str, float] = {}
    started = perf_counter()
    verdict = SqlGuard().check(sql, at.catalog, CALLER)
    timings["guard"] = perf_counter() - started
    if not verdict.allowed:
        return Judged("refused", reason=verdict.violations[0].code, timings=timings)
    # Whole results, up to a bound that a vote can still compare.
    most = max(50_000, *(g.rows.height + _SLACK for g in gold)) if gold else 50_000
    try:
        started = perf_counter()
        at.warehouse.explain(verdict.sql, verdict.parameters)
        timings["explain"] = perf_counter() - started
        started = perf_counter()
        result = at.warehouse.run(verdict.sql, Limits(rows=most, seconds=seconds), verdict.parameters)
        timings["run"] = perf_counter() - started
    except QueryTimeout as error:
        return Judged("timeout", reason=error.what, timings=timings)
    except WarehouseError as error:
        return Judged("failed", reason=error.what, timings=timings)
    if result.truncated:
        return Judged("wrong", reason="too_many_rows", timings=timings)
    return compared(grid(result), case, gold, timings)


def compared(
    rows: Grid, case: Case, gold: tuple[Gold, ...], timings: dict[str, float] | None = None
) -> Judged:
    """A result against the gold."""
    exact = any(same_rows(g.rows, rows, ordered=g.ordered) for g in gold)
    right = exact or any(same_rows(g.rows, rows, ordered=g.ordered, columns=case.columns) for g in gold)
    return Judged("correct" if right else "wrong", rows, exact, timings=timings or {})


def would_be_right(sql: str, case: Case, gold: tuple[Gold, ...], at: Opened, seconds: float) -> bool:
    """Whether a draft that the guard refused would have been right: what the guard costs. It runs read-only."""
    try:
        return compared(at.gold(sql, seconds), case, gold).correct
    except WarehouseError:
        return False
