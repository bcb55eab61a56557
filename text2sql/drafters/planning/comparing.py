"""A plan compared with an earlier window of the same length: the year before, the month before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from text2sql.drafters.planning.plan import Bucket, CannotPlan, During, Note, QueryPlan, note
from text2sql.drafters.planning.sketch import Sketch
from text2sql.drafters.reading import calendar
from text2sql.drafters.reading.calendar import Period, Unit
from text2sql.drafters.reading.periods import Today

_MONTHS = {"month": 1, "quarter": 3, "year": 12, "fiscal_year": 12}


def compared(plan: QueryPlan, sketch: Sketch, today: Today, notes: list[Note]) -> QueryPlan:
    """The plan with its comparison, where the question asks for one.

    A window that is not over yet is cut at today: part of a year beside a whole one would look like a fall.
    Without any window it is this year so far.
    """
    if not sketch.versus and "growth" not in sketch.flags:
        return plan
    if not plan.measures:
        raise CannotPlan("nothing_measured")
    windows = [part for part in plan.filters if isinstance(part, During)]
    unit = next((key.unit for key in plan.keys if isinstance(key, Bucket)), None)
    if not windows and unit is None:
        windows = [During(calendar.year(today.day.year))]
        plan = replace(plan, filters=(*plan.filters, *windows))
    months = 12 if sketch.versus in ("year", "") else _length(unit, windows)
    tomorrow = today.day + timedelta(days=1)
    filters = tuple(
        replace(part, period=_until(part.period, today, notes))
        if isinstance(part, During) and part.period.end and part.period.end > tomorrow
        else part
        for part in plan.filters
    )
    return replace(plan, filters=filters, versus=months)


def _until(period: Period, today: Today, notes: list[Note]) -> Period:
    if period.start and period.start > today.day:
        return period
    cut = replace(period, end=today.day + timedelta(days=1), year=None)
    notes.append(note("same_days", dates=cut.dates))
    return cut


def _length(unit: Unit | None, windows: list[During]) -> int:
    """How far back "the previous period" is, in months."""
    period: Period | None = windows[0].period if windows else None
    months = _MONTHS.get(unit or "", 0) or (period.months if period else 0)
    if not months:
        raise CannotPlan("versus_unclear")
    return months
