"""How an engine compares a stored value with a constant, and text with a pattern, in plain Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True)
class Ways:
    """How an engine compares. `types` and `collations`: of the table's columns, by name."""

    dialect: str
    types: Mapping[str, str]
    collations: Mapping[str, str]

    def order(self, left: Any, right: Any, column: str = "") -> int | None:
        """-1, 0, 1; None where either is NULL. `column`: the column that `left` is stored in."""
        if left is None or right is None:
            return None
        if self.dialect == "sqlite":
            return self._sqlite(left, right, column)
        left, right = _alike(left, right)
        if re.match(r"(?i)(character|bpchar|char)\b(?!acter varying)", self.types.get(column, "")):
            left, right = str(left).rstrip(" "), str(right).rstrip(" ")
        return int(left > right) - int(left < right)

    def _sqlite(self, left: Any, right: Any, column: str) -> int:
        if column:
            kind = affinity(self.types.get(column, ""))
            if kind == "text" and isinstance(right, int | float):
                right = sqlite_text(right)
            elif kind == "number":
                right = as_number(right)
        rank = _class(left), _class(right)
        if rank[0] != rank[1]:
            return -1 if rank[0] < rank[1] else 1
        if isinstance(left, str):
            left, right = (_collated(each, self.collations.get(column, "")) for each in (left, right))
        return int(left > right) - int(left < right)

    def like(self, value: Any, pattern: Any) -> bool | None:
        """Whether a value is LIKE a pattern; of ASCII, SQLite tells no case."""
        if value is None or pattern is None:
            return None
        parts = (".*" if c == "%" else "." if c == "_" else re.escape(c) for c in str(pattern))
        text = sqlite_text(value) if self.dialect == "sqlite" else str(value)
        expression = "".join(parts)
        if self.dialect == "sqlite":
            text, expression = _lower(text), _lower(expression)
        return re.fullmatch(expression, text, re.DOTALL) is not None


def affinity(declared: str) -> Literal["text", "number", ""]:
    """SQLite's rule from the declared type: what a constant becomes beside the column."""
    kind = declared.upper()
    if "INT" in kind:
        return "number"
    if any(word in kind for word in ("CHAR", "CLOB", "TEXT")):
        return "text"
    return "" if not kind or "BLOB" in kind else "number"


def sqlite_text(value: Any) -> str:
    """A value as SQLite's CAST makes it text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, float):
        return str(value)
    text = f"{value:.15g}"
    if "e" in text and "." not in text:
        return text.replace("e", ".0e")
    return text if "." in text or "n" in text else f"{text}.0"


def as_number(value: Any) -> Any:
    """Text that is wholly a number, as that number; anything else as it is."""
    if not isinstance(value, str) or not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value):
        return value
    return float(value) if re.search(r"[.eE]", value) else int(value)


def _class(value: Any) -> int:
    return 0 if isinstance(value, int | float) else 1 if isinstance(value, str) else 2


def _lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _collated(text: str, collation: str) -> bytes:
    if collation == "NOCASE":
        text = _lower(text)
    return (text.rstrip(" ") if collation == "RTRIM" else text).encode()


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """A date or time and a text beside it: the text is read as one; a date beside a timestamp is its midnight."""
    for kind in (datetime, date, time):
        if isinstance(left, kind) and isinstance(right, str):
            right = kind.fromisoformat(right)
    if isinstance(left, datetime) != isinstance(right, datetime) and isinstance(left, date):
        return _midnight(left), _midnight(right)
    if isinstance(left, Decimal) and isinstance(right, float):
        right = Decimal(str(right))
    return left, right


def _midnight(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())
