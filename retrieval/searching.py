"""A question in, passages out: embeds the question where that helps, then asks the store."""

from __future__ import annotations

from retrieval.embeddings import EmbeddingModel
from retrieval.language import detect
from retrieval.types import SearchResult, SemanticQuery, SemanticStore


def search(store: SemanticStore, model: EmbeddingModel | None, query: SemanticQuery) -> SearchResult:
    """Search by word, and by meaning where the embedder knows the language of the question.

    A vector made by a model that cannot read the question is noise that would drown the words.
    """
    dense = query.dense and model is not None and detect(query.text) in model.languages
    if model is None or not dense or not query.text.strip():
        return store.search(query)
    return store.search(query, model.embeddings.embed_query(query.text))
