"""Measures as SQL aggregates: which entity's rows they need, and what may not be summed over repeated rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from text2sql.drafters.planning.plan import CannotPlan, Field, Measure
from text2sql.drafters.planning.scope import Names, Scope
from text2sql.semantics import Metric

_FUNCTIONS: Mapping[str, type[exp.AggFunc]] = {"sum": exp.Sum, "avg": exp.Avg, "min": exp.Min, "max": exp.Max}


@dataclass(frozen=True, slots=True)
class Atom:
    """One aggregate over the rows of one entity: a measure, or one side of a ratio."""

    measure: Measure
    metric: Metric | None = None

    @property
    def base(self) -> str:
        """The entity whose rows are aggregated."""
        if self.metric is not None:
            return self.metric.table
        return self.measure.field.entity if self.measure.field else self.measure.entity

    @property
    def name(self) -> str:
        """The result column's name."""
        if self.metric is not None:
            return self.metric.name
        if self.measure.field is None:
            return f"{_bare(self.measure.entity)}_count"
        words = {"avg": "average", "sum": "total", "min": "minimum", "max": "maximum"}
        dimension = _bare(self.measure.field.dimension)
        if self.measure.agg == "count_distinct":
            return f"distinct_{dimension}"
        if self.measure.agg == "count":
            return f"{dimension}_count"
        return f"{words.get(self.measure.agg, self.measure.agg)}_{dimension}"

    @property
    def unfiltered(self) -> Atom:
        """The same without its metric's condition, for rows that meet it already."""
        return replace(self, metric=self.metric.model_copy(update={"filter": ""})) if self.metric else self

    def time(self, names: Names) -> Field | None:
        """The dimension that periods apply to; None where the entity has no time."""
        entity = names.entity(self.base)
        dimension = (self.metric.time if self.metric else "") or entity.time
        return Field(self.base, dimension) if dimension else None

    def sql(self, scope: Scope) -> exp.Expr:
        """The aggregate over a scope whose base is this atom's entity. Raises `CannotPlan` where rows repeat."""
        if self.metric is not None:
            return self._metric_sql(scope, self.metric)
        measure = self.measure
        if measure.field is None:
            return self._rows(scope)
        column = scope.shown(measure.field)
        if measure.agg == "count_distinct":
            return exp.Count(this=exp.Distinct(expressions=[column]))
        if measure.agg == "count":
            return exp.Count(this=column)
        self._check(scope, measure.agg)
        return _FUNCTIONS[measure.agg](this=column)

    def _rows(self, scope: Scope) -> exp.Expr:
        if not scope.multiplied:
            return exp.Count(this=exp.Star())
        return exp.Count(this=exp.Distinct(expressions=[self._key(scope)]))

    def _key(self, scope: Scope) -> exp.Expr:
        key = scope.names.entity(self.base).key
        if len(key) != 1:
            raise CannotPlan("repeated", name=self.base)
        return scope.names.expression(key[0], self.base, scope.alias(self.base))

    def _metric_sql(self, scope: Scope, metric: Metric) -> exp.Expr:
        alias = scope.alias(metric.table)
        value = scope.names.expression(metric.expr, metric.table, alias) if metric.expr else None
        condition = scope.names.expression(metric.filter, metric.table, alias) if metric.filter else None
        if metric.agg == "count" and scope.multiplied and value is None:
            value = self._key(scope)
            metric = metric.model_copy(update={"agg": "count_distinct"})
        if condition is not None:
            value = exp.Case().when(condition, value if value is not None else exp.Literal.number(1))
        if metric.agg == "count":
            return exp.Count(this=value if value is not None else exp.Star())
        if metric.agg == "count_distinct":
            return exp.Count(this=exp.Distinct(expressions=[value]))
        self._check(scope, str(metric.agg))
        return _FUNCTIONS[str(metric.agg)](this=value)

    def _check(self, scope: Scope, agg: str) -> None:
        if scope.multiplied and agg in ("sum", "avg"):
            raise CannotPlan("repeated", name=self.name)


def atoms(measure: Measure, names: Names) -> tuple[Atom, ...]:
    """The aggregates a measure is made of: one, or numerator and denominator of a ratio."""
    if measure.agg != "metric":
        return (Atom(measure),)
    metric = names.model.metric(measure.metric)
    if metric is None:
        raise CannotPlan("absent_object", name=measure.metric)
    if metric.ratio is None:
        return (Atom(measure, metric),)
    parts = [names.model.metric(name) for name in (metric.ratio.numerator, metric.ratio.denominator)]
    return tuple(Atom(Measure("metric", metric=part.name), part) for part in parts if part is not None)


def title(measure: Measure, names: Names) -> str:
    """The result column's name of a whole measure."""
    return measure.metric if measure.agg == "metric" else atoms(measure, names)[0].name


def combined(values: tuple[exp.Expr, ...]) -> exp.Expr:
    """A measure from its aggregates: itself, or numerator over denominator (nothing over nothing is NULL)."""
    if len(values) == 1:
        return values[0]
    numerator = exp.Mul(this=values[0], expression=exp.Literal.number("1.0"))
    return exp.Div(this=numerator, expression=exp.Nullif(this=values[1], expression=exp.Literal.number(0)))


def _bare(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").split())
