"""The statements of one search: who may find what and what its words weigh, then candidates, scores and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from retrieval.bm25 import SPACE, idf, rarest
from retrieval.stores._pgvector_rows import CHUNK_COLUMNS, is_storable, rows_as_dicts
from retrieval.types import Principal, SemanticQuery

PER_SIDE = 50
"""Candidates each side may bring."""

_EXACT_ROWS = 20_000  # up to here comparing every vector is quicker than a filtered index, and misses nothing
_SCAN_ROWS = 2_000  # up to here weighing every chunk is quicker than asking which ones hold a word
_BROUGHT = 2_000  # chunks that the rarest words of a query may bring; about 2 microseconds each
_RAREST = 3
_MOST_TERMS = 1_000  # of one query

SETTINGS = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;"
    # The planner does not know what comparing long arrays costs, and would do it for every row.
    " SET LOCAL enable_seqscan = off;"
    " SET LOCAL hnsw.iterative_scan = relaxed_order; SET LOCAL hnsw.ef_search = 100"
)
"""To be run first. One snapshot for all statements: a document that moves in between is seen before or after."""

# Every filter of a search is decided here, on the few rows of `scopes`: what follows sees integers.
_PROLOGUE = """
WITH visible AS (
    SELECT key, collection, chunks, labels && %(labels)s::text[] AS readable
    FROM retrieval.scopes
    WHERE tenant = %(tenant)s AND chunks > 0 AND (labels && %(labels)s::text[] OR discoverable)
      AND (%(kinds)s::text[] IS NULL OR kind = ANY(%(kinds)s))
      AND (%(sources)s::text[] IS NULL OR source = ANY(%(sources)s))
), counted AS (
    SELECT collection, sum(chunks) AS chunks FROM retrieval.scopes
    WHERE collection IN (SELECT collection FROM visible) GROUP BY collection
), held AS (
    SELECT term, sum(chunks)::bigint AS chunks FROM retrieval.terms
    WHERE collection IN (SELECT collection FROM visible) AND term = ANY(%(terms)s::integer[]) GROUP BY term
)
SELECT ARRAY(SELECT key FROM visible WHERE readable) AS readable,
    ARRAY(SELECT key FROM visible WHERE NOT readable) AS hidden,
    coalesce((SELECT sum(chunks) FROM visible WHERE readable), 0)::bigint AS readable_rows,
    coalesce((SELECT sum(chunks) FROM visible WHERE NOT readable), 0)::bigint AS hidden_rows,
    coalesce((SELECT sum(chunks) FROM counted), 0)::bigint AS total,
    ARRAY(SELECT term FROM held ORDER BY term) AS terms,
    ARRAY(SELECT chunks FROM held ORDER BY term) AS counts,
    (SELECT key FROM retrieval.embedders WHERE identity = %(embedder)s) AS embedder
"""

_DENSE_NONE = sql.SQL("SELECT NULL::bigint AS chunk, NULL::real AS distance WHERE false")
# Adding zero keeps the planner from an index that would find only some of few rows.
_DENSE_EXACT = """
    SELECT v.chunk, (v.embedding::halfvec({size}) <=> %(vector)s::halfvec({size})) AS distance
    FROM retrieval.vectors v
    WHERE v.embedder = {embedder} AND v.scope = ANY(%(scopes)s::integer[])
    ORDER BY (v.embedding::halfvec({size}) <=> %(vector)s::halfvec({size})) + 0, v.chunk LIMIT %(side)s
"""
_DENSE_INDEXED = """
    SELECT v.chunk, (v.embedding::halfvec({size}) <=> %(vector)s::halfvec({size})) AS distance
    FROM retrieval.vectors v
    WHERE v.embedder = {embedder} AND v.scope = ANY(%(scopes)s::integer[])
    ORDER BY v.embedding::halfvec({size}) <=> %(vector)s::halfvec({size}) LIMIT %(side)s
"""
_COSINE_NONE = sql.SQL("NULL::double precision")
_COSINE = """
    (SELECT 1 - (v.embedding::halfvec({size}) <=> %(vector)s::halfvec({size}))
     FROM retrieval.vectors v WHERE v.chunk = candidate.chunk AND v.embedder = {embedder})
