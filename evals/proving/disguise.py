"""The same statement in other clothes: spacing, comments and case, which say nothing to an engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from evals.proving.speech import Draw

_PARTS = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\s+|[A-Za-z_][A-Za-z_0-9]*|.", re.DOTALL
)
_BRACKETED = re.compile(r"\[[^\]]*\]")
_BLANKS = (" ", "\n", "  ", "\t", "\r\n", " \n ", "\f")
_SPACES = (*_BLANKS, " ", " ", " /**/ ", " /**/", " /* c */ ", " -- c\n", " /* ; ' \" */ ", " -- ' drop\n")


def disguised(text: str, draw: Draw, dialect: str) -> str:
    """The statement, often as it is, else with its spaces and cases changed outside of quotes."""
    if draw.chance(0.5):
        return text
    cases: list[Callable[[str], str]] = [str, str.lower, str.swapcase]
    case = draw.one(cases)
    spaces = draw.chance(0.6)
    made: list[str] = []
    for part in _split(text, dialect):
        if part.isspace() and spaces:
            made.append(draw.one(_SPACES))
        elif part[0].isalpha() and part.isascii():
            made.append(case(part))
        else:
            made.append(part)
    return "".join(made) + draw.one(["", "", ";", " ;", "\n", ";\n\n"])


def _split(text: str, dialect: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        bracketed = _BRACKETED.match(text, at) if dialect == "sqlite" else None
        found = bracketed or _PARTS.match(text, at)
        if found is None:
            raise ValueError("Every character is part of something")
        yield found.group()
        at = found.end()
