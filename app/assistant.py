"""The one way a question goes; each step is one call, and the only place that knows the whole way.

    question ─► context ─► draft ─► route ─► guard ─► explain ─► run ─► answer ─► record

`Assistant.ask` yields an event a step. Each step's output can be supplied by the caller (`Given`): a draft that is
supplied is guarded like any other, and nothing runs on a verdict that is supplied.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter

from app import messages
from app.answering import DocumentAnswer, answer_from_documents
from app.charts import chart_for
from app.clauses import clauses
from app.describing import describe_result
from app.errors import GivenInvalid, QuestionInvalid
from app.events import Answered, Drafted, Event, Guarded, Ran, Retrieved, Routed
from app.outcome import Story, compose
from app.record import AnswerRecord, Attempt, RecordStore, references, summarise
from app.routing import Route, asks_for_meaning, decide
from retrieval.language import detect
from retrieval.retriever import Retriever
from retrieval.types import Clock, Context, ConversationStore, Language, Principal, Turn
from text2sql.errors import WarehouseError
from text2sql.policy import Policy
from text2sql.semantics import SemanticModel
from text2sql.types import (
    Catalog,
    Check,
    Draft,
    Drafter,
    Drafting,
    Guard,
    Limits,
    ResultSet,
    Verdict,
    Warehouse,
)

LONGEST_QUESTION = 4_000
"""Characters; what is longer is a document, not a question."""
TRIES = 3
"""Drafts that are put to the guard before giving up."""


@dataclass(frozen=True)
class Scope:
    """What one caller may name, and a drafter that knows no more than that."""

    catalog: Catalog
    drafter: Drafter


@dataclass(frozen=True)
class Warehousing:
    """Everything the query side needs; absent where no warehouse is configured."""

    warehouse: Warehouse
    guard: Guard
    policy: Policy | None
    model: SemanticModel
    scope_for: Callable[[Principal], Scope]
    limits: Limits


@dataclass(frozen=True)
class Given:
    """Steps supplied by the caller, for replay, evaluation and a person's choice among readings."""

    context: Context | None = None
    drafting: Drafting | None = None
    route: Route | None = None
    verdict: Verdict | None = None
    result: ResultSet | None = None

    def __post_init__(self) -> None:
        if self.verdict is not None and self.result is None:
            raise GivenInvalid(
                "A verdict was supplied without a result",
                where="Given",
                todo="Nothing runs on a supplied verdict.",
            )


@dataclass
class _Walk:
    """One question on its way: what the steps so far found. Lives for one call of `ask`."""

    id: str
    question: str
    principal: Principal
    conversation_id: str
    language: Language
    given: Given
    timings: dict[str, float] = field(default_factory=dict)
    context: Context | None = None
    drafting: Drafting = field(default_factory=Drafting)
    rest: str = ""
    """The part of a double question that the documents are asked; "" where it was not taken apart."""
    documents: DocumentAnswer | None = None
    route: Route | None = None
    attempts: list[Attempt] = field(default_factory=list)
    chosen: Draft | None = None
    verdict: Verdict | None = None
    result: ResultSet | None = None

    def timed(self, part: str, started: float) -> float:
        seconds = perf_counter() - started
        self.timings[part] = self.timings.get(part, 0.0) + seconds
        return seconds


