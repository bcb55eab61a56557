r"""Situational sources declared in YAML (see docs/situational.md).

version: 1
attributes:                       # what the SQL may bind of the caller, typed as in the policy file
  regions: {type: text, list: true}
sources:
  - name: shop.customers          # shown as the facts' origin
    entity: customer
    roles: [seller, manager]      # optional: who is asked for at all
    match:
      regex: ['\bC-\d{5}\b']      # the key, by its shape; or by its name:
      lookup: SELECT id, name FROM shop.customers WHERE region = ANY(:user_regions)
    sql: |
      SELECT id AS key, name, plan, updated_at FROM shop.customers
      WHERE id = :key AND region = ANY(:user_regions)
    as_of: updated_at             # column that dates the row; without it: now
    labels: {plan: {en: [plan], ja: [プラン]}}
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import psycopg
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from retrieval.errors import SourceFailed
from retrieval.postgres.database import Database
from retrieval.situational.binding import Attribute, Statement, bind, known_parameters, limited
from retrieval.situational.profile import ORIGIN, ProfileSource
from retrieval.situational.sql import Declared, SqlSource
from retrieval.types import Clock, SituationalSource, system_clock
from retrieval.yaml_files import read_yaml

Many = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
"""One string or a list of them."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Attribute(_Part):
    type: Literal["text", "integer", "number", "date", "boolean"] = "text"
    list: bool = False


class _Match(_Part):
    regex: Many = ()
    lookup: str = ""


class _Names(_Part):
    en: Many = ()
    ja: Many = ()


class _Source(_Part):
    name: str = Field(min_length=1)
    entity: str = Field(min_length=1, pattern=r"^[a-z][a-z0-9_]*$")
    sql: str = Field(min_length=1)
    roles: tuple[str, ...] = ()
    match: _Match = _Match()
    when: str = ""
    as_of: str = ""
    rows: int = Field(default=5, ge=1, le=100)
    seconds: float = Field(default=1.0, gt=0, le=30)
    labels: dict[str, _Names] = Field(default_factory=dict)


class _File(_Part):
    version: Literal[1] = 1
    attributes: dict[str, _Attribute] = Field(default_factory=dict)
    sources: tuple[_Source, ...] = ()


def load_sources(
    path: Path | None, database: Database, clock: Clock = system_clock
) -> list[SituationalSource]:
    """The caller's profile, then every declared source, read, checked and prepared; only the profile without a file.

    Raises `SourceFailed` naming the source when the file is not valid, an SQL is not one SELECT, names an unknown
    parameter or column, or does not fit the types; all of it is found here, before anyone asks.
    """
    sources: list[SituationalSource] = [ProfileSource(clock)]
    if path is None:
        return sources
    declared = _read(path)
    attributes = {name: Attribute(a.type, a.list) for name, a in declared.attributes.items()}
    known = known_parameters(attributes)
    names = [ORIGIN, *(source.name for source in declared.sources)]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise SourceFailed("Two sources have the same name", where=f"{path}: {repeated}", todo="Rename one.")
    for source in declared.sources:
        place = f"{path}: {source.name}"
        sources.append(SqlSource(_check(source, known, database, place), attributes, database, clock))
    return sources


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(read_yaml(path.read_text(encoding="utf-8")) or {})
    except FileNotFoundError:
        raise SourceFailed(
            "There is no file of situational sources",
            where=str(path),
            todo="Write it, or take it out of config.yaml.",
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SourceFailed("The sources are not readable YAML", where=str(path), todo=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SourceFailed(
            f"The sources are not valid: {first['msg']}",
            where=f"{path}: {place or 'top'}",
            todo="Mend the file.",
        ) from error


def _check(source: _Source, known: dict[str, str], database: Database, place: str) -> Declared:
    statement = _bound(source.sql, known, place)
    columns = _columns(database, limited(statement, 0), known, place)
    if source.as_of and source.as_of not in columns:
        raise SourceFailed(
            f"as_of names no column of the SQL: {source.as_of}", where=place, todo="Mend the file."
        )
    unlabelled = sorted(set(source.labels) - set(columns))
    if unlabelled:
        raise SourceFailed(
            f"labels name no column of the SQL: {unlabelled[0]}", where=place, todo="Mend the file."
        )
    lookup = _lookup(source.match.lookup, known, database, place)
    if ("key" in statement.parameters) != bool(source.match.regex or lookup):
        raise SourceFailed(
            "`:key` and `match` belong together: the SQL names the one without the other",
            where=place,
            todo="Mend it.",
        )
    return Declared(
        name=source.name,
        entity=source.entity,
        statement=statement,
        roles=frozenset(source.roles),
        keys=tuple(_pattern(regex, place) for regex in source.match.regex),
        lookup=lookup,
        when=_pattern(source.when, place) if source.when else None,
        as_of=source.as_of,
        rows=source.rows,
        seconds=source.seconds,
        labels={c: {k: v for k, v in (("en", n.en), ("ja", n.ja)) if v} for c, n in source.labels.items()},
    )


def _lookup(sql: str, known: dict[str, str], database: Database, place: str) -> Statement | None:
    if not sql:
        return None
    statement = _bound(sql, {name: type_ for name, type_ in known.items() if name != "key"}, place)
    if len(_columns(database, limited(statement, 0), known, place)) != 2:
        raise SourceFailed(
            "A lookup selects two columns: the key and the name", where=place, todo="Mend the file."
        )
    return statement


def _bound(sql: str, known: dict[str, str], place: str) -> Statement:
    try:
        return bind(sql, known)
    except KeyError as error:
        raise SourceFailed(
            f"The SQL names an unknown parameter: :{error.args[0]}",
            where=place,
            todo=f"Known are {', '.join(f':{name}' for name in sorted(known))}; declare others under `attributes`.",
        ) from None


def _columns(database: Database, sql: str, known: dict[str, str], place: str) -> list[str]:
    """The columns of the statement by the server's own word; its types are checked too, no row is read."""
    nothing: dict[str, Any] = dict.fromkeys(known)
    try:
        with database.connection() as connection, connection.transaction(force_rollback=True):
            connection.execute("SET TRANSACTION READ ONLY")
            cursor = connection.execute(sql.encode(), nothing, prepare=True)
            columns = [column.name for column in cursor.description or ()]
    except psycopg.Error as error:
        raise SourceFailed(
            "The SQL is not one SELECT that this database can prepare",
            where=place,
            todo=(error.diag.message_primary or str(error)).splitlines()[0],
        ) from error
    repeated = next((name for name in columns if columns.count(name) > 1), None)
    if repeated:
        raise SourceFailed(f"Two columns are called {repeated}", where=place, todo="Rename one with AS.")
    return columns


def _pattern(regex: str, place: str) -> re.Pattern[str]:
    """Compiled so that `\\b` also ends a key that Japanese follows without a space (「C-00123の」)."""
    try:
        return re.compile(regex, re.ASCII)
    except re.error as error:
        raise SourceFailed(f"Not a regular expression: {regex}", where=place, todo=str(error)) from error
