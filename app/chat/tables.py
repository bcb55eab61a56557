"""Rows and charts as they are shown: titles and units from the semantic model, figures with separators.

A short result is a plain table that wraps, can be copied and is read out; a long one is Streamlit's grid, which
draws only what is in view and can be sorted and downloaded.
"""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st

from app.columns import Field, named_fields
from app.figures import grain_of, grouped, show_key
from app.messages import text
from retrieval.types import Language
from text2sql.semantics import SemanticModel
from text2sql.types import Draft

SHORT = 60
"""Rows up to which a result is a plain table; wider than `NARROW` columns it is a grid in any case."""
NARROW = 12
BAR_PIXELS = 20
CHART_PIXELS = 300
LEGEND_PIXELS = 80
PALETTE = ("#2f5d8a", "#d08c4a", "#5f9e8f", "#a45a6b", "#8a7fb5", "#b8a13c", "#6b7785", "#3f9ab5")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Rows = Sequence[Mapping[str, Any]]


def fields(record: Mapping[str, Any], model: SemanticModel) -> list[Field]:
    """What the columns of a record's rows mean, in the language of the answer."""
    ran = record["attempts"][-1]["draft"] if record["attempts"] else {}
    draft = Draft(
        sql=ran.get("sql", ""),
        origin=ran.get("origin", "person"),
        confidence=ran.get("confidence", 0.0),
        metrics=tuple(ran.get("metrics", ())),
        tables=tuple(ran.get("tables", ())),
        chart=ran.get("chart", {}),
    )
    return named_fields(record["result"]["columns"], record["rows"], draft, model, record["language"])


def show(record: Mapping[str, Any], model: SemanticModel) -> None:
    """Draw the chart, if there is one, and the table; a single figure is in the sentence already."""
    rows: Rows = record["rows"]
    if not rows:
        return
    columns = fields(record, model)
    if record["chart"]:
        st.vega_lite_chart(
            laid_out(record["chart"]), width="stretch", alt=str(record["chart"].get("title", ""))
        )
    if len(rows) == 1 and len(columns) == 1:
        return
    if len(rows) <= SHORT and len(columns) <= NARROW:
        st.html(plain_table(rows, columns, record["language"]))
    else:
        _grid(rows, columns, record["language"])


def plain_table(rows: Rows, columns: Sequence[Field], language: Language) -> str:
    """The rows as HTML."""
    head = "".join(
        f'<th scope="col"{_side(column)}>{html.escape(title(column, language))}</th>' for column in columns
    )
    shown = [_written([row[column.name] for row in rows], column, language) for column in columns]
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_side(column)}>{html.escape(cell)}</td>"
            for column, cell in zip(columns, cells, strict=True)
        )
        + "</tr>"
        for cells in zip(*shown, strict=True)
    )
    return f'<div class="bm-table"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def title(column: Field, language: Language) -> str:
    """A column's heading, with the unit where the figures do not carry it."""
    key = f"ui.unit_{column.unit.casefold()}"
    if key in ("ui.unit_jpy", "ui.unit_days"):
        return text("ui.heading", language, name=column.title, unit=text(key, language))
    return column.title


def _side(column: Field) -> str:
    return ' class="n"' if column.measured else ""


def _written(values: Sequence[Any], column: Field, language: Language) -> list[str]:
    if column.measured:
        return [_figure(value, column.unit.casefold()) for value in values]
    days = [_date(value) for value in values]
    if all(day is not None or value is None for day, value in zip(days, values, strict=True)):
        grain = grain_of([day for day in days if day is not None])
        return ["–" if day is None else show_key(day, language, grain) for day in days]
    return [_key(value, language) for value in values]


def _figure(value: Any, unit: str) -> str:
    if value is None or isinstance(value, bool | str):
        return "–" if value is None else str(value)
    number = Decimal(str(value))
    if unit == "percent":
        return f"{grouped(number * 100, 1)}%"
    return grouped(number, 0) if unit == "jpy" and abs(number) >= 10 else grouped(number)


def _key(value: Any, language: Language) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return text("ui.yes" if value else "ui.no", language)
    return show_key(value, language)


def _date(value: Any) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _grid(rows: Rows, columns: Sequence[Field], language: Language) -> None:
    import pandas as pd

    frame = pd.DataFrame.from_records(list(rows), columns=[column.name for column in columns])
    for column in columns:
        if not column.measured:  # a code or a year is a name: no separators, and left as text
            frame[column.name] = [_key(value, language) for value in frame[column.name].astype(object)]
    settings: dict[str, Any] = {}
    for column in columns:
        heading = title(column, language)
        if column.measured:
            style = "percent" if column.unit.casefold() == "percent" else "localized"
            settings[column.name] = st.column_config.NumberColumn(heading, format=style)
        else:
            settings[column.name] = st.column_config.TextColumn(heading)
    st.dataframe(frame, width="stretch", hide_index=True, column_config=settings)


def laid_out(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The chart at a size that reads well: a step a bar, whole counts on the axis."""
    drawn: dict[str, Any] = copy.deepcopy(dict(spec))
    encoding = drawn.get("encoding", {})
    lying = encoding.get("y", {}).get("type") == "nominal"
    drawn["height"] = {"step": BAR_PIXELS} if lying else CHART_PIXELS
    for name in ("x", "y"):
        axis = encoding.get(name, {}).get("axis")
        if isinstance(axis, dict) and axis.get("format") == ",.0f":
            axis["tickMinStep"] = 1
    if encoding.get("x", {}).get("type") == "nominal":
        names = [str(point.get("x", "")) for point in drawn.get("data", {}).get("values", [])]
        flat = len(set(names)) <= 6 and max(map(len, names), default=0) <= 12
        encoding["x"]["axis"] = {"labelAngle": 0 if flat else -35, "labelLimit": 120}
    if lying:
        encoding["y"]["axis"] = {"labelFlush": False, "labelLimit": 200}
    if "color" in encoding:  # beside the bars it leaves them no room on a phone
        encoding["color"]["legend"] = {"orient": "top", "columns": 3}
        drawn["height"] = drawn["height"] if lying else CHART_PIXELS + LEGEND_PIXELS
    drawn["config"] = {"range": {"category": list(PALETTE)}, "mark": {"color": PALETTE[0]}}
    return drawn
