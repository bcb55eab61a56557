"""Sets for retrieval: a folder with documents and the questions that they answer, and a store of their own.

    DIR/corpus.jsonl[.gz]   {"id", "title", "text"}
    DIR/queries.jsonl[.gz]  {"id", "question", "relevant": [ids of documents]}

Each document is one chunk, so that what is measured is the search and not the way of cutting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

import retrieval
from evals.cases import spread
from evals.errors import EvalError, SuiteError
from evals.json_lines import found, read_lines
from retrieval.embeddings import EmbeddingModel
from retrieval.indexing import index
from retrieval.language import detect
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.migrations import migrate
from retrieval.stores.pgvector import PgVectorStore
from retrieval.types import Chunk, Document


@dataclass(frozen=True, slots=True)
class Query:
    """A question and the ids of the documents that answer it; empty `relevant`: it cannot be scored."""

    id: str
    question: str
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class Passages:
    """One set. `missing`: ids that questions name as right and the corpus does not hold (they count as not found)."""

    name: str
    files: tuple[Path, ...]
    chunks: tuple[Chunk, ...]
    queries: tuple[Query, ...]
    missing: tuple[str, ...]


def load(folder: Path, limit: int | None = None) -> Passages:
    """Read one set; of the questions at most `limit`, evenly spread. Raises `SuiteError` naming file and line."""
    corpus, asked = found(folder, "corpus.jsonl"), found(folder, "queries.jsonl")
    chunks, known = [], set()
    for where, row in read_lines(corpus):
        chunk = _chunk(row, where)
        if chunk.document.id in known:
            raise SuiteError(f"The document id {chunk.document.id!r} is there twice", where=where)
        known.add(chunk.document.id)
        chunks.append(chunk)
    queries, ids = [], set()
    for number, (where, row) in enumerate(read_lines(asked)):
        query = _query(row, number, where)
        if query.id in ids:
            raise SuiteError(f"The question id {query.id!r} is there twice", where=where)
        ids.add(query.id)
        queries.append(query)
    if not chunks or not queries:
        raise SuiteError("There is nothing to search or to ask", where=str(folder))
    missing = sorted({name for query in queries for name in query.relevant} - known)
    return Passages(
        folder.resolve().name, (corpus, asked), tuple(chunks), spread(queries, limit), tuple(missing)
    )


@contextmanager
def fresh(dsn: str | None = None) -> Iterator[Database]:
    """An empty, migrated database that goes afterwards, on an embedded server in a temporary home without `dsn`.

    With `dsn` it is made beside the database that it names, which is not touched. Raises `StoreUnavailable`.
    """
    with tempfile.TemporaryDirectory(prefix="bunmyaku-eval-", ignore_cleanup_errors=True) as scratch:
        name = f"bunmyaku_eval_{uuid4().hex[:12]}"
        database = open_database(Path(scratch), _beside(dsn, name) if dsn else None, name=name)
        try:
            migrate(database, "retrieval", Path(retrieval.__path__[0]) / "migrations")
            yield database
        finally:
            database.close()
            if dsn:
                with psycopg.connect(_beside(dsn, "postgres"), autocommit=True) as connection:
                    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _beside(dsn: str, name: str) -> str:
    """The same server, another database."""
    try:
        return make_conninfo(dsn, dbname=name)
    except psycopg.ProgrammingError as error:
        raise EvalError("The DSN cannot be read", where="--dsn", todo=str(error).strip()) from error


def fill(database: Database, model: EmbeddingModel, passages: Passages) -> PgVectorStore:
    """Index the whole set through the real path and hand back the store that searches it."""
    store = PgVectorStore(database, model)
    index(list(passages.chunks), model, store)
    return store


def _chunk(row: dict[str, Any], where: str) -> Chunk:
    name, text = row.get("id"), row.get("text")
    if not isinstance(name, str | int) or not isinstance(text, str):
        raise SuiteError("A document needs `id` and `text`", where=where)
    document = Document(str(name), "1", str(name), str(row.get("title") or ""), language=detect(text))
    return Chunk(f"{name}#0", document, 0, text, 0, len(text))


def _query(row: dict[str, Any], number: int, where: str) -> Query:
    question, relevant = row.get("question"), row.get("relevant", [])
    if not isinstance(question, str) or not isinstance(relevant, list):
        raise SuiteError(
            "A question needs `question` and `relevant`, a list of ids of documents", where=where
        )
    return Query(str(row.get("id", number)), question, frozenset(map(str, relevant)))
