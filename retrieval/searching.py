"""A question in, passages out: embeds the question where that helps, then asks the store."""

from __future__ import annotations

from retrieval.embeddings import EmbeddingModel
from retrieval.language import detect
from retrieval.types import SearchResult, SemanticQuery, SemanticStore


def embed(model: EmbeddingModel | None, text: str) -> list[float] | None:
    """The vector to search with; None where the embedder cannot read the text, or there is none.

    A vector made by a model that cannot read the question is noise that would drown the words.
    """
    if model is None or detect(text) not in model.languages or not text.strip():
        return None
    return model.embeddings.embed_query(text)


def search(store: SemanticStore, model: EmbeddingModel | None, query: SemanticQuery) -> SearchResult:
    """Search by word, and by meaning where the embedder knows the language of the question."""
    vector = embed(model, query.text) if query.dense else None
    return store.search(query) if vector is None else store.search(query, vector)
