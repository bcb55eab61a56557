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


class Reader:
    """Walks over words; `fold` is how the dialect stores an unquoted name."""

    def __init__(self, words: list[Word], *, fold: bool) -> None:
        self.words = words
        self.at = 0
        self.fold = fold

    def peek(self, ahead: int = 0) -> Word | None:
        """The word that comes next, or `ahead` words later; None at the end."""
        index = self.at + ahead
        return self.words[index] if index < len(self.words) else None

    def accept(self, *keys: str) -> bool:
        """Step over these keywords when all of them come next."""
        for ahead, key in enumerate(keys):
            word = self.peek(ahead)
            if word is None or word.key != key:
                return False
        self.at += len(keys)
        return True

    def name(self) -> str:
        """The name that comes next; "" when there is none."""
        word = self.peek()
        if word is None or not word.is_name:
            return ""
        self.at += 1
        return word.text.lower() if self.fold and not word.quoted else word.text

    def path(self) -> tuple[str, str, str]:
        """`catalog.schema.table`, "" for the parts that are not written."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        padded = ["", "", "", *parts][-3:]
        return padded[0], padded[1], padded[2]

    def group(self) -> list[Word]:
        """The words inside the parentheses that open here; [] when none open."""
        if not self.accept("("):
            return []
        start, depth = self.at, 1
        while self.at < len(self.words) and depth:
            key = self.words[self.at].key
            depth += (key == "(") - (key == ")")
            self.at += 1
        return self.words[start : self.at - 1 if depth == 0 else self.at]

    def names(self) -> tuple[str, ...]:
        """Names in parentheses, each possibly followed by a length, an order or an operator class."""
        firsts = (Reader(item, fold=self.fold).name() for item in split_items(self.group()))
        return tuple(name for name in firsts if name)
