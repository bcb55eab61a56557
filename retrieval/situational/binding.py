"""Named parameters in declared SQL: `:name` becomes a typed, bound value, never text in the statement.

    SELECT plan FROM shop.customers WHERE id = :key AND region = ANY(:user_regions)

becomes

    SELECT plan FROM shop.customers WHERE id = %(key)s::text AND region = ANY(%(user_regions)s::text[])

The cast makes PostgreSQL check the types when the source is loaded, with no value at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from retrieval.types import Principal

TYPES = {"text": "text", "integer": "bigint", "number": "numeric", "date": "date", "boolean": "boolean"}
"""Type of an attribute as written in YAML -> PostgreSQL's."""

# What may hold a colon or a percent sign without meaning a parameter comes first: the longest stretch wins.
_TOKEN = re.compile(
    r"(?P<text>[eE]?'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
    r"|--[^\n]*|/\*.*?\*/|::)"
    r"|:(?P<name>[A-Za-z_]\w*)"
    r"|(?P<percent>%)",
    re.DOTALL,
)

_ALWAYS: Mapping[str, str] = {
    "key": "text",
    "question": "text",
    "user_id": "text",
    "user_tenant": "text",
    "user_language": "text",
    "user_roles": "text[]",
    "today": "date",
    "now": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """The declared type of one of the caller's attributes."""

    type: str = "text"
    list: bool = False

    @property
    def sql(self) -> str:
        """PostgreSQL's name of the type."""
        return TYPES[self.type] + ("[]" if self.list else "")


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT ready for psycopg, with the parameters it names."""

    sql: str
    parameters: frozenset[str]


def known_parameters(attributes: Mapping[str, Attribute]) -> dict[str, str]:
    """Every parameter a source may name -> its PostgreSQL type."""
    return {**_ALWAYS, **{f"user_{name}": attribute.sql for name, attribute in attributes.items()}}


def bind(sql: str, known: Mapping[str, str]) -> Statement:
    """Replace `:name` by typed placeholders. Raises `KeyError` with the name that is not known."""
    used: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        if match["percent"]:
            return "%%"
        name = match["name"]
        if name is None:
            return match.group().replace("%", "%%")
        if name not in known:
            raise KeyError(name)
        used.add(name)
        return f"%({name})s::{known[name]}"

    return Statement(_TOKEN.sub(replace, sql.strip().rstrip(";").rstrip()), frozenset(used))


def limited(statement: Statement, rows: int) -> str:
    """The statement as a sub-select of at most `rows`: what is not one SELECT cannot stand there.

    The line break keeps a trailing comment from swallowing the closing parenthesis.
    """
    return f"SELECT * FROM (\n{statement.sql}\n) AS declared LIMIT {rows}"  # noqa: S608 - declared SQL; values are bound


def caller_values(
    principal: Principal, attributes: Mapping[str, Attribute], now: Callable[[], datetime]
) -> dict[str, Any]:
    """The caller's values by parameter name; an attribute the caller lacks is not in it."""
    moment = now()
    values: dict[str, Any] = {
        "user_id": principal.id,
        "user_tenant": principal.tenant,
        "user_language": principal.language,
        "user_roles": list(principal.roles),
        "today": moment.date(),
        "now": moment,
    }
    for name, attribute in attributes.items():
        held = principal.attributes.get(name)
        if held is None:
            continue
        many = isinstance(held, list | tuple | set | frozenset)
        if attribute.list:
            values[f"user_{name}"] = list(held) if many else [held]
        elif not many:
            values[f"user_{name}"] = held
    return values
