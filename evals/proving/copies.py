"""The caller's physical copy: only their rows, only their columns, masked values in place of stored ones.

It is made by following the policy's rules row by row in Python, without the guard. Tables that the caller may not
read, and hidden columns, are not in it. Columns keep the types that are declared for them; where an engine tells its
types strictly, a column is of text where a mask makes text of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from evals.proving.drawing import Data
from evals.proving.masking import as_text, makes_text, shown
from evals.proving.policies import Posed
from evals.proving.ways import Ways
from text2sql.types import Catalog, Table

ROWS = 200_000
"""Rows of a result that are compared; a longer one is not."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave: rows, or why not. `failure` is a class of errors, "" where it ran."""

    rows: Sequence[tuple[Any, ...]] = ()
    width: int = 0
    failure: str = ""
    said: str = ""


class Runs(Protocol):
    """Runs a statement read-only, never raises for what is wrong with it."""

    def __call__(self, sql: str, parameters: dict[str, Any] | None = None) -> Result:
        """Its rows, or its failure."""
        ...


@runtime_checkable
class Plans(Protocol):
    """Runs of an engine that can also be asked to run statements as they are written."""

    def as_written(self) -> AbstractContextManager[None]:
        """Without an optimizer."""
        ...


class Base(Protocol):
    """A database under proof: everything in it, and copies of what callers may see."""

    @property
    def catalog(self) -> Catalog:
        """Its tables and columns."""
        ...

    @property
    def data(self) -> Data:
        """Every row of every table, read once."""
        ...

    @property
    def full(self) -> Runs:
        """Runs on everything."""
        ...

    def copy(self, posed: Posed) -> AbstractContextManager[Runs]:
        """Runs on the caller's copy, gone afterwards."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True)
class Part:
    """What the copy holds of one table. `masked`: columns with another value in at least one row; `text`: made text."""

    table: Table
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    masked: frozenset[str] = field(default_factory=frozenset)
    text: frozenset[str] = field(default_factory=frozenset)


def parts(catalog: Catalog, data: Data, posed: Posed, collations: dict[str, dict[str, str]]) -> list[Part]:
    """Every table that is there for the caller, with the rows that they may see."""
    return [
        _part(table, data[table.qualified], posed, catalog.dialect, collations.get(table.qualified, {}))
        for table in catalog.tables
        if posed.columns(table)
    ]


def _part(
    table: Table, rows: Sequence[Sequence[Any]], posed: Posed, dialect: str, collations: dict[str, str]
) -> Part:
    held = posed.admissions[table.qualified]
    names, masked = posed.columns(table), posed.masked(table)
    at = {c.name: i for i, c in enumerate(table.columns)}
    by_name = {c.name: c for c in table.columns}
    loose = dialect == "sqlite"
    text = frozenset(
        c for c in masked if not loose and any(makes_text(each.kind(c), by_name[c]) for each in held)
    )
    ways = Ways(dialect, {c.name: c.type for c in table.columns}, collations)
    salt = posed.policy.salt
    found: list[tuple[Any, ...]] = []
    for stored in rows:
        row = dict(zip(at, stored, strict=True))
        admitting = [each for each in held if each.rows is None or each.rows.holds(row, posed.bound, ways)]
        if not admitting:
            continue
        values = []
        for name in names:
            value = row[name]
            if name in masked:
                kinds = [each.kind(name) for each in admitting]
                # One grant that shows it is enough; else the first that admits the row says how.
                kind = None if None in kinds else kinds[0]
                value = shown(value, kind, by_name[name], dialect, salt)
                if name in text and value is not None:
                    value = as_text(value, dialect)
            values.append(value)
        found.append(tuple(values))
    return Part(table, names, found, masked, text)


def quoted(name: str) -> str:
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'
