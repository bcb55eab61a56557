"""The semantic store on PostgreSQL with pgvector alone: real BM25 and cosine, fused in one statement.

BM25 is an inner product of `sparsevec` (see retrieval/bm25.py and the migration); candidates come from a GIN
index over hashed terms and from the vectors, and every candidate gets both exact scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection, Cursor, sql

from retrieval.bm25 import term_id
from retrieval.embeddings import EmbeddingModel
from retrieval.errors import RetrievalError
from retrieval.postgres.database import Database
from retrieval.stores import _pgvector_rows as rows
from retrieval.stores import _pgvector_search as searches
from retrieval.stores._pgvector_labels import relabel_documents
from retrieval.tokens import lexical_tokens
from retrieval.types import Access, Chunk, Passage, Principal, SearchResult, SemanticQuery, StoreStats

DENSE_WEIGHT = 0.5
"""The dense side's share of the score where the embedder knows the query's language; found by measuring."""

_WRITER = 0x62756E6D  # advisory lock: writers take turns, readers never wait
_DRIFT = 1.2  # chunks are weighed again when their mean length has moved by more than this factor
_HNSW_ROWS = 50_000
_GOOD_LEXICAL, _GOOD_COSINE = 0.5, 0.5


def build(settings: Mapping[str, Any]) -> PgVectorStore:
    """`database`: an open Database with migrations applied; `model`: an EmbeddingModel or None."""
    if not isinstance(settings.get("database"), Database):
        raise RetrievalError("The store `pgvector` needs an open database", where="settings: database")
    return PgVectorStore(settings["database"], settings.get("model"))


class PgVectorStore:
    """A SemanticStore. Thread safe: every call takes a connection of its own."""

    def __init__(
        self, database: Database, model: EmbeddingModel | None, *, dense_weight: float = DENSE_WEIGHT
    ) -> None:
        self._database = database
        self._model = model
        self._dense_weight = dense_weight

    def upsert(self, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]) -> None:
        """Replace all chunks of every document named, in one transaction.

        `vectors` is empty (no dense side) or holds one vector a chunk; an empty vector means "none for this
        one". Vectors of documents in a language the embedder does not know are not kept. Raises RetrievalError.
        """
        if not chunks:
            return
        batch = rows.Batch(rows.check_batch(chunks), chunks, self._checked(chunks, vectors))
        with self._database.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITER])
            rows.delete_documents(cursor, list(batch.documents))
            collections = rows.insert(cursor, batch, self._embedder(cursor))
            _weigh_again(cursor, collections)
            self._keep_fast(cursor)

    def delete(self, document_ids: Sequence[str]) -> int:
        """Remove documents with their chunks; returns how many documents went."""
        with self._database.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITER])
            return rows.delete_documents(cursor, [name for name in document_ids if rows.is_storable(name)])

    def relabel(self, access: Mapping[str, Access]) -> int:
        """Change who may find documents (by id), at once and without their vectors; returns how many there were."""
        if not all(rows.is_storable(label) for each in access.values() for label in each.labels):
            raise RetrievalError("A label holds a NUL or a lone surrogate")
        with self._database.connection() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITER])
            return relabel_documents(cursor, access)

    def search(self, query: SemanticQuery, vector: Sequence[float] | None = None) -> SearchResult:
        """Find passages, best first; ties go to the older row.

        `Passage.score` mixes cosine and BM25 relative to the best found; `lexical` is BM25 against a chunk that
        holds every word of the query once, `dense` the cosine: these two compare across queries.
        """
        terms = sorted({term_id(token) for token in lexical_tokens(query.text)})
        vector = self._checked_query(vector) if query.dense else None
        if (not terms and vector is None) or query.limit <= 0:
            return SearchResult(())
        identity = None if self._model is None else self._model.identity
        with self._database.connection() as connection:
            connection.execute(searches.SETTINGS)
            prepared = searches.prepare(connection, query, terms, identity)
            found: list[dict[str, Any]] = []
            if prepared.readable.scopes:
                found = searches.run(
                    connection,
                    prepared,
                    prepared.readable,
                    vector,
                    limit=query.limit,
                    weight=self._dense_weight,
                )
            withheld = self._withheld(connection, prepared, vector, found) if prepared.hidden.scopes else {}
        passages = tuple(_passage(row, prepared.best) for row in found)
        return SearchResult(passages, len(withheld), tuple(dict.fromkeys(filter(None, withheld.values()))))

    def get(self, chunk_ids: Sequence[str], principal: Principal) -> list[Chunk]:
        """The named chunks that this caller may read, in the order asked."""
        parameters = {
            **searches.reader(principal),
            "ids": [name for name in chunk_ids if rows.is_storable(name)],
        }
        statement = sql.SQL(
            "SELECT {columns} FROM retrieval.chunks c JOIN retrieval.documents d ON d.key = c.document"
            " JOIN retrieval.scopes s ON s.key = d.scope"
            " WHERE c.id = ANY(%(ids)s) AND s.tenant = %(tenant)s AND s.labels && %(labels)s::text[]"
        ).format(columns=sql.SQL(rows.CHUNK_COLUMNS))
        with self._database.connection() as connection, rows.rows_as_dicts(connection) as cursor:
            found = {row["chunk_id"]: rows.read_chunk(row) for row in cursor.execute(statement, parameters)}
        return [found[name] for name in chunk_ids if name in found]

    def stats(self) -> StoreStats:
        """Sizes: documents by kind, and chunks, of all tenants."""
        with self._database.connection() as connection:
            kinds = connection.execute(
                "SELECT s.kind, count(*) FROM retrieval.documents d JOIN retrieval.scopes s ON s.key = d.scope"
                " GROUP BY s.kind ORDER BY s.kind"
            ).fetchall()
            chunks = connection.execute("SELECT coalesce(sum(chunks), 0) FROM retrieval.scopes").fetchone()
        by_kind = {str(kind): int(count) for kind, count in kinds}
        embedder = "none" if self._model is None else self._model.identity
        return StoreStats(sum(by_kind.values()), int(chunks[0]) if chunks else 0, by_kind, embedder)

    def _checked(
        self, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]
    ) -> list[Sequence[float] | None]:
        if not len(vectors):
            return [None] * len(chunks)
        if self._model is None:
            raise RetrievalError("Vectors for a store that has no embedder")
        if len(vectors) != len(chunks):
            raise RetrievalError(f"{len(vectors)} vectors for {len(chunks)} chunks")
        return [
            self._of_size(vector)
            if len(vector) and chunk.document.language in self._model.languages
            else None
            for chunk, vector in zip(chunks, vectors, strict=True)
        ]

    def _checked_query(self, vector: Sequence[float] | None) -> Sequence[float] | None:
        return None if vector is None or self._model is None else self._of_size(vector)

    def _of_size(self, vector: Sequence[float]) -> Sequence[float]:
        expected = self._model.dimensions if self._model else 0
        if len(vector) != expected:
            raise RetrievalError(f"A vector of {len(vector)} dimensions where the embedder has {expected}")
        return vector

    def _embedder(self, cursor: Cursor[Any]) -> int | None:
        if self._model is None:
            return None
        cursor.execute(
            "INSERT INTO retrieval.embedders AS known (identity, dimensions) VALUES (%s, %s)"
            " ON CONFLICT (identity) DO UPDATE SET identity = known.identity RETURNING key, dimensions",
            [self._model.identity, self._model.dimensions],
        )
        row = cursor.fetchone()
        if row is None or row[1] != self._model.dimensions:
            raise RetrievalError(
                "The store knows this embedder with other dimensions", where=self._model.identity
            )
        return int(row[0])

    def _withheld(
        self,
        connection: Connection[Any],
        prepared: searches.Prepared,
        vector: Sequence[float] | None,
        found: Sequence[Mapping[str, Any]],
    ) -> dict[str, str]:
        """The documents, with their owners, that match well and that the caller may know of but not read.

        Well: by word as a chunk holding about half of the query's weight, or by vector at .5 and better than
        anything the caller may read (embedders differ in what a cosine means).
        """
        best_cosine = max((row["cosine"] or 0.0 for row in found), default=0.0)
        hidden = searches.run(
            connection,
            prepared,
            prepared.hidden,
            vector,
            limit=20,
            weight=self._dense_weight,
        )
        return {
            row["document_id"]: row["owner"]
            for row in hidden
            if row["bm25"] >= _GOOD_LEXICAL * max(prepared.best, 1e-9)
            or (row["cosine"] or 0.0) >= max(_GOOD_COSINE, best_cosine)
        }

    def _keep_fast(self, cursor: Cursor[Any]) -> None:
        """Fresh planner statistics when the tables have doubled, and an HNSW index once there are many vectors."""
        cursor.execute(
            "SELECT (SELECT coalesce(sum(chunks), 0) FROM retrieval.scopes),"
            " (SELECT reltuples FROM pg_class WHERE oid = 'retrieval.lexical'::regclass)"
        )
        row = cursor.fetchone()
        chunks, planned = (int(row[0]), max(0, int(row[1]))) if row else (0, 0)
        if chunks > 2 * planned + 500:
            cursor.execute(
                "ANALYZE retrieval.lexical, retrieval.vectors, retrieval.chunks, retrieval.documents"
            )
        if chunks >= _HNSW_ROWS and self._model is not None and self._model.dimensions <= 4000:
            key = self._embedder(cursor)
            cursor.execute(
                sql.SQL(
                    "CREATE INDEX IF NOT EXISTS {name} ON retrieval.vectors USING hnsw"
                    " ((embedding::halfvec({size})) halfvec_cosine_ops) WHERE embedder = {key}"
                ).format(
                    name=sql.Identifier(f"vectors_hnsw_{key}"),
                    size=sql.Literal(self._model.dimensions),
                    key=sql.Literal(key),
                )
            )


def _weigh_again(cursor: Cursor[Any], collections: Sequence[int]) -> None:
    """Bring BM25 weights up to date where the mean length has drifted; rare, as it settles with size."""
    cursor.execute(
        "WITH actual AS (SELECT collection, sum(length)::real / sum(chunks) AS average FROM retrieval.scopes"
        " WHERE collection = ANY(%s) AND chunks > 0 GROUP BY collection)"
        " UPDATE retrieval.collections o SET average = greatest(actual.average, 1) FROM actual"
        " WHERE o.key = actual.collection AND greatest(actual.average, 1) / o.average NOT BETWEEN %s AND %s"
        " RETURNING o.key",
        [list(collections), 1 / _DRIFT, _DRIFT],
    )
    drifted = [key for (key,) in cursor.fetchall()]
    if drifted:
        cursor.execute(
            "UPDATE retrieval.lexical l SET bm25 = retrieval.saturate(l.terms, l.counts, l.length, o.average)"
            " FROM retrieval.scopes s JOIN retrieval.collections o ON o.key = s.collection"
            " WHERE s.key = l.scope AND o.key = ANY(%s)",
            [drifted],
        )


def _passage(row: Mapping[str, Any], best: float) -> Passage:
    lexical = row["bm25"] / best if best > 0 else 0.0
    return Passage(
        chunk=rows.read_chunk(row),
        score=min(1.0, max(0.0, row["score"])),
        lexical=min(1.0, max(0.0, lexical)),
        dense=min(1.0, max(0.0, row["cosine"] or 0.0)),
    )
