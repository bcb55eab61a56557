"""What each dialect can say, and how it spells names and values: what generated statements differ in."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from sqlglot.dialects import Dialect as SqlglotDialect

from text2sql.guard.allowlist import allowlist

T = TypeVar("T")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ANSI = ('""',)
_SWAPPED = {
    ord(letter): ord(letter.swapcase()) for letter in string.ascii_letters
}  # engines fold these alone
# Names that some engine or the parser reads as a word of its own, at least in some places.
_WORDS = frozenset({
    "name", "value", "values", "type", "key", "date", "time", "timestamp", "year", "month", "day", "hour", "minute", "second", "interval",
    "filter", "first", "last", "rows", "range", "groups", "over", "partition", "rank", "position", "left", "right", "full", "language", "match",
    "at", "sequence", "index", "columns", "table", "char", "text", "all", "any", "map", "array", "row", "struct", "list", "plan", "replace", "if",
    "offset", "final", "format", "level", "method", "percent", "pivot", "qualify", "sample", "anti", "semi", "asof", "positional", "show",
    "describe", "summarize", "new", "old", "user", "role", "system", "status", "top", "limit", "window", "end", "begin", "current", "set", "no",
})  # fmt: skip


@dataclass(frozen=True)
class Speech:
    """One dialect. `can`: constructs it has; `casts`: its names of types by family; `quotes`: ways to quote a name."""

    dialect: str
    can: frozenset[str]
    casts: Mapping[str, tuple[str, ...]]
    quotes: tuple[str, ...] = _ANSI
    folds: bool = False
    """Whether a quoted name must be written in the catalogue's own case."""
    strict: bool = True
    """Whether values of unlike types cannot be compared."""
    reserved: frozenset[str] = field(default_factory=frozenset)

    def bare(self, name: str) -> bool:
        """Whether a name can stand without quotes and mean itself."""
        if not _PLAIN.fullmatch(name) or name.casefold() in self.reserved | _WORDS:
            return False
        return not self.folds or name == name.lower()

    def name(self, name: str, draw: Draw) -> str:
        """One spelling of a name of the catalogue: bare in some case, or in quotes."""
        if self.bare(name) and draw.chance(0.85):
            return draw.one([name, name, name, name.upper(), name.lower(), name.title()])
        quotes = draw.one(self.quotes)
        opening, closing = quotes[0], quotes[1]
        text = name if self.folds or draw.chance(0.9) else name.translate(_SWAPPED)
        return f"{opening}{text.replace(closing, closing * 2)}{closing}"

    def string(self, value: str) -> str:
        """A text as a literal."""
        return "'" + value.replace("'", "''") + "'"


class Draw:
    """Random choices by weight; one seed gives one sequence."""

    def __init__(self, seed: int | random.Random) -> None:
        self.random = seed if isinstance(seed, random.Random) else random.Random(seed)  # noqa: S311 - repeatable, not secret

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random.random() < probability

    def one(self, options: Sequence[T]) -> T:
        """One of them, each as likely."""
        return self.random.choice(options)

    def some(self, options: Sequence[T], low: int, high: int) -> list[T]:
        """From `low` to `high` different ones, in random order."""
        count = self.random.randint(min(low, len(options)), min(high, len(options)))
        return self.random.sample(list(options), count)

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)

    def weighted(self, weights: Mapping[str, float]) -> str:
        """One name by its weight; those of weight zero never."""
        return self.random.choices(list(weights), list(weights.values()))[0]


_CASTS = {
    "integer": ("INTEGER", "BIGINT"),
    "number": ("DECIMAL(18, 4)", "DOUBLE PRECISION", "REAL"),
    "text": ("VARCHAR", "TEXT", "VARCHAR(400)"),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP",),
}
_ALL = frozenset({
    "full", "natural", "using", "lateral", "distinct_on", "qualify", "filter", "rollup", "any", "groups", "distinct_from", "set_all",
    "star_except", "star_replace", "ilike", "semi", "asof", "renames", "named_windows", "tuple_in", "parens", "group_alias", "values", "unnest", "series",
    "nulls", "dates", "boolean", "recursive", "materialized", "from_first", "group_all", "order_all", "symmetric", "by_name", "try_cast", "exclude",
    "spoken",
})  # fmt: skip
_DUCKDB_ONLY = frozenset({
    "star_except", "star_replace", "semi", "asof", "from_first", "group_all", "order_all", "by_name", "try_cast", "qualify",
})  # fmt: skip
_SPEECHES = {
    "duckdb": Speech("duckdb", _ALL - {"symmetric"}, {**_CASTS, "number": ("DECIMAL(18, 4)", "DOUBLE", "REAL")}),
    "sqlite": Speech(
        "sqlite",
        _ALL - _DUCKDB_ONLY - {"lateral", "distinct_on", "rollup", "any", "set_all", "ilike", "renames", "parens", "unnest", "series", "dates",
                               "symmetric", "spoken"},
        {"integer": ("INTEGER", "UNSIGNED BIG INT", "INT"), "number": ("REAL", "NUMERIC", "DOUBLE PRECISION"),
         "text": ("TEXT", "VARYING CHARACTER(20)"),
         "date": ("TEXT",), "timestamp": ("TEXT",)},
        quotes=('""', "``", "[]"), strict=False,
    ),
    "postgres": Speech("postgres", _ALL - _DUCKDB_ONLY, {**_CASTS, "text": ("VARCHAR", "TEXT", "VARCHAR(400)")}, folds=True),
    "athena": Speech(
        "athena",
        _ALL - _DUCKDB_ONLY - {"distinct_on", "ilike", "group_alias", "series", "materialized", "symmetric", "exclude"} | {"try_cast"},
        {**_CASTS, "number": ("DECIMAL(18, 4)", "DOUBLE", "REAL"), "text": ("VARCHAR", "VARCHAR(400)")},
    ),
    "redshift": Speech(
        "redshift",
        _ALL - _DUCKDB_ONLY - {"lateral", "distinct_on", "filter", "groups", "distinct_from", "set_all", "named_windows", "unnest", "series",
                               "materialized", "symmetric", "exclude", "values"} | {"qualify"},
        {**_CASTS, "text": ("VARCHAR", "VARCHAR(400)")},
    ),
}  # fmt: skip


@cache
def speech(dialect: str) -> Speech:
    """The dialect's ways, with the words that it and its parser reserve. Raises KeyError for one we do not know."""
    base = _SPEECHES[dialect]
    keywords = {
        word.casefold()
        for word in SqlglotDialect.get_or_raise(dialect).tokenizer_class.KEYWORDS
        if word.isalpha()
    }
    return Speech(
        base.dialect, base.can, base.casts, base.quotes, base.folds, base.strict,
        frozenset(keywords) | allowlist(dialect).reserved,
    )  # fmt: skip
