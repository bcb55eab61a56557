"""Filters of a plan as predicates of one scope. What would repeat rows of the base is asked by EXISTS instead."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from text2sql.drafters.planning.plan import (
    AgainstAggregate,
    AnyOf,
    CannotPlan,
    Condition,
    During,
    Field,
    Filter,
    Related,
)
from text2sql.drafters.planning.scope import Scope

_COMPARISONS: dict[str, type[exp.Binary]] = {
    ">": exp.GT, ">=": exp.GTE, "<": exp.LT, "<=": exp.LTE, "=": exp.EQ, "!=": exp.NEQ,
}  # fmt: skip


def apply(query: exp.Select, scope: Scope, filters: tuple[Filter, ...]) -> exp.Select:
    """The query with every filter as a WHERE condition. Call after all joins for shown columns are made."""
    related: dict[str, list[Condition | During | AnyOf]] = {}
    for part in filters:
        far = {field.entity for field in _fields(part) if not _reachable(scope, field.entity)}
        if not far:
            query = query.where(predicate(part, scope))
        elif len(far) == 1 and isinstance(part, Condition | During | AnyOf):
            entity = far.pop()
            if isinstance(part, Condition) and part.operator == "!=":
                # Not one of the related rows may match, rather than some row that does not.
                query = query.where(_related(Related(entity, (replace(part, operator="="),)), scope))
            else:
                related.setdefault(entity, []).append(part)
        else:
            raise CannotPlan("negation")
    for entity, parts in related.items():
        query = query.where(_related(Related(entity, tuple(parts), exists=True), scope))
    return query


def prepare(scope: Scope, filters: tuple[Filter, ...]) -> None:
    """Join what the filters need and can have without repeating rows; before the SELECT is written."""
    for part in filters:
        for field in _fields(part):
            if _reachable(scope, field.entity):
                scope.join(field.entity)


def predicate(part: Filter, scope: Scope) -> exp.Expr:
    """One filter over joined entities."""
    if isinstance(part, Condition):
        return _condition(part, scope)
    if isinstance(part, During):
        if part.field is None:
            raise CannotPlan("no_time", name=scope.base)
        within = scope.time(part.field).within(part.period)
        return exp.Not(this=exp.paren(within)) if part.negated else within
    if isinstance(part, AgainstAggregate):
        return _against(part, scope)
    if isinstance(part, AnyOf):
        return exp.paren(exp.or_(*(predicate(each, scope) for each in part.parts)))
    return _related(part, scope)


def _fields(part: Filter) -> list[Field]:
    if isinstance(part, AnyOf):
        return [each.field for each in part.parts if each.field]
    if isinstance(part, Related) or part.field is None:
        return []
    return [part.field]


def _reachable(scope: Scope, entity: str) -> bool:
    """Whether the entity is joined, or can be without repeating rows."""
    return scope.has(entity) or all(step.single for step in scope.way(entity))


def _condition(part: Condition, scope: Scope) -> exp.Expr:
    column = scope.field(part.field)
    if part.operator in ("null", "not null"):
        missing = exp.Is(this=column, expression=exp.Null())
        return missing if part.operator == "null" else exp.Not(this=missing)
    if part.operator in ("contains", "starts", "ends"):
        matches = [_like(column, part.operator, value, scope) for value in part.values]
        return matches[0] if len(matches) == 1 else exp.paren(exp.or_(*matches))
    literals = [literal(value, numeric=part.numeric) for value in part.values]
    if part.numeric and scope.names.dimension(part.field).type == "text":
        column = exp.cast(column, "DOUBLE")
    if len(literals) == 1:
        return _COMPARISONS[part.operator](this=column, expression=literals[0])
    if part.operator not in ("=", "!="):
        raise CannotPlan("negation")
    listed = exp.In(this=column, expressions=literals)
    return exp.Not(this=listed) if part.operator == "!=" else listed


def literal(value: str, *, numeric: bool) -> exp.Expr:
    """A value as an SQL literal."""
    return exp.Literal.number(value) if numeric else exp.Literal.string(value)


def _like(column: exp.Expr, operator: str, value: str, scope: Scope) -> exp.Expr:
    pattern = {"contains": f"%{value}%", "starts": f"{value}%", "ends": f"%{value}"}[operator]
    kind = exp.Like if scope.names.catalog.dialect == "sqlite" else exp.ILike
    return kind(this=column.copy(), expression=exp.Literal.string(pattern))


def _against(part: AgainstAggregate, scope: Scope) -> exp.Expr:
    inner = Scope(scope.names, part.field.entity, scope.aliases)
    function = {"avg": exp.Avg, "max": exp.Max, "min": exp.Min}.get(part.agg)
    if function is None:
        raise CannotPlan("unsupported", name=part.agg)
    query = inner.select(function(this=inner.field(part.field)))
    compared = exp.Subquery(this=query)
    return _COMPARISONS[part.operator](this=scope.field(part.field), expression=compared)


def _related(part: Related, scope: Scope) -> exp.Expr:
    """(NOT) EXISTS (SELECT 1 FROM the first entity on the way, joined on to the related one)."""
    steps = scope.way(part.entity)
    if not steps:
        raise CannotPlan("absence_unclear")
    first = steps[0]
    inner = Scope(scope.names, first.target, scope.aliases)
    if part.entity != first.target:
        inner.join(part.entity)
    prepare(inner, part.filters)
    query = inner.select(exp.Literal.number(1)).where(scope.on(first, inner.alias(first.target)))
    query = apply(query, inner, part.filters)
    found = exp.Exists(this=query)
    return found if part.exists else exp.Not(this=found)
