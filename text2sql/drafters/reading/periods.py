"""Periods in a question: English and Japanese words to days, with what was assumed on the way.

First the atoms are found (a day, a month, 2024年度, last quarter), then neighbours are joined into ranges
("from A to B", AからBまで) and opened on one side ("since A", A以降). Offsets count characters of `normal(question)`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date

from text2sql.drafters.reading import calendar
from text2sql.drafters.reading.calendar import Period
from text2sql.drafters.reading.periods_en import ATOMS as ENGLISH
from text2sql.drafters.reading.periods_ja import ATOMS as JAPANESE
from text2sql.drafters.reading.periods_ja import BARE


@dataclass(frozen=True, slots=True)
class Today:
    """What relative words refer to. `fiscal_start` is the month fiscal years begin in."""

    day: date
    fiscal_start: int = 4


@dataclass(frozen=True, slots=True)
class PeriodSpan:
    """A period and where it stands. `opened`: an open side was asked for by a word like "since"."""

    start: int
    end: int
    period: Period
    opened: str = ""


_BETWEEN = re.compile(
    r"\s*(?:to|through|thru|until|till|up to|-|–|—|~|〜|から|より)\s*(?:the\s+)?", re.IGNORECASE
)
_AND = re.compile(r"\s*and\s*", re.IGNORECASE)
_FROM = re.compile(r"(?:\bfrom|\bbetween)\s+(?:the\s+)?$", re.IGNORECASE)
_BETWEEN_WORD = re.compile(r"\bbetween\s+(?:the\s+)?$", re.IGNORECASE)
_TAIL = re.compile(r"\s*(?:までの間|までの|まで|の間)")
_SINCE = re.compile(
    r"\b(?:since|starting(?: from| in)?|from|as of|on or after|in or after)\s+(?:the\s+)?$", re.IGNORECASE
)
_ONWARD = re.compile(r"\s*(?:onwards?|and later|or later)\b", re.IGNORECASE)
_AFTER = re.compile(r"\b(?:after|later than)\s+(?:the\s+)?(?:year\s+)?$", re.IGNORECASE)
_BEFORE = re.compile(r"\b(?:before|prior to|earlier than)\s+(?:the\s+)?(?:year\s+)?$", re.IGNORECASE)
_UNTIL = re.compile(
    r"\b(?:until|till|through|up to|on or before|by the end of)\s+(?:the\s+)?$", re.IGNORECASE
)
_LEAD = re.compile(r"\b(?:in|on|during|for|within|at|of|over|the|year|in the year|from)\s+$", re.IGNORECASE)
_JA_SINCE = re.compile(r"(?:以降|以後|からの|から)")
_JA_UNTIL = re.compile(r"(?:以前|までの|まで)")
_JA_AFTER = re.compile(r"(?:より後|より後ろ|の後|後)(?!半)")
_JA_BEFORE = re.compile(r"(?:より前|の前|前)(?!年|月|期)")


def find_periods(text: str, today: Today) -> list[PeriodSpan]:
    """The periods of a question that is already `normal`, in order, never overlapping."""
    atoms = _atoms(text, today)
    spans: list[PeriodSpan] = []
    at = 0
    while at < len(atoms):
        joined = _range(text, atoms[at], atoms[at + 1]) if at + 1 < len(atoms) else None
        spans.append(joined or _opened(text, atoms[at]))
        at += 2 if joined else 1
    return spans


def _atoms(text: str, today: Today) -> list[PeriodSpan]:
    found: list[PeriodSpan] = []
    for pattern, make in (*JAPANESE, *ENGLISH, *BARE):
        for match in pattern.finditer(text):
            if any(match.start() < span.end and span.start < match.end() for span in found):
                continue
            try:
                period = make(match, today.day, today.fiscal_start)
            except ValueError:  # the 31st of June: a number, but no day
                continue
            if period is not None:
                found.append(PeriodSpan(match.start(), match.end(), period))
    return sorted(found, key=lambda span: span.start)


def _range(text: str, first: PeriodSpan, second: PeriodSpan) -> PeriodSpan | None:
    """Two periods as one from the start of the first to the end of the second, where the words say so."""
    between, before = text[first.end : second.start], text[: first.start]
    joined = _BETWEEN.fullmatch(between) or (_AND.fullmatch(between) and _BETWEEN_WORD.search(before))
    if not joined:
        return None
    first, second = _inherit(first, second)
    if not first.period.start or not second.period.end or first.period.start >= second.period.end:
        return None
    lead = _FROM.search(before)
    tail = _TAIL.match(text, second.end)
    period = Period(
        first.period.start,
        second.period.end,
        first.period.unit,
        f"{first.period.label} to {second.period.label}",
        assumption=first.period.assumption or second.period.assumption,
    )
    return PeriodSpan(lead.start() if lead else first.start, tail.end() if tail else second.end, period)


def _inherit(first: PeriodSpan, second: PeriodSpan) -> tuple[PeriodSpan, PeriodSpan]:
    """A month without a year takes the year of its partner: "2024年4月から6月", "from April to June 2024"."""
    early, late = first.period, second.period
    if not early.start or not late.start or early.unit != "month" or late.unit != "month":
        return first, second
    if late.assumption and not early.assumption:
        moved = calendar.month(early.start.year + (late.start.month < early.start.month), late.start.month)
        return first, replace(second, period=moved)
    if early.assumption and not late.assumption:
        moved = calendar.month(late.start.year - (late.start.month < early.start.month), early.start.month)
        return replace(first, period=moved), second
    return first, second


def _opened(text: str, span: PeriodSpan) -> PeriodSpan:
    """The period with its word before or after ("since", 以降), opened on the side that the word says."""
    before, after = text[: span.start], text[span.end :]
    onward = _ONWARD.match(after)
    for pattern, kind in ((_SINCE, "since"), (_AFTER, "after"), (_BEFORE, "before"), (_UNTIL, "until")):
        lead = pattern.search(before)
        # "from 2014" alone says "of 2014" as often as "since 2014": only "since" and "onwards" open it.
        if lead and (lead.group().strip().lower() != "from" or onward):
            return _open(span, lead.start(), onward.end() + span.end if onward else span.end, kind)
    if onward:
        return _open(span, span.start, span.end + onward.end(), "since")
    japanese = ((_JA_SINCE, "since"), (_JA_UNTIL, "until"), (_JA_AFTER, "after"), (_JA_BEFORE, "before"))
    for pattern, kind in japanese:
        tail = pattern.match(after)
        if tail:
            return _open(span, span.start, span.end + tail.end(), kind)
    lead = _LEAD.search(before)
    return replace(span, start=lead.start()) if lead else span


def _open(span: PeriodSpan, start: int, end: int, kind: str) -> PeriodSpan:
    old = span.period
    bounds = {
        "since": (old.start, None),
        "after": (old.end, None),
        "before": (None, old.start),
        "until": (None, old.end),
    }
    low, high = bounds[kind]
    period = replace(old, start=low, end=high, label=f"{kind} {old.label}", rivals=())
    return PeriodSpan(start, end, period, opened=kind)
