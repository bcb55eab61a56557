"""How often the quoted sentences hold the answer, and how often something is quoted where nothing answers.

    python -m bench answers --data DIR [--sets jsquad jaquad scifact] [--queries N] [--dsn DSN]

DIR as for `retrieval`. Every question is asked twice: of the whole set, and with every right document taken out of
what was found ("removed"), where the right answer is "not in the documents". A quote is right when it is from a
right document and, where the set has answers, holds one of them. No model is involved.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.answering import DocumentAnswer, answer_from_documents
from bench.retrieval import CALLER
from evals.json_lines import found, read_lines
from evals.suites.passages import Passages, fill, fresh, load
from retrieval.embeddings import build_embeddings
from retrieval.language import detect, fold
from retrieval.merging import Found, merge
from retrieval.searching import search
from retrieval.types import Passage, SemanticQuery, SemanticStore

TAKES_DATA = True
SETS = ("jsquad", "jaquad", "scifact")
LOOKED_AT = 12
BUDGET = 4000


@dataclass
class Tally:
    """What happened to the questions of one set."""

    answered: list[bool] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    wrongly: list[bool] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def main(arguments: list[str]) -> None:
    """Index every set, ask every question twice, print one line a set."""
    parser = argparse.ArgumentParser(prog="bench answers", description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--queries", type=int, default=400, help="at most so many a set, evenly spread")
    parser.add_argument("--dsn")
    given = parser.parse_args(arguments)
    if given.data is None:
        print("skipped: needs --data DIR with evaluation sets")
        return
    folder = given.data / "retrieval" if (given.data / "retrieval").is_dir() else given.data
    model = build_embeddings()
    print(f"{'set':<12}{'asked':>7}{'answered':>10}{'right':>8}{'right of answered':>19}"
          f"{'answered when removed':>23}{'p50 ms':>8}")  # fmt: skip
    for name in given.sets:
        item = load(folder / name, given.queries)
        questions = read_lines(found(folder / name, "queries.jsonl"))
        answers = {row["question"]: row.get("answers", ()) for _, row in questions}
        with fresh(given.dsn) as database:
            store = fill(database, model, item)

            def find(question: str, store: SemanticStore = store) -> Sequence[Passage]:
                query = SemanticQuery(question, CALLER, limit=LOOKED_AT + 4, kinds=("document",))
                return search(store, model, query).passages

            show(item, ask_all(item, answers, find))


def ask_all(
    item: Passages, answers: Mapping[str, Sequence[str]], find: Callable[[str], Sequence[Passage]]
) -> Tally:
    """Every question with and without what answers it."""
    tally = Tally()
    for query in item.queries:
        question, relevant = query.question, query.relevant
        found = find(question)
        started = time.perf_counter()
        answer = _answer(question, found)
        tally.times.append(time.perf_counter() - started)
        tally.answered.append(answer.found)
        tally.right.append(answer.found and _right(answer, relevant, answers[question]))
        removed = _answer(question, [p for p in found if p.chunk.document.id not in relevant])
        tally.wrongly.append(removed.found)
    return tally


def show(item: Passages, tally: Tally) -> None:
    """One line."""
    asked, answered, right = len(tally.answered), sum(tally.answered), sum(tally.right)
    print(f"{item.name:<12}{asked:>7}{answered / asked:>10.3f}{right / asked:>8.3f}{right / max(answered, 1):>19.3f}"
          f"{sum(tally.wrongly) / asked:>23.3f}{statistics.median(tally.times) * 1000:>8.1f}", flush=True)  # fmt: skip


def _answer(question: str, passages: Sequence[Passage]) -> DocumentAnswer:
    language = detect(question)
    found = Found(passages=list(passages)[:LOOKED_AT])
    return answer_from_documents(question, merge(question, CALLER, language, found, BUDGET), language)


def _right(answer: DocumentAnswer, relevant: frozenset[str], answers: Sequence[str]) -> bool:
    quotes = [fold(citation.quote) for citation in answer.citations if citation.document_id in relevant]
    return any(fold(text) in quote for text in answers for quote in quotes) if answers else bool(quotes)