class Assistant:
    """Answers questions. Safe to share between threads; holds no state of a conversation in itself."""

    def __init__(
        self,
        *,
        retriever: Retriever,
        records: RecordStore,
        conversations: ConversationStore,
        clock: Clock,
        warehousing: Warehousing | None = None,
        budget: int = 4000,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        self._retriever = retriever
        self._records = records
        self._conversations = conversations
        self._clock = clock
        self._warehousing = warehousing
        self._budget = budget
        self._versions = dict(versions or {})

    def answer(
        self,
        question: str,
        principal: Principal,
        *,
        conversation_id: str | None = None,
        given: Given | None = None,
    ) -> AnswerRecord:
        """The whole way at once. Raises `QuestionInvalid`; every other outcome is a record."""
        *_, last = self.ask(question, principal, conversation_id=conversation_id, given=given)
        assert isinstance(last, Answered)  # noqa: S101 - `ask` ends with it or raises
        return last.record

    def ask(
        self,
        question: str,
        principal: Principal,
        *,
        conversation_id: str | None = None,
        given: Given | None = None,
    ) -> Iterator[Event]:
        """One event a step, `Answered` last. Raises `QuestionInvalid` before anything is done."""
        text = checked_question(question)
        walk = _Walk(
            id=uuid.uuid4().hex,
            question=text,
            principal=principal,
            conversation_id=conversation_id or uuid.uuid4().hex,
            language=detect(text),
            given=given or Given(),
        )
        return self._walk(walk)

    def _walk(self, walk: _Walk) -> Iterator[Event]:
        started = perf_counter()
        yield self._retrieve(walk)
        yield self._draft(walk)
        yield self._route(walk)
        if walk.route and walk.route.kind in ("query", "both"):
            yield from self._query(walk)
        record = self._conclude(walk, started)
        self._keep(walk, record)
        yield Answered(record)

    def _retrieve(self, walk: _Walk) -> Event:
        started = perf_counter()
        walk.context = walk.given.context or self._retriever.retrieve(
            walk.question, walk.principal, conversation_id=walk.conversation_id, budget=self._budget
        )
        return Retrieved(walk.context, walk.timed("retrieve", started))

    def _draft(self, walk: _Walk) -> Event:
        started = perf_counter()
        assert walk.context is not None  # noqa: S101 - set by the step before
        if walk.given.drafting is not None:
            walk.drafting = walk.given.drafting
        elif self._warehousing is not None:
            scope = self._warehousing.scope_for(walk.principal)
            walk.timed("scope", started)
            started = perf_counter()
            walk.drafting = _drafted(walk, scope.drafter)
        return Drafted(walk.drafting, walk.timed("draft", started))

    def _route(self, walk: _Walk) -> Event:
        started = perf_counter()
        assert walk.context is not None  # noqa: S101 - set by an earlier step
        language = walk.context.language
        walk.documents = answer_from_documents(walk.rest or walk.question, walk.context, language)
        if walk.rest:
            decided = Route("both", messages.text("route.both", language), "both")
        else:
            decided = decide(walk.question, walk.context, walk.drafting, walk.documents)
        walk.route = walk.given.route or decided
        walk.timed("route", started)
        return Routed(walk.route)

    def _query(self, walk: _Walk) -> Iterator[Event]:
        side = self._warehousing
        if walk.given.result is not None:
            walk.result, walk.verdict = walk.given.result, walk.given.verdict
            walk.chosen = next(iter(walk.drafting.drafts), None)
            yield Ran(walk.result, 0.0)
            return
        if side is None:
            return
        catalog = (
            side.warehouse.catalog()
        )  # whole: the guard narrows it to the caller, and knows what is withheld
        for draft in walk.drafting.drafts[:TRIES]:
            started = perf_counter()
            verdict = side.guard.check(draft.sql, catalog, walk.principal, side.policy)
            yield Guarded(verdict, walk.timed("guard", started))
            walk.chosen, walk.verdict = draft, verdict
            if not verdict.allowed:
                walk.attempts.append(Attempt(draft, verdict))
                if verdict.withheld:
                    return
                continue
            started = perf_counter()
            walk.result = self._run(side, draft, verdict, walk)
            if walk.result is not None:
                yield Ran(walk.result, walk.timed("run", started))
                return

    def _run(self, side: Warehousing, draft: Draft, verdict: Verdict, walk: _Walk) -> ResultSet | None:
        """Explain, then run; what the engine says against it is kept with the attempt."""
        estimate = None
        try:
            estimate = side.warehouse.explain(verdict.sql, verdict.parameters)
            most = side.limits.estimated_rows
            if most is not None and estimate.rows is not None and estimate.rows > most:
                walk.attempts.append(Attempt(draft, verdict, estimate, error="too_expensive"))
                return None
            result = side.warehouse.run(verdict.sql, side.limits, verdict.parameters)
        except WarehouseError as error:
            # Only the kind of error and our own sentence: an engine's text can hold values the caller may not see.
            walk.attempts.append(
                Attempt(draft, verdict, estimate, error=f"{type(error).__name__}: {error.what}")
            )
            return None
        walk.attempts.append(Attempt(draft, verdict, estimate))
        return result

    def _conclude(self, walk: _Walk, started: float) -> AnswerRecord:
        assert walk.context is not None  # noqa: S101 - set by the first step
        assert walk.route is not None  # noqa: S101 - set by the third
        language = walk.context.language
        summary, rows = summarise(walk.result) if walk.result is not None else (None, ())
        described, chart = "", None
        if walk.result is not None and walk.chosen is not None:
            model = self._warehousing.model if self._warehousing else SemanticModel()
            described = describe_result(walk.question, walk.chosen, walk.result, model, language)
            chart = chart_for(walk.result, walk.chosen, model=model, language=language)
        story = Story(
            language=language,
            context=walk.context,
            drafting=walk.drafting,
            route=walk.route,
            documents=walk.documents,
            attempts=tuple(walk.attempts),
            chosen=walk.chosen,
            verdict=walk.verdict,
            result=walk.result,
            described=described,
        )
        told = compose(story)
        walk.timings["total"] = perf_counter() - started
        return AnswerRecord(
            id=walk.id,
            at=self._clock(),
            principal=walk.principal,
            conversation_id=walk.conversation_id,
            question=walk.question,
            language=language,
            route=walk.route.kind,
            why=walk.route.why,
            outcome=told.outcome,
            text=told.text,
            citations=told.citations,
            retrieved=references(walk.context),
            facts=walk.context.facts(),
            left_out=walk.context.left_out,
            withheld=walk.context.withheld,
            linked=walk.drafting.linked,
            attempts=tuple(walk.attempts),
            sql=walk.verdict.sql if walk.verdict and walk.result is not None else "",
            parameters=walk.verdict.parameters if walk.verdict and walk.result is not None else {},
            result=summary,
            rows=rows,
            chart=chart,
            checks=_checks(walk, language),
            warnings=walk.verdict.warnings if walk.verdict else (),
            understood=walk.chosen.understood if walk.chosen else told.understood,
            assumptions=walk.chosen.assumptions if walk.chosen else (),
            definitions=self._definitions(walk.chosen, language),
            lacking=told.lacking,
            suggestions=told.suggestions,
            choices=tuple(choice.label for choice in walk.drafting.choices),
            policy=self._policy_name(),
            confidence=told.confidence,
            versions=self._versions,
            timings=dict(walk.timings),
            tokens=walk.context.tokens,
        )

    def _policy_name(self) -> str | None:
        policy = self._warehousing.policy if self._warehousing else None
        return None if policy is None else policy.title

    def _definitions(self, draft: Draft | None, language: str) -> dict[str, str]:
        if draft is None or self._warehousing is None:
            return {}
        found = {}
        for name in draft.metrics:
            metric = self._warehousing.model.metric(name)
            if metric is not None:
                described = metric.description
                found[name] = (
                    (described.ja or described.en) if language == "ja" else (described.en or described.ja)
                )
        return found

    def _keep(self, walk: _Walk, record: AnswerRecord) -> None:
        self._records.keep(record)
        self._conversations.append(
            Turn(
                conversation_id=walk.conversation_id,
                user_id=walk.principal.id,
                question=walk.question,
                answer=record.text,
                record_id=record.id,
                at=record.at,
                tenant=walk.principal.tenant,
            )
        )


def _drafted(walk: _Walk, drafter: Drafter) -> Drafting:
    """Drafts for the question, or for the one part of a double question that asks for figures."""
    assert walk.context is not None  # noqa: S101 - set by an earlier step
    parts = clauses(walk.question)
    if len(parts) > 1:
        drafted = {part: drafter.draft(part, walk.context, TRIES) for part in parts}
        figures = [part for part in parts if drafted[part].drafts and not asks_for_meaning(part)]
        if len(figures) == 1:
            walk.rest = " ".join(part for part in parts if part != figures[0])
            return drafted[figures[0]]
    return drafter.draft(walk.question, walk.context, TRIES)


def checked_question(question: str) -> str:
    """The question as it will be asked. Raises `QuestionInvalid` with what to do."""
    text = question.strip()
    if not text:
        raise QuestionInvalid("The question is empty", todo="Type what you want to know.")
    if len(text) > LONGEST_QUESTION:
        raise QuestionInvalid(
            f"The question has {len(text):,} characters",
            todo=f"Ask in at most {LONGEST_QUESTION:,}; a document belongs into `bunmyaku ingest`.",
        )
    odd = sum(
        1 for c in text if (ord(c) < 32 and c not in "\t\n\r") or c == "\ufffd" or 0xD800 <= ord(c) <= 0xDFFF
    )
    if odd:
        raise QuestionInvalid(
            "The question is not readable text", todo="Type it in English or Japanese (UTF-8)."
        )
    return text


def _checks(walk: _Walk, language: Language) -> tuple[Check, ...]:
    """The guard's steps, then what stands behind them."""
    if walk.verdict is None:
        return ()
    checks = list(walk.verdict.checks)
    if walk.attempts and walk.attempts[-1].estimate is not None:
        checks.append(Check("engine", True, messages.text("check.engine", language)))
    if walk.result is not None:
        checks.append(Check("session", True, messages.text("check.session", language)))
    return tuple(checks)
