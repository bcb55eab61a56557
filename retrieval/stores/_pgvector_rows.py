"""How documents and chunks become rows of `retrieval.*`, and rows become chunks again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from retrieval.bm25 import count_terms
from retrieval.errors import RetrievalError
from retrieval.tokens import lexical_tokens
from retrieval.types import Chunk, Document, Span

# PostgreSQL stores neither NUL nor lone surrogates; one character for one keeps every offset.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

CHUNK_COLUMNS = (
    "c.id AS chunk_id, c.ordinal, c.text, c.starts, c.ends, c.page, c.heading, c.pii,"
    " d.id AS document_id, d.version, d.uri, d.title, d.as_of, d.media_type, d.owner, d.metadata,"
    " s.tenant, s.kind, s.language, s.source, s.labels, s.discoverable"
)
"""What `read_chunk` needs, of chunks c, documents d and scopes s."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Whole documents, checked, with each chunk's vector (None where the embedder has nothing to say)."""

    documents: Mapping[str, Document]
    chunks: Sequence[Chunk]
    vectors: Sequence[Sequence[float] | None]


def storable(text: str) -> str:
    """`text` with what PostgreSQL cannot hold replaced by U+FFFD; the length stays."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold it as it is."""
    return _UNSTORABLE.search(text) is None


def check_batch(chunks: Sequence[Chunk]) -> dict[str, Document]:
    """The documents named, by id. Raises RetrievalError for what cannot be stored without losing something."""
    documents: dict[str, Document] = {}
    seen: set[str] = set()
    for chunk in chunks:
        document = chunk.document
        if documents.setdefault(document.id, document) != document:
            raise RetrievalError("Two versions of one document in one call", where=document.id)
        if chunk.id in seen:
            raise RetrievalError("Two chunks share one id", where=chunk.id)
        seen.add(chunk.id)
        if not is_storable(chunk.id):
            raise RetrievalError("The id of a chunk holds a NUL or a lone surrogate", where=repr(chunk.id))
    for document in documents.values():
        # Replacing a character here could make two documents, or two audiences, into one.
        names = (document.id, document.tenant, document.source, document.kind, document.language)
        if not all(map(is_storable, (*names, *document.labels))):
            raise RetrievalError(
                "An id, tenant, source or label holds a NUL or a lone surrogate", where=repr(document.id)
            )
    return documents


def delete_documents(cursor: Cursor[Any], document_ids: Sequence[str]) -> int:
    """Remove documents with everything that hangs on them; returns how many there were."""
    # The lexical rows go first and in one statement: statistics are counted a statement, cascades run a row.
    cursor.execute(
        "DELETE FROM retrieval.lexical USING retrieval.chunks c JOIN retrieval.documents d ON d.key = c.document"
        " WHERE lexical.chunk = c.key AND d.id = ANY(%s)",
        [list(document_ids)],
    )
    cursor.execute("DELETE FROM retrieval.documents WHERE id = ANY(%s)", [list(document_ids)])
    return cursor.rowcount


def insert(cursor: Cursor[Any], batch: Batch, embedder: int | None) -> list[int]:
    """Add documents whose ids are free; returns the collections they went into."""
    scopes = {document.id: scope_of(cursor, document) for document in batch.documents.values()}
    _insert_documents(cursor, batch.documents, {name: key for name, (key, _) in scopes.items()})
    _insert_chunks(cursor, batch.chunks)
    counted = [count_terms(_lexical_text_tokens(chunk)) for chunk in batch.chunks]
    collections = sorted({collection for _, collection in scopes.values()})
    for collection in collections:
        lengths = [
            length
            for chunk, (_, _, length) in zip(batch.chunks, counted, strict=True)
            if scopes[chunk.document.id][1] == collection
        ]
        cursor.execute(
            "UPDATE retrieval.collections SET average = %s WHERE key = %s AND average = 0",
            [max(1.0, sum(lengths) / len(lengths)), collection],
        )
    cursor.execute(
        "INSERT INTO retrieval.lexical (chunk, scope, length, terms, counts, bm25)"
        " SELECT c.key, d.scope, new.length, new.terms::integer[], new.counts::integer[],"
        " retrieval.saturate(new.terms::integer[], new.counts::integer[], new.length, o.average)"
        " FROM unnest(%s::text[], %s::integer[], %s::text[], %s::text[]) AS new (id, length, terms, counts)"
        " JOIN retrieval.chunks c ON c.id = new.id JOIN retrieval.documents d ON d.key = c.document"
        " JOIN retrieval.scopes s ON s.key = d.scope JOIN retrieval.collections o ON o.key = s.collection",
        [
            [chunk.id for chunk in batch.chunks],
            [length for _, _, length in counted],
            [_braces(terms) for terms, _, _ in counted],
            [_braces(counts) for _, counts, _ in counted],
        ],
    )
    if embedder is not None:
        _insert_vectors(cursor, batch, embedder)
    return collections


