"""The AnswerRecord: what every step saw and decided for one question, as one JSON document.

It is what makes replay, blame and audit possible: ids and scores of what was retrieved, what was linked, every
draft with its verdict, the estimate, a hash of the result, the route, versions and timings.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from psycopg.types.json import Jsonb

from retrieval.postgres.database import Database
from retrieval.types import Citation, Context, Fact, Language, Principal
from text2sql.attempting import Attempt
from text2sql.types import Check, ModelCall, ResultSet, Warn

MIGRATIONS = Path(__file__).parent / "migrations"
KEPT_ROWS = 1_000
"""Rows of a result kept beside its record; the hash covers all of them."""

Outcome = Literal["answered", "no_rows", "clarify", "declined", "withheld", "refused", "failed", "confirm"]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """One piece of the context, by reference: enough to find it again and to say why it was there."""

    kind: str
    origin: str
    reason: str
    tokens: int
    chunk_id: str = ""
    version: str = ""
    score: float = 0.0
    lexical: float = 0.0
    dense: float = 0.0


@dataclass(frozen=True, slots=True)
class ResultSummary:
    """A result without its rows: shape, hash (SHA-256 over columns and rows), time, whether it was cut."""

    columns: tuple[str, ...]
    rows: int
    truncated: bool
    sha256: str
    seconds: float
    bytes: int


@dataclass(frozen=True)
class AnswerRecord:
    """Everything about one answer. `rows` are the first `KEPT_ROWS` rows, as JSON-able dictionaries."""

    id: str
    at: datetime
    principal: Principal
    conversation_id: str
    question: str
    language: Language
    route: str
    why: str
    outcome: Outcome
    text: str
    citations: tuple[Citation, ...] = ()
    retrieved: tuple[Retrieved, ...] = ()
    facts: tuple[Fact, ...] = ()
    left_out: tuple[str, ...] = ()
    withheld: int = 0
    linked: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    sql: str = ""
    """The statement that ran (regenerated and rewritten by the guard), "" where none did."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    result: ResultSummary | None = None
    rows: tuple[Mapping[str, Any], ...] = ()
    chart: Mapping[str, Any] | None = None
    checks: tuple[Check, ...] = ()
    warnings: tuple[Warn, ...] = ()
    understood: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    """Metric name -> its definition in words, for the metrics that were compiled."""
    lacking: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    confirm: str = ""
    """Hash of the statement that waits for a person to agree to it, "" where none does."""
    agreed: str = ""
    """What had been agreed to when it ran: that hash, or `*` for whatever it would read."""
    policy: str | None = None
    confidence: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by part of the way."""
    tokens: int = 0
    """Of the context, as counted here; what a model was sent is in `model_calls`."""
    model_calls: tuple[ModelCall, ...] = ()
    """Every use of a chat model, in order: model, prompt version, tokens, and why it failed where it did."""
    worded_by: str = "rules"
    """Who wrote `text`: `model`, or `rules` (without a model, or because the model's text was not used)."""
    not_worded: str = ""
    """Why a model's text was not used: `unsupported: 42`, `no_citation`, `timeout`, …; "" where none was written."""

    def to_json(self, *, rows: bool = True) -> dict[str, Any]:
        """JSON-able form; without `rows` where they are kept apart."""
        data: dict[str, Any] = jsonable(self)
        if not rows:
            del data["rows"]
        return data


def jsonable(value: Any) -> Any:
    """Plain JSON for every value a record can hold; decimals keep their digits as numbers where exact."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(jsonable(item) for item in value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return None  # JSON has no NaN; PostgreSQL's jsonb refuses it
    if isinstance(value, str):
        return value.replace("\x00", "�")  # jsonb has no NUL
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if value is None or isinstance(value, bool | int | float):
        return value
    return value.total_seconds() if isinstance(value, timedelta) else str(value)


def summarise(result: ResultSet) -> tuple[ResultSummary, tuple[Mapping[str, Any], ...]]:
    """A result's summary and its first `KEPT_ROWS` rows in JSON form."""
    rows = [jsonable(row) for row in result.rows()]
    digest = hashlib.sha256(json.dumps([result.columns, rows], ensure_ascii=False).encode())
    summary = ResultSummary(
        columns=tuple(result.columns),
        rows=len(rows),
        truncated=result.truncated,
        sha256=digest.hexdigest(),
        seconds=result.seconds,
        bytes=result.total_bytes,
    )
    return summary, tuple(rows[:KEPT_ROWS])


def references(context: Context) -> tuple[Retrieved, ...]:
    """The context's pieces by reference."""
    return tuple(
        Retrieved(
            kind=piece.kind,
            origin=piece.origin,
            reason=piece.reason,
            tokens=piece.tokens,
            chunk_id=piece.passage.chunk.id if piece.passage else "",
            version=piece.passage.chunk.document.version if piece.passage else "",
            score=piece.passage.score if piece.passage else 0.0,
            lexical=piece.passage.lexical if piece.passage else 0.0,
            dense=piece.passage.dense if piece.passage else 0.0,
        )
        for piece in context.pieces
    )


class RecordStore:
    """Answer records in PostgreSQL. A caller reads only their own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, record: AnswerRecord) -> None:
        """Write one record, and its rows apart, in one transaction."""
        with self._database.connection() as connection, connection.transaction():
            connection.execute(
                "INSERT INTO app.answer_records"
                " (id, at, tenant, user_id, conversation_id, question, route, outcome, seconds, record)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    record.id,
                    record.at,
                    record.principal.tenant,
                    record.principal.id,
                    record.conversation_id,
                    jsonable(record.question),
                    record.route,
                    record.outcome,
                    record.timings.get("total", 0.0),
                    Jsonb(record.to_json(rows=False)),
                ),
            )
            if record.result is not None:
                connection.execute(
                    "INSERT INTO app.answer_rows (record_id, kept_at, columns, rows) VALUES (%s, %s, %s, %s)",
                    (record.id, record.at, list(record.result.columns), Jsonb(list(record.rows))),
                )

    def get(self, principal: Principal, record_id: str) -> dict[str, Any] | None:
        """One of this caller's records in JSON form with its kept rows; None for anyone else's."""
        with self._database.connection() as connection:
            row = connection.execute(
                "SELECT r.record, coalesce(w.rows, '[]'::jsonb) FROM app.answer_records r"
                " LEFT JOIN app.answer_rows w ON w.record_id = r.id"
                " WHERE r.id = %s AND r.user_id = %s AND r.tenant = %s",
                (record_id, principal.id, principal.tenant),
            ).fetchone()
        return {**row[0], "rows": row[1]} if row else None

    def recent(self, principal: Principal, conversation_id: str, limit: int = 50) -> list[dict[str, Any]]:
        """This caller's records of one conversation with their kept rows, oldest first."""
        with self._database.connection() as connection:
            rows = connection.execute(
                "SELECT r.record, coalesce(w.rows, '[]'::jsonb) FROM app.answer_records r"
                " LEFT JOIN app.answer_rows w ON w.record_id = r.id"
                " WHERE r.conversation_id = %s AND r.user_id = %s AND r.tenant = %s ORDER BY r.at DESC LIMIT %s",
                (conversation_id, principal.id, principal.tenant, limit),
            ).fetchall()
        return [{**record, "rows": kept} for record, kept in reversed(rows)]
