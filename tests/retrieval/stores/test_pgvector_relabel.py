"""Changing labels in place: at once, for both sides of the search, with statistics that stay true."""

from __future__ import annotations

from typing import Any

from retrieval.postgres.database import Database
from retrieval.stores.pgvector import PgVectorStore
from retrieval.types import Access, Principal, SemanticQuery
from tests.contracts.semantic_store_contract import MODEL, chunks_of, document, put

SELLER = Principal("bo", roles=("seller",))
ANALYST = Principal("ana", roles=("analyst",))


def _sizes(database: Database) -> list[tuple[Any, ...]]:
    with database.connection() as connection:
        return connection.execute(
            "SELECT s.key, s.chunks, s.length, count(l.chunk), coalesce(sum(l.length), 0)"
            " FROM retrieval.scopes s LEFT JOIN retrieval.lexical l ON l.scope = s.key GROUP BY s.key"
        ).fetchall()


def test_other_labels_without_other_vectors(database: Database) -> None:
    store = PgVectorStore(database, MODEL)
    analyst = frozenset({"role:analyst"})
    put(
        store,
        chunks_of(document("a", labels=analyst), "Coffee is a drink.", "Coffee has a price."),
        chunks_of(document("b", labels=analyst), "Coffee can be returned."),
    )
    before = store.search(
        SemanticQuery("coffee drink", ANALYST), MODEL.embeddings.embed_query("coffee drink")
    )
    assert len(before.passages) == 3

    assert store.relabel({"a": Access(frozenset({"role:seller"})), "unknown": Access()}) == 1

    vector = MODEL.embeddings.embed_query("coffee drink")
    left = store.search(SemanticQuery("coffee drink", ANALYST), vector).passages
    moved = store.search(SemanticQuery("coffee drink", SELLER), vector).passages
    assert {p.chunk.document.id for p in left} == {"b"}
    assert {p.chunk.document.id for p in moved} == {"a"}
    scores = {p.chunk.id: (p.lexical, p.dense) for p in before.passages}
    assert {p.chunk.id: (p.lexical, p.dense) for p in (*left, *moved)} == scores
    assert store.get(["a#0"], ANALYST) == []
    assert all(row[1:3] == row[3:5] for row in _sizes(database))

    # Nobody at all, and gone without a trace in the statistics.
    store.relabel({"a": Access()})
    assert store.search(SemanticQuery("coffee drink", SELLER), vector).passages == ()
    store.delete(["a", "b"])
    assert all(row[1:] == (0, 0, 0, 0) for row in _sizes(database))


def test_a_mark_and_an_owner_come_and_go_in_place(database: Database) -> None:
    store = PgVectorStore(database, MODEL)
    seller = frozenset({"role:seller"})
    put(store, chunks_of(document("a", labels=seller), "Coffee is a drink."))
    query, vector = SemanticQuery("coffee drink", ANALYST), MODEL.embeddings.embed_query("coffee drink")

    def known() -> tuple[int, tuple[str, ...]]:
        result = store.search(query, vector)
        assert result.passages == ()
        return result.withheld, result.owners

    assert known() == (0, ())
    store.relabel({"a": Access(seller, discoverable=True, owner="coffee@shop")})
    assert known() == (1, ("coffee@shop",))
    (chunk,) = store.get(["a#0"], SELLER)
    assert (chunk.document.discoverable, chunk.document.owner) == (True, "coffee@shop")
    store.relabel({"a": Access(seller, discoverable=True)})
    assert known() == (1, ())
    # An owner of what nobody may learn of is never told.
    store.relabel({"a": Access(seller, owner="coffee@shop")})
    assert known() == (0, ())
    assert all(row[1:3] == row[3:5] for row in _sizes(database))
