"""Finding the thing asked about in a question: by the shape of its key, or by its name in the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from retrieval.language import fold

_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]")
_ASCII_EDGE = re.compile(r"[a-z0-9]")

# NFKC and lower case as `comparable` does it, so that the database finds a superset of what `without_name` keeps.
FOLDED_IN_SQL = r"regexp_replace(lower(normalize({column}, NFKC)), '\s+', '', 'g')"
"""SQL over a text column, equal to `comparable` of the value."""


def comparable(text: str) -> str:
    """NFKC, lower case, no white space: what a name is looked for in (「佐藤 花子」 is written 「佐藤花子」 too)."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text).lower())


def keys_by_shape(patterns: Iterable[re.Pattern[str]], question: str) -> list[str]:
    """Keys in order of appearance, each once: group 1 of each match, or the whole match without a group."""
    folded = unicodedata.normalize("NFKC", question)
    found = [
        (match.start(), match.group(1) if pattern.groups else match.group())
        for pattern in patterns
        for match in pattern.finditer(folded)
    ]
    return list(dict.fromkeys(key for _, key in sorted(found) if key))


def without_name(question: str, name: str) -> str | None:
    """The folded question with the name taken out; None where the question does not name it.

    A Latin name is looked for at word edges, a Japanese one anywhere. A single character names nothing.
    """
    wanted = fold(name)
    if len(_WORD.findall(wanted)) < 2:
        return None
    pattern = r"\s*".join(re.escape(part) for part in _parts(wanted))
    before = r"(?<![a-z0-9])" if _ASCII_EDGE.match(wanted[0]) else ""
    after = r"(?![a-z0-9])" if _ASCII_EDGE.match(wanted[-1]) else ""
    rest, count = re.subn(before + pattern + after, " \ufffc ", fold(question))
    return rest if count else None


def _parts(wanted: str) -> list[str]:
    """What may have white space between: the words of a Latin name, the characters of a Japanese one."""
    return wanted.split() if wanted.isascii() else [char for char in wanted if not char.isspace()]
