"""Vectors made once and handed to everybody, so that indexing and searching are measured without embedding."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from retrieval.embeddings import EmbeddingModel, build_embeddings


class Prepared(Embeddings):
    """An embedder that knows its texts beforehand; any other is a KeyError."""

    def __init__(self, texts: Sequence[str], vectors: np.ndarray) -> None:
        self.vectors = {
            text: vector.tolist() for text, vector in zip(texts, np.asarray(vectors, np.float32), strict=True)
        }

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.vectors[text]


def prepare(texts: Sequence[str], cache: Path | None) -> EmbeddingModel:
    """Our local model with the vectors of `texts` made already; kept in the folder `cache` where there is one."""
    model = build_embeddings()
    distinct = sorted(set(texts))
    digest = hashlib.sha256("\0".join([model.identity, *distinct]).encode()).hexdigest()[:24]
    kept = cache / f"vectors-{digest}.npy" if cache is not None else None
    if kept is not None and kept.exists():
        vectors = np.load(kept, allow_pickle=False)
    else:
        vectors = np.asarray(model.embeddings.embed_documents(distinct), dtype=np.float32)
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, vectors)
    return EmbeddingModel(Prepared(distinct, vectors), model.identity, model.dimensions, model.languages)
