"""A model's text as text: nothing in it that steers a terminal, reverses a line, or cannot be stored.

Terminals obey escape sequences, PostgreSQL stores no NUL, and UTF-8 has no lone surrogate; a JSON reply can hold all
of them behind `\\u` escapes.
"""

from __future__ import annotations

import re
from typing import Any

# Control characters but tab and line feed; marks that change the direction of what follows.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAK = re.compile("\r\n?|[\u2028\u2029\x85]")
# A whole sequence goes, not only the character that opens it: "[31m" tells a reader nothing.
_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\\\)|[@-Z\\\\-_])")


def readable(text: str) -> str:
    """The text without them; halves of a character that came in two pieces are put together."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNWANTED.sub("", _BREAK.sub("\n", _SEQUENCE.sub("", whole)))


def readable_in(value: Any) -> Any:
    """The same for every text of a JSON value."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {readable(str(key)): readable_in(item) for key, item in value.items()}
    return [readable_in(item) for item in value] if isinstance(value, list) else value
