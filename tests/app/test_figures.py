from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from app.figures import grain_of, grouped, show, show_key


@pytest.mark.parametrize(
    ("value", "unit", "english", "japanese"),
    [
        (1234567, "JPY", "¥1,234,567", "1,234,567円"),
        (-1234567, "JPY", "-¥1,234,567", "-1,234,567円"),
        (1234567890, "JPY", "¥1,234,567,890", "12億3,456万円（1,234,567,890円）"),
        (-1200000000, "JPY", "-¥1,200,000,000", "-12億円（-1,200,000,000円）"),
        (3_0000_0012_0000, "JPY", "¥3,000,000,120,000", "3兆円（3,000,000,120,000円）"),
        (1_0002_0000_0000, "JPY", "¥1,000,200,000,000", "1兆2億円（1,000,200,000,000円）"),
        (Decimal("99.4"), "JPY", "¥99", "99円"),
        (Decimal("2.5"), "JPY", "¥2.5", "2.5円"),
        (0.6234, "percent", "62.3%", "62.3%"),
        (0.00049, "percent", "0.0%", "0.0%"),
        (12345, "count", "12,345", "12,345件"),
        (3.14159, "days", "3.14 days", "3.14日"),
        (12.5, "kg", "12.5 kg", "12.5 kg"),
        (0.01234, "", "0.01234", "0.01234"),
        (1234567.891, "", "1,234,568", "1,234,568"),
        (2.0, "", "2", "2"),
        (None, "JPY", "none", "なし"),
        (float("nan"), "", "none", "なし"),
        (True, "", "True", "True"),
    ],
)
def test_a_value_with_its_unit(value, unit, english, japanese):
    assert show(value, "en", unit) == english
    assert show(value, "ja", unit) == japanese


@pytest.mark.parametrize(
    ("value", "grain", "english", "japanese"),
    [
        (date(2026, 4, 1), "month", "2026-04", "2026年4月"),
        (date(2026, 4, 1), "year", "2026", "2026年"),
        (date(2026, 4, 1), "day", "2026-04-01", "2026年4月1日"),
        (datetime(2026, 4, 1, 9, 30, tzinfo=UTC), "time", "2026-04-01 09:30", "2026-04-01 09:30"),
        (2026, "day", "2026", "2026"),
        ("two\nlines", "day", "two lines", "two lines"),
        (None, "day", "none", "なし"),
    ],
)
def test_a_value_that_rows_are_grouped_by(value, grain, english, japanese):
    assert show_key(value, "en", grain) == english
    assert show_key(value, "ja", grain) == japanese


def test_the_coarsest_period_that_fits():
    assert grain_of([date(2025, 1, 1), date(2026, 1, 1)]) == "year"
    assert grain_of([date(2025, 1, 1), date(2025, 2, 1)]) == "month"
    assert grain_of([date(2025, 1, 1), date(2025, 2, 2)]) == "day"
    assert grain_of([date(2025, 1, 1)]) == "day", "one first of January may be just that day"
    assert grain_of([datetime(2025, 1, 1, 8, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]) == "time"
    assert grain_of(["a", 3]) == "day"


def test_small_numbers_keep_what_says_something():
    assert grouped(Decimal("0.000012345")) == "0.00001235"
    assert grouped(Decimal("-0.05")) == "-0.05"
    assert grouped(Decimal(0)) == "0"
