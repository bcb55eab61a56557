"""After the cover is found: what only neighbours decide. Counting words, how many of an order, words kept whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from retrieval.language import KANJI, KATAKANA
from text2sql.drafters.reading.items import Item

_KATAKANA_RUN = re.compile(rf"[{KATAKANA}]{{2,}}")
_KANJI_ONLY = re.compile(rf"[{KANJI}]+")
_MOST = 10_000
"""More rows than this are no "first so many" but a number of something."""


def tidied(items: list[Item], text: str) -> list[Item]:
    """The items with their neighbours heard."""
    return _first_so_many(_how_many(_whole_compounds(_whole_katakana(items, text), text)))


def _how_many(items: list[Item]) -> list[Item]:
    """何都市, 何商品: 何 right before the name of a table asks how many there are."""
    kept = list(items)
    for at, (item, following) in enumerate(pairwise(items)):
        if item.text == "何" and following.code == "E" and following.start == item.end:
            kept[at] = replace(item, code="K", role="count")
    return kept


def _first_so_many(items: list[Item]) -> list[Item]:
    """多い順に5件, 高い順に商品を10件, 人口の多い順に5都市: a counted number after an order is how many are wanted."""
    kept: list[Item] = []
    ordered = False
    for at, item in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else None
        if ordered and item.code == "N" and _counts_rows(item, following):
            kept.append(replace(item, code="T", tag="head"))
            ordered = False
            continue
        ordered = item.role == "direction" or (ordered and item.code in ".oDEMA,")
        kept.append(item)
    return kept


def _counts_rows(item: Item, following: Item | None) -> bool:
    number = item.number
    if number is None or number.value != int(number.value) or not 0 < number.value <= _MOST:
        return False
    if following is not None and following.code == "c":
        return False  # 10件以上 bounds
    if number.unit in ("things", "people"):
        return True
    return (
        number.unit == "" and following is not None and following.code == "E" and following.start == item.end
    )


def _whole_katakana(items: list[Item], text: str) -> list[Item]:
    """A run of katakana with an unknown part is one unknown word: ヨーロッパ, not 「ーロッパ」."""
    for run in _KATAKANA_RUN.finditer(text):
        inside = [item for item in items if run.start() <= item.start and item.end <= run.end()]
        if len(inside) > 1 and any(item.code == "U" for item in inside):
            items = _joined(items, inside, text)
    return items


def _whole_compounds(items: list[Item], text: str) -> list[Item]:
    """One unknown kanji beside a known word makes a compound of its own: 国籍 is no 国."""
    for item in items:
        if item.code != "U" or len(item.text) != 1 or not _KANJI_ONLY.fullmatch(item.text):
            continue
        beside = [
            other
            for other in items
            if other.code in "DEV"
            and (other.start == item.end or other.end == item.start)
            and _KANJI_ONLY.fullmatch(other.text)
        ]
        if beside:
            return _whole_compounds(_joined(items, [item, beside[-1]], text), text)
    return items


def _joined(items: list[Item], parts: Iterable[Item], text: str) -> list[Item]:
    """The items with some neighbours as one unknown word."""
    gone = sorted(parts, key=lambda item: item.start)
    start, end = gone[0].start, gone[-1].end
    whole = Item("U", start, end, text[start:end], role=gone[0].role or "kanji")
    return sorted([whole, *(item for item in items if item not in gone)], key=lambda item: item.start)
