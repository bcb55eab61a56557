"""Columns that hold a time, however they store it: dates, numbers like 20190101, years, ISO and slashed text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from text2sql.key_names import Name
from text2sql.profiling import quoted
from text2sql.types import Column, Dialect
from text2sql.words import split_name

TimeForm = Literal["date", "timestamp", "yyyymmdd", "yyyymm", "year", "slashed", "epoch"]

_PATTERNS: tuple[tuple[TimeForm, re.Pattern[str]], ...] = (
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("timestamp", re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*")),
    ("slashed", re.compile(r"\d{4}/\d{2}/\d{2}")),
    ("yyyymmdd", re.compile(r"(?:1[5-9]|2[01])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")),
    ("yyyymm", re.compile(r"(?:1[5-9]|2[01])\d{2}(?:0[1-9]|1[0-2])")),
    ("year", re.compile(r"(?:1[5-9]|20|21)\d{2}")),
)
_SHARE = 0.98
"""Of the known values that must fit; the expressions give NULL for the rest."""
_TIME_WORDS = {
    "date", "day", "ymd", "yyyymmdd", "ym", "yyyymm", "month", "time", "timestamp", "datetime", "on", "at",
    "dt", "when", "period", "start", "end", "from", "to", "until", "since", "joined", "opened", "founded", "dob",
    "birthday",
}  # fmt: skip
_TIME_ENDINGS = ("date", "日", "日付", "年月", "月", "時", "時刻", "日時", "ymd", "day")
_YEAR_WORDS = {"year", "yr", "yyyy", "season", "edition", "年", "年度"}
_EPOCH_WORDS = {"epoch", "unix", "unixtime", "timestamp"}
_BARE_YEAR = _YEAR_WORDS | {"fiscal", "calendar", "month", "quarter", "week", "day", "date", "id", "key"}
_LATER = {"updated", "update", "modified", "created", "create", "inserted", "loaded", "deleted", "expire", "expiry",
          "expiration", "end", "to", "until", "valid", "due", "last", "更新日", "作成日", "終了日"}  # fmt: skip
_PERSONAL = {"birth", "dob", "birthday", "birthdate", "born", "death", "deceased", "誕生日", "生年月日"}


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column that holds a time, in which form, as an expression in the catalogue's dialect ("" as it is)."""

    form: TimeForm
    expr: str

    @property
    def type(self) -> Literal["date", "timestamp"]:
        """What the expression yields."""
        return "timestamp" if self.form in ("timestamp", "epoch") else "date"


def time_column(column: Column, dialect: Dialect) -> TimeColumn | None:
    """The time that a column holds, None for any other column.

    Values decide where they are known (SQLite calls anything a DATE); where none are, the declared type does.
    Numbers and undeclared text count only under a name that says time: 20190101 may be a quantity.
    """
    form = _form(column)
    if form is None:
        return None
    expr = _expression(form, column, dialect)
    return None if expr is None else TimeColumn(form, expr)


def _form(column: Column) -> TimeForm | None:
    values = column.profile.values if column.profile else ()
    found = _by_values(values)
    if column.family in ("date", "timestamp"):
        declared: TimeForm = "date" if column.family == "date" else "timestamp"
        as_declared = not values or found in ("date", "timestamp")
        return declared if as_declared else found
    if column.family not in ("integer", "text") or not values:
        return None
    if found is None:
        return "epoch" if _is_epoch(column, values) else None
    by_itself = column.family == "text" and found in ("date", "timestamp", "slashed")
    return found if by_itself or _says_time(column.name, found) else None


def _says_time(name: str, form: TimeForm) -> bool:
    words = _words(name)
    if form == "year":
        return bool(words & _YEAR_WORDS) or name.endswith(("年", "年度"))
    return bool(words & _TIME_WORDS) or name.casefold().endswith(_TIME_ENDINGS)


def _words(name: str) -> set[str]:
    return set(split_name(name).split())


def _by_values(values: tuple[str, ...]) -> TimeForm | None:
    filled = [value for value in values if value.strip()]
    for form, pattern in _PATTERNS:
        if filled and sum(bool(pattern.fullmatch(value)) for value in filled) >= _SHARE * len(filled):
            return form
    return None


def _is_epoch(column: Column, values: tuple[str, ...]) -> bool:
    """Seconds since 1970, between 1973 and 2096, under a name that says so."""
    named = column.family == "integer" and bool(_words(column.name) & _EPOCH_WORDS)
    return named and all(v.isdigit() and 100_000_000 <= int(v) <= 4_000_000_000 for v in values)


def _expression(form: TimeForm, column: Column, dialect: Dialect) -> str | None:
    """SQL that turns the stored form into a date or timestamp; "" where it is one already, None where it cannot."""
    name = column_sql(column.name)
    stored = column.family in ("date", "timestamp")
    if form in ("date", "timestamp"):
        if dialect == "sqlite" or stored:
            return ""
        return (
            f"TRY_CAST({name} AS {form.upper()})"
            if dialect in ("duckdb", "athena")
            else f"CAST({name} AS {form.upper()})"
        )
    if form == "epoch":
        return _epoch(name, dialect)
    text = name if dialect == "sqlite" else f"CAST({name} AS VARCHAR)"
    iso = {
        "yyyymmdd": f"SUBSTR({text}, 1, 4) || '-' || SUBSTR({text}, 5, 2) || '-' || SUBSTR({text}, 7, 2)",
        "yyyymm": f"SUBSTR({text}, 1, 4) || '-' || SUBSTR({text}, 5, 2) || '-01'",
        "year": f"{text} || '-01-01'",
        "slashed": f"REPLACE({text}, '/', '-')",
    }[form]
    if dialect == "sqlite":
        return f"DATE({iso})"
    if dialect in ("duckdb", "athena"):
        return f"TRY_CAST({iso} AS DATE)"
    return f"CAST({iso} AS DATE)"


def _epoch(name: str, dialect: Dialect) -> str | None:
    if dialect == "sqlite":
        return f"DATETIME({name}, 'unixepoch')"
    return f"MAKE_TIMESTAMP(CAST({name} AS BIGINT) * 1000000)" if dialect == "duckdb" else None


def column_sql(name: str) -> str:
    """A column's name as SQL: quoted only where it must be, so that a person can read the model."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else quoted(name)


def event_rank(column: Column, found: TimeColumn) -> int:
    """How likely periods ("last month") mean this column: 0 never (a birthday, the year a house was built)."""
    words = _words(column.name)
    if words & _PERSONAL or column.name.endswith(("誕生日", "生年月日")):
        return 0
    if found.form == "year":
        return 2 if set(Name.of(column.name).words) <= _BARE_YEAR else 0
    if found.form == "epoch":
        return 1
    return 3 if words & _LATER or column.name.endswith(("更新日", "作成日", "終了日")) else 4
