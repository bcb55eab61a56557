"""A question put to a drafter, as a row: the draft, whether it would have been offered, and whether it is right.

The best draft is judged however doubtful (`execution_accuracy` asks what the drafter can do); `answered` says
whether the asker would have got it (offered at the drafter's own threshold, allowed, run).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import perf_counter
from typing import Any, Protocol, runtime_checkable

from app.settings import ModelSettings
from evals.cases import Case
from evals.drafting.building import drafter_for
from evals.drafting.judging import CALLER, Gold, Judged, gold_of, judge, marks, tried, unscored
from evals.drafting.opened import Opened, opened
from evals.drafting.places import Place
from retrieval.types import Context
from text2sql.attempting import ROUNDS
from text2sql.errors import WarehouseError
from text2sql.types import Draft, Drafter, Drafting, ModelCall
from text2sql.voting import Candidate, vote

_DRAFTS = 5
"""Drafts that are asked for where they vote."""


@dataclass(frozen=True)
class Asking:
    """How every question of a run is asked. Small enough to be sent to a worker."""

    places: Mapping[str, Place]
    today: datetime
    drafter: str = "offline"
    model: ModelSettings | None = None
    seconds: float = 10.0
    elsewhere: bool = False
    """Ask another database of the set than the question is about."""
    vote: bool = False
    """Of several drafts take the one that most agree with."""


@runtime_checkable
class BestEffort(Protocol):
    """A drafter that also tells what it would not offer."""

    def best_effort(self, question: str, context: Context, n: int = 1) -> tuple[Drafting, Draft | None]:
        """What it offers, and the best that it has."""
        ...


def other(case_id: str, db: str, names: Sequence[str]) -> str:
    """Another database of the set, always the same one for the same question."""
    rest = sorted(name for name in names if name != db)
    number = int.from_bytes(hashlib.sha256(case_id.encode()).digest()[:8], "big")
    return rest[number % len(rest)]


def ask(asking: Asking, case: Case) -> dict[str, Any]:
    """One question as a row."""
    db = other(case.id, case.db, list(asking.places)) if asking.elsewhere else case.db
    row: dict[str, Any] = {"id": case.id, "db": case.db}
    if asking.elsewhere:
        row["asked"] = db
    if case.unscored and not asking.elsewhere:
        return {**row, "status": "unscored", "reason": case.unscored}
    refusing = asking.elsewhere or case.expected == "refuse"
    try:
        at = opened(asking.places[db])
        gold = () if refusing else gold_of(case, at, asking.seconds)
    except WarehouseError as error:
        return {**row, **unscored(error)}
    drafter = drafter_for(asking.drafter, asking.model, asking.today, at)
    context = Context(case.question, CALLER, case.language, (), 0, 4000)
    started = perf_counter()
    drafting, best = _drafted(drafter, context, _DRAFTS if asking.vote else 1)
    drafted = perf_counter() - started
    if best is None or (refusing and not drafting.drafts):
        found = {**_declined(drafting, best, refusing), **marks(case, gold, exact=False)}
        times = {"seconds": drafted, "timings": {"draft": drafted}}
        return {**row, **found, **times, **_model(drafting.calls, drafting.failure)}
    if asking.vote and len(drafting.drafts) > 1:
        best, judged = _voted(drafting.drafts, case, gold, at, asking.seconds)
    else:
        offered = replace(drafting, drafts=drafting.drafts or (best,))
        rounds = asking.model.rounds if asking.model else ROUNDS
        judged = tried(offered, context, case, gold, at, asking.seconds, drafter, rounds)
        best = judged.draft or best
    timings = dict(judged.timings)
    timings["draft"] = timings.get("draft", 0.0) + drafted
    return {
        **row,
        **_row(best, judged, case, gold, offered=bool(drafting.drafts), refusing=refusing),
        "seconds": sum(timings.values()),
        "timings": timings,
        **_model((*drafting.calls, *judged.calls), drafting.failure),
    }


def _drafted(drafter: Drafter, context: Context, n: int) -> tuple[Drafting, Draft | None]:
    if isinstance(drafter, BestEffort):
        return drafter.best_effort(context.question, context, n)
    drafting = drafter.draft(context.question, context, n)
    drafts = [*drafting.drafts, *(choice.draft for choice in drafting.choices)]
    return drafting, next(iter(drafts), None)


def _voted(
    drafts: Sequence[Draft], case: Case, gold: tuple[Gold, ...], at: Opened, seconds: float
) -> tuple[Draft, Judged]:
    """The draft that most agree with, as sure as they agree; the first where none runs."""
    judged = [judge(draft.sql, case, gold, at, seconds) for draft in drafts]
    found = vote([Candidate(draft.sql, each.rows) for draft, each in zip(drafts, judged, strict=True)])
    chosen = found.chosen or 0
    return replace(drafts[chosen], confidence=found.agreement), judged[chosen]


def _declined(drafting: Drafting, best: Draft | None, refusing: bool) -> dict[str, Any]:
    return {
        "sql": best.sql if best else None,
        "status": "declined",
        "correct": refusing,
        "answered": False,
        "asked_back": bool(drafting.clarify),
        "confidence": best.confidence if best else 0.0,
    }


def _row(
    best: Draft, judged: Judged, case: Case, gold: tuple[Gold, ...], *, offered: bool, refusing: bool
) -> dict[str, Any]:
    answered = offered and judged.status in ("correct", "wrong")
    row: dict[str, Any] = {
        "sql": best.sql,
        "status": judged.status,
        "correct": not answered if refusing else judged.correct,
        "answered": answered,
        "confidence": best.confidence,
        **marks(case, gold, exact=judged.exact),
    }
    if judged.reason:
        row["reason"] = judged.reason
    return row


def _model(calls: Sequence[ModelCall], failure: str) -> dict[str, Any]:
    """What a chat model took, and why it could not be used; nothing where none was."""
    if not calls and not failure:
        return {}
    found: dict[str, Any] = {
        "calls": len(calls),
        "input_tokens": sum(call.input_tokens for call in calls),
        "output_tokens": sum(call.output_tokens for call in calls),
    }
    return {**found, "model_failure": failure} if failure else found
