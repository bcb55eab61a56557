from __future__ import annotations

from collections.abc import Sequence

import pytest

from retrieval.embeddings import EmbeddingModel
from retrieval.errors import RetrievalError
from retrieval.indexing import BATCH, index, vectors_of
from retrieval.postgres.database import Database
from retrieval.searching import search
from retrieval.stores.pgvector import PgVectorStore
from retrieval.types import Chunk, SemanticQuery
from tests.contracts.semantic_store_contract import CALLER, MODEL, MeaningEmbeddings, chunks_of, document


class Spy(MeaningEmbeddings):
    """Remembers the texts it was given."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.seen.append(list(texts))
        return super().embed_documents(texts)


class Recorder(PgVectorStore):
    """Remembers the sizes of what was written."""

    def __init__(self, database: Database, model: EmbeddingModel | None) -> None:
        super().__init__(database, model)
        self.writes: list[list[str]] = []

    def upsert(self, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]) -> None:
        self.writes.append([chunk.document.id for chunk in chunks])
        super().upsert(chunks, vectors)


def test_everything_is_found_afterwards(database: Database) -> None:
    store = PgVectorStore(database, MODEL)
    chunks = [
        *chunks_of(document("a"), "A drink list."),
        *chunks_of(document("j", language="ja"), "返品は三十日以内"),
    ]
    assert index(iter(chunks), MODEL, store) == 2
    found = search(store, MODEL, SemanticQuery("beverage", CALLER))
    assert [passage.chunk.id for passage in found.passages] == ["a#0"]
    assert search(store, MODEL, SemanticQuery("返品の期限", CALLER)).passages[0].chunk.id == "j#0"


def test_documents_are_never_divided(database: Database) -> None:
    store = Recorder(database, None)
    chunks = [
        chunk
        for number in range(5)
        for chunk in chunks_of(document(f"d{number}"), *(f"text {n}" for n in range(BATCH // 2 + 1)))
    ]
    seen: list[tuple[str, int, int]] = []
    assert index(chunks, None, store, lambda *at: seen.append(at)) == len(chunks)
    assert [sorted(set(write)) for write in store.writes] == [["d0", "d1"], ["d2", "d3"], ["d4"]]
    assert seen[-1] == ("index", len(chunks), len(chunks))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_interleaved_documents_are_refused_before_anything_is_lost(database: Database) -> None:
    store = PgVectorStore(database, None)
    one, two = chunks_of(document("a"), "x", "y")
    (other,) = chunks_of(document("b"), "z")
    with pytest.raises(RetrievalError, match="follow each other"):
        index([one, other, two], None, store)


def test_texts_go_to_the_embedder_from_short_to_long_and_only_in_its_languages() -> None:
    spy = Spy()
    model = EmbeddingModel(spy, "spy", 16, frozenset({"en"}))
    chunks = [
        *chunks_of(document("a"), "a longer text about coffee", "tea"),
        *chunks_of(document("j", language="ja"), "短い"),
    ]
    vectors = vectors_of(chunks, model)
    assert spy.seen == [["tea", "a longer text about coffee"]]
    assert vectors == [spy.embed_query(chunks[0].text), spy.embed_query(chunks[1].text), []]


def test_nothing_to_index(database: Database) -> None:
    assert index([], MODEL, PgVectorStore(database, MODEL)) == 0


def test_only_japanese_never_wakes_an_english_embedder(database: Database) -> None:
    spy = Spy()
    model = EmbeddingModel(spy, "spy", 16, frozenset({"en"}))
    assert index(chunks_of(document("j", language="ja"), "売上"), model, PgVectorStore(database, model)) == 1
    assert spy.seen == []
