"""Keeps tables, metrics, terms and verified queries in the semantic store in step with their files.

Compared by a digest over text, labels and embedder: an edit of the semantic model, the glossary or the policy is
taken up at the next start, and only what changed is embedded again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from retrieval.embeddings import EmbeddingModel
from retrieval.indexing import index
from retrieval.postgres.database import Database
from retrieval.types import Chunk, Progress, SemanticStore


def synchronise(
    database: Database,
    store: SemanticStore,
    model: EmbeddingModel | None,
    chunks: Sequence[Chunk],
    progress: Progress | None = None,
) -> tuple[int, int]:
    """Make the store hold exactly these catalogue chunks; returns how many were (written, deleted)."""
    wanted = {chunk.document.id: _digest(chunk, model) for chunk in chunks}
    with database.connection() as connection:
        rows = connection.execute("SELECT document_id, digest FROM app.catalog_index").fetchall()
    known: dict[str, str] = {row[0]: row[1] for row in rows}
    gone = sorted(known.keys() - wanted.keys())
    changed = [chunk for chunk in chunks if known.get(chunk.document.id) != wanted[chunk.document.id]]
    if changed:
        index(changed, model, store, progress)
    if gone:
        store.delete(gone)
    if changed or gone:
        # After the store: a crash between the two is mended by writing the same chunks again.
        with database.connection() as connection, connection.transaction():
            connection.execute("DELETE FROM app.catalog_index WHERE document_id = ANY(%s)", (gone,))
            connection.cursor().executemany(
                "INSERT INTO app.catalog_index (document_id, digest) VALUES (%s, %s)"
                " ON CONFLICT (document_id) DO UPDATE SET digest = excluded.digest",
                [(chunk.document.id, wanted[chunk.document.id]) for chunk in changed],
            )
    return len(changed), len(gone)


def _digest(chunk: Chunk, model: EmbeddingModel | None) -> str:
    document = chunk.document
    content = [
        chunk.text,
        document.version,
        document.title,
        document.uri,
        document.owner,
        document.tenant,
        sorted(document.labels),
        document.discoverable,
        model.identity if model else "",
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
