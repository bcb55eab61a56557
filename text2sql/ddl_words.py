"""The words of a DDL file: names, strings, numbers and marks, whatever the dialect quotes them with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z)|\#[^\n]*)
  | (?P<dollar>\$(?P<tag>[A-Za-z_]*)\$.*?(?:\$(?P=tag)\$|\Z))
  | (?P<string>'(?:[^'\\]|''|\\.)*(?:'|\Z))
  | (?P<double>"(?:[^"]|"")*(?:"|\Z))
  | (?P<back>`(?:[^`]|``)*(?:`|\Z))
  | (?P<bracket>\[[^\]\d][^\]]*\])
  | (?P<name>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COPY_DATA = re.compile(
    r"^COPY\b[^;]*\bFROM\s+stdin\b[^;]*;.*?^\\\.$", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_QUOTES = {"double": '"', "back": "`"}


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `key` is its lower-case form for keywords and marks, "" for what is quoted."""

    text: str
    key: str
    quoted: bool = False
    string: bool = False
    starts_line: bool = False
    followed_by_paren: bool = False

    @property
    def is_name(self) -> bool:
        """Whether it can name something (some engines take a string where a name belongs)."""
        return self.quoted or self.string or self.key.isidentifier()


def words_of(text: str) -> Iterator[Word]:
    """The words of a file, without comments, bodies of functions and the data of COPY."""
    text = _COPY_DATA.sub(";", text)
    for match in _WORD.finditer(text):
        kind = match.lastgroup
        if kind == "tag":
            kind = "dollar"
        if kind in ("space", "comment", "dollar"):
            continue
        yield _word(kind or "mark", match[0], text, match.start(), match.end())


def _word(kind: str, raw: str, text: str, start: int, end: int) -> Word:
    starts = text.rfind("\n", 0, start) + 1
    line_start = not text[starts:start].strip()
    paren = text[end : end + 40].lstrip()[:1] == "("
    if kind in _QUOTES:
        mark = _QUOTES[kind]
        return Word(
            raw[1:-1].replace(mark * 2, mark),
            "",
            quoted=True,
            starts_line=line_start,
            followed_by_paren=paren,
        )
    if kind == "bracket":
        return Word(raw[1:-1], "", quoted=True, starts_line=line_start, followed_by_paren=paren)
    if kind == "string":
        return Word(
            raw[1:-1].replace("''", "'"), "", string=True, starts_line=line_start, followed_by_paren=paren
        )
    return Word(raw, raw.lower(), starts_line=line_start, followed_by_paren=paren)


def split_items(words: list[Word]) -> list[list[Word]]:
    """Cut at the commas that stand outside parentheses; empty items (a trailing comma) are dropped."""
    items: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += (word.key == "(") - (word.key == ")")
        if word.key == "," and depth == 0:
            items.append([])
        else:
            items[-1].append(word)
    return [item for item in items if item]
