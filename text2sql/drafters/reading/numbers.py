"""Numbers as people write them: `1,200`, `1.5 million`, `20k`, `10%`, `1.5万`, `3億`, `30歳`, `three`, `二`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Unit = Literal["", "percent", "age", "people", "money", "things"]
"""What the counter after the number says it counts; "" where there is none."""

_SCALES = {
    "千": 10**3, "万": 10**4, "百万": 10**6, "億": 10**8, "兆": 10**12,
    "k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "bn": 10**9, "billion": 10**9,
}  # fmt: skip
_UNITS: dict[str, Unit] = {
    "%": "percent", "percent": "percent", "パーセント": "percent", "歳": "age", "才": "age", "years old": "age",
    "人": "people", "名": "people", "円": "money", "yen": "money", "ドル": "money", "dollars": "money", "usd": "money",
}  # fmt: skip
_COUNTERS = "件|回|つ|個|本|冊|枚|隻|社|店舗|店|種類|カ国|か国|ヶ国|台|校|都市|品|匹|頭|軒|棟|曲|[かカヶヵ箇]所|ヵ国|times"
_DIGITS = r"(?<![\w.])(?P<sign>-)?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_NUMBER = re.compile(
    rf"{_DIGITS}(?:\s?(?P<scale>百万|千|万|億|兆|thousand\b|million\b|billion\b|bn\b|k\b|m\b))?"
    rf"(?:\s?(?P<unit>%|percent\b|パーセント|歳|才|years old\b|人|名(?!前|称|目)|円|yen\b|ドル|dollars\b|usd\b))?"
    rf"(?P<counter>\s?(?:{_COUNTERS})(?!目))?",
    re.IGNORECASE,
)
# The lookbehind of _DIGITS refuses digits after a letter; Japanese letters may stand right before a number.
_JAPANESE_BEFORE = re.compile(r"(?<=[\u3041-\u9fff])(?=\d)")
_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "twenty": 20, "hundred": 100, "once": 1, "twice": 2,
}  # fmt: skip
_WORD = re.compile(
    rf"\b(?P<word>{'|'.join(word for word in _WORDS if word != 'one')}|(?<=\bthan\s)one|(?<=\bleast\s)one|(?<=\bmost\s)one|(?<=\bonly\s)one"
    r"|(?<=\bexactly\s)one)\b",
    re.IGNORECASE,
)
_KANJI = "一二三四五六七八九十"
_KANJI_COUNTED = re.compile(rf"(?P<kanji>[{_KANJI}])(?:{_COUNTERS}|人|歳)")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in the question. `text` is the digits as SQL takes them; `end` counts its unit and counter."""

    start: int
    end: int
    value: Decimal
    unit: Unit = ""
    text: str = ""
    """The digits as written, without separators ("07" keeps its zero): what a code column holds."""

    @property
    def literal(self) -> str:
        """The value as an SQL number; percentages stay as written."""
        whole = self.value == self.value.to_integral_value()
        return str(int(self.value)) if whole else format(self.value.normalize(), "f")


def find_numbers(text: str) -> list[Number]:
    """All numbers of a `normal` text, in order. Ordinals and digits inside words are none."""
    spaced = _JAPANESE_BEFORE.split(text)
    found: list[Number] = []
    offset = 0
    for part in spaced:
        found += [_number(match, offset) for match in _NUMBER.finditer(part)]
        offset += len(part)
    for match in _WORD.finditer(text):
        word = match.group("word").lower()
        found.append(Number(match.start(), match.end(), Decimal(_WORDS[word]), "", str(_WORDS[word])))
    for match in _KANJI_COUNTED.finditer(text):
        value = _KANJI.index(match.group("kanji")) + 1
        unit: Unit = "age" if match.group().endswith("歳") else "things"
        found.append(Number(match.start(), match.end(), Decimal(value), unit, str(value)))
    return sorted(found, key=lambda number: number.start)


def _number(match: re.Match[str], offset: int) -> Number:
    digits = match.group("digits").replace(",", "")
    value = Decimal(digits) * _SCALES.get((match.group("scale") or "").lower(), 1)
    unit: Unit = _UNITS.get((match.group("unit") or "").lower(), "")
    if not unit and match.group("counter"):
        unit = "things"
    if match.group("sign"):
        value = -value
    return Number(match.start() + offset, match.end() + offset, value, unit, digits)
