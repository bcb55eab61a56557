"""What the semantic store finds, and how fast, on sets of questions with known answers.

    python -m bench retrieval --data DIR [--sets jsquad jaquad scifact] [--queries N] [--mixed] [--dsn DSN]

DIR holds one folder a set with `corpus.jsonl` ({"id", "title", "text"}) and `queries.jsonl` ({"question",
"relevant": [ids]}), either may be gzipped; DIR/retrieval is tried as well. Each document is one chunk. English
sets are also scored by each side alone. `--mixed` puts all sets into one store.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import retrieval
from retrieval.embeddings import EmbeddingModel, build_embeddings
from retrieval.indexing import index
from retrieval.language import detect
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.migrations import migrate
from retrieval.searching import search
from retrieval.stores.pgvector import DENSE_WEIGHT, PgVectorStore
from retrieval.types import Chunk, Document, Principal, SemanticQuery

SETS = ("jsquad", "jaquad", "scifact", "lawqa_jp", "financebench")
CALLER = Principal("bench")


@dataclass(frozen=True)
class Collection:
    """One set: its chunks and its questions with the documents that answer them."""

    name: str
    chunks: list[Chunk]
    queries: list[tuple[str, frozenset[str]]]


def main(arguments: list[str]) -> None:
    """Index every set, ask every question, print one line a variant."""
    parser = argparse.ArgumentParser(prog="bench retrieval", description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--queries", type=int, default=0, help="at most so many a set, evenly spread")
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--dsn")
    given = parser.parse_args(arguments)
    if given.data is None:
        print("skipped: needs --data DIR with evaluation sets")
        return
    folder = given.data / "retrieval" if (given.data / "retrieval").is_dir() else given.data
    sets = [load(folder / name, given.queries) for name in given.sets if (folder / name).is_dir()]
    model = build_embeddings()
    print(f"{'set':<14}{'variant':<9}{'docs':>6}{'asked':>7}{'R@1':>7}{'R@10':>7}{'MRR':>7}{'nDCG':>7}"
          f"{'p50 ms':>8}{'p95 ms':>8}")  # fmt: skip
    if given.mixed:
        with fresh(given.dsn) as database:
            fill(database, model, [chunk for item in sets for chunk in item.chunks])
            for item in sets:
                measure(database, model, item)
        return
    for item in sets:
        with fresh(given.dsn) as database:
            fill(database, model, item.chunks)
            measure(database, model, item)


def load(folder: Path, most: int) -> Collection:
    """Read one set."""
    chunks = []
    for row in lines(folder, "corpus"):
        language = detect(row["text"])
        document = Document(f"{folder.name}/{row['id']}", "1", row["id"], row["title"], language=language)
        chunks.append(Chunk(f"{document.id}#0", document, 0, row["text"], 0, len(row["text"])))
    asked = [
        (row["question"], frozenset(f"{folder.name}/{name}" for name in row["relevant"]))
        for row in lines(folder, "queries")
    ]
    step = max(1, len(asked) // most) if most else 1
    return Collection(folder.name, chunks, asked[::step][: most or None])


@contextmanager
def fresh(dsn: str | None) -> Iterator[Database]:
    """An empty, migrated database, embedded in a folder that goes afterwards where no DSN is given."""
    with tempfile.TemporaryDirectory() as scratch:
        database = open_database(Path(scratch), dsn, name=f"bench_{time.time_ns()}")
        try:
            migrate(database, "retrieval", Path(retrieval.__path__[0]) / "migrations")
            yield database
        finally:
            database.close()


def fill(database: Database, model: EmbeddingModel, chunks: Sequence[Chunk]) -> None:
    """Index the chunks and say how long it took."""
    start = time.perf_counter()
    index(chunks, model, PgVectorStore(database, model))
    seconds = time.perf_counter() - start
    print(f"indexed {len(chunks)} chunks in {seconds:.1f} s ({len(chunks) / seconds:.0f}/s)", flush=True)


def measure(database: Database, model: EmbeddingModel, item: Collection) -> None:
    """Print a line for the search as it is, and for each side alone where both have a say."""
    english = any(chunk.document.language in model.languages for chunk in item.chunks)
    variants = {"hybrid": DENSE_WEIGHT, "lexical": 0.0, "dense": 1.0} if english else {"hybrid": DENSE_WEIGHT}
    for variant, weight in variants.items():
        store = PgVectorStore(database, model, dense_weight=weight)
        ranks, times = [], []
        for question, relevant in item.queries:
            start = time.perf_counter()
            result = search(store, model, SemanticQuery(question, CALLER))
            times.append((time.perf_counter() - start) * 1000)
            hits = [passage.chunk.document.id in relevant for passage in result.passages]
            ranks.append((hits, len(relevant)))
        times.sort()
        print(f"{item.name:<14}{variant:<9}{len(item.chunks):>6}{len(ranks):>7}"
              f"{_recall(ranks, 1):>7.3f}{_recall(ranks, 10):>7.3f}{_mrr(ranks):>7.3f}{_ndcg(ranks):>7.3f}"
              f"{statistics.median(times):>8.1f}{times[int(len(times) * 0.95)]:>8.1f}", flush=True)  # fmt: skip


def _recall(ranks: Sequence[tuple[list[bool], int]], k: int) -> float:
    """The share of questions with a right document among the first k."""
    return sum(any(hits[:k]) for hits, _ in ranks) / len(ranks)


def _mrr(ranks: Sequence[tuple[list[bool], int]]) -> float:
    return sum(1 / (hits.index(True) + 1) for hits, _ in ranks if True in hits) / len(ranks)


def _ndcg(ranks: Sequence[tuple[list[bool], int]]) -> float:
    """nDCG@10 with equal gains."""
    total = 0.0
    for hits, relevant in ranks:
        gained = sum(1 / math.log2(place + 2) for place, hit in enumerate(hits[:10]) if hit)
        total += gained / sum(1 / math.log2(place + 2) for place in range(min(10, relevant)))
    return total / len(ranks)


def lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    packed = folder / f"{name}.jsonl.gz"
    if packed.exists():
        with gzip.open(packed, "rt", encoding="utf-8") as file:
            yield from map(json.loads, file)
    else:
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
            yield from map(json.loads, file)
