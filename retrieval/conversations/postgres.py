"""Conversations in the relational store, with a full-text search that knows Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.rows import TupleRow

from retrieval.errors import RetrievalError
from retrieval.postgres.database import Database
from retrieval.tokens import lexical_tokens
from retrieval.types import Principal, Turn

_COLUMNS = "conversation_id, user_id, question, answer, record_id, at, tenant"


class PostgresConversations:
    """`ConversationStore` over `retrieval.turns`. Every statement is bound to the caller's tenant and id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, turn: Turn) -> None:
        """Keep one turn. NUL characters, which PostgreSQL cannot hold, are shown as replaced."""
        values = [
            _storable(v)
            for v in (turn.tenant, turn.user_id, turn.conversation_id, turn.question, turn.answer)
        ]
        tokens = sorted(set(lexical_tokens(f"{turn.question}\n{turn.answer}")))
        with self._database.connection() as connection, connection.transaction():
            connection.execute(
                "INSERT INTO retrieval.turns"
                " (tenant, user_id, conversation_id, question, answer, record_id, at, tokens)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (*values, turn.record_id, turn.at, [_storable(token) for token in tokens]),
            )

    def recent(self, principal: Principal, conversation_id: str, n: int) -> list[Turn]:
        """The last `n` turns of this caller's conversation, oldest first."""
        if n <= 0:
            return []
        with self._database.connection() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM retrieval.turns"  # noqa: S608 - a constant of this module
                " WHERE tenant = %s AND user_id = %s AND conversation_id = %s ORDER BY at DESC, id DESC LIMIT %s",
                (principal.tenant, principal.id, _storable(conversation_id), n),
            ).fetchall()
        return [_turn(row) for row in reversed(rows)]

    def search(self, principal: Principal, text: str, limit: int = 10) -> list[Turn]:
        """This caller's turns that hold every word of `text`, newest first; none for a text without words."""
        tokens = sorted({_storable(token) for token in lexical_tokens(text)})
        if not tokens or limit <= 0:
            return []
        with self._database.connection() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM retrieval.turns"  # noqa: S608 - a constant of this module
                " WHERE tenant = %s AND user_id = %s AND tokens @> %s ORDER BY at DESC, id DESC LIMIT %s",
                (principal.tenant, principal.id, tokens, limit),
            ).fetchall()
        return [_turn(row) for row in rows]


def build(settings: Mapping[str, Any]) -> PostgresConversations:
    """`settings["database"]`: an open, migrated `Database`. Raises `RetrievalError` without one."""
    database = settings.get("database")
    if not isinstance(database, Database):
        raise RetrievalError(
            "Conversations in PostgreSQL need a database",
            where="conversations.postgres",
            todo="Pass `database`.",
        )
    return PostgresConversations(database)


def _turn(row: TupleRow) -> Turn:
    conversation_id, user_id, question, answer, record_id, at, tenant = row
    return Turn(conversation_id, user_id, question, answer, record_id, at, tenant)


def _storable(text: str) -> str:
    return text.replace("\x00", "\ufffd")
