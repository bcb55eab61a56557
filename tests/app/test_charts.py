import json
from datetime import date
from decimal import Decimal

import altair as alt
import pytest

from app.charts import MOST_BARS, MOST_ROWS, chart_for
from tests.app.making import MODEL, draft, result

MONTHS = [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]


def checked(spec):
    """The specification, found valid by Vega-Lite's own schema and by JSON."""
    alt.Chart.from_dict(json.loads(json.dumps(spec, allow_nan=False)), validate=True)
    return spec


def test_a_line_over_time():
    spec = checked(
        chart_for(result(sold_on=MONTHS, revenue=[1, 2, 3]), draft("revenue"), model=MODEL, language="ja")
    )
    assert spec["mark"]["type"] == "line"
    assert spec["title"] == "売上日別の売上高"
    assert spec["encoding"]["x"]["type"] == "temporal"
    assert spec["encoding"]["x"]["scale"] == {"type": "utc"}, "otherwise a day early in the Americas"
    assert [value["when"] for value in spec["data"]["values"]] == ["2026-04-01", "2026-05-01", "2026-06-01"]


def test_periods_as_text_keep_their_order():
    table = result(year=["2025", "2026"], revenue=[2, 1])
    spec = checked(chart_for(table, draft("revenue", x="year", y="revenue", kind="line"), model=MODEL))
    assert spec["mark"]["type"] == "line"
    assert spec["encoding"]["x"] == {"field": "x", "title": "year", "type": "nominal", "sort": None}
    assert spec["data"]["values"] == [{"x": "2025", "y": 2}, {"x": "2026", "y": 1}]


def test_bars_over_categories():
    table = result(region=["Kanto", "Kansai"], return_rate=[Decimal("0.12"), Decimal("0.08")])
    spec = checked(chart_for(table, draft("return_rate"), model=MODEL))
    assert spec["mark"]["type"] == "bar"
    assert spec["encoding"]["y"]["axis"]["format"] == ".1%"
    assert spec["data"]["values"] == [{"x": "Kanto", "y": 0.12}, {"x": "Kansai", "y": 0.08}]


def test_many_bars_lie_on_their_side():
    table = result(region=[f"r{i}" for i in range(9)], orders=list(range(9)))
    spec = checked(chart_for(table, draft("orders"), model=MODEL))
    assert spec["encoding"]["y"]["field"] == "x"
    assert spec["encoding"]["x"]["field"] == "y"


def test_a_second_grouping_is_a_colour():
    table = result(sold_on=[MONTHS[0], MONTHS[0], MONTHS[1]], region=["A", "B", "A"], orders=[1, 2, 3])
    spec = checked(chart_for(table, draft("orders", x="sold_on", y="orders", series="region"), model=MODEL))
    assert spec["encoding"]["color"]["title"] == "region"
    assert spec["data"]["values"][1]["series"] == "B"


def test_names_and_values_are_data_and_nothing_else():
    nasty = "a.b[0]'\"</script><img src=x>{signal}"
    spec = checked(chart_for(result(**{nasty: ["datum.x ? 1 : 2", nasty], "n": [1, 2]}), draft()))
    assert {spec["encoding"][axis]["field"] for axis in ("x", "y")} == {"x", "y"}
    text = json.dumps({key: value for key, value in spec.items() if key != "data"})
    assert not any(
        word in text for word in ("expr", '"signal"', "transform", "calculate", "url", "href", "params")
    )


@pytest.mark.parametrize(
    ("why", "table"),
    [
        ("a single value", result(orders=[3])),
        ("one row", result(region=["A"], orders=[3])),
        ("no measure", result(region=["A", "B"], name=["x", "y"])),
        ("two measures and no hint", result(region=["A", "B"], orders=[1, 2], revenue=[3, 4])),
        ("nothing to draw over", result(orders=[1, 2])),
        ("three groupings", result(region=["A", "B"], year=["1", "2"], sold_on=MONTHS[:2], orders=[1, 2])),
        ("more bars than can be read", result(region=[f"r{i}" for i in range(MOST_BARS + 1)], orders=[1] * (MOST_BARS + 1))),
        ("too many rows", result(sold_on=[date(2026, 1, 1)] * (MOST_ROWS + 1), orders=[1] * (MOST_ROWS + 1))),
        ("a cut result", result(truncated=True, region=["A", "B"], orders=[3, 2])),
        ("only holes", result(region=["A", "B"], orders=[float("nan"), None])),
        ("too many colours", result(region=[f"r{i}" for i in range(13)], year=[str(i) for i in range(13)], orders=[1] * 13)),
    ],
)  # fmt: skip
def test_what_has_no_chart(why, table):
    assert chart_for(table, draft("orders", "revenue"), model=MODEL) is None


def test_the_hint_decides_between_two_measures():
    table = result(region=["A", "B"], orders=[1, 2], revenue=[3, 4])
    spec = checked(chart_for(table, draft("orders", "revenue", x="region", y="revenue"), model=MODEL))
    assert [value["y"] for value in spec["data"]["values"]] == [3, 4]
