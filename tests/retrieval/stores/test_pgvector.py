from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.bm25 import term_id
from retrieval.embeddings import EmbeddingModel
from retrieval.errors import RetrievalError
from retrieval.postgres.database import Database
from retrieval.stores import _pgvector_search, build, names, pgvector
from retrieval.stores.pgvector import PgVectorStore
from retrieval.tokens import lexical_tokens
from retrieval.types import Chunk, SemanticQuery, SemanticStore
from tests.contracts.semantic_store_contract import (
    CALLER,
    MODEL,
    MakeStore,
    MeaningEmbeddings,
    SemanticStoreContract,
    ask,
    chunks_of,
    document,
    put,
)

WORDS = (
    "coffee",
    "tea",
    "price",
    "store",
    "osaka",
    "late",
    "order",
    "bean",
    "cup",
    "refund",
    "month",
    "sale",
)
PROPERTY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class TestPgVector(SemanticStoreContract):
    @pytest.fixture
    def make_store(self, database: Database) -> MakeStore:
        return lambda model: PgVectorStore(database, model)


class TestPgVectorWithManyRows(SemanticStoreContract):
    """The same behaviour on the ways that are taken when there are many rows: rare terms and an HNSW index."""

    @pytest.fixture
    def make_store(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> MakeStore:
        monkeypatch.setattr(_pgvector_search, "_SCAN_ROWS", 0)
        monkeypatch.setattr(_pgvector_search, "_EXACT_ROWS", 0)
        monkeypatch.setattr(pgvector, "_HNSW_ROWS", 0)
        return lambda model: PgVectorStore(database, model)


@pytest.fixture
def store(database: Database) -> PgVectorStore:
    return PgVectorStore(database, MODEL)


def reference_bm25(chunks: list[Chunk], question: str, k1: float = 0.9, b: float = 0.4) -> dict[str, float]:
    """BM25 as the textbook has it, one loop a word."""
    texts = {chunk.id: lexical_tokens(f"{chunk.document.title}\n{chunk.text}") for chunk in chunks}
    average = sum(map(len, texts.values())) / len(texts)
    scores: dict[str, float] = {}
    for name, tokens in texts.items():
        counts = Counter(tokens)
        score = 0.0
        for word in set(lexical_tokens(question)):
            holding = sum(word in other for other in texts.values())
            weight = math.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
            tf = counts[word]
            score += weight * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(tokens) / average))
        if score > 0:
            scores[name] = score
    return scores


def bm25_of(database: Database, store: PgVectorStore, question: str) -> dict[str, float]:
    terms = sorted({term_id(token) for token in lexical_tokens(question)})
    with database.connection() as connection:
        connection.execute(_pgvector_search.SETTINGS)
        prepared = _pgvector_search.prepare(connection, SemanticQuery(question, CALLER), terms, None)
        found = _pgvector_search.run(connection, prepared, prepared.readable, None, limit=1000, weight=0.0)
    return {row["chunk_id"]: row["bm25"] for row in found}


@PROPERTY
@given(seed=st.integers(0, 10**6))
def test_lexical_scores_are_those_of_bm25(database: Database, store: PgVectorStore, seed: int) -> None:
    pick = random.Random(seed)
    with database.connection() as connection:
        connection.execute("DELETE FROM retrieval.documents")
        connection.execute("UPDATE retrieval.collections SET average = 0")
    chunks = [
        chunk
        for number in range(pick.randint(1, 30))
        for chunk in chunks_of(document(f"d{number}"), " ".join(pick.choices(WORDS, k=pick.randint(1, 40))))
    ]
    put(store, chunks)
    question = " ".join(pick.sample(WORDS, 4))
    found, expected = bm25_of(database, store, question), reference_bm25(chunks, question)
    assert found.keys() == expected.keys()
    for name, score in expected.items():
        assert found[name] == pytest.approx(score, rel=1e-4)


def recounted(database: Database) -> tuple[dict[tuple[int, int], int], dict[int, tuple[int, int]]]:
    """What the statistics should be, counted again from the rows."""
    with database.connection() as connection:
        terms = connection.execute(
            "SELECT s.collection, term, count(*) FROM retrieval.lexical l JOIN retrieval.scopes s ON s.key = l.scope,"
            " unnest(l.terms) AS term GROUP BY 1, 2"
        ).fetchall()
        scopes = connection.execute(
            "SELECT scope, count(*), sum(length) FROM retrieval.lexical GROUP BY scope"
        ).fetchall()
    return {(c, t): n for c, t, n in terms}, {key: (chunks, length) for key, chunks, length in scopes}


