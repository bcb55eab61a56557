"""Peers of the semantic store: langchain-postgres, LlamaIndex and Chroma, each set up as its documentation says.

The first two use the same PostgreSQL server as ours (each a database of its own) and their own hybrid search with
an HNSW index; Chroma runs embedded. Titles stand before the text for them: their word index has no other place.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from psycopg.conninfo import conninfo_to_dict

from bench._vectors import Prepared

LIMIT = 10
_NAMES = uuid.UUID("5b8b9a3e-2f0f-4c0e-9a53-7d3a0c1f6b11")
_BATCH = 500


class Engine(Protocol):
    """What is raced: `search` gives the ids of the first ten."""

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None: ...

    def search(self, question: str, vector: Sequence[float]) -> list[str]: ...

    def close(self) -> None: ...


def _url(dsn: str, driver: str) -> Any:
    """A SQLAlchemy URL for a libpq DSN; a socket's folder goes into the query."""
    from sqlalchemy.engine import URL

    parts = conninfo_to_dict(dsn)
    query = {name: str(parts[name]) for name in ("host", "port", "passfile") if parts.get(name) is not None}
    return URL.create(
        driver,
        username=str(parts["user"]) if parts.get("user") else None,
        password=str(parts["password"]) if parts.get("password") else None,
        database=str(parts["dbname"]),
        query=query,
    )


class LangChain:
    """PGVectorStore with a tsvector column, its default fusion (a weighted sum), HNSW and GIN."""

    def __init__(self, dsn: str, embeddings: Prepared, config: str) -> None:
        from langchain_postgres import PGEngine, PGVectorStore
        from langchain_postgres.v2.hybrid_search_config import HybridSearchConfig

        self._engine = PGEngine.from_connection_string(_url(dsn, "postgresql+psycopg"))
        hybrid = HybridSearchConfig(
            tsv_column="content_tsv",
            tsv_lang=f"pg_catalog.{config}",
            fusion_function_parameters={"fetch_top_k": LIMIT},
            primary_top_k=LIMIT,
            secondary_top_k=LIMIT,
        )
        self._engine.init_vectorstore_table("langchain_passages", 384, hybrid_search_config=hybrid)
        self._store = PGVectorStore.create_sync(
            self._engine, embeddings, "langchain_passages", k=LIMIT, hybrid_search_config=hybrid
        )

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        from langchain_postgres.v2.indexes import HNSWIndex

        for at in range(0, len(ids), _BATCH):
            part = slice(at, at + _BATCH)
            self._store.add_embeddings(
                list(texts[part]),
                [list(vector) for vector in vectors[part]],
                [{"name": name} for name in ids[part]],
                [str(uuid.uuid5(_NAMES, name)) for name in ids[part]],
            )
        self._store.apply_vector_index(HNSWIndex())
        self._store.apply_hybrid_search_index()

    def search(self, question: str, vector: Sequence[float]) -> list[str]:
        del vector  # it asks the embedder, which knows it
        return [document.metadata["name"] for document in self._store.similarity_search(question, k=LIMIT)]

    def close(self) -> None:
        self._engine._run_as_sync(self._engine.close())  # noqa: SLF001 - it has no public way without a loop


class LlamaIndex:
    """PGVectorStore in hybrid mode with HNSW; it hands back the dense list and then the words' list."""

    def __init__(self, dsn: str, embeddings: Prepared, config: str) -> None:
        from llama_index.vector_stores.postgres import PGVectorStore

        del embeddings
        self._store = PGVectorStore(
            connection_string=_url(dsn, "postgresql+psycopg2"),
            async_connection_string=_url(dsn, "postgresql+asyncpg"),
            table_name="passages",
            schema_name="public",
            hybrid_search=True,
            text_search_config=config,
            embed_dim=384,
            hnsw_kwargs={"hnsw_m": 16, "hnsw_ef_construction": 64, "hnsw_ef_search": 40},
        )

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        from llama_index.core.schema import TextNode

        for at in range(0, len(ids), _BATCH):
            part = slice(at, at + _BATCH)
            self._store.add(
                [
                    TextNode(id_=name, text=text, embedding=list(vector))
                    for name, text, vector in zip(ids[part], texts[part], vectors[part], strict=True)
                ]
            )

    def search(self, question: str, vector: Sequence[float]) -> list[str]:
        from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode

        query = VectorStoreQuery(
            query_embedding=list(vector),
            query_str=question,
            similarity_top_k=LIMIT,
            sparse_top_k=LIMIT,
            mode=VectorStoreQueryMode.HYBRID,
        )
        return list(self._store.query(query).ids or [])[:LIMIT]

    def close(self) -> None:
        engine = self._store.client
        if engine is not None:
            engine.dispose()


class Chroma:
    """An embedded persistent collection with cosine distance; it searches by vector alone."""

    def __init__(self, dsn: str, embeddings: Prepared, config: str) -> None:
        import chromadb
        from chromadb.config import Settings

        del dsn, embeddings, config
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        client = chromadb.PersistentClient(self._folder.name, Settings(anonymized_telemetry=False))
        self._collection = client.create_collection(
            "passages", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )

    def index(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        for at in range(0, len(ids), _BATCH):
            part = slice(at, at + _BATCH)
            self._collection.add(
                list(ids[part]),
                embeddings=[list(vector) for vector in vectors[part]],
                documents=list(texts[part]),
            )

    def search(self, question: str, vector: Sequence[float]) -> list[str]:
        del question
        found = self._collection.query(query_embeddings=[list(vector)], n_results=LIMIT)
        return list(found["ids"][0])

    def close(self) -> None:
        self._folder.cleanup()


PEERS: Mapping[str, tuple[tuple[str, ...], Callable[[str, Prepared, str], Engine]]] = {
    "langchain-postgres": (("langchain-postgres", "pgvector"), LangChain),
    "LlamaIndex": (("llama-index-vector-stores-postgres", "llama-index-core"), LlamaIndex),
    "Chroma": (("chromadb",), Chroma),
}
