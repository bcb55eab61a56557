"""Which lines belong together."""

from __future__ import annotations

import pytest

from ingest.flow import paragraphs, unwrap, width


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["Goods that were bought in one of our stores can be returned to any", "other store."],
            ["Goods that were bought in one of our stores can be returned to any other store."],
        ),
        (
            ["お買い上げいただいた商品は到着後七日以内に限り返品を", "承ります。"],
            ["お買い上げいただいた商品は到着後七日以内に限り返品を承ります。"],
        ),
        (
            ["Trade receivables, net of allowance for doubtful accounts 1,972 1,935", "Inventories, net:"],
            None,
        ),
        (
            ["Net income of the whole group in millions of dollars", "Other, net and everything else 11 57"],
            None,
        ),
        (["A list of what can be returned within seven days of delivery:", "- goods", "- vouchers"], None),
        (
            [
                "第一条 返品は商品の到着後七日以内に限り承るものとします。",
                "第二条 送料はお客様の負担とします。",
            ],
            None,
        ),
        (["From: Sato of the northern region and all of its many stores", "Subject: returns"], None),
        (["short", "lines"], None),
        (["Region          Sales          Returns          Stores", "North   1   2   3"], None),
        (
            ["The report covers the well-", "known stores of the northern region."],
            ["The report covers the well-known stores of the northern region."],
        ),
        (
            ["The whole report covers the stores that are so very well-", "known here."],
            ["The whole report covers the stores that are so very well-known here."],
        ),
        ([], None),
    ],
)
def test_unwrap(lines: list[str], expected: list[str] | None) -> None:
    assert unwrap(lines) == (lines if expected is None else expected)


def test_blank_lines_part_paragraphs() -> None:
    assert list(paragraphs("one\n\n \n\u3000\ntwo\nthree\n")) == ["one", "two\nthree"]


def test_wide_characters_take_two_columns() -> None:
    assert width("ab") == 2
    assert width("返品") == 4
