"""`bunmyaku eval retrieval`: what the semantic store finds on a set with known answers, and how fast."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.paths import journal_of
from evals.progress import Progress
from evals.ranking import DEPTH, VERSION, averages, scores
from evals.report import fingerprint, latency, write
from evals.runner import run
from evals.suites.passages import Passages, Query, fill, fresh, load
from retrieval.embeddings import EmbeddingModel, build_embeddings
from retrieval.searching import search
from retrieval.stores.pgvector import PgVectorStore
from retrieval.types import Principal, SemanticQuery

MEASURES = (*(f"{name}@{k}" for name in ("recall", "hit") for k in (1, 5, 10)), "mrr@10", "ndcg@10")
CALLER = Principal("eval")


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Holds corpus.jsonl[.gz], queries.jsonl[.gz].")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where the report goes (JSON).")],
    timings: Annotated[Path | None, typer.Option("--timings", help="A file of their own for times.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="At most so many questions.")] = None,
    dsn: Annotated[str | None, typer.Option("--dsn", help="A PostgreSQL server instead of our own.")] = None,
    embeddings: Annotated[str, typer.Option("--embeddings", help="Name of the embedder.")] = "minilm",
) -> None:
    """Index a set into a store of its own, ask every question, report recall, MRR, nDCG and latency."""
    passages = load(folder, limit)
    model = build_embeddings(embeddings)
    options = {"limit": limit, "embeddings": model.identity}
    known = fingerprint(passages.files, passages.files[0].parent, options)
    started = time.perf_counter()
    with fresh(dsn) as database, Progress("retrieval") as progress:
        store = fill(database, model, passages)
        filled = time.perf_counter() - started
        search(store, model, SemanticQuery(passages.queries[0].question, CALLER))  # the embedder is loaded
        rows = run(
            passages.queries,
            partial(ask, store, model),
            key=lambda query: query.id,
            journal=journal_of(out),
            fingerprint=f"{VERSION} {known}",
            progress=progress,
        )
    summary = summarize(passages, rows, options, known)
    write(out, {**summary, "index_seconds": filled}, rows, timings)


def ask(store: PgVectorStore, model: EmbeddingModel, query: Query) -> dict[str, Any]:
    """One question as a row: what was found, its scores, and the seconds from question to passages."""
    started = time.perf_counter()
    found = search(store, model, SemanticQuery(query.question, CALLER, limit=DEPTH))
    seconds = time.perf_counter() - started
    ranked = [passage.chunk.document.id for passage in found.passages]
    if not query.relevant:
        return {"id": query.id, "status": "unscored", "ranked": ranked, "seconds": seconds}
    return {
        "id": query.id,
        "status": "ok",
        **scores(ranked, query.relevant),
        "ranked": ranked,
        "seconds": seconds,
    }


def summarize(
    passages: Passages, rows: list[dict[str, Any]], options: dict[str, Any], known: str
) -> dict[str, Any]:
    """The head of the report. A question that failed counts as one that found nothing."""
    for row in rows:
        if row["status"] == "error":
            row.update(dict.fromkeys(MEASURES, 0.0))
    scored = [row for row in rows if row.get("ndcg@10") is not None]
    return {
        "suite": f"retrieval/{passages.name}",
        "n": len(rows),
        "version": VERSION,
        "coverage": len(scored) / len(rows),
        "options": options,
        "fingerprint": known,
        "documents": len(passages.chunks),
        "relevant_missing": len(passages.missing),
        "failed": sum(row["status"] == "error" for row in rows),
        **averages(scored, MEASURES),
        **latency([row.get("seconds") for row in rows]),
    }
