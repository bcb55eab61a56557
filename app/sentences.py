"""Where the sentences of a passage begin and end, in English and Japanese, as character offsets.

Text comes from Markdown, HTML and PDF: a line break may end a sentence (a list, a heading, a table row) or stand in
the middle of one (a wrapped line), and an abstract may lack the space after a full stop.
"""

from __future__ import annotations

import re
import unicodedata

Bounds = tuple[int, int]

_END = re.compile(
    r"[。！？｡]+[」』）)】”\"]*"
    r"|[.!?]+[\"'”’)\]]*(?=\s|$)"
    r"|(?<=[a-z0-9)\]])\.(?=[A-Z](?:[a-z]|\s))"
    r"|\n"
)
# A full stop after these does not end a sentence; neither does one after a single capital (J. Smith).
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:[A-Z]|(?i:mr|mrs|ms|dr|prof|st|no|nos|fig|figs|eq|vs|etc|e\.g|i\.e|cf|approx|inc|ltd|co|corp"
    r"|jr|sr|al|vol|pp|p|sec|art|dept|est|u\.s|u\.k|ca|viz))\.$"
)
_STRUCTURE = re.compile(r"\s*(?:[-*+•・‣◦|#>]|\d+[.)]\s|[(（]?\d+[)）]|[①-⑳]|第\d+|$)")
_INSIDE_JAPANESE = re.compile(r"[」』）)】]*(?:と|という|とは|の|が|を|に|は|も|や|で)")
_WRAPPED = 36
"""Display columns from which a line is long enough to have been wrapped."""


def sentences(text: str) -> list[Bounds]:
    """Spans [start, end) of the sentences, in order, without white space at their ends; together they hold all text."""
    spans: list[Bounds] = []
    start = 0
    for match in _END.finditer(text):
        if _ends(text, start, match):
            _add(text, start, match.end(), spans)
            start = match.end()
    _add(text, start, len(text), spans)
    return spans


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    mark = match.group()
    if mark == "\n":
        return _line_ends(text, start, match.start(), match.end())
    if mark.startswith("."):
        if _ABBREVIATION.search(text[max(start, match.start() - 12) : match.start() + 1]):
            return False
        following = text[match.end() : match.end() + 2].lstrip()
        return not (following and following[0].islower())
    # 「こんにちは。」と言った: the quotation ends, the sentence does not.
    return not (len(mark) > 1 and mark[-1] in "」』）)" and _INSIDE_JAPANESE.match(text, match.end()))


def _line_ends(text: str, start: int, at: int, after: int) -> bool:
    """Whether a line break ends the sentence: a structure before or after it, or a line too short to be wrapped."""
    line = text[max(text.rfind("\n", 0, at) + 1, start) : at]
    if _structured(text, after) or line.lstrip().startswith(("#", "|")) or _tabular(line):
        return True
    return _columns(line) < _WRAPPED


def _tabular(line: str) -> bool:
    """A row of a table that lost its lines: cells of numbers, or Japanese words with spaces between them."""
    if line.count(" | ") >= 2:
        return True
    cells = line.split()
    numbers = sum(any(char.isdigit() for char in cell) for cell in cells)
    if any(unicodedata.east_asian_width(char) == "W" for char in line):
        return len(cells) >= 3
    return len(cells) >= 3 and 3 * numbers >= 2 * len(cells)


def _structured(text: str, after: int) -> bool:
    """The next line is empty, or opens with a bullet, number, heading or table mark."""
    end = text.find("\n", after)
    line = text[after : end if end >= 0 else len(text)]
    return not line.strip() or _STRUCTURE.match(line) is not None


def _columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line.strip())


def _add(text: str, start: int, end: int, spans: list[Bounds]) -> None:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    stripped = piece.strip()
    if stripped:
        spans.append((start + left, start + left + len(stripped)))
