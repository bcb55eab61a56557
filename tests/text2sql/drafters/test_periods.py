"""Periods and numbers in words, as data: tests/fixtures/offline/periods.jsonl and numbers.jsonl."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.text2sql.drafters.conftest import cases
from text2sql.drafters.reading import calendar
from text2sql.drafters.reading.calendar import Period, add_months
from text2sql.drafters.reading.numbers import find_numbers
from text2sql.drafters.reading.periods import PeriodSpan, Today, find_periods
from text2sql.words import normal

TODAY = Today(date(2026, 11, 20), 4)


def found(text: str, today: Today = TODAY) -> list[PeriodSpan]:
    return find_periods(normal(text), today)


@pytest.mark.parametrize("case", cases("periods"), ids=lambda case: case["text"])
def test_a_period_in_words_is_these_days(case: dict[str, Any]) -> None:
    spans = found(case["text"])
    if case["dates"] is None:
        assert spans == []
        return
    assert len(spans) == 1
    period = spans[0].period
    days = [day.isoformat() if day else None for day in (period.start, period.last)]
    assert days == case["dates"]
    assert period.assumption == case.get("assumed", "")


@pytest.mark.parametrize("case", cases("numbers"), ids=lambda case: case["text"])
def test_a_number_in_words_is_this_number(case: dict[str, Any]) -> None:
    numbers = find_numbers(normal(case["text"]))
    if case["literal"] is None:
        assert numbers == []
        return
    assert [number.literal for number in numbers][-1] == case["literal"]
    assert numbers[-1].unit == case.get("unit", "")


def test_a_code_keeps_its_leading_zero() -> None:
    (number,) = find_numbers("07")
    assert (number.text, number.literal) == ("07", "7")


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("fiscal 2024", "2024-01-01 to 2024-12-31"),
        ("2024年度", "2024-01-01 to 2024-12-31"),
        ("Q1 2024", "2024-01-01 to 2024-03-31"),
        ("2024年上期", "2024-01-01 to 2024-06-30"),
    ],
)
def test_with_a_fiscal_year_from_january_nothing_is_ambiguous(text: str, dates: str) -> None:
    (span,) = found(text, Today(date(2026, 11, 20), 1))
    assert span.period.dates == dates
    assert span.period.rivals == ()


def test_the_current_fiscal_year_depends_on_the_month() -> None:
    march, april = Today(date(2026, 3, 31), 4), Today(date(2026, 4, 1), 4)
    assert found("今年度", march)[0].period.dates == "2025-04-01 to 2026-03-31"
    assert found("今年度", april)[0].period.dates == "2026-04-01 to 2027-03-31"


def test_two_periods_stay_two() -> None:
    assert [span.period.label for span in found("revenue in 2023 and 2024")] == ["2023", "2024"]
    assert len(found("2023年度と2024年度の売上高")) == 2


def test_spans_take_their_preposition_with_them() -> None:
    text = "revenue in fiscal 2024 by region"
    (span,) = found(text)
    assert text[span.start : span.end] == "in fiscal 2024"


def test_a_period_as_a_whole_year_knows_its_number() -> None:
    assert found("in 2014")[0].period.year == 2014
    assert found("fiscal 2014")[0].period.year is None


def test_earlier_moves_whole_months_and_keeps_the_length() -> None:
    march = calendar.month(2024, 3)
    assert march.earlier(1).dates == "2024-02-01 to 2024-02-29"
    assert march.earlier(12).dates == "2023-03-01 to 2023-03-31"
    assert calendar.year(2024).earlier(12).year == 2023
    assert Period(None, date(2024, 1, 1), "year").earlier(12).end == date(2023, 1, 1)


def test_parts_of_an_open_period_are_an_error() -> None:
    with pytest.raises(ValueError, match="open"):
        calendar.part_of(Period(None, None, "year"), 4, 1)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-600, 600))
def test_adding_months_moves_by_exactly_so_many(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert (moved.year - day.year) * 12 + moved.month - day.month == months
    assert moved.day <= day.day


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 12))
def test_a_day_is_inside_its_own_units(day: date, start: int) -> None:
    units = [
        calendar.day(day),
        calendar.week(day),
        calendar.month_of(day),
        calendar.quarter_of(day, 0, start),
        calendar.year(day.year),
        calendar.fiscal_year(calendar.fiscal_year_of(day, start), start),
    ]
    for period in units:
        assert period.start is not None
        assert period.last is not None
        assert period.start <= day <= period.last


@given(st.integers(1990, 2090), st.integers(1, 12), st.sampled_from([2, 4]))
def test_parts_of_a_year_tile_it(year: int, start: int, parts: int) -> None:
    whole = calendar.fiscal_year(year, start)
    pieces = [calendar.part_of(whole, parts, number) for number in range(1, parts + 1)]
    assert pieces[0].start == whole.start
    assert pieces[-1].end == whole.end
    assert all(left.end == right.start for left, right in itertools.pairwise(pieces))


@given(st.text(max_size=120))
def test_any_text_is_read_without_an_error(text: str) -> None:
    plain = normal(text)
    spans = find_periods(plain, TODAY)
    assert all(0 <= span.start < span.end <= len(plain) for span in spans)
    assert all(left.end <= right.start for left, right in itertools.pairwise(spans))
    for number in find_numbers(plain):
        assert 0 <= number.start < number.end <= len(plain)
