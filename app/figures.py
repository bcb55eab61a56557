"""How one value is written for a person: separators, units, dates, and 万/億 for large sums in Japanese.

Nothing is computed beyond rounding and the declared `percent` (the stored ratio times 100): a figure in a sentence
is a figure of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from app.messages import text
from retrieval.types import Language

_UNITS = {"jpy": "unit_jpy", "percent": "unit_percent", "count": "unit_count", "days": "unit_days"}
_LARGE = (("兆", 10**12), ("億", 10**8), ("万", 10**4))

Grain = Literal["year", "month", "day", "time"]


def show(value: Any, language: Language, unit: str = "") -> str:
    """A measured value with its unit; text and dates as they are. `None` and NaN read as "none"."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return text("result.empty_value", language)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return show_key(value, language)
    number = Decimal(str(value))
    kind = _UNITS.get(unit.casefold())
    if kind == "unit_percent":
        return text("result.unit_percent", language, value=grouped(number * 100, 1))
    if kind == "unit_jpy":
        return _yen(number, language)
    digits = grouped(number)
    if kind is not None:
        return text(f"result.{kind}", language, value=digits)
    return text("result.unit_other", language, value=digits, unit=unit) if unit else digits


def show_key(value: Any, language: Language, grain: Grain = "day") -> str:
    """A value that rows are grouped or listed by: a name, a code, a year, a period. Integers keep their digits."""
    if value is None:
        return text("result.empty_value", language)
    if isinstance(value, datetime):
        if grain in ("year", "month"):
            return show_key(value.date(), language, grain)
        return value.strftime("%Y-%m-%d %H:%M") if grain == "time" else show_key(value.date(), language)
    if isinstance(value, date):
        return _day(value, language, grain)
    if isinstance(value, float | Decimal):
        return grouped(Decimal(str(value)))
    return " ".join(str(value).split())


def grain_of(values: Sequence[Any]) -> Grain:
    """The coarsest period that every date stands at the start of: years need more than one to be told from days."""
    days = [value for value in values if isinstance(value, date)]
    if any(isinstance(day, datetime) and (day.hour or day.minute or day.second) for day in days):
        return "time"
    if len(days) < 2 or any(day.day != 1 for day in days):
        return "day"
    return "year" if all(day.month == 1 for day in days) else "month"


def grouped(number: Decimal, places: int | None = None) -> str:
    """Digits with thousands separators; without `places`, as many decimals as say something (4 digits at least)."""
    if places is None:
        size = number.copy_abs()
        places = 0 if number == number.to_integral_value() or size >= 10_000 else 2
        if 0 < size < Decimal("0.1"):
            places = min(3 - size.adjusted(), 12)
        rounded = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        shown = f"{rounded:,f}"
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"{number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):,f}"


def _yen(number: Decimal, language: Language) -> str:
    """Whole yen from ten on (nobody reads the sen), the exact figure beside 万/億 in Japanese."""
    digits = grouped(number, 0) if number.copy_abs() >= 10 else grouped(number)
    if language == "en":
        sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
        return sign + text("result.unit_jpy", language, value=digits)
    exact = text("result.unit_jpy", language, value=digits)
    whole = int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    if abs(whole) < 10**8:
        return exact
    return f"{_in_units(whole)}円（{exact}）"


def _in_units(whole: int) -> str:
    """12億3,456万: the largest unit and the next; what is below is cut off (the exact figure stands beside it)."""
    sign, rest = ("-" if whole < 0 else ""), abs(whole)
    first = next(place for place, (_, size) in enumerate(_LARGE) if rest >= size)
    parts: list[str] = []
    for name, size in _LARGE[first : first + 2]:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,}{name}")
    return sign + "".join(parts)


def _day(value: date, language: Language, grain: Grain) -> str:
    if language == "en":
        return value.isoformat()[: {"year": 4, "month": 7}.get(grain, 10)]
    shown = f"{value.year}年"
    if grain != "year":
        shown += f"{value.month}月"
    return shown if grain in ("year", "month") else f"{shown}{value.day}日"
