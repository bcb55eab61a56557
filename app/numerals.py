"""Numbers written in words: `三百四十`, `5千万`, `two hundred and five`. Only what is plainly a number is read as one.

A single 三 or 千 is a number only before a counter (三件, 千円): 千葉, 四半期 and 第一 are words. "One" and "two" are
left alone for the same reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DIGITS = {char: value for value, char in enumerate("〇一二三四五六七八九")}
_SMALL = {"十": 10.0, "百": 100.0, "千": 1e3}
_LARGE = {"万": 1e4, "億": 1e8, "兆": 1e12}
_COUNTERS = "件人円名台枚回割倍社店軒歳％%"
_KANJI = re.compile(
    r"(?<![\d〇一二三四五六七八九十百千万億兆第])(?:[〇一二三四五六七八九十百千万億兆]*[二三四五六七八九十百千][十百千万億兆]"
    r"[〇一二三四五六七八九十百千万億兆]*"
    r"|[十百千][一二三四五六七八九][〇一二三四五六七八九十百千万億兆]*"
    rf"|[一二三四五六七八九][〇一二三四五六七八九]+|[三四五六七八九十百千](?=[{_COUNTERS}]))"
)
_ANY_KANJI = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|[〇一二三四五六七八九十百千万億兆]")

_TO_NINETEEN = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_ONES = {word: value for value, word in enumerate(_TO_NINETEEN, start=1)}
_TENS_FROM_TWENTY = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS = {word: value for value, word in zip(range(20, 100, 10), _TENS_FROM_TWENTY, strict=True)}
_BIG = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_WORD = rf"(?:{'|'.join((*_ONES, *_TENS, 'hundred', *_BIG, 'dozen'))})"
_ENGLISH = re.compile(rf"(?<![\w.])(?<!\d )(?:an? )?{_WORD}(?:(?:[ -]|,? and ){_WORD})*(?!\w)", re.IGNORECASE)
_TOO_COMMON = 2


@dataclass(frozen=True, slots=True)
class Written:
    """One number in words. `step`: half of it either way is rounding; 1 where the words are exact."""

    value: float
    step: float
    start: int
    end: int


def written(text: str) -> Iterator[Written]:
    """Numbers in words, in either language."""
    for match in _KANJI.finditer(text):
        value, step = japanese(match[0])
        # 三百 is said of 300; only 万 and larger are commonly rounded to.
        rounded = any(char in _LARGE for char in match[0])
        yield Written(value, step if rounded else 1.0, *match.span())
    for match in _ENGLISH.finditer(text):
        value = _english(match[0])
        if value > _TOO_COMMON:
            yield Written(value, 1.0, *match.span())


def japanese(text: str) -> tuple[float, float]:
    """`12億3,456万` -> (1234560000, 10000): the value and the size of its last digit. Digits and kanji may mix."""
    total = section = 0.0
    number: float | None = None
    step = 1.0
    for part in _ANY_KANJI.findall(text):
        if part in _LARGE:
            section += number or 0.0
            total += (section or 1.0) * _LARGE[part]
            step *= _LARGE[part]
            section, number = 0.0, None
        elif part in _SMALL:
            section += (1.0 if number is None else number) * _SMALL[part]
            step = _SMALL[part] if number is None else step * _SMALL[part]
            number = None
        elif part in _DIGITS:
            number = (number or 0.0) * 10 + _DIGITS[part]
            step = 1.0
        else:
            number = float(part.replace(",", ""))
            step = 10.0 ** -len(part.partition(".")[2])
    return total + section + (number or 0.0), step


def _english(text: str) -> float:
    total = section = 0.0
    for word in re.findall(r"[a-z]+", text.casefold()):
        if word in _BIG:
            total += (section or 1.0) * _BIG[word]
            section = 0.0
        elif word == "hundred":
            section = (section or 1.0) * 100
        elif word == "dozen":
            section = (section or 1.0) * 12
        else:
            section += _ONES.get(word, 0) or _TENS.get(word, 0)
    return total + section
