"""The one way a question goes; each step is one call, and the only place that knows the whole way.

    question ─► context ─► draft ─► route ─► guard ─► explain ─► run ─► answer ─► record
                             ▲                  │
                             └──── refused ─────┘   at most so many rounds

`Assistant.ask` yields an event a step. Each step's output can be supplied by the caller (`Given`): a draft that is
supplied is guarded like any other, and nothing runs on a verdict that is supplied.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterator, Mapping
from copy import copy
from dataclasses import replace
from time import perf_counter
from typing import Self

from app import messages
from app.answering import answer_from_documents
from app.clauses import clauses
from app.concluding import conclude, material_of
from app.confirming import engine_for
from app.errors import QuestionInvalid
from app.events import Answered, Drafted, Event, Guarded, Ran, Retrieved, Routed
from app.record import AnswerRecord, RecordStore
from app.routing import Route, asks_for_change, asks_for_meaning, decide
from app.walk import Given, Walk, Warehousing
from app.withholding import with_tables
from app.writing import Writer
from retrieval.language import detect
from retrieval.retriever import Retriever
from retrieval.types import Clock, ConversationStore, Principal, Turn
from text2sql.attempting import ROUNDS, Attempted, Checked, Executed, Step, attempting
from text2sql.types import Drafter, Drafting, Reviser

LONGEST_QUESTION = 4_000
"""Characters; what is longer is a document, not a question."""
LONGEST_CONVERSATION = 200
"""Characters of a conversation's id; it is a key of two indexes."""


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
        writer: Writer | None = None,
    ) -> None:
        """`writer` words the answers; without one they are worded by rules."""
        self._retriever = retriever
        self._records = records
        self._conversations = conversations
        self._clock = clock
        self._warehousing = warehousing
        self._budget = budget
        self._versions = dict(versions or {})
        self._writer = writer
        self._keeps = True

    def unrecorded(self) -> Self:
        """The same, but neither records nor turns are kept: evaluation leaves no trace in anyone's history or budget."""
        silent = copy(self)
        silent._keeps = False  # noqa: SLF001 - one of our own, made a line above
        return silent

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
        walk = Walk(
            id=uuid.uuid4().hex,
            question=text,
            principal=principal,
            conversation_id=checked_conversation(conversation_id) if conversation_id else uuid.uuid4().hex,
            language=detect(text),
            given=given or Given(),
        )
        return self._walk(walk)

    def _walk(self, walk: Walk) -> Iterator[Event]:
        started = perf_counter()
        yield self._retrieve(walk)
        yield self._draft(walk)
        yield self._route(walk)
        if walk.route and walk.route.kind in ("query", "both"):
            yield from self._query(walk)
        self._write(walk)
        record = conclude(walk, self._warehousing, self._versions, self._clock(), started)
        self._keep(walk, record)
        yield Answered(record)

    def _retrieve(self, walk: Walk) -> Event:
        started = perf_counter()
        walk.context = walk.given.context or self._retriever.retrieve(
            walk.question, walk.principal, conversation_id=walk.conversation_id, budget=self._budget
        )
        return Retrieved(walk.context, walk.timed("retrieve", started))

    def _draft(self, walk: Walk) -> Event:
        started = perf_counter()
        if walk.given.drafting is not None:
            walk.drafting = walk.given.drafting
        elif self._warehousing is not None:
            scope = self._warehousing.scope_for(walk.principal)
            walk.timed("scope", started)
            started = perf_counter()
            walk.drafting = _drafted(walk, scope.drafter)
            walk.calls.extend(walk.drafting.calls)
            walk.failure = walk.drafting.failure
            if scope.beyond is not None and not walk.drafting.drafts:
                tables = scope.beyond.tables(walk.question, walk.found)
                walk.context, walk.beyond = with_tables(walk.found, scope.beyond.policy, tables), bool(tables)
        return Drafted(walk.drafting, walk.timed("draft", started))

    def _route(self, walk: Walk) -> Event:
        started = perf_counter()
        language = walk.found.language
        walk.documents = answer_from_documents(walk.rest or walk.question, walk.found, language)
        if walk.rest and not asks_for_change(walk.question):
            decided = Route("both", messages.text("route.both", language), "both")
        else:
            decided = decide(walk.question, walk.found, walk.drafting, walk.documents, beyond=walk.beyond)
        walk.route = walk.given.route or decided
        walk.timed("route", started)
        return Routed(walk.route)

    def _query(self, walk: Walk) -> Iterator[Event]:
        side = self._warehousing
        if walk.given.result is not None:
            walk.result, walk.verdict = walk.given.result, walk.given.verdict
            walk.chosen = next(iter(walk.drafting.drafts), None)
            yield Ran(walk.result, 0.0)
            return
        if side is None:
            return
        # A reading that a person picked is guarded like any other draft, but nobody puts another in its place.
        drafter = side.scope_for(walk.principal).drafter if walk.given.drafting is None else None
        steps = attempting(
            walk.question,
            walk.found,
            walk.drafting,
            walk.principal,
            engine_for(walk, side, paid=self._keeps),
            drafter=drafter,
            rounds=side.rounds,
        )
        done = yield from _shown(steps)
        _take(walk, done)
        if done.withheld:
            walk.context = with_tables(walk.found, side.policy, done.withheld)

    def _write(self, walk: Walk) -> None:
        """The answer's words by the model, where there is one that answers and something to word."""
        if self._writer is None or walk.failure:
            return
        material = material_of(walk, self._warehousing)
        if material is None:
            return
        started = perf_counter()
        walk.written = self._writer.write(material, walk.found.language)
        walk.calls.extend(walk.written.calls)
        walk.timed("write", started)

    def _keep(self, walk: Walk, record: AnswerRecord) -> None:
        if not self._keeps:
            return
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


