"""A chart as a Vega-Lite specification: declarative, with the rows inline, nothing to run and nothing to fetch.

Column names stand only in titles: fields are called `x`, `y` and `series`, because Vega-Lite reads dots and
brackets in a field's name as a path.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.columns import Field, fields_of
from app.figures import show_key
from app.messages import text
from retrieval.types import Language
from text2sql.semantics import SemanticModel
from text2sql.types import Draft, ResultSet

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""A name of the language, never fetched."""
MOST_ROWS = 1_000
MOST_BARS = 60
"""Bars beyond this are not read; the table is."""
MOST_SERIES = 12

_FORMATS = {"percent": ".1%", "jpy": ",.0f", "count": ",.0f"}


def chart_for(
    result: ResultSet, draft: Draft, *, model: SemanticModel | None = None, language: Language = "en"
) -> dict[str, Any] | None:
    """A line over time, bars over categories; None for a single value and for what would not be readable.

    A cut result has no chart: what is missing could be the largest.
    """
    rows = result.rows()
    if not 2 <= len(rows) <= MOST_ROWS or result.truncated:
        return None
    fields = fields_of(result, draft, model or SemanticModel(), language)
    axes = _axes(fields, draft)
    if axes is None:
        return None
    x, y, series = axes
    line = x.time
    if not line and len({row[x.name] for row in rows}) > MOST_BARS:
        return None
    if series is not None and len({row[series.name] for row in rows}) > MOST_SERIES:
        return None
    values = [_point(row, x, y, series, language) for row in rows if _drawable(row[y.name])]
    if len(values) < 2:
        return None
    return _spec(values, x, y, series, language, line=line)


def _axes(fields: list[Field], draft: Draft) -> tuple[Field, Field, Field | None] | None:
    """x, y and series: as the draft hints, else the one measure over the one or two columns beside it."""
    by_name = {field.name: field for field in fields}
    measures = [field for field in fields if field.measured]
    others = [field for field in fields if not field.measured]
    y = by_name.get(draft.chart.get("y", ""))
    if y is None or not y.measured:
        y = measures[0] if len(measures) == 1 else None
    if y is None or not 1 <= len(others) <= 2:
        return None
    x = by_name.get(draft.chart.get("x", ""))
    if x is None or x.measured:
        x = next((field for field in others if field.time), others[0])
    series = next((field for field in others if field is not x), None)
    return x, y, series


def _spec(
    values: list[dict[str, Any]], x: Field, y: Field, series: Field | None, language: Language, *, line: bool
) -> dict[str, Any]:
    temporal = all(isinstance(point["when"], str) for point in values) if line else False
    across: dict[str, Any] = {"field": "when" if temporal else "x", "title": x.title}
    # Dates without a time are read as UTC: without a UTC scale they would be drawn a day early west of it.
    across |= (
        {"type": "temporal", "scale": {"type": "utc"}} if temporal else {"type": "nominal", "sort": None}
    )
    number = {"format": _FORMATS.get(y.unit.casefold(), ",")}
    size = {"field": "y", "type": "quantitative", "title": y.title, "axis": number}
    tooltip: list[dict[str, Any]] = [
        {"field": "x", "type": "nominal", "title": x.title},
        {"field": "y", "type": "quantitative", "title": y.title, **number},
    ]
    encoding: dict[str, Any] = {"x": across, "y": size, "tooltip": tooltip}
    if series is not None:
        encoding["color"] = {"field": "series", "type": "nominal", "title": series.title}
        tooltip.append({"field": "series", "type": "nominal", "title": series.title})
        if not line:
            encoding["xOffset"] = {"field": "series"}
    elif not line and len(values) > 6:  # long names stand better beside bars than below them
        encoding["x"], encoding["y"] = {**size}, {**across}
    return {
        "$schema": SCHEMA,
        "title": text("result.chart", language, name=y.title, dimension=x.title),
        "data": {"values": [{k: v for k, v in p.items() if temporal or k != "when"} for p in values]},
        "mark": {"type": "line", "point": True} if line else {"type": "bar"},
        "encoding": encoding,
    }


def _drawable(size: Any) -> bool:
    """Whether it is a size at all: JSON has neither NaN nor infinity."""
    return size is not None and math.isfinite(size)


def _point(
    row: dict[str, Any], x: Field, y: Field, series: Field | None, language: Language
) -> dict[str, Any]:
    when, size = row[x.name], row[y.name]
    point: dict[str, Any] = {
        "x": show_key(when, language),
        "when": when.isoformat() if isinstance(when, date | datetime) else None,
        "y": float(size) if isinstance(size, Decimal) else size,
    }
    if series is not None:
        point["series"] = show_key(row[series.name], language)
    return point
