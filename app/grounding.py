"""Every number and quoted name of an answer, looked up in what the answer cites.

`unsupported(text, passages=…, rows=…)` returns what is found in neither. A number is supported when a source holds
the same value after rounding to the digits shown (12.3% of a stored 0.1234, 12億 of 1,234,567,890), when it counts
the rows, or when it is a sum, mean, difference or ratio of values of one column of the rows. Deliberately mechanical:
it proves that a figure is there, not that it is the right one. Numbers in words count (`app.numerals`), and a figure
with a minus needs one that has it, or a difference.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations
from typing import Any, Literal

from app.numerals import japanese, written
from retrieval.language import fold

MOST_PAIRS = 200
"""Rows of a column up to which every pair is tried for a difference or ratio; beyond, only first against last."""

_SCALES = "十百千万億兆"
_WORDS = {
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "k": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "bn": 1e9,
    "b": 1e9,
}
_BODY = (
    r"(?<!\d,)(?P<sign>[-−▲△]?)[¥$€£]?(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?)(?P<power>[eE][+-]?\d{1,3}(?!\w))?"
    r"(?P<scales>(?:[十百千万億兆](?:\d+(?:,\d{3})*)?)*)"
    r"(?P<percent>\s?(?:%|percent|パーセント))?"
    r"(?:(?P<word>\s(?:thousand|million|billion|trillion)|(?:[kKMmBb]|[Mm]n|[Bb]n))(?![A-Za-z0-9]))?"
)
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])(?<![A-Za-z0-9]-)" + _BODY)
# Of an answer, whose dates and codes are looked up by themselves: the end of a range counts too.
_SAID = re.compile(r"(?<![A-Za-z0-9_])(?<!\d\.)" + _BODY)
_DATE = re.compile(r"(?<!\d)(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?|年(?:(\d{1,2})月(?:(\d{1,2})日)?)?)")
_MARKER = re.compile(r"\[\d+\]")
_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,6}-?\d[A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")
_QUOTED = re.compile(r"「([^」]{2,})」|“([^”]{2,})”|\"([^\"]{2,})\"|『([^』]{2,})』")


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A number, date or name of the answer that nothing cited holds; `start` and `end` are offsets in the answer."""

    kind: Literal["number", "date", "name"]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Number:
    value: float
    step: float
    """Half of it either way is rounding: 0.1 for "12.3", 10,000 for "12億3,456万"."""
    percent: bool
    start: int
    end: int
    text: str
    words: bool = False
    """Written without digits: a name may be written so too."""


def unsupported(
    text: str, *, passages: Sequence[str] = (), rows: Sequence[Mapping[str, Any]] = ()
) -> tuple[Unsupported, ...]:
    """What of `text` stands neither in the passages nor in the rows, in order of appearance."""
    flat = _flat(text)
    source = "\n".join([*map(_flat, passages), *(_flat(str(v)) for row in rows for v in row.values())])
    missing: list[Unsupported] = []
    bare = _MARKER.sub(lambda match: " " * len(match.group()), flat)
    dates = _dates_in(source) | {part for row in rows for value in row.values() for part in _dates_of(value)}
    rest = _CODE.sub(lambda match: " " * len(match.group()), bare)
    for match in _DATE.finditer(bare):
        said = _date(match)
        if "年" in match.group() or "-" in match.group():
            if not any(held[: len(said)] == said for held in dates):
                missing.append(Unsupported("date", text[slice(*match.span())], *match.span()))
            rest = rest[: match.start()] + " " * len(match.group()) + rest[match.end() :]
    known = _Known(source, rows)
    missing += [
        Unsupported("number", number.text, number.start, number.end)
        for number in (*_numbers(rest, _SAID), *_in_words(rest))
        if not known.holds(number) and not (number.text in source and number.words)
    ]
    missing += _names(text, source)
    return tuple(sorted(missing, key=lambda item: item.start))


