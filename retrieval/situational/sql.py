"""A situational source that is one declared SELECT over the relational store.

It runs in a read-only transaction with a statement timeout, its parameters bound. Who may see a row is what its
own WHERE says of the caller (`:user_id`, `:user_regions` …), and `roles` where declared: a caller without the
role, or without an attribute that the SQL names, is told nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

from retrieval.errors import SourceFailed
from retrieval.postgres.database import Database
from retrieval.situational.binding import Attribute, Statement, caller_values, limited
from retrieval.situational.recognition import FOLDED_IN_SQL, comparable, keys_by_shape, without_name
from retrieval.types import Clock, Fact, Principal

MAX_ENTITIES = 3
"""Things asked about at once; more than that is a list, which is a query's work."""
_MAX_NAMES = 50


@dataclass(frozen=True, slots=True)
class Declared:
    """One source as declared, already checked. `keys` and `lookup` empty: it runs when `when` matches, or always."""

    name: str
    entity: str
    statement: Statement
    roles: frozenset[str] = frozenset()
    keys: tuple[re.Pattern[str], ...] = ()
    lookup: Statement | None = None
    when: re.Pattern[str] | None = None
    as_of: str = ""
    rows: int = 5
    seconds: float = 1.0
    labels: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Column -> language -> names."""


class SqlSource:
    """`Declared`, run against a database."""

    def __init__(
        self, declared: Declared, attributes: Mapping[str, Attribute], database: Database, clock: Clock
    ) -> None:
        self.name = declared.name
        self._declared = declared
        self._attributes = attributes
        self._database = database
        self._clock = clock

    def fetch(self, principal: Principal, question: str) -> list[Fact]:
        """Facts of the rows this caller may see. Raises `SourceFailed` when the database refuses or is too slow."""
        declared = self._declared
        if declared.roles and not declared.roles & set(principal.roles):
            return []
        if declared.when is not None and not declared.when.search(question):
            return []
        asked = question.replace("\x00", " ")  # PostgreSQL has no NUL in text
        values = {**caller_values(principal, self._attributes, self._clock), "question": asked}
        try:
            with self._database.connection() as connection, connection.transaction():
                connection.execute("SET TRANSACTION READ ONLY")
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, true)", (str(int(declared.seconds * 1000)),)
                )
                return self._facts(connection, values, asked)
        except psycopg.Error as error:
            # Only the kind of error: the engine's own text can hold values that this caller may not see.
            slow = isinstance(error, psycopg.errors.QueryCanceled)
            what = f"took longer than {declared.seconds:g} s" if slow else f"failed ({type(error).__name__})"
            raise SourceFailed(f"Source {self.name} {what}", where=self.name) from error

    def _facts(
        self, connection: psycopg.Connection[Any], values: Mapping[str, Any], question: str
    ) -> list[Fact]:
        declared = self._declared
        if "key" not in declared.statement.parameters:
            return self._rows(connection, values, key="")
        keys = keys_by_shape(declared.keys, question)
        if declared.lookup is not None:
            keys += self._named(connection, declared.lookup, values, question)
        facts: list[Fact] = []
        for key in list(dict.fromkeys(keys))[:MAX_ENTITIES]:
            facts += self._rows(connection, {**values, "key": key}, key)
        return facts

    def _named(
        self, connection: psycopg.Connection[Any], lookup: Statement, values: Mapping[str, Any], question: str
    ) -> list[str]:
        """Keys of what the question names, longest name first; a name inside a longer one found is not meant."""
        if not lookup.parameters <= values.keys():
            return []
        folded = FOLDED_IN_SQL.format(column="named.name")
        found = _query(
            connection,
            f"SELECT named.key::text AS key, named.name::text AS name FROM (\n{lookup.sql}\n) AS named(key, name)"  # noqa: S608 - declared SQL, checked at load; values are bound
            f" WHERE strpos(%(_question)s::text, {folded}) > 0 AND length(named.name) > 1"
            f" ORDER BY length(named.name) DESC, 2, 1 LIMIT {_MAX_NAMES}",
            {**values, "_question": comparable(question)},
        )
        keys: list[str] = []
        rest, taken = question, ""
        for row in found:
            if row["key"] is None:
                continue
            if row["name"] == taken:  # two of the same name: both are meant until the asker says which
                keys.append(row["key"])
            elif (left := without_name(rest, row["name"])) is not None:
                rest, taken = left, row["name"]
                keys.append(row["key"])
        return keys

    def _rows(self, connection: psycopg.Connection[Any], values: Mapping[str, Any], key: str) -> list[Fact]:
        declared = self._declared
        if not declared.statement.parameters <= values.keys():
            return []
        facts: list[Fact] = []
        for row in _query(connection, limited(declared.statement, declared.rows), values):
            dated = _aware(row.get(declared.as_of)) if declared.as_of else None
            entity = f"{declared.entity}:{row.get('key', key)}" if key or "key" in row else declared.entity
            for column, value in row.items():
                if column in ("key", declared.as_of) or value is None:
                    continue
                spelled = column.replace("_", " ")
                facts.append(
                    Fact(
                        name=f"{declared.entity}.{column}",
                        value=_plain(value),
                        origin=self.name,
                        as_of=dated or self._clock(),
                        entity=entity,
                        labels=declared.labels.get(column) or {"en": (spelled,), "ja": (spelled,)},
                    )
                )
        return facts


def _query(
    connection: psycopg.Connection[Any], sql: str, values: Mapping[str, Any]
) -> Sequence[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        # prepare=True keeps to the extended protocol even without parameters: one statement, by the server's word.
        return cursor.execute(sql.encode(), dict(values), prepare=True).fetchall()


def _aware(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), tzinfo=UTC) if isinstance(value, date) else None


def _plain(value: object) -> object:
    """A JSON-able value; a decimal keeps its digits as an integer, or as a float where it has a fraction."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str | dict) else str(value)
