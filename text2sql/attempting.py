"""From drafts to rows: draft → guard → explain → run, and back to the drafter with what was said against it.

The one loop of the house: the assistant walks it step by step, evaluations at once. Nothing runs that the guard did
not allow, whichever round it is; a draft that was refused once is not tried a second time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from time import perf_counter

from retrieval.types import Context, Principal
from text2sql.cost import (
    BUDGET_SPENT,
    CHANGED,
    CONFIRM,
    TOO_EXPENSIVE,
    BudgetState,
    Paid,
    Purse,
    shown,
    statement_hash,
)
from text2sql.doubting import DOUBTFUL, doubted, settled
from text2sql.errors import QueryCancelled, WarehouseError, WarehouseUnavailable
from text2sql.from_data import from_data
from text2sql.policy import Policy
from text2sql.problems import problems_of
from text2sql.types import (
    Catalog,
    Draft,
    Drafter,
    Drafting,
    Estimate,
    FailedDraft,
    Guard,
    Limits,
    ModelCall,
    ResultSet,
    Reviser,
    Verdict,
    Warehouse,
)

ROUNDS = 3
"""Drafts that are put to the guard before giving up."""
ANYTHING = "*"
"""Agreed to beforehand, whatever it reads."""
READS_NOTHING = "reads_nothing"
_ADVICE = {
    TOO_EXPENSIVE: "too expensive: it would read more rows than one query may; narrow the period or read fewer tables",
    READS_NOTHING: "its rows do not come from the tables: select columns or aggregates of them, or decline",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One draft with what the guard and the engine said of it."""

    draft: Draft
    verdict: Verdict
    estimate: Estimate | None = None
    """As far as the caller may know of it: see `cost.shown`."""
    error: str = ""
    budget: BudgetState | None = None
    """Why the day's budget does not suffice; None where it does, or nobody counts."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What drafts are put to. `catalog` is the whole one: the guard narrows it, and knows what is withheld."""

    warehouse: Warehouse
    guard: Guard
    policy: Policy | None
    limits: Limits
    catalog: Catalog | None = None
    """None: the warehouse's own."""
    purse: Purse | None = None
    """What pays for queries; None: nobody counts."""
    known: Catalog | None = None
    """The catalogue as this caller sees it, with what their own rows hold: for the guard's warnings."""
    agreed: str = ""
    """The hash of the statement that a person agreed to, or `ANYTHING`: it runs above `limits.confirm_rows`."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The guard spoke on one draft."""

    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True)
class Executed:
    """The warehouse answered."""

    result: ResultSet
    seconds: float


@dataclass(frozen=True, slots=True)
class Revised:
    """The drafter was told what is wrong and came back with this."""

    drafting: Drafting
    seconds: float


Step = Checked | Executed | Revised


@dataclass
class Attempted:
    """How it ended. `result` is None when no draft came to rows; `chosen` is the draft that came furthest last.

    `drafting` is the drafter's last word: after a revision it may be a decline or a question back.
    """

    drafting: Drafting
    attempts: list[Attempt] = field(default_factory=list)
    chosen: Draft | None = None
    verdict: Verdict | None = None
    result: ResultSet | None = None
    calls: tuple[ModelCall, ...] = ()
    """What revising took; the first drafting's own are not among them."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Spent on `guard`, `run` (with explaining) and `draft` (revising)."""

    @property
    def withheld(self) -> tuple[str, ...]:
        """Discoverable tables that the last draft named and the caller may not read."""
        return self.verdict.withheld if self.verdict is not None else ()

    def spent(self, part: str, started: float) -> float:
        """Add the seconds since `started`; returns them."""
        seconds = perf_counter() - started
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds
        return seconds


def attempt(
    question: str,
    context: Context,
    drafting: Drafting,
    principal: Principal,
    engine: Engine,
    *,
    drafter: Drafter | None = None,
    rounds: int = ROUNDS,
) -> Attempted:
    """The whole loop at once. `drafter` revises where it can (None: only the drafts at hand are tried)."""
    steps = attempting(question, context, drafting, principal, engine, drafter=drafter, rounds=rounds)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            done: Attempted = end.value
            return done