class _Known:
    """The values of the sources, and what follows from the rows by one step of arithmetic."""

    def __init__(self, source: str, rows: Sequence[Mapping[str, Any]]) -> None:
        self._said = [number.value for number in (*_numbers(source), *_in_words(source))]
        self._columns = [values for values in _columns(rows) if values]
        self._cells = [value for values in self._columns for value in values]
        self._count = len(rows)

    def holds(self, number: _Number) -> bool:
        plain = [*self._said, *self._cells, float(self._count)] if self._count else self._said
        if number.value < 0:
            plain = [value for value in plain if value < 0]
        candidates: Iterable[float] = plain
        if number.percent:
            candidates = [*plain, *(value * 100 for value in plain)]
        return any(_equal(number, value) for value in candidates) or any(
            _equal(number, value)
            for values in self._columns
            for value in _derived(values, percent=number.percent)
        )


def _derived(values: Sequence[float], *, percent: bool) -> Iterator[float]:
    yield math.fsum(values)
    yield math.fsum(values) / len(values)
    pairs = combinations(values, 2) if len(values) <= MOST_PAIRS else [(values[0], values[-1])]
    for one, other in pairs:
        yield one - other
        for up, down in ((one, other), (other, one)):
            if down and percent:
                yield up / down * 100
                yield (up - down) / down * 100
            elif down:
                yield up / down


def _equal(number: _Number, value: float) -> bool:
    """Equal up to rounding to the digits shown; a sentence says "fell by 3" of a difference of minus 3."""
    if not math.isfinite(value):
        return False
    # Half a step, and a hair more: a half may have been rounded either way, and 0.1 has no exact form.
    allowed = number.step * (0.5 + 1e-6) + abs(value) * 1e-12
    return abs(abs(number.value) - abs(value)) <= allowed


def _numbers(text: str, pattern: re.Pattern[str] = _NUMBER) -> Iterator[_Number]:
    for match in pattern.finditer(text):
        value, step = _read(match["digits"] + match["scales"])
        factor = float(f"1{match['power'].casefold()}") if match["power"] else 1.0
        if match["word"]:
            factor *= _WORDS[match["word"].strip().casefold()]
        value, step = value * factor, step * factor
        if match["sign"]:
            value = -value
        span = match.start("digits"), match.end()
        yield _Number(value, step, match["percent"] is not None, *span, text[slice(*span)])


def _in_words(text: str) -> Iterator[_Number]:
    for found in written(text):
        span = found.start, found.end
        yield _Number(found.value, found.step, False, *span, text[slice(*span)], words=True)


def _read(digits: str) -> tuple[float, float]:
    """`12億3,456万` -> (1234560000, 20000): the value and how far it may be off, twice."""
    value, step = japanese(digits)
    # 12億 cut (not rounded) to its largest units is as common as rounded: a whole unit is allowed there.
    return value, step * (2 if any(scale in digits for scale in _SCALES) else 1)


def _columns(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[float]]:
    for name in rows[0] if rows else ():
        yield [
            float(value)
            for row in rows
            if isinstance(value := row.get(name), int | float | Decimal) and not isinstance(value, bool)
        ]


def _dates_in(text: str) -> set[tuple[int, ...]]:
    return {_date(match) for match in _DATE.finditer(text)}


def _dates_of(value: Any) -> Iterator[tuple[int, ...]]:
    if isinstance(value, date | datetime):
        yield (value.year, value.month, value.day)
    elif isinstance(value, int) and not isinstance(value, bool) and 1000 <= value <= 9999:
        yield (value,)


def _date(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(part) for part in match.groups() if part)


def _names(text: str, source: str) -> list[Unsupported]:
    """Quoted stretches and codes (`C-00123`) that the sources do not hold, compared folded, without white space."""
    held = fold(source).replace(" ", "")
    said = [
        *((match, next(part for part in match.groups() if part)) for match in _QUOTED.finditer(text)),
        *((match, match.group()) for match in _CODE.finditer(text)),
    ]
    return [
        Unsupported("name", match.group(), *match.span())
        for match, words in said
        if fold(words).replace(" ", "") not in held
    ]


def _flat(text: str) -> str:
    """Full-width digits and signs as ASCII, one for one, so that offsets stay those of the text."""
    return "".join(
        folded if len(folded := unicodedata.normalize("NFKC", char)) == 1 else char for char in text
    )
