"""Literals of generated queries: what the profiles say a column holds, and values that lie at the edges."""

from __future__ import annotations

import re

from evals.proving.speech import Draw, Speech
from text2sql.types import Catalog, Column

_STOCK = {
    "integer": ("0", "1", "2", "3", "10", "-1", "100", "20240101", "99999"),
    "number": ("0", "1", "1.5", "-0.5", "100.25", "1e3", "0.1", "12345678.9"),
    "text": ("", "a", "A", "O'Brien", "100%", "x_y", "東京", "2024-01-01", " ", "--", "/* */", ";", "SELECT 1", "é", "\U0001f600"),
    "date": ("2024-01-01", "2024-02-29", "1999-12-31", "2030-06-30"),
    "timestamp": ("2024-01-01 00:00:00", "2024-02-29 12:30:00"),
    "boolean": ("TRUE", "FALSE"),
}  # fmt: skip
_SHAPES = {
    "integer": re.compile(r"-?\d{1,9}"),
    "number": re.compile(r"-?\d{1,9}(\.\d{1,9})?"),
    "text": re.compile(r"[^\x00-\x1f\\\ud800-\udfff]{0,60}"),
    "date": re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"),
    "timestamp": re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])( [01]\d:[0-5]\d:[0-5]\d)?"),
}
_TABLES = 200
_POOL = 500


class Literals:
    """Values by kind. Those of a column's own profile come first."""

    def __init__(self, draw: Draw, speech: Speech, catalog: Catalog) -> None:
        self.draw, self.speech = draw, speech
        self.pool: dict[str, list[str]] = {kind: list(values) for kind, values in _STOCK.items()}
        for table in catalog.tables[:_TABLES]:
            for column in table.columns:
                pool = self.pool.get(column.family)
                if pool is not None and len(pool) < _POOL:
                    pool.extend(_usable(column)[:3])

    def of(self, kind: str, column: Column | None = None) -> str:
        """A literal of this kind."""
        own = _usable(column) if column is not None and column.family == kind else []
        value = self.draw.one(own if own and self.draw.chance(0.8) else self.pool[kind])
        if kind in ("integer", "number", "boolean"):
            return f"({value})" if value.startswith("-") else value
        quoted = self.speech.string(value)
        if kind == "text" or self.speech.dialect == "sqlite":
            return quoted
        if kind == "date" and self.draw.chance(0.2):
            return f"CAST({quoted} AS DATE)"
        return f"{kind.upper()} {quoted}"

    def part(self, date: str) -> str:
        """The year or month of a date, as an integer."""
        if self.speech.dialect == "sqlite":
            return f"CAST(STRFTIME('{self.draw.one(['%Y', '%m'])}', {date}) AS INTEGER)"
        return f"CAST(EXTRACT({self.draw.one(['YEAR', 'MONTH', 'DAY'])} FROM {date}) AS INTEGER)"


def _usable(column: Column) -> list[str]:
    shape = _SHAPES.get(column.family)
    if shape is None or column.profile is None:
        return []
    return [value for value in column.profile.values[:20] if shape.fullmatch(value)]
