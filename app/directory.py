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

from app.errors import SettingsError, UnknownUser
from retrieval.postgres.database import Database
from retrieval.types import Language, Principal
from retrieval.yaml_files import read_yaml

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
            raw = read_yaml(self._path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise SettingsError(
                "The list of users cannot be read", where=str(self._path), todo=str(error)
            ) from error
        rows = raw.get("users") if isinstance(raw, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise SettingsError(
                "The list of users is not one",
                where=str(self._path),
                todo="Write `users:` and under it entries such as `- {id: ana, roles: [analyst]}`.",
            )
        return sorted((principal(row, str(self._path)) for row in rows), key=lambda who: who.id)


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
        statement = f"SELECT * FROM ({self._sql.replace('%', '%%')}\n) AS users {clause}"  # noqa: S608 - the team's own query
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
    languages: dict[str, Language] = {"None": "en", "": "en", "en": "en", "ja": "ja"}
    language = languages.get(str(row.get("language")))
    if language is None:
        raise SettingsError(
            f"User {row['id']}: language {row['language']}", where=where, todo="Use en or ja."
        )
    roles, attributes = row.get("roles") or (), row.get("attributes") or {}
    if not isinstance(roles, list | tuple) or not isinstance(attributes, Mapping):
        raise SettingsError(
            f"User {row['id']}: roles are a list, attributes are names with values",
            where=where,
            todo="Write `roles: [analyst], attributes: {regions: [North]}`.",
        )
    return Principal(
        id=str(row["id"]),
        tenant=str(row.get("tenant") or "default"),
        roles=tuple(str(role) for role in roles),
        attributes={
            str(name): tuple(value) if isinstance(value, list) else value
            for name, value in attributes.items()
        },
        name=str(row.get("name") or row["id"]),
        language=language,
    )


def _pick(found: list[Principal], user_id: str, where: str) -> Principal:
    matching = [who for who in found if who.id == user_id]
    if not matching:
        raise UnknownUser(f"There is no user {user_id!r}", where=where, todo="Choose one with `--user`.")
    if len(matching) > 1:  # whichever we took might see what the other entry was meant to keep from them
        raise SettingsError(
            f"There are {len(matching)} entries for user {user_id!r}", where=where, todo="Keep one."
        )
    return matching[0]
