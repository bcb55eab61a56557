"""One sentence about a table of results: every figure in it is a value of the rows, or their number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from app.columns import Field, fields_of
from app.figures import grain_of, show, show_key
from app.messages import join, text
from retrieval.types import Language
from text2sql.semantics import SemanticModel
from text2sql.types import Draft, ResultSet

Row = dict[str, Any]
NAMED_ROWS = 12
"""A list of one column is told whole up to this many rows."""
SHOWN_COLUMNS = 5
"""Columns of a row named in a sentence; the table shows all."""


def describe_result(
    question: str,  # noqa: ARG001 - the port hands it on; a model's wording will need it
    draft: Draft,
    result: ResultSet,
    model: SemanticModel,
    language: Language,
) -> str:
    """What the rows say, in one sentence; a cut result says so. Empty results are the outcome's to tell."""
    rows = result.rows()
    if not rows:
        return text("outcome.no_rows", language)
    fields = fields_of(result, draft, model, language)
    sentence = _sentence(fields, rows, language)
    if result.truncated:
        sentence += text("result.cut", language, count=f"{len(rows):,}")
    return sentence


def _sentence(fields: list[Field], rows: list[Row], language: Language) -> str:
    measures = [field for field in fields if field.measured]
    groups = [field for field in fields if not field.measured]
    if len(measures) != 1 or len(groups) > 2:
        return _listed(fields, rows, language)
    measure = measures[0]
    if len(rows) == 1:
        return _single(measure, groups, rows[0], language)
    if not groups:
        return _listed(fields, rows, language)
    known = [row for row in rows if row[measure.name] is not None]
    if len(known) < 2:
        return _listed(fields, rows, language)
    if len(groups) == 1 and groups[0].time:
        return _trend(measure, groups[0], known, len(rows), language)
    return _ranked(measure, groups, known, len(rows), language)


def _single(measure: Field, groups: list[Field], row: Row, language: Language) -> str:
    value = show(row[measure.name], language, measure.unit)
    if not groups:
        return text("result.single", language, name=measure.title, value=value)
    group = _group(groups, row, [row], language)
    return text("result.single_in", language, name=measure.title, group=group, value=value)


def _trend(measure: Field, period: Field, rows: list[Row], count: int, language: Language) -> str:
    ordered = sorted(rows, key=lambda row: (row[period.name] is not None, str(row[period.name])))
    ordered = [row for row in ordered if row[period.name] is not None] or ordered
    first, last = ordered[0], ordered[-1]
    before, after = first[measure.name], last[measure.name]
    values = {
        "name": measure.title,
        "first_group": _group([period], first, rows, language),
        "last_group": _group([period], last, rows, language),
        "last": show(after, language, measure.unit),
        "count": f"{count:,}",
    }
    if before == after:
        return text("result.trend_flat", language, **values)
    key = "result.trend_up" if after > before else "result.trend_down"
    return text(key, language, first=show(before, language, measure.unit), **values)


def _ranked(measure: Field, groups: list[Field], rows: list[Row], count: int, language: Language) -> str:
    """The first row where the rows are in order of size, the range where they are not."""
    sizes = [row[measure.name] for row in rows]
    named = {
        "name": measure.title,
        "dimension": join([g.title for g in groups], language),
        "count": f"{count:,}",
    }
    falling = all(a >= b for a, b in pairwise(sizes))
    rising = all(a <= b for a, b in pairwise(sizes))
    if falling != rising:
        value = show(sizes[0], language, measure.unit)
        group = _group(groups, rows[0], rows, language)
        return text("result.top" if falling else "result.bottom", language, group=group, value=value, **named)
    if falling and len(rows) == count:  # rising too: every row has the same
        value = show(sizes[0], language, measure.unit)
        return text("result.same", language, value=value, **named)
    low, high = min(rows, key=lambda r: r[measure.name]), max(rows, key=lambda r: r[measure.name])
    return text(
        "result.groups",
        language,
        low=show(low[measure.name], language, measure.unit),
        low_group=_group(groups, low, rows, language),
        high=show(high[measure.name], language, measure.unit),
        high_group=_group(groups, high, rows, language),
        **named,
    )


def _listed(fields: list[Field], rows: list[Row], language: Language) -> str:
    first = rows[0]
    if len(fields) == 1 and 1 < len(rows) <= NAMED_ROWS:
        values = [show_key(row[fields[0].name], language) for row in rows]
        return text(
            "result.names",
            language,
            name=fields[0].title,
            count=f"{len(rows):,}",
            values=join(values, language),
        )
    shown = {
        field.title: show(first[field.name], language, field.unit)
        if field.measured
        else show_key(first[field.name], language)
        for field in fields[:SHOWN_COLUMNS]
    }
    items = [text("result.item", language, name=name, value=value) for name, value in shown.items()]
    if len(rows) == 1:
        if len(fields) == 1:
            return text("result.single", language, name=fields[0].title, value=shown[fields[0].title])
        return text("result.row", language, items=join(items, language))
    return text("result.rows", language, count=f"{len(rows):,}", items=join(items, language))


def _group(groups: Sequence[Field], row: Row, rows: Sequence[Row], language: Language) -> str:
    names = [show_key(row[g.name], language, grain_of([r[g.name] for r in rows])) for g in groups]
    return join(names, language)
