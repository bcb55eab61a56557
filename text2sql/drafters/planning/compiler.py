"""A query plan to one sqlglot tree.

Lists of rows are one SELECT. Aggregates are made of branches: one for each entity whose rows are aggregated (and
one more for the period compared with), each aggregated by itself, so that no join between two fact tables can
repeat a row. Several branches are stacked (UNION ALL, NULL for what a branch does not know) and grouped once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot import exp

from text2sql.drafters.planning.measures import Atom, atoms, combined, title
from text2sql.drafters.planning.plan import (
    AnyOf,
    Bucket,
    CannotPlan,
    Condition,
    During,
    Field,
    Filter,
    Measure,
    Order,
    QueryPlan,
)
from text2sql.drafters.planning.predicates import apply, literal, prepare
from text2sql.drafters.planning.scope import Names, Scope, identifier
from text2sql.types import unique_names

_COMPARE = {">": exp.GT, ">=": exp.GTE, "<": exp.LT, "<=": exp.LTE, "=": exp.EQ, "!=": exp.NEQ}


def compile_plan(plan: QueryPlan, names: Names) -> exp.Query:
    """The query for a plan. Raises `CannotPlan` where no query is safe."""
    return _Aggregate(plan, names).query() if plan.aggregate else _rows(plan, names)


def _rows(plan: QueryPlan, names: Names) -> exp.Select:
    scope = Scope(names, plan.anchor)
    fields = [key for key in plan.keys if isinstance(key, Field)]
    if plan.all_columns:
        fields = [Field(plan.anchor, d.name) for d in names.entity(plan.anchor).dimensions]
    for field in (*fields, *(order.by for order in plan.order if isinstance(order.by, Field))):
        scope.join(field.entity)
    prepare(scope, plan.filters)
    aliases = unique_names([field.dimension for field in fields])
    columns = [_named(scope.shown(field), alias) for field, alias in zip(fields, aliases, strict=True)]
    query = apply(scope.select(*columns), scope, plan.filters)
    if plan.distinct:
        query = query.distinct()
    for order in plan.order:
        if isinstance(order.by, Field):
            query = query.order_by(_ordered(scope.field(order.by), order, names))
    return query.limit(plan.limit) if plan.limit else query


@dataclass(frozen=True, slots=True)
class _Branch:
    """Aggregates over the rows of one entity, in one window of time (`shift` months earlier)."""

    base: str
    shift: int
    atoms: tuple[Atom, ...]


class _Aggregate:
    """Compiles one aggregate plan."""

    def __init__(self, plan: QueryPlan, names: Names) -> None:
        self.plan = plan
        self.names = names
        keys = list(plan.keys)
        self.key_names = unique_names([k.unit if isinstance(k, Bucket) else k.dimension for k in keys])
        self.branches = self._branches()

    def _branches(self) -> list[_Branch]:
        needed: dict[str, dict[Atom, None]] = {}
        for measure in self.plan.every_measure:
            for atom in atoms(measure, self.names):
                needed.setdefault(atom.base, {})[atom] = None
        branches = [_Branch(base, 0, tuple(found)) for base, found in needed.items()]
        if self.plan.versus:
            branches += [replace(branch, shift=self.plan.versus) for branch in branches]
        return branches

    def query(self) -> exp.Query:
        """One branch is the query itself; several are stacked."""
        if len(self.branches) == 1:
            return self._single(self.branches[0])
        return self._stacked()

    # -- one branch ------------------------------------------------------------------------------------------

    def _scope(self, branch: _Branch) -> tuple[Scope, tuple[Filter, ...]]:
        scope = Scope(self.names, branch.base)
        filters = tuple(self._timed(part, branch) for part in self.plan.filters)
        # A row without a partner still counts in the total: it is shown in a group of its own.
        left = any(atom.metric is not None for atom in branch.atoms)
        for key in self.plan.keys:
            field = self._key_field(key, branch)
            scope.join(field.entity, left=left)
        prepare(scope, filters)
        return scope, filters

    def _timed(self, part: Filter, branch: _Branch) -> Filter:
        """A period in this branch's own time, moved back where the branch is the one compared with."""
        if isinstance(part, AnyOf):
            parts = [self._timed(each, branch) for each in part.parts]
            return AnyOf(tuple(each for each in parts if isinstance(each, Condition | During)))
        if not isinstance(part, During):
            return part
        field = part.field or self._time(branch)
        period = part.period.earlier(branch.shift) if branch.shift else part.period
        return replace(part, period=period, field=field)

    def _time(self, branch: _Branch) -> Field:
        found = {time for atom in branch.atoms if (time := atom.time(self.names))}
        if len(found) != 1:
            raise CannotPlan("no_time", name=branch.base)
        return found.pop()

    def _key_field(self, key: Field | Bucket, branch: _Branch) -> Field:
        return key if isinstance(key, Field) else key.field or self._time(branch)

    def _key(self, key: Field | Bucket, branch: _Branch, scope: Scope) -> exp.Expr:
        field = self._key_field(key, branch)
        if isinstance(key, Bucket):
            return scope.time(field).bucket(key.unit, branch.shift)
        return scope.shown(field)

    def _single(self, branch: _Branch) -> exp.Select:
        scope, filters = self._scope(branch)
        keys = [self._key(key, branch, scope) for key in self.plan.keys]
        common = _common_filter(branch) if keys else ""
        value = self._values(lambda atom: (atom.unfiltered if common else atom).sql(scope))
        columns = [_named(key, name) for key, name in zip(keys, self.key_names, strict=True)]
        measures = [(measure, title(measure, self.names)) for measure in self.plan.measures]
        columns += [_named(value(m), name) for m, name in _unique(measures)]
        query = apply(scope.select(*columns), scope, filters)
        if common:
            query = query.where(self.names.expression(common, branch.base, scope.alias(branch.base)))
        grouping = keys + self._grouped(scope)
        if grouping:
            query = query.group_by(*[key.copy() for key in _without_repeats(grouping)])
        return self._finished(query, value, dict(zip(self.plan.keys, keys, strict=True)))

    def _grouped(self, scope: Scope) -> list[exp.Expr]:
        """The key columns of the entity whose rows are the groups, where it is joined."""
        entity = self.plan.grouped
        if not entity or not scope.has(entity):
            return []
        return [
            self.names.expression(key, entity, scope.alias(entity)) for key in self.names.entity(entity).key
        ]

    # -- several branches ------------------------------------------------------------------------------------

    def _stacked(self) -> exp.Query:
        columns = [
            (branch, atom, self._stack_name(branch, atom))
            for branch in self.branches
            for atom in branch.atoms
        ]
        first, *others = [self._branch(branch, columns) for branch in self.branches]
        union: exp.Query = first
        for part in others:
            union = exp.union(union, part, distinct=False, copy=False)
        alias = exp.TableAlias(this=identifier("parts"))
        keys: list[exp.Expr] = [_part(name) for name in self.key_names]
        value = self._values(lambda atom: _largest(self._stack_name(self._of(atom, 0), atom)))
        shown = [_named(key, name) for key, name in zip(keys, self.key_names, strict=True)]
        for measure, name in _unique([(m, title(m, self.names)) for m in self.plan.measures]):
            shown += self._compared(measure, name, value)
        query = exp.select(*shown).from_(exp.Subquery(this=union, alias=alias))
        grouping = keys + [_part(f"key_{at + 1}") for at in range(self._hidden())]
        if grouping:
            query = query.group_by(*[key.copy() for key in grouping])
        if keys and self.plan.versus:
            # A group that only the earlier window knows says nothing about the one asked for.
            present = [exp.Not(this=exp.Is(this=value(m), expression=exp.Null())) for m in self.plan.measures]
            query = query.having(exp.or_(*present))
        return self._finished(query, value, dict(zip(self.plan.keys, keys, strict=True)))

    def _hidden(self) -> int:
        """How many key columns the branches hand on to group by without being shown."""
        return len(self.names.entity(self.plan.grouped).key) if self.plan.grouped else 0

    def _branch(self, branch: _Branch, columns: list[tuple[_Branch, Atom, str]]) -> exp.Select:
        scope, filters = self._scope(branch)
        keys = [self._key(key, branch, scope) for key in self.plan.keys]
        shown = [_named(key, name) for key, name in zip(keys, self.key_names, strict=True)]
        hidden = self._grouped(scope)
        shown += [_named(key, f"key_{at}") for at, key in enumerate(hidden, 1)]
        for owner, atom, name in columns:
            shown.append(_named(atom.sql(scope) if owner == branch else self._nothing(), name))
        query = apply(scope.select(*shown), scope, filters)
        grouping = _without_repeats(keys + hidden)
        return query.group_by(*[key.copy() for key in grouping]) if grouping else query

    def _nothing(self) -> exp.Expr:
        # PostgreSQL takes the NULLs of the first two branches of a union for text.
        exact = self.names.catalog.dialect in ("duckdb", "sqlite")
        return exp.Null() if exact else exp.cast(exp.Null(), "DOUBLE")

    def _of(self, atom: Atom, shift: int) -> _Branch:
        return next(b for b in self.branches if b.shift == shift and atom in b.atoms)

    @staticmethod
    def _stack_name(branch: _Branch, atom: Atom) -> str:
        return f"{atom.name}_before" if branch.shift else atom.name

    def _compared(self, measure: Measure, name: str, value: Callable[[Measure], exp.Expr]) -> list[exp.Expr]:
        """The measure; where it is compared, also its earlier value, the change and the rate of change."""
        if not self.plan.versus:
            return [_named(value(measure), name)]
        shift = self.plan.versus
        before = self._values(lambda atom: _largest(self._stack_name(self._of(atom, shift), atom)))
        change = exp.Sub(this=value(measure), expression=exp.paren(before(measure)))
        rate = exp.Div(
            this=exp.Mul(this=exp.paren(change.copy()), expression=exp.Literal.number("1.0")),
            expression=exp.Nullif(this=before(measure), expression=exp.Literal.number(0)),
        )
        suffix = "previous_year" if shift == 12 else "previous"
        return [
            _named(value(measure), name),
            _named(before(measure), f"{name}_{suffix}"),
            _named(change, f"{name}_change"),
            _named(rate, f"{name}_change_rate"),
        ]

    # -- shared ----------------------------------------------------------------------------------------------

    def _values(self, one: Callable[[Atom], exp.Expr]) -> Callable[[Measure], exp.Expr]:
        def value(measure: Measure) -> exp.Expr:
            return combined(tuple(one(atom) for atom in atoms(measure, self.names)))

        return value

    def _finished(
        self,
        query: exp.Select,
        value: Callable[[Measure], exp.Expr],
        keys: dict[Field | Bucket, exp.Expr],
    ) -> exp.Select:
        for bound in self.plan.having:
            compared = _COMPARE[bound.operator](
                this=value(bound.measure), expression=literal(bound.value, numeric=True)
            )
            query = query.having(compared)
        for order in self.plan.order:
            by = value(order.by) if isinstance(order.by, Measure) else keys.get(order.by)
            if by is None:
                raise CannotPlan("order_unclear")
            query = query.order_by(_ordered(by.copy(), order, self.names))
        return query.limit(self.plan.limit) if self.plan.limit else query


