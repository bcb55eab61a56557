"""Periods of a calendar: days, weeks, months, quarters, halves and years, calendar or fiscal. No text here.

A fiscal year is named after the calendar year it begins in (2024年度 with an April start: 2024-04-01 to
2025-03-31), as is usual in Japan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

Unit = Literal["day", "week", "month", "quarter", "half", "year", "fiscal_year"]


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` up to but not including `end`; None is open on that side.

    `year` is set where the words named one whole calendar year, which a column of years may hold as a number.
    `assumption` is the key of what was not said but taken for granted (`no_year`, `complete`, …); `rivals` are other readings of the same words.
    """

    start: date | None
    end: date | None
    unit: Unit
    label: str = ""
    year: int | None = None
    assumption: str = ""
    rivals: tuple[Period, ...] = ()

    @property
    def last(self) -> date | None:
        """The last day inside, None where it is open."""
        return self.end - timedelta(days=1) if self.end else None

    @property
    def dates(self) -> str:
        """`2024-04-01 to 2025-03-31`; an open side is said as `from` or `until`."""
        if self.start and self.last:
            return f"{self.start} to {self.last}" if self.start != self.last else str(self.start)
        return f"from {self.start}" if self.start else f"until {self.last}"

    def named(self, label: str) -> Period:
        """The same days under another label, rivals too."""
        return replace(self, label=label, rivals=tuple(rival.named(rival.label) for rival in self.rivals))

    def earlier(self, months: int) -> Period:
        """The same length of time, that many months before; whole months stay whole."""
        return Period(
            add_months(self.start, -months) if self.start else None,
            add_months(self.end, -months) if self.end else None,
            self.unit,
            label=self.label,
            year=self.year - months // 12 if self.year and months % 12 == 0 else None,
        )

    @property
    def months(self) -> int:
        """Length in whole months, 0 where it is open or shorter than a month."""
        if not self.start or not self.end:
            return 0
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month


def add_months(day: date, months: int) -> date:
    """That many months later, the day of the month cut to the month's length."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    following = date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def day(value: date) -> Period:
    """One day."""
    return Period(value, value + timedelta(days=1), "day", str(value))


def week(value: date, offset: int = 0) -> Period:
    """The week of a day (Monday to Sunday), or one that many weeks later."""
    monday = value - timedelta(days=value.weekday()) + timedelta(weeks=offset)
    return Period(monday, monday + timedelta(days=7), "week", f"week of {monday}")


def month(year: int, number: int) -> Period:
    """A calendar month."""
    start = date(year, number, 1)
    return Period(start, add_months(start, 1), "month", f"{year}-{number:02}")


def month_of(value: date, offset: int = 0) -> Period:
    """The month of a day, or one that many months later."""
    start = add_months(value.replace(day=1), offset)
    return month(start.year, start.month)


def year(number: int) -> Period:
    """A calendar year."""
    return Period(date(number, 1, 1), date(number + 1, 1, 1), "year", str(number), year=number)


def fiscal_year(number: int, start_month: int) -> Period:
    """The fiscal year that begins in that calendar year."""
    start = date(number, start_month, 1)
    return Period(start, add_months(start, 12), "fiscal_year", f"fiscal year {number}")


def fiscal_year_of(value: date, start_month: int) -> int:
    """Which fiscal year a day is in."""
    return value.year if value.month >= start_month else value.year - 1


def part_of(whole: Period, parts: int, number: int) -> Period:
    """The n-th half (`parts` 2) or quarter (`parts` 4) of a year, calendar or fiscal; `ValueError` if it is open."""
    if whole.start is None:
        raise ValueError("an open period has no parts")
    length = 12 // parts
    start = add_months(whole.start, (number - 1) * length)
    name = f"Q{number}" if parts == 4 else ("first half", "second half")[number - 1]
    unit: Unit = "quarter" if parts == 4 else "half"
    return Period(start, add_months(start, length), unit, f"{name} of {whole.label}")


def quarter_of(value: date, offset: int = 0, start_month: int = 1) -> Period:
    """The quarter of a day (in years that begin in `start_month`), or one that many quarters later."""
    begun = (value.month - start_month) % 3
    start = add_months(value.replace(day=1), -begun + 3 * offset)
    return Period(start, add_months(start, 3), "quarter", f"quarter from {start}")
