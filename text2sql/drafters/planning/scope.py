"""One SELECT under construction: a base entity, what is joined to it, and the model's names as SQL."""

from __future__ import annotations

import re

from sqlglot import exp, parse_one

from text2sql.drafters.planning.dates import Form, TimeColumn
from text2sql.drafters.planning.joins import JoinGraph, Step
from text2sql.drafters.planning.plan import CannotPlan, Field
from text2sql.semantics import Dimension, Entity, SemanticModel
from text2sql.types import Catalog, Column

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED = frozenset((
    "all", "and", "any", "array", "as", "asc", "between", "both", "by", "case", "cast", "check",
    "column", "constraint", "create", "cross", "current", "default", "delete", "desc", "distinct",
    "do", "drop", "else", "end", "except", "exists", "false", "fetch", "for", "foreign", "from",
    "full", "grant", "group", "having", "if", "in", "index", "inner", "insert", "intersect",
    "interval", "into", "is", "join", "key", "leading", "left", "like", "limit", "natural", "not",
    "null", "offset", "on", "or", "order", "outer", "primary", "references", "right", "row",
    "rows", "select", "session", "set", "show", "some", "table", "then", "to", "trailing", "true",
    "union", "unique", "update", "user", "using", "values", "view", "when", "where", "window",
    "with",
))  # fmt: skip


def identifier(name: str) -> exp.Identifier:
    """A name, in quotes where it would not survive without."""
    return exp.to_identifier(name, quoted=not _PLAIN.fullmatch(name) or name in _RESERVED)


class Names:
    """The model's objects as SQL of one catalogue. Shared by every scope; immutable."""

    def __init__(self, catalog: Catalog, model: SemanticModel) -> None:
        self.catalog = catalog
        self.model = model
        self.graph = JoinGraph(model)

    def entity(self, name: str) -> Entity:
        """The entity; planning only uses names that the model has."""
        entity = self.model.entity(name)
        if entity is None:
            raise CannotPlan("absent_object", name=name)
        return entity

    def dimension(self, field: Field) -> Dimension:
        """The dimension a field names."""
        dimension = self.entity(field.entity).dimension(field.dimension)
        if dimension is None:
            raise CannotPlan("absent_object", name=f"{field.entity}.{field.dimension}")
        return dimension

    def column(self, field: Field) -> Column | None:
        """The catalogue's column behind a field, None for expressions."""
        dimension = self.dimension(field)
        table = self.catalog.table(self.entity(field.entity).physical)
        return table.column(dimension.sql) if table else None

    def table(self, entity: str, alias: str) -> exp.Table:
        """The entity's table under an alias."""
        physical = self.entity(entity).physical
        found = self.catalog.table(physical)
        if found is None:
            raise CannotPlan("absent_object", name=physical)
        parts = {"this": identifier(found.name)}
        if found.schema and found.schema.casefold() != self.catalog.default_schema.casefold():
            parts["db"] = identifier(found.schema)
        table = exp.Table(**parts)
        if alias != found.name:
            table.set("alias", exp.TableAlias(this=identifier(alias)))
        return table

    def expression(self, text: str, entity: str, alias: str) -> exp.Expr:
        """An expression or column name of the model over one table's alias."""
        found = self.catalog.table(self.entity(entity).physical)
        column = found.column(text) if found else None
        if column is not None:
            return exp.Column(this=identifier(column.name), table=identifier(alias))
        parsed = parse_one(text, dialect=self.catalog.dialect)
        for name in list(parsed.find_all(exp.Column)):
            name.set("table", identifier(alias))
        return parsed

    def form(self, field: Field) -> Form | None:
        """How a dimension holds days; None where it holds none."""
        dimension, column = self.dimension(field), self.column(field)
        if "-01-01'" in dimension.expr:
            return "first_day"
        if dimension.type in ("date", "timestamp"):
            if column is None or column.family in ("date", "timestamp"):
                return "date" if dimension.type == "date" else "timestamp"
            return "number" if column.family in ("integer", "number") else "text"
        words = dimension.name.casefold()
        if column is not None and column.family in ("integer", "number", "text") and "year" in words:
            return "year" if _four_digits(column) else None
        return None


