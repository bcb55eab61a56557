"""Figures of a table: separators, units, dates, and nothing of the data as markup."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from app.chat import tables
from app.columns import Field
from retrieval.types import Language
from tests.app.making import MODEL


def record(language: Language = "en", **columns: list[Any]) -> dict[str, Any]:
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    draft = {"sql": "SELECT 1", "origin": "offline", "confidence": 0.9, "metrics": ["revenue", "return_rate"]}
    return {
        "language": language,
        "attempts": [{"draft": draft}],
        "result": {"columns": list(columns), "rows": len(rows), "truncated": False},
        "rows": rows,
        "chart": None,
    }


def shown(kept: dict[str, Any]) -> list[list[str]]:
    made = tables.plain_table(kept["rows"], tables.fields(kept, MODEL), kept["language"])
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", made)]


def test_units_come_from_the_semantic_model() -> None:
    kept = record(region=["East", None], revenue=[1234567.4, 2.5], return_rate=[0.3456, None])
    assert shown(kept) == [
        ["region", "revenue (¥)", "return rate"],
        ["East", "1,234,567", "34.6%"],
        ["–", "2.5", "–"],
    ]


def test_headings_in_japanese() -> None:
    assert shown(record("ja", region=["東"], revenue=[10]))[0] == ["地域", "売上高（円）"]


@pytest.mark.parametrize(
    ("values", "language", "expected"),
    [
        (["2025-04-01", "2025-05-01"], "en", ["2025-04", "2025-05"]),
        (["2025-04-01", "2025-05-01"], "ja", ["2025年4月", "2025年5月"]),
        (["2025-04-02", None], "en", ["2025-04-02", "–"]),
        (["2025-13-45", "x"], "en", ["2025-13-45", "x"]),
        ([True, False], "ja", ["はい", "いいえ"]),
    ],
)
def test_keys(values: list[Any], language: Language, expected: list[str]) -> None:
    assert [row[0] for row in shown(record(language, period=values))[1:]] == expected


def test_names_and_values_are_escaped() -> None:
    kept = record(**{"<b>name</b>": ["<script>alert(1)</script>"]})
    made = tables.plain_table(kept["rows"], tables.fields(kept, MODEL), "en")
    assert "<script" not in made
    assert "<b>" not in made


def test_a_heading_without_a_unit_is_the_title_alone() -> None:
    assert tables.title(Field("n", "orders", "count", measured=True, time=False), "en") == "orders"


def test_laying_out_leaves_the_kept_chart_alone() -> None:
    spec = {
        "data": {"values": [{"x": "a", "y": 1}, {"x": "b", "y": 2}]},
        "mark": {"type": "bar"},
        "encoding": {
            "x": {"field": "x", "type": "nominal"},
            "y": {"field": "y", "type": "quantitative", "axis": {"format": ",.0f"}},
        },
    }
    before = copy.deepcopy(spec)
    drawn = tables.laid_out(spec)
    assert spec == before
    assert drawn["data"] == before["data"]
    assert drawn["encoding"]["y"]["axis"]["tickMinStep"] == 1
    assert drawn["encoding"]["x"]["axis"]["labelAngle"] == 0


def test_lying_bars_have_a_step_each() -> None:
    spec = {"encoding": {"x": {"type": "quantitative"}, "y": {"type": "nominal"}}}
    assert tables.laid_out(spec)["height"] == {"step": tables.BAR_PIXELS}