def attempting(
    question: str,
    context: Context,
    drafting: Drafting,
    principal: Principal,
    engine: Engine,
    *,
    drafter: Drafter | None = None,
    rounds: int = ROUNDS,
) -> Generator[Step, None, Attempted]:
    """Step by step; at most `rounds` drafts are put to the guard. Returns how it ended, raises nothing of its own."""
    state = Attempted(drafting)
    waiting = deque(drafting.drafts)
    tried: set[str] = set()
    failed: list[FailedDraft] = []
    while len(tried) < rounds:
        draft = _next(waiting, tried)
        if draft is None:
            if not failed or not isinstance(drafter, Reviser) or state.drafting.failure:
                break
            started = perf_counter()
            revised = drafter.revise(question, context, failed)
            state.calls += revised.calls
            yield Revised(revised, state.spent("draft", started))
            fresh = [one for one in revised.drafts if key(one.sql) not in tried]
            if revised.drafts and not fresh:
                # It insists on what was refused: the reasons already given are the answer.
                break
            # Linked objects and everything else of the first drafting stay, for the record.
            state.drafting = replace(revised, linked=revised.linked or drafting.linked)
            if not fresh:
                break
            waiting.extend(fresh)
            continue
        tried.add(key(draft.sql))
        problems = yield from _try(draft, principal, engine, state)
        if problems is None:
            return state
        failed.append(FailedDraft(draft, problems))
    return state


def key(sql: str) -> str:
    """What makes two drafts the same: their text, but for white space and a closing semicolon."""
    return " ".join(sql.split()).rstrip("; ")


def _next(waiting: deque[Draft], tried: set[str]) -> Draft | None:
    while waiting:
        draft = waiting.popleft()
        if key(draft.sql) not in tried:
            return draft
    return None


def _try(
    draft: Draft, principal: Principal, engine: Engine, state: Attempted
) -> Generator[Step, None, tuple[str, ...] | None]:
    """One draft. None: it is decided (rows, or withheld, or no use in going on); else what was wrong with it."""
    started = perf_counter()
    catalog = engine.catalog or engine.warehouse.catalog()
    if engine.known is None:
        verdict = engine.guard.check(draft.sql, catalog, principal, engine.policy)
    else:
        verdict = engine.guard.check(draft.sql, catalog, principal, engine.policy, known=engine.known)
    yield Checked(verdict, state.spent("guard", started))
    state.chosen, state.verdict = draft, verdict
    if not verdict.allowed:
        state.attempts.append(Attempt(draft, verdict))
        return None if verdict.withheld else problems_of(verdict)
    if doubts := doubted(draft, verdict):
        state.attempts.append(Attempt(draft, verdict, error=DOUBTFUL))
        return doubts
    started = perf_counter()
    tried, result, final = _run(draft, verdict, principal, engine)
    seconds = state.spent("run", started)
    state.attempts.append(tried)
    state.result = result
    if result is not None:
        state.chosen, state.verdict = settled(draft, verdict, result)
        yield Executed(result, seconds)
        return None
    if final:
        return None
    return (_ADVICE.get(tried.error, tried.error),)


def _run(
    draft: Draft, verdict: Verdict, principal: Principal, engine: Engine
) -> tuple[Attempt, ResultSet | None, bool]:
    """Explain, then run. The last is True when another draft would fare no better (stopped, or no warehouse)."""
    tried = Attempt(draft, verdict)
    if draft.origin == "model" and not from_data(draft.sql, engine.warehouse.dialect):
        # The guard keeps out what may not be read; a figure that was never read is no answer either.
        return replace(tried, error=READS_NOTHING), None, False
    if engine.agreed not in ("", ANYTHING, statement_hash(verdict, principal)):
        return replace(tried, error=CHANGED), None, True
    try:
        found = engine.warehouse.explain(verdict.sql, verdict.parameters)
        estimate = shown(found, verdict, engine.catalog or engine.warehouse.catalog())
        tried = replace(tried, estimate=estimate)
        if stop := _too_much(estimate, engine):
            return replace(tried, error=stop), None, stop == CONFIRM
        paid = engine.purse.pay(principal, estimate, engine.limits) if engine.purse else None
        if isinstance(paid, BudgetState):
            return replace(tried, error=BUDGET_SPENT, budget=paid), None, True
        return tried, _run_paid(verdict, engine, paid), False
    except WarehouseError as error:
        # Only the kind of error and our own sentence: an engine's text can hold values the caller may not see.
        said = f"{type(error).__name__}: {error.what}"
        return replace(tried, error=said), None, isinstance(error, QueryCancelled | WarehouseUnavailable)


def _too_much(estimate: Estimate, engine: Engine) -> str:
    """Why it must not run as it is: too much for one query, or enough to be asked first; "" where it may."""
    work, limits = estimate.work or 0, engine.limits
    if limits.estimated_rows is not None and work > limits.estimated_rows:
        return TOO_EXPENSIVE
    if limits.confirm_rows is not None and work > limits.confirm_rows and not engine.agreed:
        return CONFIRM
    return ""


def _run_paid(verdict: Verdict, engine: Engine, paid: Paid | None) -> ResultSet:
    started, ran = perf_counter(), True
    try:
        limits = paid.limits if paid else engine.limits
        return engine.warehouse.run(verdict.sql, limits, verdict.parameters)
    except WarehouseUnavailable:
        ran = False
        raise
    finally:
        if paid is not None:
            paid.settle(perf_counter() - started, ran=ran)