"""

_LEXICAL_ALL = sql.SQL("l.scope = ANY(%(scopes)s::integer[])")
# Adding zero keeps the planner from the index on scopes: the words are rarer.
_LEXICAL_RARE = sql.SQL("l.terms && %(rare)s::integer[] AND l.scope + 0 = ANY(%(scopes)s::integer[])")

# Candidates of both sides, both exact scores for every one of them, then one mixture (bm25 relative to the best).
# A chunk without a vector (a language the embedder cannot read) counts as the candidates' average on that side.
_SEARCH = """
WITH dense AS MATERIALIZED ({dense}),
lexical AS MATERIALIZED (
    SELECT l.chunk, l.bm25 <#> %(query)s::sparsevec(1000000000) AS negative FROM retrieval.lexical l
    WHERE {lexical} ORDER BY negative, l.chunk LIMIT %(side)s
), candidate AS (
    SELECT chunk FROM dense UNION SELECT chunk FROM lexical WHERE negative < 0
), scored AS MATERIALIZED (
    SELECT candidate.chunk, {cosine} AS cosine,
        -(SELECT l.bm25 <#> %(query)s::sparsevec(1000000000) FROM retrieval.lexical l
          WHERE l.chunk = candidate.chunk) AS bm25
    FROM candidate
), mixed AS (
    SELECT chunk, cosine, bm25,
        %(weight)s * least(1, greatest(0, coalesce(cosine, avg(cosine) OVER (), 0)))
        + (1 - %(weight)s) * coalesce(bm25 / nullif(max(bm25) OVER (), 0), 0) AS score
    FROM scored ORDER BY score DESC, chunk LIMIT %(limit)s
)
SELECT {columns}, mixed.score, mixed.cosine, mixed.bm25
FROM mixed JOIN retrieval.chunks c ON c.key = mixed.chunk
JOIN retrieval.documents d ON d.key = c.document JOIN retrieval.scopes s ON s.key = d.scope
ORDER BY mixed.score DESC, mixed.chunk
"""


@dataclass(frozen=True, slots=True)
class Pool:
    """Scopes to search in, and how many chunks they hold together."""

    scopes: list[int]
    rows: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a search knows before it looks at any chunk."""

    readable: Pool
    hidden: Pool
    """What the caller may learn of, not read."""
    weights: Mapping[int, float]
    """The idf of the query's terms that some chunk holds; of a very long query, the rarest."""
    best: float
    """The BM25 score of an average-long chunk that holds every term of the query once."""
    rare: Sequence[int]
    """Those of its terms that bring candidates where there are many chunks."""
    embedder: int | None


def reader(principal: Principal) -> dict[str, Any]:
    """The caller as parameters; what PostgreSQL cannot hold can be no document's label or tenant."""
    tenant = principal.tenant if is_storable(principal.tenant) else None
    return {"tenant": tenant, "labels": sorted(filter(is_storable, principal.labels))}


def prepare(
    connection: Connection[Any], query: SemanticQuery, terms: Sequence[int], embedder: str | None
) -> Prepared:
    """Decide access and weigh the query's terms. A term's weight is counted over all of the caller's tenant, also
    over chunks the caller may not read: it moves ranks a little and shows nothing.
    """
    parameters = {
        **reader(query.principal),
        "kinds": list(query.kinds) or None,
        "sources": list(filter(is_storable, query.sources)) if query.sources else None,
        "terms": list(terms),
        "embedder": embedder,
    }
    with rows_as_dicts(connection) as cursor:
        row = cursor.execute(_PROLOGUE, parameters).fetchone()
    if row is None:
        return Prepared(Pool([], 0), Pool([], 0), {}, 0.0, [], None)
    held = dict(zip(row["terms"], row["counts"], strict=True))
    best = sum(idf(held.get(term, 0), row["total"]) for term in terms)
    kept = sorted(sorted(held, key=held.__getitem__)[:_MOST_TERMS])
    weights = {term: idf(held[term], row["total"]) for term in kept}
    rare = rarest(held, _BROUGHT, _RAREST)
    readable = Pool(row["readable"], row["readable_rows"])
    hidden = Pool(row["hidden"], row["hidden_rows"])
    return Prepared(readable, hidden, weights, best, rare, row["embedder"])


def run(
    connection: Connection[Any],
    prepared: Prepared,
    pool: Pool,
    vector: Sequence[float] | None,
    *,
    limit: int,
    weight: float,
) -> list[dict[str, Any]]:
    """The best `limit` chunks of the pool as rows of CHUNK_COLUMNS with `score`, `cosine` (None without a
    vector on either side) and `bm25`. `weight` is the share of the dense side.
    """
    indexed = pool.rows > _EXACT_ROWS
    dense: sql.Composable = _DENSE_NONE
    cosine: sql.Composable = _COSINE_NONE
    if vector is not None and prepared.embedder is not None:
        names = {"size": sql.Literal(len(vector)), "embedder": sql.Literal(prepared.embedder)}
        dense = sql.SQL(_DENSE_INDEXED if indexed else _DENSE_EXACT).format(**names)
        cosine = sql.SQL(_COSINE).format(**names)
    else:
        weight = 0.0
    lexical = _LEXICAL_ALL if pool.rows <= _SCAN_ROWS else _LEXICAL_RARE
    columns = sql.SQL(CHUNK_COLUMNS)
    statement = sql.SQL(_SEARCH).format(dense=dense, lexical=lexical, cosine=cosine, columns=columns)
    parameters = {
        "scopes": pool.scopes,
        "rare": list(prepared.rare),
        "query": sparse(prepared.weights),
        "vector": None if vector is None else "[" + ",".join(f"{value:.6g}" for value in vector) + "]",
        "weight": weight,
        "side": max(PER_SIDE, limit),
        "limit": limit,
    }
    with rows_as_dicts(connection) as cursor:
        # Planned anew each time: the plan hangs on how rare these terms are and how many scopes there are.
        return cursor.execute(statement, parameters, prepare=False).fetchall()


def sparse(weights: Mapping[int, float]) -> str:
    """A sparse vector as pgvector reads it."""
    return "{" + ",".join(f"{term}:{weight:.6g}" for term, weight in weights.items()) + f"}}/{SPACE}"