@PROPERTY
@given(seed=st.integers(0, 10**6))
def test_statistics_follow_the_rows(database: Database, store: PgVectorStore, seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(pick.randint(1, 8)):
        ids = pick.sample(range(8), pick.randint(1, 4))
        if pick.random() < 0.4:
            store.delete([f"d{number}" for number in ids])
        elif pick.random() < 0.2:
            with database.connection() as connection:  # someone else's hand
                connection.execute("DELETE FROM retrieval.documents WHERE id = %s", [f"d{ids[0]}"])
        else:
            kind = pick.choice(["document", "metric"])
            put(
                store,
                *(chunks_of(document(f"d{n}", kind=kind), " ".join(pick.choices(WORDS, k=9))) for n in ids),
            )
    terms, scopes = recounted(database)
    with database.connection() as connection:
        kept = connection.execute("SELECT collection, term, chunks FROM retrieval.terms").fetchall()
        sizes = connection.execute(
            "SELECT key, chunks, length FROM retrieval.scopes WHERE chunks <> 0"
        ).fetchall()
    assert {(c, t): n for c, t, n in kept} == terms
    assert {key: (chunks, length) for key, chunks, length in sizes} == scopes


def test_weights_follow_the_mean_length_when_it_drifts(database: Database, store: PgVectorStore) -> None:
    short = [chunk for n in range(10) for chunk in chunks_of(document(f"s{n}"), f"coffee {n}")]
    put(store, short)
    long = [
        chunk
        for n in range(10)
        for chunk in chunks_of(document(f"l{n}"), f"coffee {n} " + "tea price cup " * 30)
    ]
    put(store, long)
    found, expected = bm25_of(database, store, "coffee tea"), reference_bm25([*short, *long], "coffee tea")
    for name, score in expected.items():
        assert found[name] == pytest.approx(score, rel=1e-3)


def test_a_failure_in_the_middle_leaves_what_was_there(
    store: PgVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, chunks_of(document("a"), "coffee"))

    def broken(*_: object) -> None:
        raise OSError("the lights went out")

    monkeypatch.setattr(pgvector, "_weigh_again", broken)
    with pytest.raises(OSError, match="lights"):
        put(store, chunks_of(document("a"), "tea"))
    assert ask(store, "coffee", model=None) == ["a#0"]
    assert ask(store, "tea", model=None) == []


def test_one_embedder_cannot_have_two_sizes(database: Database, store: PgVectorStore) -> None:
    put(store, chunks_of(document("a"), "coffee"))
    other = EmbeddingModel(MeaningEmbeddings(), MODEL.identity, 3, frozenset({"en"}))
    with pytest.raises(RetrievalError, match="other dimensions"):
        PgVectorStore(database, other).upsert(chunks_of(document("b"), "tea"), [[1.0, 0.0, 0.0]])


def test_the_index_on_vectors_is_made_and_used_and_finds_what_a_scan_finds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pick = random.Random(7)
    model = EmbeddingModel(MeaningEmbeddings(), "random@1", 24, frozenset({"en"}))
    chunks, vectors = [], []
    for number in range(1500):
        labels = frozenset({"user:ana"}) if number % 50 == 0 else frozenset({"role:x"})
        chunks += chunks_of(document(f"d{number}", labels=labels), f"word{number}")
        vectors.append([pick.gauss(0, 1) for _ in range(24)])
    monkeypatch.setattr(pgvector, "_HNSW_ROWS", 1000)
    store = PgVectorStore(database, model)
    store.upsert(chunks, vectors)
    with database.connection() as connection:
        (made,) = connection.execute(
            "SELECT count(*) FROM pg_indexes WHERE schemaname = 'retrieval' AND indexdef LIKE '%%hnsw%%'"
        ).fetchone() or (0,)
    assert made == 1
    question = [pick.gauss(0, 1) for _ in range(24)]
    query = SemanticQuery("nothing", CALLER, limit=10)
    exact = [passage.chunk.id for passage in store.search(query, question).passages]
    monkeypatch.setattr(_pgvector_search, "_EXACT_ROWS", 0)
    indexed = [passage.chunk.id for passage in store.search(query, question).passages]
    # Two chunks of a hundred are this caller's: an index asked once would bring back next to nothing.
    assert len(exact) == len(indexed) == 10
    assert len(set(exact) & set(indexed)) >= 9


def test_the_store_is_found_by_its_name(database: Database) -> None:
    assert "pgvector" in names()
    assert isinstance(build("pgvector", {"database": database, "model": MODEL}), PgVectorStore)
    assert isinstance(build("pgvector", {"database": database}), SemanticStore)
    with pytest.raises(RetrievalError, match="no semantic store called nowhere"):
        build("nowhere", {})
    with pytest.raises(RetrievalError, match="needs an open database"):
        build("pgvector", {})


def test_a_closed_database_says_so(database: Database) -> None:
    store = PgVectorStore(database, None)
    database.pool.close()
    with pytest.raises(RetrievalError):
        store.search(SemanticQuery("coffee", CALLER))
