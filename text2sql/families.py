"""What a type means across engines, read from how the engine spells it."""

from __future__ import annotations

import re

from text2sql.types import TypeFamily

_RULES: tuple[tuple[str, TypeFamily], ...] = (
    (r"\[|\b(struct|map|list|array|union|json|jsonb|variant|geometry|interval)\b", "other"),
    (r"timestamp|datetime", "timestamp"),
    (r"\bdate\b", "date"),
    (r"\btime\b|\btimetz\b|time with", "time"),
    (r"bool|\bbit\b", "boolean"),
    (r"decimal|numeric|number|float|double|real|money|currency", "number"),
    (r"int|serial|\byear\b|long", "integer"),
    (r"char|text|string|clob|enum|uuid|inet|citext", "text"),
    (r"blob|binary|bytea", "binary"),
)
_COMPILED = tuple((re.compile(pattern), family) for pattern, family in _RULES)
_SCALE = re.compile(r"(?:decimal|numeric|number)\s*\(\s*\d+\s*(?:,\s*0\s*)?\)")


def family(declared: str) -> TypeFamily:
    """The family of a declared type; `other` for what is unknown or empty.

    A whole decimal (`NUMERIC(10)`, `DECIMAL(10,0)`) is an integer.
    """
    text = declared.casefold().strip()
    if _SCALE.search(text):
        return "integer"
    return next((found for pattern, found in _COMPILED if pattern.search(text)), "other")
