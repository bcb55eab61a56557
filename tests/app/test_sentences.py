from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sentences import sentences


def split(text):
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Returns are free. Keep the box.", ["Returns are free.", "Keep the box."]),
        ("Dr. Sato wrote it, e.g. in Fig. 2, at 3.5 percent. J. Smith agreed.",
         ["Dr. Sato wrote it, e.g. in Fig. 2, at 3.5 percent.", "J. Smith agreed."]),
        ("It ended in death.A line scan followed.", ["It ended in death.", "A line scan followed."]),
        ("「はい。」と答えた。次に進む。", ["「はい。」と答えた。", "次に進む。"]),
        ("返品は無料です。箱は残してください！", ["返品は無料です。", "箱は残してください！"]),
        ("彼は言った（本当に）。それだけ。", ["彼は言った（本当に）。", "それだけ。"]),
        ("# Returns\nFree for members.\n- with a receipt\n- within 30 days",
         ["# Returns", "Free for members.", "- with a receipt", "- within 30 days"]),
        ("The customer pays the first part of every repair\nunless the warranty says otherwise.",
         ["The customer pays the first part of every repair\nunless the warranty says otherwise."]),
        ("Heading\n\nText", ["Heading", "Text"]),
        ("| plan | price |\n| Gold | 1,200 |", ["| plan | price |", "| Gold | 1,200 |"]),
        ("Yes", ["Yes"]),
        ("", []),
        (" \n ", []),
    ],
)  # fmt: skip
def test_where_sentences_end(text, expected):
    assert split(text) == expected


@given(st.text(alphabet="ab A.。！「」\n-#|1３ 、", max_size=80))
def test_nothing_but_white_space_is_lost_and_nothing_is_said_twice(text):
    spans = sentences(text)
    assert "".join("".join(split(text)).split()) == "".join(text.split())
    assert all(a < b for a, b in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
