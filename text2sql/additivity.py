"""Which columns may be added up, as the semantic model says: what the guard's warnings know of it."""

from __future__ import annotations

from dataclasses import replace

from text2sql.semantics import Metric, SemanticModel
from text2sql.types import Catalog, Column, Table

_ADDED = ("sum",)


def with_additivity(catalog: Catalog, model: SemanticModel) -> Catalog:
    """The catalogue with `Column.additivity` where a metric of the model is one column, aggregated.

    A column that any additive sum is made of is additive; else the least additive metric over it decides. A metric
    that is averaged (`agg: avg`) says nothing by itself: amounts are averaged as well.
    """
    said: dict[tuple[str, str], list[Metric]] = {}
    for metric in model.metrics:
        entity = model.entity(metric.table) if metric.agg is not None else None
        table = catalog.table(entity.physical) if entity is not None else None
        column = table.column(metric.expr) if table is not None else None
        if table is not None and column is not None:
            said.setdefault((table.qualified, column.name), []).append(metric)
    if not said:
        return catalog
    tables = tuple(_table(table, said) for table in catalog.tables)
    return replace(catalog, tables=tables)


def _table(table: Table, said: dict[tuple[str, str], list[Metric]]) -> Table:
    if not any((table.qualified, column.name) in said for column in table.columns):
        return table
    columns = tuple(_column(column, said.get((table.qualified, column.name), [])) for column in table.columns)
    return replace(table, columns=columns)


def _column(column: Column, metrics: list[Metric]) -> Column:
    kinds = {metric.additivity for metric in metrics}
    if any(metric.agg in _ADDED and metric.additivity == "additive" for metric in metrics):
        return replace(column, additivity="additive")
    if "non_additive" in kinds:
        return replace(column, additivity="non_additive")
    return replace(column, additivity="semi_additive") if "semi_additive" in kinds else column
