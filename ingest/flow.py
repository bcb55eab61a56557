"""Hard-wrapped lines back into paragraphs, so that a sentence is one stretch of text and can be quoted whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

# A line that starts so begins something of its own.
_ITEM = re.compile(
    r"\s*(?:[-*+•‣◦・○●■□◆▪–—>|]\s?|[(（]?\d{1,3}[.)）]\s|[(（][A-Za-z\d]{1,3}[)）]|[A-Za-z][.)]\s|[①-⑳]"
    r"|[A-Z][A-Za-z-]{1,20}: |第[\d一二三四五六七八九十百]{1,4}[条章節項])"
)
_COLUMNS = re.compile(r"\S(?: {3,}|\t+)\S")
_NUMBER = re.compile(r"[\d$%¥€£.,()\-–—]+")
_CJK = re.compile("[\u3000-\u30ff\u3400-\u9fff\uff00-\uff60]")
_END = re.compile(r"[.!?。！？:：]['\"”’)）」』\]]*$")


def paragraphs(text: str) -> Iterator[str]:
    """The blocks between blank lines, each with its wrapped lines joined; other line breaks are kept."""
    for block in re.split(r"\n[ \t\u3000]*\n", text):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        if lines:
            yield "\n".join(unwrap(lines))


def unwrap(lines: Iterable[str]) -> list[str]:
    """Joins a line with the next where only the width of the page stood between them."""
    lines = list(lines)
    if len(lines) < 2:
        return lines
    widths = [width(line) for line in lines]
    # The margin is where most long lines end; one very long line must not hide it.
    full = sorted(widths)[int(len(widths) * 0.9)] if len(widths) > 9 else max(widths)
    joined = [lines[0]]
    for index, line in enumerate(lines[1:], start=1):
        if full >= 36 and _continues(lines[index - 1], line, widths[index - 1] / full):
            joined[-1] = _join(joined[-1], line.lstrip())
        else:
            joined.append(line)
    return joined


def width(line: str) -> int:
    """Columns a line takes: wide characters take two."""
    return len(line) + sum(1 for character in line if unicodedata.east_asian_width(character) in "WF")


def _continues(line: str, following: str, share: float) -> bool:
    if _ITEM.match(following) or _COLUMNS.search(line) or _COLUMNS.search(following):
        return False
    if _tabular(line) or _tabular(following):
        return False
    start = following.lstrip()[:1]
    if share >= 0.75:
        # A new sentence may well start at the margin; joining it on is what its paragraph was.
        return True
    return share >= 0.5 and not _END.search(line) and start.islower()


def _tabular(line: str) -> bool:
    """A row of a table, whose line is all the structure it has: mostly numbers, or two of them at its end."""
    words = line.split()
    numbers = [_NUMBER.fullmatch(word) is not None for word in words]
    return len(words) >= 3 and (sum(numbers) * 2 > len(words) or all(numbers[-2:]))


def _join(line: str, following: str) -> str:
    if line.endswith(("\u00ad", "\u2010", "\ufffe")) and following[:1].isalpha():
        return line[:-1] + following
    if line.endswith("-") and line[-2:-1].isalpha() and following[:1].islower():
        return line + following
    if _CJK.match(line[-1:]) and _CJK.match(following[:1]):
        return line + following
    return f"{line} {following}"
