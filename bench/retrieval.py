"""What the semantic store finds, and how fast, beside other stores with the same vectors.

    python -m bench retrieval [--data DIR] [--sets jsquad jaquad scifact] [--queries N] [--sides] [--dsn DSN]

DIR (or DIR/retrieval) holds sets as `bunmyaku eval retrieval` reads them; without it, generated text is searched, on
which the share found says little. Everybody indexes once, then every question is put to everybody in turns. Indexing
and searching are timed without embedding. Ratios are time of theirs over time of ours: of the medians of five parts
of the questions, median and range. `--sides` adds ours by words alone and by vectors alone.

Everybody is given the local English model's vectors for Japanese too; ours knows not to use them there.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from bench import _peers_retrieval as peers
from bench._peers_retrieval import LIMIT, Engine
from bench._rounds import OURS, Spread, compared, installed, percentile, table, versions
from bench._vectors import Prepared, prepare
from evals import ranking
from evals.suites.passages import Passages, Query, fresh, load
from retrieval.embeddings import EmbeddingModel
from retrieval.indexing import index
from retrieval.postgres.database import Database
from retrieval.searching import search
from retrieval.stores.pgvector import DENSE_WEIGHT, PgVectorStore
from retrieval.types import Chunk, Document, Principal, SemanticQuery

TAKES_DATA = True
SETS = ("jsquad", "jaquad", "scifact")
CALLER = Principal("bench")
PARTS = 5
"""Parts of the questions, for the range of a ratio."""


class Ours:
    """Our store; `weight` is the share of the dense side."""

    def __init__(self, database: Database, model: EmbeddingModel, weight: float = DENSE_WEIGHT) -> None:
        self._model = model
        self._store = PgVectorStore(database, model, dense_weight=weight)

    def add(self, chunks: Sequence[Chunk]) -> None:
        index(chunks, self._model, self._store)

    def search(self, question: str) -> list[str]:
        found = search(self._store, self._model, SemanticQuery(question, CALLER, limit=LIMIT))
        return [passage.chunk.document.id for passage in found.passages]


@dataclass
class Course:
    """How one of them went through the questions."""

    indexed: float | None
    ranked: list[list[str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def main(arguments: list[str]) -> None:
    """Every set: index, ask, one line each."""
    parser = argparse.ArgumentParser(prog="bench retrieval", description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--queries", type=int, default=300, help="at most so many a set, evenly spread")
    parser.add_argument("--passages", type=int, default=600, help="how many are generated without --data")
    parser.add_argument("--sides", action="store_true")
    parser.add_argument("--dsn")
    parser.add_argument("--cache", type=Path, help="folder that keeps vectors for the next time")
    given = parser.parse_args(arguments)
    here, missing = installed(peers.PEERS)
    print(compared(versions("pgvector", "psycopg"), here, missing))
    if given.data is None:
        sets = [generated(given.passages, min(given.queries, given.passages))]
    else:
        folder = given.data / "retrieval" if (given.data / "retrieval").is_dir() else given.data
        sets = [load(folder / name, given.queries) for name in given.sets]
    headings = ("set", "who", "docs/s in", "asked", "R@1", "R@10", "nDCG@10", "p50 ms", "p95 ms", "best ms")
    for item in sets:
        rows = measure(item, list(here), given.dsn, sides=given.sides, cache=given.cache)
        print(table((*headings, "ratio (range)"), rows), flush=True)


def measure(
    item: Passages, names: Sequence[str], dsn: str | None, *, sides: bool = False, cache: Path | None = None
) -> list[Sequence[object]]:
    """One set through everybody; the rows of the table."""
    asked = [query for query in item.queries if query.relevant]
    model = prepare([chunk.text for chunk in item.chunks] + [query.question for query in asked], cache)
    prepared = cast("Prepared", model.embeddings)
    with ExitStack() as stack:
        database = stack.enter_context(fresh(dsn))
        engines: dict[str, tuple[Ours | Engine, Course]] = {}
        mine = Ours(database, model)
        started = time.perf_counter()
        mine.add(item.chunks)
        engines[OURS] = mine, Course(len(item.chunks) / (time.perf_counter() - started))
        if sides:
            engines["ours, words"] = Ours(database, model, 0.0), Course(None)
            engines["ours, vectors"] = Ours(database, model, 1.0), Course(None)
        # Full-text search of PostgreSQL has no dictionary for Japanese: `simple` is the configuration to take.
        config = "english" if item.chunks[0].document.language == "en" else "simple"
        for name in names:
            engine = peers.PEERS[name][1](database.dsn, prepared, config)
            stack.callback(engine.close)
            engines[name] = engine, Course(_fill(engine, item.chunks, prepared))
        _ask(engines, asked, prepared)
    return [_row(item.name, name, course, asked, engines[OURS][1]) for name, (_, course) in engines.items()]


def _fill(engine: Engine, chunks: Sequence[Chunk], prepared: Prepared) -> float:
    """Documents a second."""
    ids = [chunk.document.id for chunk in chunks]
    texts = [f"{chunk.document.title}\n{chunk.text}".strip() for chunk in chunks]
    vectors = [prepared.vectors[chunk.text] for chunk in chunks]
    started = time.perf_counter()
    engine.index(ids, texts, vectors)
    return len(chunks) / (time.perf_counter() - started)


def _ask(
    engines: dict[str, tuple[Ours | Engine, Course]], asked: Sequence[Query], prepared: Prepared
) -> None:
    """Every question to everybody, each time beginning with another; the first three also go before, uncounted."""
    names = list(engines)
    for number, query in enumerate([*asked[:3], *asked]):
        turn = number % len(names)
        vector = prepared.vectors[query.question]
        for name in [*names[turn:], *names[:turn]]:
            engine, course = engines[name]
            started = time.perf_counter()
            if isinstance(engine, Ours):
                ranked = engine.search(query.question)
            else:
                ranked = engine.search(query.question, vector)
            if number >= min(3, len(asked)):
                course.times.append((time.perf_counter() - started) * 1000)
                course.ranked.append(ranked)


def _row(label: str, name: str, course: Course, asked: Sequence[Query], base: Course) -> Sequence[object]:
    pairs = list(zip(course.ranked, (query.relevant for query in asked), strict=True))
    ratio = None
    if course is not base:
        step = max(1, len(asked) // PARTS)
        parts = [slice(at, at + step) for at in range(0, len(asked), step)]
        ratio = Spread.of(
            [statistics.median(course.times[part]) / statistics.median(base.times[part]) for part in parts]
        )
    return (
        label,
        name,
        None if course.indexed is None else f"{course.indexed:.0f}",
        len(asked),
        statistics.fmean(ranking.hit(ranked, right, 1) for ranked, right in pairs),
        statistics.fmean(ranking.recall(ranked, right, 10) for ranked, right in pairs),
        statistics.fmean(ranking.ndcg(ranked, right) for ranked, right in pairs),
        *[f"{value:.1f}" for value in (statistics.median(course.times), percentile(course.times, 0.95))],
        f"{min(course.times):.1f}",
        ratio,
    )


def generated(count: int, questions: int) -> Passages:
    """Passages of made-up and everyday words, and questions that name a few words of one of them."""
    pick = random.Random(7)
    syllables = re.findall(r"\w+", "ka ro mi ten sul var do pel nik or bra shi lun gat wex qua fen tir")
    names = ["".join(pick.choices(syllables, k=3)) for _ in range(count)]
    common = re.findall(
        r"\w+", "the store of order was and late delivered in price summer return region more than first"
    )
    chunks, asked = [], []
    for number in range(count):
        own = pick.sample(names, k=6)
        words = own + own[:3] + pick.choices(common, k=50)
        pick.shuffle(words)
        document = Document(f"d{number}", "1", f"d{number}", own[0].title(), language="en")
        text = " ".join(words)
        chunks.append(Chunk(f"d{number}#0", document, 0, text, 0, len(text)))
        if number < questions:
            question = f"what was the {own[0]} {pick.choice(common)} of {own[4]}"
            asked.append(Query(str(number), question, frozenset({document.id})))
    return Passages("generated", (), tuple(chunks), tuple(asked), ())
