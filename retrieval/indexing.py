"""From chunks to a searchable store: batches of whole documents, embedded where the embedder knows the language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized

from retrieval.embeddings import EmbeddingModel
from retrieval.errors import RetrievalError
from retrieval.types import Chunk, Progress, SemanticStore

BATCH = 256
"""Chunks a write, at least; a document is never divided between two writes."""


def index(
    chunks: Iterable[Chunk],
    model: EmbeddingModel | None,
    store: SemanticStore,
    progress: Progress | None = None,
) -> int:
    """Embed and store `chunks`, replacing what the store held of their documents; returns how many.

    The chunks of one document must follow each other. Without a model no vectors are made. Raises
    RetrievalError where documents are interleaved, EmbeddingsUnavailable, StoreUnavailable; documents stored
    before the error stay, and doing it again does no harm.
    """
    total = len(chunks) if isinstance(chunks, Sized) else 0
    done = 0
    for batch in _whole_documents(chunks):
        store.upsert(batch, [] if model is None else vectors_of(batch, model))
        done += len(batch)
        if progress is not None:
            progress("index", done, total)
    return done


def vectors_of(chunks: Sequence[Chunk], model: EmbeddingModel) -> list[list[float]]:
    """One vector a chunk; an empty one where the document's language is unknown to the embedder.

    Texts go to the embedder from short to long: batches of like length need little padding.
    """
    vectors: list[list[float]] = [[] for _ in chunks]
    known = [place for place, chunk in enumerate(chunks) if chunk.document.language in model.languages]
    known.sort(key=lambda place: len(chunks[place].text))
    if known:
        embedded = model.embeddings.embed_documents([chunks[place].text for place in known])
        for place, vector in zip(known, embedded, strict=True):
            vectors[place] = vector
    return vectors


def _whole_documents(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """Batches of at least BATCH chunks that end where a document ends."""
    finished: set[str] = set()
    batch: list[Chunk] = []
    current = ""
    for chunk in chunks:
        if chunk.document.id != current:
            if chunk.document.id in finished:
                raise RetrievalError(
                    "The chunks of a document do not follow each other", where=chunk.document.id
                )
            if len(batch) >= BATCH:
                yield batch
                batch = []
            current = chunk.document.id
            finished.add(current)
        batch.append(chunk)
    if batch:
        yield batch
