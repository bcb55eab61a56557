"""The port of a guard that is to be proved, whoever wrote it, and ours behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from retrieval.types import Principal
from text2sql.policy import Policy
from text2sql.types import Catalog, Verdict


@dataclass(frozen=True)
class Asked:
    """For whom a statement is to be rewritten. `policy` is the YAML read and checked, None for no policy at all."""

    catalog: Catalog
    principal: Principal
    policy: Policy | None = None
    yaml: str = ""

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL that is spoken."""
        return self.catalog.dialect


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What is to run in place of the statement; `parameters` are bound by name (DuckDB `$n`, SQLite `:n`)."""

    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The statement is not to run. `code` is counted, `subject` the name or text that offended."""

    code: str
    message: str = ""
    subject: str = ""


Guard: TypeAlias = Callable[[str, Asked], Rewritten | Refusal]


def bunmyaku(sql: str, asked: Asked) -> Rewritten | Refusal:
    """Our own guard behind the port."""
    return answer(verdict(sql, asked))


def verdict(sql: str, asked: Asked) -> Verdict:
    """Our own guard's whole verdict."""
    from text2sql.guard import SqlGuard

    return SqlGuard().check(sql, asked.catalog, asked.principal, asked.policy)


def answer(said: Verdict) -> Rewritten | Refusal:
    """A verdict as an answer of the port."""
    if said.allowed:
        return Rewritten(said.sql, said.parameters)
    first = said.violations[0]
    return Refusal(first.code, first.message, first.subject)
