"""Amounts, shares, dates and tables as people write them in each language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

Language = Literal["en", "ja"]


def yen(amount: int, language: Language) -> str:
    """`50,000 yen` or `50,000円`; round hundreds of millions and ten-thousands as people say them in Japanese."""
    if language == "en":
        millions = amount / 1_000_000
        return (
            f"{millions:g} million yen"
            if amount >= 1_000_000 and millions == int(millions)
            else f"{amount:,} yen"
        )
    for unit, name in ((100_000_000, "億円"), (10_000, "万円")):
        if amount >= unit and amount % unit == 0:
            return f"{amount // unit:,}{name}"
    return f"{amount:,}円"


def percent(ratio: float, language: Language) -> str:
    """`62.4 percent` or `62.4パーセント`; a whole number without its `.0`."""
    number = f"{100 * ratio:.1f}".removesuffix(".0")
    return f"{number} percent" if language == "en" else f"{number}パーセント"


def day(value: date, language: Language) -> str:
    """`15 November 2026` or `2026年11月15日`."""
    if language == "en":
        return f"{value.day} {value:%B} {value.year}"
    return f"{value.year}年{value.month}月{value.day}日"


def month(value: date, language: Language) -> str:
    """`October 2026` or `2026年10月`."""
    return f"{value:%B} {value.year}" if language == "en" else f"{value.year}年{value.month}月"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