def _shown(steps: Generator[Step, None, Attempted]) -> Generator[Event, None, Attempted]:
    """The steps of the loop as events; returns how it ended."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            done: Attempted = end.value
            return done
        if isinstance(step, Checked):
            yield Guarded(step.verdict, step.seconds)
        elif isinstance(step, Executed):
            yield Ran(step.result, step.seconds)
        else:
            yield Drafted(step.drafting, step.seconds)


def _take(walk: Walk, done: Attempted) -> None:
    """What the loop came to. A drafter that in the end declined, or asks back, is what the asker hears."""
    walk.attempts, walk.calls = done.attempts, [*walk.calls, *done.calls]
    walk.chosen, walk.verdict, walk.result = done.chosen, done.verdict, done.result
    walk.failure = walk.failure or done.drafting.failure
    for part, seconds in done.seconds.items():
        walk.timings[part] = walk.timings.get(part, 0.0) + seconds
    walk.drafting = done.drafting
    if done.result is None and not done.drafting.drafts:
        walk.chosen = walk.verdict = None
        walk.route = decide(walk.question, walk.found, done.drafting, walk.documents)


def _drafted(walk: Walk, drafter: Drafter) -> Drafting:
    """Drafts for the question; a model reads it whole, the rules by part (also where they stand in for a model)."""
    if not isinstance(drafter, Reviser):
        return _drafted_by_part(walk, drafter)
    drafting = drafter.draft(walk.question, walk.found, ROUNDS)
    if not drafting.failure:
        return drafting
    instead = _drafted_by_part(walk, drafter.fallback)
    return replace(instead, failure=drafting.failure, calls=drafting.calls)


def _drafted_by_part(walk: Walk, drafter: Drafter) -> Drafting:
    """Drafts for the question, or for the one part of a double question that asks for figures.

    One answer runs one query: where two parts could be queried, the one with a metric is, and the other is offered
    as a question of its own. The documents are asked for the rest. No part is dropped without a word.
    """
    parts = clauses(walk.question)
    if len(parts) > 1:
        drafted = {part: drafter.draft(part, walk.found, ROUNDS) for part in parts}
        figures = [part for part in parts if drafted[part].drafts and not asks_for_meaning(part)]
        if figures:
            chosen = next((part for part in figures if drafted[part].drafts[0].metrics), figures[0])
            walk.later = tuple(part for part in figures if part != chosen)
            walk.rest = " ".join(part for part in parts if part not in figures)
            return drafted[chosen]
    return drafter.draft(walk.question, walk.found, ROUNDS)


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


def checked_conversation(name: str) -> str:
    """The id of a conversation as it can be kept. Raises `QuestionInvalid` with what to do."""
    if len(name) > LONGEST_CONVERSATION or not name.isprintable():
        raise QuestionInvalid(
            "This cannot name a conversation",
            where="conversation",
            todo=f"Use at most {LONGEST_CONVERSATION} printable characters.",
        )
    return name
