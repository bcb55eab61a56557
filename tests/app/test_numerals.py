"""Numbers in words: what is one, what is only a word, and its value."""

import pytest

from app.grounding import unsupported
from app.numerals import japanese, written

ROWS = [{"region": "North", "total": 100}, {"region": "South", "total": 340}]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("三百四十です", [340]),
        ("約二千万円、計十五件", [20_000_000, 15]),
        ("三件と千円", [3, 1000]),
        ("二〇二五", [2025]),
        ("千葉が一番、四半期は第三回、三重県と九州、百貨店、十分、万一", []),
        ("5千万", []),
        ("two hundred and five, fifty-five, a dozen", [205, 55, 12]),
        ("one million two hundred thousand", [1_200_000]),
        ("one of the two, weight, often, someone, 3 million", []),
    ],
)
def test_what_is_a_number_in_words(text: str, values: list[float]) -> None:
    found = [number.value for number in written(text)]
    assert found == values


@pytest.mark.parametrize(
    ("text", "value", "step"),
    [
        ("12億3,456万", 1_234_560_000, 1e4),
        ("5千万", 50_000_000, 1e7),
        ("1.2億", 120_000_000, 1e7),
        ("三百四十", 340, 10),
        ("1,500", 1500, 1),
        ("百万", 1_000_000, 1e6),
    ],
)
def test_japanese_numbers(text: str, value: float, step: float) -> None:
    assert japanese(text) == pytest.approx((value, step))


@pytest.mark.parametrize(
    "text",
    [
        "Two hundred in total.",
        "合計は三百件です",
        "五人です",
        "約二千万円",
        "3.4e9",
        "South sold 340k",
        "¥340m",
        "between 100-99999",
        "No.77777",
        "-340 for South",
        "マイナスではなく▲340",
    ],
)
def test_figures_that_the_rows_do_not_hold(text: str) -> None:
    assert unsupported(text, rows=ROWS)


@pytest.mark.parametrize(
    "text",
    [
        "South has three hundred and forty, North one hundred.",
        "南は三百四十件、北は百件、合計は四百四十件",
        "from 100-340, 0.34k or 3.4e2 at most",
        "It fell by -240.",
    ],
)
def test_figures_that_they_hold(text: str) -> None:
    assert unsupported(text, rows=ROWS) == ()


def test_a_stored_unit_is_read_whole() -> None:
    assert unsupported("5千万円", rows=[{"yen": 50_000_000}]) == ()
    assert unsupported("5千万円", rows=[{"yen": 5_000}])


def test_a_minus_is_held_by_a_minus() -> None:
    assert unsupported("The balance is -340.", rows=[{"balance": -340}]) == ()


def test_a_name_that_looks_like_a_number_stands_where_it_stands() -> None:
    assert unsupported("五十嵐さん", rows=[{"name": "五十嵐"}]) == ()
