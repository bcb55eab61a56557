"""Where sentences end, in English and Japanese, without a model. Spans never hold blanks at their ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

Stretch = tuple[int, int]
"""[start, end) in the text that was given."""

_STOP = re.compile(r"\n|[。．！？｡]+[」』）〕】\"'”’)\]]*|[.!?…]+[\"'”’)\]]*(?=\s|$)|[「『（]|[」』）]")
_OPEN, _CLOSE = "「『（", "」』）"
# A full stop after these does not end a sentence when something follows on the line.
_SHORT = (
    "mr mrs ms dr prof st jr sr vs etc eg ie e.g i.e cf al no nos fig figs eq eqs sec ch vol pp p ed eds approx dept"
    " est inc ltd co corp u.s u.k jan feb mar apr jun jul aug sep sept oct nov dec mt ave rev gen gov sen rep k.k y.k"
)
_ABBREVIATIONS = frozenset(_SHORT.split())
_LAST_WORD = re.compile(r"([A-Za-z][A-Za-z.]*)$")
# A quotation open for longer than this was opened by mistake.
_LONGEST_QUOTE = 300


def sentences(text: str) -> Iterator[Stretch]:
    """Stretches of `text` that are sentences, lines of a list, or what stands between line breaks.

    `。！？` end a sentence unless inside 「」, 『』 or （）; `.!?` when blank and no lower-case letter follow, and what
    they follow is neither an abbreviation nor an initial.
    """
    start, depth, opened = 0, 0, 0
    for match in _STOP.finditer(text):
        mark = match.group()[0]
        if mark in _OPEN:
            opened = match.start() if depth == 0 else opened
            depth += 1
        elif mark in _CLOSE:
            depth = max(0, depth - 1)
        elif mark == "\n" or (depth and match.start() - opened > _LONGEST_QUOTE):
            depth = 0
            yield from _trimmed(text, start, match.end())
            start = match.end()
        elif depth and mark not in ".!?…":
            # The bracket that closes the quotation may have been taken along with the full stop.
            depth = max(0, depth - sum(match.group().count(bracket) for bracket in _CLOSE))
        elif not depth and _ends(text, start, match):
            yield from _trimmed(text, start, match.end())
            start = match.end()
    yield from _trimmed(text, start, len(text))


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    if match.group()[0] not in ".…":
        return match.group()[0] not in "!?" or _starts_new(text, match.end())
    if not _starts_new(text, match.end()):
        return False
    if match.group() != ".":
        return True
    word = _LAST_WORD.search(text, max(start, match.start() - 24), match.start())
    if word is None:
        return not _numbering(text, start, match.start())
    found = word.group(1)
    return found.casefold() not in _ABBREVIATIONS and not (len(found) == 1 and found.isupper())


def _numbering(text: str, start: int, stop: int) -> bool:
    """The full stop of "1." at the head of an item."""
    return text[start:stop].strip().isdigit() and stop - start < 6


def _starts_new(text: str, end: int) -> bool:
    following = text[end : end + 8].lstrip()
    return not following[:1].islower()


def _trimmed(text: str, start: int, end: int) -> Iterator[Stretch]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end
