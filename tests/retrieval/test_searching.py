from __future__ import annotations

import pytest

from retrieval.embeddings import EmbeddingModel
from retrieval.postgres.database import Database
from retrieval.searching import search
from retrieval.stores.pgvector import PgVectorStore
from retrieval.types import SemanticQuery
from tests.contracts.semantic_store_contract import CALLER, MODEL, MeaningEmbeddings, chunks_of, document, put


class Asked(MeaningEmbeddings):
    """Remembers whether it was asked."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    def embed_query(self, text: str) -> list[float]:
        self.questions.append(text)
        return super().embed_query(text)


@pytest.mark.parametrize(
    ("text", "dense", "asked"),
    [
        ("coffee", True, True),
        ("コーヒーの値段は?", True, False),
        ("coffee", False, False),
        ("  ", True, False),
    ],
)
def test_the_question_is_embedded_only_where_that_helps(
    database: Database, text: str, dense: bool, asked: bool
) -> None:
    embeddings = Asked()
    model = EmbeddingModel(embeddings, "asked", 16, frozenset({"en"}))
    search(PgVectorStore(database, model), model, SemanticQuery(text, CALLER, dense=dense))
    assert bool(embeddings.questions) is asked


def test_a_multilingual_embedder_is_asked_in_japanese(database: Database) -> None:
    embeddings = Asked()
    model = EmbeddingModel(embeddings, "asked", 16, frozenset({"en", "ja"}))
    search(PgVectorStore(database, model), model, SemanticQuery("値段は?", CALLER))
    assert embeddings.questions == ["値段は?"]


def test_without_a_model_words_are_searched(database: Database) -> None:
    store = PgVectorStore(database, MODEL)
    put(store, chunks_of(document("a"), "coffee"))
    assert len(search(store, None, SemanticQuery("coffee", CALLER)).passages) == 1
