"""English atoms of periods: a pattern, and the period it means on a given day. Most specific first."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from text2sql.drafters.reading import calendar
from text2sql.drafters.reading.calendar import Period

Make = Callable[[re.Match[str], date, int], Period | None]

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "|".join(f"{name}|{name[:3]}\\.?" for name in _MONTHS) + "|sept\\.?"
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
            "ten": 10, "twelve": 12}  # fmt: skip
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_YEAR = r"(?P<year>(?:19|20)\d{2})"
_FISCAL = r"(?P<fiscal>fy|fiscal(?:\s+year)?)\s*'?"


def _whole_year(match: re.Match[str], fiscal_start: int) -> Period:
    number = int(match["year"])
    if number < 100:
        number += 2000
    fiscal = match.groupdict().get("fiscal")
    return calendar.fiscal_year(number, fiscal_start) if fiscal else calendar.year(number)


def _fiscal_year(match: re.Match[str], _today: date, fiscal_start: int) -> Period:
    return _whole_year(match, fiscal_start)


def _part(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    """A quarter or half, of a year that is named or the current one."""
    named = match.groupdict()
    number = _ORDINALS.get((named.get("ordinal") or "").lower()) or int(named.get("digit") or 1)
    parts = 2 if (named.get("part") or "q").lower().startswith("h") else 4
    if named.get("year"):
        whole = _whole_year(match, fiscal_start)
        said = calendar.part_of(whole, parts, number)
        if named.get("fiscal") or fiscal_start == 1:
            return said
        rival = calendar.part_of(calendar.fiscal_year(int(named["year"]), fiscal_start), parts, number)
        return replace(said, rivals=(rival,))
    whole = calendar.fiscal_year(calendar.fiscal_year_of(today, fiscal_start), fiscal_start)
    return replace(calendar.part_of(whole, parts, number), assumption="no_year")


def _number_of_month(name: str) -> int:
    return next(at for at, full in enumerate(_MONTHS, 1) if full.startswith(name.lower().rstrip(".")[:3]))


def _month_day_year(match: re.Match[str], _today: date, _fiscal_start: int) -> Period:
    return calendar.day(date(int(match["year"]), _number_of_month(match["month"]), int(match["day"])))


def _month_year(match: re.Match[str], _today: date, _fiscal_start: int) -> Period:
    return calendar.month(int(match["year"]), _number_of_month(match["month"]))


def _iso(match: re.Match[str], _today: date, _fiscal_start: int) -> Period:
    year, month = int(match["year"]), int(match["month"])
    day = match.groupdict().get("day")
    return calendar.day(date(year, month, int(day))) if day else calendar.month(year, month)


def _bare_month(match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    number = _number_of_month(match["month"])
    year = today.year if number <= today.month else today.year - 1
    period = calendar.month(year, number)
    return replace(period, assumption="no_year")


def _bare_year(match: re.Match[str], _today: date, _fiscal_start: int) -> Period:
    return calendar.year(int(match["year"]))


def _day_word(match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    return calendar.day(today - timedelta(days=1) if match.group().lower() == "yesterday" else today)


_OFFSETS = {"this": 0, "current": 0, "last": -1, "previous": -1, "prior": -1, "past": -1, "next": 1}


def _relative(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    offset = _OFFSETS[match["which"].lower()]
    unit = " ".join(match["unit"].lower().split())
    period = relative(unit, offset, today, fiscal_start)
    return period.named(f"{match.group().lower()} ({period.label})")


def relative(unit: str, offset: int, today: date, fiscal_start: int) -> Period:
    """This (0), the last (-1), the next (1) day, week, month, quarter, year or fiscal year."""
    if unit == "day":
        return calendar.day(today + timedelta(days=offset))
    if unit == "week":
        return calendar.week(today, offset)
    if unit == "month":
        return calendar.month_of(today, offset)
    if unit in ("quarter", "fiscal quarter"):
        return calendar.quarter_of(today, offset, fiscal_start)
    if unit == "year":
        return calendar.year(today.year + offset)
    return calendar.fiscal_year(calendar.fiscal_year_of(today, fiscal_start) + offset, fiscal_start)


def _rolling(match: re.Match[str], today: date, _fiscal_start: int) -> Period:
    count = _NUMBERS.get(match["count"].lower()) or int(match["count"])
    return rolling(match["unit"].lower().rstrip("s"), count, today)


def rolling(unit: str, count: int, today: date) -> Period:
    """The last `count` complete days, weeks, months, quarters or years before the current one.

    Raises `ValueError` where that would begin before the calendar does.
    """
    if count < 1 or count > 1000:
        raise ValueError("no such period")
    if unit == "day":
        end = today + timedelta(days=1)
        period = Period(end - timedelta(days=count), end, "day")
    elif unit == "week":
        end = today - timedelta(days=today.weekday())
        period = Period(end - timedelta(weeks=count), end, "week")
    else:
        size = {"month": 1, "quarter": 3, "year": 12}[unit]
        begun = {"month": 0, "quarter": (today.month - 1) % 3, "year": today.month - 1}[unit]
        end = calendar.add_months(today.replace(day=1), -begun)
        period = Period(calendar.add_months(end, -size * count), end, "month" if unit == "month" else "year")
    said = f"last {count} {unit}s"
    if unit == "day":
        return replace(period, label=said, assumption="with_today")
    return replace(period, label=said, assumption="complete")


def _to_date(match: re.Match[str], today: date, fiscal_start: int) -> Period:
    unit = {"ytd": "year", "mtd": "month", "qtd": "quarter"}.get(match.group().lower())
    unit = unit or " ".join(match["unit"].lower().split())
    whole = relative(unit, 0, today, fiscal_start)
    return Period(whole.start, today + timedelta(days=1), whole.unit, f"{unit} to date")


_UNITS = r"(?P<unit>day|week|month|fiscal\s+quarter|quarter|fiscal\s+year|year)"
_PART_OF_YEAR = (
    rf"\b(?:the\s+)?(?P<ordinal>{'|'.join(_ORDINALS)})\s+(?P<part>quarter|half)\s+(?:of\s+)?(?:the\s+)?"
    rf"(?:{_FISCAL})?{_YEAR}\b"
)
_ROLLING = (
    rf"\b(?:the\s+)?(?:last|past|previous|recent)\s+(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+"
    r"(?P<unit>days|weeks|months|quarters|years)\b"
)
_BARE_MONTH = (
    r"(?:(?<=\bin\s)|(?<=\bfrom\s)|(?<=\bto\s)|(?<=\bsince\s)|(?<=\bof\s)|(?<=\bbetween\s)|(?<=\buntil\s))"
    rf"(?P<month>{_MONTH})(?![\w'-])"
)
ATOMS: tuple[tuple[re.Pattern[str], Make], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (rf"\b(?:(?P<part>q|h)(?P<digit>[1-4]))\s*(?:of\s+|,\s*|-\s*|/\s*)?(?:{_FISCAL})?{_YEAR}\b", _part),
        (rf"\b(?:{_FISCAL}){_YEAR}\s*[,/-]?\s*(?:(?P<part>q|h)(?P<digit>[1-4]))\b", _part),
        (rf"\b{_YEAR}\s*[,/-]?\s*(?P<part>q|h)(?P<digit>[1-4])\b", _part),
        (_PART_OF_YEAR, _part),
        (rf"\b(?:the\s+)?(?P<ordinal>{'|'.join(_ORDINALS)})\s+(?P<part>quarter|half)\b", _part),
        (rf"\b{_FISCAL}(?P<year>(?:(?:19|20)\d{{2}})|\d{{2}})\b", _fiscal_year),
        (rf"\b{_YEAR}\s+(?P<fiscal>fiscal(?:\s+year)?)\b", _fiscal_year),
        (rf"\b(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}\b", _month_day_year),
        (rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH}),?\s+{_YEAR}\b", _month_day_year),
        (rf"\b(?P<month>{_MONTH}),?\s+(?:of\s+)?{_YEAR}\b", _month_year),
        (rf"\b{_YEAR}[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})\b", _iso),
        (rf"\b{_YEAR}-(?P<month>0[1-9]|1[0-2])\b", _iso),
        (r"\b(?:today|yesterday)\b", _day_word),
        (_ROLLING, _rolling),
        (rf"\b(?:{_UNITS}[\s-]+to[\s-]+date|ytd|mtd|qtd)\b", _to_date),
        (rf"\b(?:the\s+)?(?P<which>this|current|last|previous|prior|past|next)\s+{_UNITS}\b(?!'s)", _relative),
        (_BARE_MONTH, _bare_month),
        (rf"(?<![\w.,$¥-]){_YEAR}(?![\w,.-]*\d)(?!\s*(?:円|人|件|ドル|%|yen|dollars))\b", _bare_year),
    )
)  # fmt: skip
