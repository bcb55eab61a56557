"""Who may ask: from a YAML file, or from a query over the relational store.

users:
  - {id: ana, name: Ana Sato, language: en, roles: [analyst], attributes: {regions: [Kanto]}}
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import psycopg
import yaml
from psycopg.rows import dict_row
from retrieval.postgres.database import Database

from app.errors import SettingsError, UnknownUser
from retrieval.types import Language, Principal

FIELDS = frozenset({"id", "name", "language", "tenant", "roles", "attributes"})


class Directory(Protocol):
    """Where callers are looked up."""

    def lookup(self, user_id: str) -> Principal:
        """The caller of that id. Raises `UnknownUser`."""
        ...

    def everyone(self) -> list[Principal]:
        """All callers, by id."""
        ...


class FileDirectory:
    """Callers listed in a YAML file, read anew at each look-up (it is small, and edits should count at once)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lookup(self, user_id: str) -> Principal:
        """The caller of that id. Raises `UnknownUser`, `SettingsError`."""
        return _pick(self.everyone(), user_id, str(self._path))

    def everyone(self) -> list[Principal]:
        """All callers, by id. Raises `SettingsError`."""
        try:
            raw = yaml.safe_load(self._path.read_text(encoding="utf-8")) or {}
            rows = raw["users"]
            return sorted((principal(row, str(self._path)) for row in rows), key=lambda who: who.id)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
            raise SettingsError(
                "The list of users cannot be read",
                where=str(self._path),
                todo=f"It needs `users:` entries; {error}.",
            ) from error


class SqlDirectory:
    """Callers from a query over the relational store; its columns are those of `FIELDS` (id is required)."""

    def __init__(self, database: Database, sql: str) -> None:
        self._database = database
        self._sql = sql.strip().rstrip(";")

    def lookup(self, user_id: str) -> Principal:
        """The caller of that id. Raises `UnknownUser`, `SettingsError`."""
        return _pick(self._rows("WHERE users.id::text = %(id)s", {"id": user_id}), user_id, "the users query")

    def everyone(self) -> list[Principal]:
        """All callers, by id. Raises `SettingsError`."""
        return self._rows("ORDER BY users.id", {})

    def _rows(self, clause: str, parameters: Mapping[str, Any]) -> list[Principal]:
        statement = f"SELECT * FROM ({self._sql.replace('%', '%%')}) AS users {clause}"  # noqa: S608 - the team's own query
        try:
            with self._database.connection() as connection, connection.transaction():
                connection.execute("SET TRANSACTION READ ONLY")
                with connection.cursor(row_factory=dict_row) as cursor:
                    # `prepare` makes the server parse it as exactly one statement.
                    rows = cursor.execute(statement, parameters, prepare=True).fetchall()
        except psycopg.Error as error:
            raise SettingsError(
                "The users query failed", where="config.yaml: users.sql", todo=str(error)
            ) from error
        return [principal(row, "the users query") for row in rows]


def principal(row: Mapping[str, Any], where: str) -> Principal:
    """A Principal from a row. Raises `SettingsError` naming what is wrong with it."""
    unknown = set(row) - FIELDS
    if unknown or not row.get("id"):
        problem = f"unknown fields {sorted(unknown)}" if unknown else "an entry has no id"
        raise SettingsError(f"Users: {problem}", where=where, todo=f"Use {', '.join(sorted(FIELDS))}.")
    languages: dict[Any, Language] = {None: "en", "": "en", "en": "en", "ja": "ja"}
    language = languages.get(row.get("language"))
    if language is None:
        raise SettingsError(
            f"User {row['id']}: language {row['language']}", where=where, todo="Use en or ja."
        )
    attributes = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in (row.get("attributes") or {}).items()
    }
    return Principal(
        id=str(row["id"]),
        tenant=str(row.get("tenant") or "default"),
        roles=tuple(row.get("roles") or ()),
        attributes=attributes,
        name=str(row.get("name") or row["id"]),
        language=language,
    )


def _pick(found: list[Principal], user_id: str, where: str) -> Principal:
    for who in found:
        if who.id == user_id:
            return who
    raise UnknownUser(f"There is no user {user_id!r}", where=where, todo="Choose one with `--user`.")
