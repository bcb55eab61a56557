"""Counts looked at against what was asked: a metric's own condition must not undo the question's, nor a count
stand where an amount was asked for.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from text2sql.drafters.planning.plan import (
    AnyOf,
    CannotPlan,
    Condition,
    Filter,
    Measure,
    Note,
    Order,
    QueryPlan,
    note,
)
from text2sql.drafters.planning.scope import Names

_AMOUNT = re.compile(r"\bhow much\b|いくら(?!か)", re.IGNORECASE)


def counted(plan: QueryPlan, names: Names, notes: list[Note], question: str) -> QueryPlan:
    """The plan with counts that hold for the question. Raises `CannotPlan` where an amount would be a count.

    "How many claims were rejected?" of a metric "claims" that leaves the rejected ones out would always be none:
    what the question says of a column wins over what the metric says of it, and rows are counted.
    """
    asked = set(_compared(plan.filters, names))
    instead = {
        measure: Measure("count", entity=names.model.metric(measure.metric).table)  # type: ignore[union-attr]  # `_undone` found it
        for measure in plan.every_measure
        if _undone(measure, names, asked)
    }
    if instead:
        plan = replace(
            plan,
            measures=tuple(instead.get(measure, measure) for measure in plan.measures),
            having=tuple(replace(h, measure=instead.get(h.measure, h.measure)) for h in plan.having),
            order=tuple(_ordered(order, instead) for order in plan.order),
        )
        notes += [note("own_filter", name=measure.metric.replace("_", " ")) for measure in instead]
    if _AMOUNT.search(question) and plan.measures and all(_counts(m, names) for m in plan.measures):
        raise CannotPlan("count_for_amount")
    return plan


def _ordered(order: Order, instead: dict[Measure, Measure]) -> Order:
    return replace(order, by=instead.get(order.by, order.by)) if isinstance(order.by, Measure) else order


def _compared(filters: tuple[Filter, ...], names: Names) -> list[tuple[str, str]]:
    """(entity, column) of every column that the question compares with values of its own."""
    parts = [each for part in filters for each in (part.parts if isinstance(part, AnyOf) else (part,))]
    return [
        (part.field.entity, names.dimension(part.field).sql.strip('"').casefold())
        for part in parts
        if isinstance(part, Condition)
    ]


def _undone(measure: Measure, names: Names, asked: set[tuple[str, str]]) -> bool:
    """Whether it counts rows under a condition on nothing but a column that the question compares, by the same time."""
    metric = names.model.metric(measure.metric) if measure.agg == "metric" else None
    if metric is None or metric.agg != "count" or metric.expr or not metric.filter:
        return False
    if metric.time and metric.time != names.entity(metric.table).time:
        return False
    try:
        columns = list(parse_one(metric.filter, dialect=names.catalog.dialect).find_all(exp.Column))
    except SqlglotError:
        return False
    return bool(columns) and all((metric.table, column.name.casefold()) in asked for column in columns)


def _counts(measure: Measure, names: Names) -> bool:
    if measure.agg != "metric":
        return measure.agg in ("count", "count_distinct")
    metric = names.model.metric(measure.metric)
    return metric is not None and metric.agg in ("count", "count_distinct")
