"""One draft against the gold: guard, plan, run, compare. Nothing that the guard refuses counts as right."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from evals.cases import Case
from evals.comparing import is_ordered
from evals.drafting.opened import Opened, grid
from retrieval.types import Context, Principal
from text2sql.attempting import Attempted, Engine, attempt
from text2sql.errors import QueryTimeout, WarehouseError, WarehouseUnavailable
from text2sql.guard import SqlGuard
from text2sql.same_rows import Grid, same_rows
from text2sql.types import Draft, Drafter, Drafting, Limits, ModelCall

Status = Literal["correct", "wrong", "declined", "refused", "failed", "timeout"]
CALLER = Principal("eval")
_GUARD = SqlGuard()
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
    draft: Draft | None = None
    calls: tuple[ModelCall, ...] = ()

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
    """One text through guard, plan check and engine, and compared; see `tried`."""
    draft = Draft(sql, "person", 1.0)
    context = Context(case.question, CALLER, case.language, (), 0, 0)
    return tried(Drafting(drafts=(draft,)), context, case, gold, at, seconds)


def tried(
    drafting: Drafting,
    context: Context,
    case: Case,
    gold: tuple[Gold, ...],
    at: Opened,
    seconds: float,
    drafter: Drafter | None = None,
    rounds: int = 1,
) -> Judged:
    """Walk the house's own loop (guard, plan check, run, revise where `drafter` can) and compare what comes of it.

    Without gold (a question that the database cannot answer), whatever runs is `wrong`.
    """
    # Whole results, up to a bound that a vote can still compare.
    most = max([50_000, *(g.rows.height + _SLACK for g in gold)])
    engine = Engine(at.warehouse, _GUARD, None, Limits(rows=most, seconds=seconds), at.catalog)
    done = attempt(case.question, context, drafting, CALLER, engine, drafter=drafter, rounds=rounds)
    found = _outcome(done, case, gold)
    return replace(found, timings=dict(done.seconds), draft=done.chosen, calls=done.calls)


def _outcome(done: Attempted, case: Case, gold: tuple[Gold, ...]) -> Judged:
    if done.result is not None:
        if done.result.truncated:
            return Judged("wrong", reason="too_many_rows")
        return compared(grid(done.result), case, gold)
    if done.verdict is None:
        return Judged("declined")
    if not done.verdict.allowed:
        return Judged("refused", reason=done.verdict.violations[0].code)
    error = done.attempts[-1].error
    return Judged("timeout" if error.startswith(QueryTimeout.__name__) else "failed", reason=error)


def compared(rows: Grid, case: Case, gold: tuple[Gold, ...]) -> Judged:
    """A result against the gold."""
    exact = any(same_rows(g.rows, rows, ordered=g.ordered) for g in gold)
    right = exact or any(same_rows(g.rows, rows, ordered=g.ordered, columns=case.columns) for g in gold)
    return Judged("correct" if right else "wrong", rows, exact)


def unscored(error: WarehouseError) -> dict[str, Any]:
    """What a row says where the set itself, and not the draft, is at fault: its database, or its gold."""
    reason = "database_fails" if isinstance(error, WarehouseUnavailable) else "gold_fails"
    return {"status": "unscored", "reason": reason, "detail": error.what}


def marks(case: Case, gold: tuple[Gold, ...], *, exact: bool) -> dict[str, bool]:
    """What a row says of the gold beside right or wrong: whether right without columns beside the gold's (sets that
    allow such), and that the gold finds nothing."""
    found = {"exact": exact} if gold and case.columns == "subset" else {}
    return {**found, "gold_empty": True} if gold and gold[0].rows.empty else found


def would_be_right(sql: str, case: Case, gold: tuple[Gold, ...], at: Opened, seconds: float) -> bool:
    """Whether a draft that the guard refused would have been right: what the guard costs. It runs read-only."""
    try:
        return compared(at.gold(sql, seconds), case, gold).correct
    except WarehouseError:
        return False
