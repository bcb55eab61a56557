"""How documents change who may find them, without being stored again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import Cursor

from retrieval.stores._pgvector_rows import scope_of, storable
from retrieval.types import Access, Document


def relabel_documents(cursor: Cursor[Any], access: Mapping[str, Access]) -> int:
    """Move documents to the scopes that their new access makes; chunks, weights and vectors stay as they are.

    Access is no part of a collection, so BM25's statistics do not change; only the scopes' sizes do.
    """
    cursor.execute(
        "SELECT d.id, s.tenant, s.kind, s.language, s.source FROM retrieval.documents d"
        " JOIN retrieval.scopes s ON s.key = d.scope WHERE d.id = ANY(%s)",
        [list(access)],
    )
    found = cursor.fetchall()
    scopes = [
        scope_of(
            cursor,
            Document(
                id=name, version="", uri="", title="", kind=kind, language=language, tenant=tenant,
                labels=access[name].labels, discoverable=access[name].discoverable, source=source,
            ),
        )[0]
        for name, tenant, kind, language, source in found
    ]  # fmt: skip
    names = [row[0] for row in found]
    owners = [storable(access[name].owner) for name in names]
    cursor.execute(
        "UPDATE retrieval.documents d SET scope = new.scope, owner = new.owner"
        " FROM unnest(%s::text[], %s::integer[], %s::text[]) AS new (id, scope, owner) WHERE d.id = new.id",
        [names, scopes, owners],
    )
    cursor.execute(
        "WITH moved AS MATERIALIZED (SELECT l.chunk, l.scope AS before, d.scope AS after, l.length"
        " FROM retrieval.lexical l JOIN retrieval.chunks c ON c.key = l.chunk"
        " JOIN retrieval.documents d ON d.key = c.document WHERE d.id = ANY(%s) AND l.scope <> d.scope),"
        " words AS (UPDATE retrieval.lexical l SET scope = after FROM moved WHERE l.chunk = moved.chunk),"
        " dense AS (UPDATE retrieval.vectors v SET scope = after FROM moved WHERE v.chunk = moved.chunk),"
        " delta AS (SELECT key, sum(chunks) AS chunks, sum(length) AS length FROM ("
        " SELECT before AS key, -1 AS chunks, -length AS length FROM moved"
        " UNION ALL SELECT after, 1, length FROM moved) AS change GROUP BY key)"
        " UPDATE retrieval.scopes s SET chunks = s.chunks + delta.chunks, length = s.length + delta.length"
        " FROM delta WHERE s.key = delta.key",
        [names],
    )
    return len(names)