def _common_filter(branch: _Branch) -> str:
    """The one condition of all the metrics: as a condition on the rows, it shows no group that holds none of them."""
    found = {atom.metric.filter if atom.metric else "" for atom in branch.atoms}
    return found.pop() if len(found) == 1 else ""


def _ordered(value: exp.Expr, order: Order, names: Names) -> exp.Expr:
    # NULLs last in both directions: nothing is neither the most nor the least. SQLite: NULLs are small.
    nulls_first = names.catalog.dialect == "sqlite" and not order.descending
    return exp.Ordered(this=value, desc=order.descending or None, nulls_first=nulls_first)


def _named(value: exp.Expr, name: str) -> exp.Expr:
    if isinstance(value, exp.Column) and value.name == name:
        return value
    return exp.Alias(this=value, alias=identifier(name))


def _unique(measures: list[tuple[Measure, str]]) -> list[tuple[Measure, str]]:
    names = unique_names([name for _, name in measures])
    return [(measure, name) for (measure, _), name in zip(measures, names, strict=True)]


def _without_repeats(expressions: list[exp.Expr]) -> list[exp.Expr]:
    return list({expression.sql(): expression for expression in expressions}.values())


def _largest(column: str) -> exp.Expr:
    """Each stacked column has one value in each group and NULL in the rows of other branches."""
    return exp.Max(this=_part(column))


def _part(column: str) -> exp.Expr:
    return exp.Column(this=identifier(column), table=identifier("parts"))
