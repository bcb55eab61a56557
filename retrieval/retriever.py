"""One question in, one Context out: situational sources and searches side by side, under a deadline.

Documents, definitions and tables are searched apart, so that none crowds the others out. A situational source
that fails or is too slow is left out and named; a failing search is an error, because an answer without it would
say "not in the documents" of what was never looked for.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from retrieval.embeddings import EmbeddingModel
from retrieval.errors import BunmyakuError
from retrieval.language import detect
from retrieval.merging import Found, merge
from retrieval.searching import embed
from retrieval.situational.conversation import RecentTurns, with_before
from retrieval.types import (
    Clock,
    Context,
    ConversationStore,
    DocumentKind,
    Fact,
    Principal,
    SearchResult,
    SemanticQuery,
    SemanticStore,
    SituationalSource,
    Turn,
    system_clock,
)

PASSAGES = 12
"""Passages of documents looked for."""
OBJECTS = 8
"""Tables, and again definitions, looked for."""
_SEARCHES: Mapping[str, tuple[int, tuple[DocumentKind, ...]]] = {
    "documents": (PASSAGES, ("document",)),
    "definitions": (OBJECTS, ("metric", "dimension", "term", "verified")),
    "tables": (OBJECTS, ("table",)),
}


class Retriever:
    """Everything that is known for one question and one caller."""

    def __init__(
        self,
        store: SemanticStore,
        model: EmbeddingModel | None,
        sources: Sequence[SituationalSource] = (),
        clock: Clock = system_clock,
        conversations: ConversationStore | None = None,
    ) -> None:
        self._store = store
        self._model = model
        self._sources = tuple(sources)
        self._clock = clock
        self._turns = RecentTurns(conversations) if conversations is not None else None

    def retrieve(
        self,
        question: str,
        principal: Principal,
        *,
        conversation_id: str | None = None,
        budget: int = 4000,
        deadline: float = 2.0,
    ) -> Context:
        """Facts, recent turns, passages and catalogue objects inside `budget` tokens.

        `deadline` (seconds) bounds the situational sources, together. Raises `RetrievalError` when the store
        cannot be searched.
        """
        ends = time.monotonic() + deadline
        left_out: list[str] = []
        turns = self._recent(principal, conversation_id, ends, left_out)
        asked = with_before(question, turns)
        jobs = {source.name: _fetching(source, principal, asked) for source in self._sources}
        running = _start(jobs)
        results = self._search(asked, principal)
        facts = _collect(running, jobs, ends, left_out)
        found = Found(
            facts=facts,
            turns=turns,
            passages=[passage for result in results for passage in result.passages],
            left_out=left_out,
            withheld=sum(result.withheld for result in results),
            owners=list(dict.fromkeys(owner for result in results for owner in result.owners)),
        )
        return merge(question, principal, detect(question), found, budget)

    def _recent(
        self, principal: Principal, conversation_id: str | None, ends: float, left_out: list[str]
    ) -> list[Turn]:
        """Recent turns come first: what a follow-up question is about decides what is looked for."""
        if self._turns is None or not conversation_id:
            return []
        recent, conversation = self._turns, conversation_id
        jobs: dict[str, Callable[[], list[Turn]]] = {
            recent.name: lambda: recent.turns(principal, conversation)
        }
        # Half of the time at most, so that a slow conversation store leaves some to the other sources.
        half = time.monotonic() + (ends - time.monotonic()) / 2
        return _collect(_start(jobs), jobs, half, left_out)

    def _search(self, question: str, principal: Principal) -> list[SearchResult]:
        """One result for each of `_SEARCHES`; the first failure is raised."""
        vector = embed(self._model, question)

        def looking(limit: int, kinds: tuple[DocumentKind, ...]) -> Callable[[], SearchResult]:
            query = SemanticQuery(question, principal, limit=limit, kinds=kinds, dense=vector is not None)
            return lambda: self._store.search(query, vector)

        jobs = {name: looking(limit, kinds) for name, (limit, kinds) in _SEARCHES.items()}
        done = _start(jobs)
        found: dict[str, SearchResult] = {}
        while len(found) < len(jobs):
            name, outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            found[name] = outcome
        return [found[name] for name in jobs]


def _fetching(source: SituationalSource, principal: Principal, question: str) -> Callable[[], list[Fact]]:
    return lambda: source.fetch(principal, question)


def _start(jobs: dict[str, Callable[[], Any]]) -> queue.SimpleQueue[tuple[str, Any]]:
    """Run each job in a thread of its own; the queue gets `(name, value or exception)` as each one ends.

    Daemon threads: one that never ends (a hook that hangs) must not keep the process from leaving.
    """
    done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def run(name: str, job: Callable[[], Any]) -> None:
        try:
            done.put((name, job()))
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who names it or raises it
            done.put((name, error))

    for name, job in jobs.items():
        threading.Thread(target=run, args=(name, job), name=f"retrieve-{name}", daemon=True).start()
    return done


def _collect(
    done: queue.SimpleQueue[tuple[str, Any]],
    jobs: dict[str, Callable[[], list[Any]]],
    ends: float,
    left_out: list[str],
) -> list[Any]:
    """Values of the jobs that ended in time, in the order of `jobs`; the others are named in `left_out`."""
    values: dict[str, list[Any]] = {}
    failed: dict[str, str] = {}
    while len(values) + len(failed) < len(jobs):
        try:
            name, outcome = done.get(timeout=max(0.0, ends - time.monotonic()))
        except queue.Empty:
            break
        if isinstance(outcome, BunmyakuError):
            failed[name] = outcome.what
        elif isinstance(outcome, BaseException):
            failed[name] = type(outcome).__name__
        else:
            values[name] = outcome
    for name in jobs:
        if name in failed:
            left_out.append(f"{name}: {failed[name]}")
        elif name not in values:
            left_out.append(f"{name}: no answer in time")
    return [item for name in jobs for item in values.get(name, [])]