def _four_digits(column: Column) -> bool:
    """Whether a column called year seems to hold years (and not, say, years of experience)."""
    profile = column.profile
    if profile is None or profile.minimum is None or profile.maximum is None:
        return True
    try:
        return 1000 <= float(profile.minimum) <= float(profile.maximum) <= 2999
    except ValueError:
        return False


class Scope:
    """Tables of one SELECT. Entities are joined when first needed, along the shortest way."""

    def __init__(self, names: Names, base: str, taken: frozenset[str] = frozenset()) -> None:
        self.names = names
        self.base = base
        self._taken = set(taken)
        self._aliases: dict[str, str] = {}
        self._joins: list[exp.Join] = []
        self.multiplied = False
        """Whether a join may repeat rows of the base."""
        self._aliases[base] = self._alias(base)

    def _alias(self, entity: str) -> str:
        alias = self.names.entity(entity).physical.rsplit(".", 1)[-1]
        while alias.casefold() in self._taken:
            alias += "_2"
        self._taken.add(alias.casefold())
        return alias

    @property
    def aliases(self) -> frozenset[str]:
        """Names in use, which a sub-query had better not take again."""
        return frozenset(self._taken)

    def has(self, entity: str) -> bool:
        """Whether the entity is joined already."""
        return entity in self._aliases

    def alias(self, entity: str) -> str:
        """The alias of a joined entity."""
        return self._aliases[entity]

    def way(self, entity: str) -> tuple[Step, ...]:
        """The steps from what is joined to the entity. Raises `CannotPlan` where there is no way."""
        paths = [p for joined in self._aliases if (p := self.names.graph.path(joined, entity)) is not None]
        if not paths:
            raise CannotPlan("no_join", name=self.base, other=entity)
        return min(paths, key=lambda path: (len(path), sum(not step.single for step in path)))

    def join(self, entity: str, *, left: bool = False) -> None:
        """Join an entity (and what lies between) where it is not joined yet."""
        if self.has(entity):
            return
        for step in self.way(entity):
            if self.has(step.target):
                continue
            self._aliases[step.target] = self._alias(step.target)
            table = self.names.table(step.target, self.alias(step.target))
            self._joins.append(
                exp.Join(this=table, on=self.on(step, self.alias(step.target)), side="LEFT" if left else None)
            )
            self.multiplied = self.multiplied or not step.single

    def on(self, step: Step, target: str) -> exp.Expr:
        """The join condition of a step from a joined entity to an alias."""
        source = self.alias(step.source)
        pairs = [
            exp.EQ(
                this=self.names.expression(here, step.source, source),
                expression=self.names.expression(there, step.target, target),
            )
            for here, there in step.on
        ]
        return exp.and_(*pairs)

    def field(self, field: Field) -> exp.Expr:
        """The SQL of a dimension of a joined entity."""
        dimension = self.names.dimension(field)
        return self.names.expression(dimension.sql, field.entity, self.alias(field.entity))

    def shown(self, field: Field) -> exp.Expr:
        """A dimension as a result shows it: where its name is a column's, that column as it is stored."""
        table = self.names.catalog.table(self.names.entity(field.entity).physical)
        stored = table.column(field.dimension) if table else None
        if stored is None:
            return self.field(field)
        return exp.Column(this=identifier(stored.name), table=identifier(self.alias(field.entity)))

    def time(self, field: Field) -> TimeColumn:
        """A dimension as a column of days. Raises `CannotPlan` where it holds none."""
        form = self.names.form(field)
        if form is None:
            raise CannotPlan("no_time", name=field.dimension)
        model = self.names.model
        return TimeColumn(self.field(field), form, self.names.catalog.dialect, model.fiscal_year_start)

    def select(self, *columns: exp.Expr) -> exp.Select:
        """SELECT the columns FROM the base with all joins."""
        query = exp.select(*columns).from_(self.names.table(self.base, self.alias(self.base)))
        for join in self._joins:
            query = query.join(join)
        return query
