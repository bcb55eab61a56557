"""What a mask shows of a stored value, in plain Python, after docs/policy.md and not after the guard's SQL."""

from __future__ import annotations

import hashlib
import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from evals.proving.ways import sqlite_text
from text2sql.types import Column

Kind: TypeAlias = Literal["null", "hash", "partial", "year"] | int | None
"""A mask; an int is the width of a bucket, None shows the value as it is."""
_STARTS_WITH_DATE = re.compile(r"([12]\d{3})(?:-[01]\d-[0-3]\d|/(?:[01]\d|[1-9]))(?:\D|$)", re.ASCII)


def shown(value: Any, kind: Kind, column: Column, dialect: str, salt: str = "") -> Any:
    """The value under the mask; None where nothing of it is shown.

    `hash` is SHA-256 in hex of salt and text (SQLite has none: nothing); `partial` the first character and `***`, of
    three characters or less `***` alone; `year` the first of January; a bucket the multiple below.
    """
    if kind is None:
        return value
    if value is None or kind == "null":
        return None
    if isinstance(kind, int):
        return _bucket(value, kind, column)
    if kind == "year":
        return _year(value, column, dialect)
    text = as_text(value, dialect)
    if kind == "partial":
        return f"{text[0]}***" if len(text) > 3 else "***"
    return None if dialect == "sqlite" else hashlib.sha256((salt + text).encode()).hexdigest()


def makes_text(kind: Kind, column: Column) -> bool:
    """Whether the mask turns a column that is none into text: then it is text in every row."""
    plain = re.match(r"(?i)text|(n?var|bp)?char|character|string|clob", column.type or "text") is not None
    return kind in ("hash", "partial") and not (column.family == "text" and plain)


def as_text(value: Any, dialect: str) -> str:
    """A value as the engine makes it text."""
    if isinstance(value, bool):
        return str(value).lower()
    return sqlite_text(value) if dialect == "sqlite" or isinstance(value, float) else str(value)


def _bucket(value: Any, width: int, column: Column) -> Any:
    if column.family not in ("integer", "number") or column.type == "money":
        return None
    if isinstance(value, int):
        return value // width * width
    low = math.floor(value / width) * width
    return type(value)(low) if isinstance(value, Decimal | float) else low


def _year(value: Any, column: Column, dialect: str) -> Any:
    if isinstance(value, datetime):
        return value.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    if isinstance(value, date):
        return value.replace(month=1, day=1)
    if dialect != "sqlite" and makes_text("partial", column):
        return None
    found = _STARTS_WITH_DATE.match(as_text(value, dialect))
    return f"{found.group(1)}-01-01" if found else None
