from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grounding import unsupported

ROWS = [
    {"region": "東京", "revenue": 1234567890, "on": date(2026, 4, 1)},
    {"region": "大阪", "revenue": 987654321, "on": date(2026, 5, 1)},
]
PASSAGE = "Return it within 30 days under Plan B (form R-17), at a fee of ¥1,500 or 2.5 percent. 施行日は2025年10月1日。"


@pytest.mark.parametrize(
    "text",
    [
        "東京は12億3,456万円（1,234,567,890円）です [1]。",
        "Tokyo: 1,234,567,890; about 1.23 billion.",
        "In 2026-04, and in 2026年5月, over 2 rows.",
        "合計は2,222,222,211円、差は246,913,569円。",
        "大阪は東京の80%です。",
        "「東京」が先頭です。",
    ],
)
def test_what_the_rows_hold_or_give_in_one_step(text):
    assert unsupported(text, rows=ROWS) == ()


@pytest.mark.parametrize(
    "text",
    [
        "“Return it within 30 days” [1]",
        "The fee is 1,500 yen or 2.5%.",
        "手数料は１，５００円",
        "Use form R-17.",
        "2025-10-01から",
    ],
)
def test_what_a_passage_says(text):
    assert unsupported(text, passages=[PASSAGE]) == ()


@pytest.mark.parametrize(
    ("text", "kind", "missing"),
    [
        ("東京は12億9,000万円です。", "number", "12億9,000万"),
        ("Tokyo grew to 1,234,567,891.", "number", "1,234,567,891"),
        ("It was 12.4%.", "number", "12.4%"),
        ("In 2026-07 it fell.", "date", "2026-07"),
        ("2024年に減りました。", "date", "2024年"),
        ("「神奈川」が先頭です。", "name", "「神奈川」"),
        ("See “Plan Z”.", "name", "“Plan Z”"),
        ("Customer C-00123 has it.", "name", "C-00123"),
        ("Within 31 days.", "number", "31"),
    ],
)
def test_what_nothing_holds_is_returned_with_its_place(text, kind, missing):
    found = unsupported(text, rows=ROWS, passages=[PASSAGE])
    assert [(item.kind, item.text) for item in found] == [(kind, missing)]
    assert text[found[0].start : found[0].end] == missing


def test_without_sources_every_number_is_unsupported():
    assert [item.text for item in unsupported("There are 3 of 12 [1].")] == ["3", "12"]


@given(st.floats(-1e9, 1e9).filter(lambda x: abs(x) > 1e-3), st.integers(0, 3))
def test_rounding_is_supported_and_another_digit_is_not(value, places):
    shown = f"{abs(value):,.{places}f}"
    assert unsupported(f"It is {shown}.", passages=[f"{value:.9f}"]) == ()
    other = f"{abs(value) + 2 * 10**-places:,.{places}f}"
    assert len(unsupported(f"It is {other}.", passages=[f"{value:.9f}"])) == 1
