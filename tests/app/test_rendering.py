from __future__ import annotations

import pytest

from app.rendering import cell


@pytest.mark.parametrize(
    ("value", "column", "shown"),
    [
        (1234567, "paid_amount", "1,234,567"),  # "id" inside a word is none
        (1234567, "sides", "1,234,567"),
        (1234567, "前年売上", "1,234,567"),
        (1234567, "store_id", "1234567"),
        (1234567, "storeID", "1234567"),
        (1234567, "postal code", "1234567"),
        (2024, "fiscal_year", "2024"),
        (2024, "年", "2024"),
        (2024, "年度", "2024"),
        (1234.5, "amount", "1,234.5"),
        (1000.0, "amount", "1,000"),
        (True, "open", "true"),
        (None, "amount", "–"),
        ("007", "store_id", "007"),
    ],
)
def test_numbers_are_read_and_names_are_kept(value: object, column: str, shown: str) -> None:
    assert cell(value, column) == shown