def read_chunk(row: Mapping[str, Any]) -> Chunk:
    """A row of CHUNK_COLUMNS as a Chunk with its Document."""
    document = Document(
        id=row["document_id"],
        version=row["version"],
        uri=row["uri"],
        title=row["title"],
        kind=row["kind"],
        language=row["language"],
        tenant=row["tenant"],
        labels=frozenset(row["labels"]),
        discoverable=row["discoverable"],
        owner=row["owner"],
        as_of=row["as_of"],
        source=row["source"],
        media_type=row["media_type"],
        metadata=row["metadata"],
    )
    return Chunk(
        id=row["chunk_id"],
        document=document,
        ordinal=row["ordinal"],
        text=row["text"],
        start=row["starts"],
        end=row["ends"],
        page=row["page"],
        heading=row["heading"],
        pii=tuple(Span(start, end, kind) for start, end, kind in row["pii"]),
    )


def rows_as_dicts(connection: Connection[Any]) -> Cursor[dict[str, Any]]:
    """A cursor whose rows are dictionaries."""
    return connection.cursor(row_factory=dict_row)


def _lexical_text_tokens(chunk: Chunk) -> list[str]:
    """Title and heading are words to find a chunk by; they stay out of its vector, where they blur."""
    heading = "" if chunk.heading == chunk.document.title else chunk.heading
    return lexical_tokens("\n".join((chunk.document.title, heading, chunk.text)))


def scope_of(cursor: Cursor[Any], document: Document) -> tuple[int, int]:
    """The keys of the document's scope and collection, made where they are new."""
    about = [document.tenant, document.kind, document.language]
    labels = sorted(document.labels)
    whole = json.dumps([*about, document.source, labels, document.discoverable], ensure_ascii=True)
    digest = hashlib.sha256(whole.encode()).hexdigest()
    cursor.execute("SELECT key, collection FROM retrieval.scopes WHERE digest = %s", [digest])
    if (found := cursor.fetchone()) is not None:
        return found[0], found[1]
    cursor.execute(
        "INSERT INTO retrieval.collections AS known (tenant, kind, language) VALUES (%s, %s, %s)"
        " ON CONFLICT (tenant, kind, language) DO UPDATE SET tenant = known.tenant RETURNING key",
        about,
    )
    collection = _first(cursor)
    cursor.execute(
        "INSERT INTO retrieval.scopes (digest, collection, tenant, kind, language, source, labels, discoverable)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING key",
        [digest, collection, *about, document.source, labels, document.discoverable],
    )
    return _first(cursor), collection


def _first(cursor: Cursor[Any]) -> int:
    row = cursor.fetchone()
    if row is None:  # a statement with RETURNING and no row: the table was changed under us
        raise RetrievalError("The store's tables are not as they were made", where="retrieval")
    return int(row[0])


def _insert_documents(
    cursor: Cursor[Any], documents: Mapping[str, Document], scopes: Mapping[str, int]
) -> None:
    cursor.executemany(
        "INSERT INTO retrieval.documents (id, scope, version, uri, title, as_of, media_type, owner, metadata)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            [
                document.id,
                scopes[document.id],
                storable(document.version),
                storable(document.uri),
                storable(document.title),
                document.as_of,
                storable(document.media_type),
                storable(document.owner),
                Jsonb(_clean(document.metadata)),
            ]
            for document in documents.values()
        ],
    )


def _insert_chunks(cursor: Cursor[Any], chunks: Sequence[Chunk]) -> None:
    cursor.executemany(
        "INSERT INTO retrieval.chunks (document, id, ordinal, text, starts, ends, page, heading, pii)"
        " SELECT key, %s, %s, %s, %s, %s, %s, %s, %s FROM retrieval.documents WHERE id = %s",
        [
            [
                chunk.id,
                chunk.ordinal,
                storable(chunk.text),
                chunk.start,
                chunk.end,
                chunk.page,
                storable(chunk.heading),
                Jsonb([[span.start, span.end, storable(span.kind)] for span in chunk.pii]),
                chunk.document.id,
            ]
            for chunk in chunks
        ],
    )


def _insert_vectors(cursor: Cursor[Any], batch: Batch, embedder: int) -> None:
    present = [
        (chunk.id, "[" + ",".join(f"{value:.6g}" for value in vector) + "]")
        for chunk, vector in zip(batch.chunks, batch.vectors, strict=True)
        if vector is not None
    ]
    cursor.execute(
        "INSERT INTO retrieval.vectors (chunk, scope, embedder, embedding)"
        " SELECT c.key, d.scope, %s, new.embedding::halfvec"
        " FROM unnest(%s::text[], %s::text[]) AS new (id, embedding)"
        " JOIN retrieval.chunks c ON c.id = new.id JOIN retrieval.documents d ON d.key = c.document",
        [embedder, [name for name, _ in present], [vector for _, vector in present]],
    )


def _braces(numbers: Sequence[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _clean(value: Any) -> Any:
    """JSON-able metadata with text that PostgreSQL can hold."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
