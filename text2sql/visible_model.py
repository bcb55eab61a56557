"""The part of a semantic model that one caller's catalogue can carry: what they may not name is not there."""

from __future__ import annotations

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from text2sql.semantics import Dimension, Entity, Join, Metric, SemanticModel
from text2sql.types import Catalog, Table
from text2sql.verified import VerifiedQueries, VerifiedQuery


def visible_model(model: SemanticModel, catalog: Catalog) -> SemanticModel:
    """The model without objects that name a table or column outside the catalogue.

    The other ways to say a value stay only where the caller may see that the column holds it.
    """
    entities = []
    for entity in model.tables:
        table = catalog.table(entity.physical)
        if table is not None:
            entities.append(_entity(entity, table, catalog))
    kept = {entity.name: entity for entity in entities}
    tables = {name: catalog.table(entity.physical) for name, entity in kept.items()}
    joins = tuple(join for join in model.joins if _joinable(join, tables))
    plain = [m for m in model.metrics if m.ratio is None and _computable(m, kept, tables, catalog)]
    names = {metric.name for metric in plain}
    ratios = {m.name for m in model.metrics if m.ratio and {m.ratio.numerator, m.ratio.denominator} <= names}
    metrics = tuple(metric for metric in model.metrics if metric.name in names | ratios)
    return model.model_copy(update={"tables": tuple(entities), "joins": joins, "metrics": metrics})


def _entity(entity: Entity, table: Table, catalog: Catalog) -> Entity:
    dimensions = tuple(
        _dimension(d, table) for d in entity.dimensions if _known(d.sql, table, catalog, bare=not d.expr)
    )
    names = {dimension.name for dimension in dimensions}
    return entity.model_copy(
        update={
            "dimensions": dimensions,
            "time": entity.time if entity.time in names else "",
            "title": entity.title if entity.title in names else "",
            "key": entity.key if all(table.column(column) for column in entity.key) else (),
        }
    )


def _dimension(dimension: Dimension, table: Table) -> Dimension:
    column = table.column(dimension.sql)
    profile = column.profile if column else None
    if not dimension.values or profile is None:
        return dimension.model_copy(update={"values": {}}) if dimension.values else dimension
    held = set(profile.values)
    values = {
        value: said for value, said in dimension.values.items() if value in held or not profile.complete
    }
    return dimension.model_copy(update={"values": values})


def _known(text: str, table: Table, catalog: Catalog, *, bare: bool = False) -> bool:
    """Whether every column an expression names is in the table."""
    if bare or table.column(text) is not None:
        return table.column(text) is not None
    try:
        parsed = parse_one(text, dialect=catalog.dialect)
    except SqlglotError:
        return False
    return all(table.column(column.name) for column in parsed.find_all(exp.Column))


def _joinable(join: Join, tables: dict[str, Table | None]) -> bool:
    source, target = tables.get(join.from_), tables.get(join.to)
    if source is None or target is None:
        return False
    return all(source.column(here) and target.column(there) for here, there in join.on.items())


def _computable(
    metric: Metric, kept: dict[str, Entity], tables: dict[str, Table | None], catalog: Catalog
) -> bool:
    entity, table = kept.get(metric.table), tables.get(metric.table)
    if entity is None or table is None or (metric.time and entity.dimension(metric.time) is None):
        return False
    return all(_known(text, table, catalog) for text in (metric.expr, metric.filter) if text)


def tables_of(sql: str, catalog: Catalog) -> tuple[str, ...] | None:
    """Qualified names of the tables a query reads; None where it does not parse or reads what is not there."""
    try:
        parsed = parse_one(sql, dialect=catalog.dialect)
    except SqlglotError:
        return None
    common = {cte.alias.casefold() for cte in parsed.find_all(exp.CTE)}
    found: dict[str, None] = {}
    for table in parsed.find_all(exp.Table):
        if not table.db and table.name.casefold() in common:
            continue
        known = catalog.table(f"{table.db}.{table.name}" if table.db else table.name)
        if known is None:
            return None
        found[known.qualified] = None
    return tuple(found)


def has_literals(sql: str, catalog: Catalog) -> bool:
    """Whether a query names values in words: what a caller without all rows could learn from its text."""
    try:
        parsed = parse_one(sql, dialect=catalog.dialect)
    except SqlglotError:
        return True
    return any(literal.is_string for literal in parsed.find_all(exp.Literal))


def visible_queries(verified: VerifiedQueries, catalog: Catalog) -> VerifiedQueries:
    """The verified queries that read nothing outside the catalogue."""
    kept: list[VerifiedQuery] = [q for q in verified.queries if tables_of(q.sql, catalog)]
    return VerifiedQueries(queries=tuple(kept))
