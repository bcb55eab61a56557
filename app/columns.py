"""What the columns of a result mean: which are measured, what they are called, their units, and which is time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from retrieval.language import fold
from retrieval.types import Language
from text2sql.semantics import Dimension, Entity, Label, Metric, SemanticModel
from text2sql.types import Draft, ResultSet


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a result. `measured`: a number to be read as a size, not as a name."""

    name: str
    title: str
    unit: str
    measured: bool
    time: bool


def fields_of(result: ResultSet, draft: Draft, model: SemanticModel, language: Language) -> list[Field]:
    """Every column, in order; titles in the language where the semantic model knows them."""
    return named_fields(result.columns, result.rows(), draft, model, language)


def named_fields(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    draft: Draft,
    model: SemanticModel,
    language: Language,
) -> list[Field]:
    """The same for rows that are no longer a result, such as those kept beside a record."""
    return [_field(name, [row[name] for row in rows], draft, model, language) for name in columns]


def _field(name: str, values: Sequence[Any], draft: Draft, model: SemanticModel, language: Language) -> Field:
    metric = _metric(name, draft, model)
    if metric is not None:
        return Field(
            name, called(metric.label, metric.name, language), metric.unit, measured=True, time=False
        )
    known = [value for value in values if value is not None]
    dimension = _dimension(name, draft, model)
    title = called(dimension.label, name, language) if dimension else name.replace("_", " ")
    dated = bool(known) and all(isinstance(value, date) for value in known)
    time = dated or (draft.chart.get("kind") == "line" and draft.chart.get("x") == name)
    numeric = bool(known) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in known
    )
    # A number that the draft groups by (a year, a code) is a name, whatever its type.
    grouping = name in (draft.chart.get("x"), draft.chart.get("series")) or (
        dimension is not None and dimension.type != "number"
    )
    return Field(name, title, "", measured=numeric and not grouping, time=time)


def called(label: Label, name: str, language: Language) -> str:
    """The label in the language, else in the other one, else the name spelled as words."""
    first, second = (label.ja, label.en) if language == "ja" else (label.en, label.ja)
    return first or second or name.replace("_", " ")


def _metric(column: str, draft: Draft, model: SemanticModel) -> Metric | None:
    """The metric a column holds: by name or label, among those the draft compiled.

    A verified query compiles none, but a person vouches for what its columns are called.
    """
    wanted = fold(column)
    if draft.origin == "verified":
        return next((metric for metric in model.metrics if fold(metric.name) == wanted), None)
    compiled = [metric for name in draft.metrics if (metric := model.metric(name)) is not None]
    for metric in compiled:
        if wanted in {fold(metric.name), fold(metric.label.en), fold(metric.label.ja)}:
            return metric
    return compiled[0] if len(compiled) == 1 and draft.chart.get("y") == column else None


def _dimension(column: str, draft: Draft, model: SemanticModel) -> Dimension | None:
    wanted = fold(column)
    for entity in _entities(draft, model):
        for dimension in entity.dimensions:
            if wanted in {fold(dimension.name), fold(dimension.label.en), fold(dimension.label.ja)} - {""}:
                return dimension
    return None


def _entities(draft: Draft, model: SemanticModel) -> Iterator[Entity]:
    """Entities the draft reads come first: two tables may each have a dimension of that name."""
    read = {fold(table) for table in draft.tables}
    yield from sorted(model.tables, key=lambda e: not {fold(e.physical), fold(e.name)} & read)
