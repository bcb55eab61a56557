"""Which metrics of the semantic model a query computes: so that an answer can show their definitions and units.

Found in the syntax tree, not taken from what a model says: the aggregate and every condition of the definition have
to stand in the query.
"""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from text2sql.semantics import Metric, SemanticModel
from text2sql.types import Catalog
from text2sql.visible_model import tables_of

_AGGREGATES = {
    "sum": "SUM({})",
    "avg": "AVG({})",
    "min": "MIN({})",
    "max": "MAX({})",
    "count": "COUNT({})",
    "count_distinct": "COUNT(DISTINCT {})",
}


def metrics_in(sql: str, catalog: Catalog, model: SemanticModel) -> tuple[str, ...]:
    """Names of the metrics, ratios first; () for text that does not parse."""
    tables = tables_of(sql, catalog)
    if not tables:
        return ()
    tree = parse_one(sql, dialect=catalog.dialect)
    nodes = {_plain(node, catalog) for node in tree.find_all(exp.Func, exp.Predicate, exp.Not)}
    found: dict[str, str] = {}
    # The definition with most conditions explains an aggregate best.
    for metric in sorted(model.metrics, key=lambda one: len(one.filter), reverse=True):
        aggregate = _computed(metric, tables, nodes, catalog, model)
        if aggregate and aggregate not in found:
            found[aggregate] = metric.name
    plain = set(found.values())
    ratios = [
        metric.name
        for metric in model.metrics
        if metric.ratio and {metric.ratio.numerator, metric.ratio.denominator} <= plain
    ]
    if tree.find(exp.Div) is None:
        ratios = []
    return (*ratios, *(metric.name for metric in model.metrics if metric.name in plain))


def _computed(
    metric: Metric, tables: tuple[str, ...], nodes: set[str], catalog: Catalog, model: SemanticModel
) -> str:
    """The aggregate of the definition as text, where the query holds it with all its conditions; else ""."""
    entity = model.entity(metric.table)
    table = catalog.table(entity.physical) if entity else None
    if metric.agg is None or table is None or table.qualified not in tables:
        return ""
    # COUNT(*) over several tables counts rows of the join, whatever it is called.
    if not metric.expr and len(tables) > 1:
        return ""
    try:
        aggregate = parse_one(_AGGREGATES[metric.agg].format(metric.expr or "*"), dialect=catalog.dialect)
        condition = parse_one(metric.filter, dialect=catalog.dialect) if metric.filter else None
    except SqlglotError:
        return ""
    wanted = _plain(aggregate, catalog)
    parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition] if condition else []
    held = wanted in nodes and all(_plain(part, catalog) in nodes for part in parts)
    return f"{table.qualified}:{wanted}" if held else ""


def _plain(node: exp.Expr, catalog: Catalog) -> str:
    """The text of a node without qualifiers, quotes and case of names."""

    def bare(one: exp.Expr) -> exp.Expr:
        return exp.column(one.name.casefold()) if isinstance(one, exp.Column) else one

    return node.copy().transform(bare).sql(dialect=catalog.dialect)
