"""A table as a few lines of text for a model: columns, keys, meaning, and values that the caller may see."""

from __future__ import annotations

from collections.abc import Iterator

from text2sql.semantics import Entity, Label, Metric, SemanticModel
from text2sql.types import Catalog, Column, ForeignKey, Table

VALUES = 12
"""Stored values shown of a column with few of them."""
EXAMPLES = 3
"""Stored values shown of a column with many."""
LONGEST_VALUE = 40


class Cards:
    """Cards of one caller's catalogue and the model as they see it: nothing here was measured over more."""

    def __init__(self, catalog: Catalog, model: SemanticModel) -> None:
        self._catalog = catalog
        self._entities: dict[str, list[Entity]] = {}
        self._joins: dict[str, list[str]] = {}
        for entity in model.tables:
            if (table := catalog.table(entity.physical)) is not None:
                self._entities.setdefault(table.qualified, []).append(entity)
        names = {e.name: t for e in model.tables if (t := catalog.table(e.physical)) is not None}
        for join in model.joins:
            here, there = names.get(join.from_), names.get(join.to)
            if here is not None and there is not None:
                self._joins.setdefault(here.qualified, []).extend(
                    f"{column} -> {self.called(there)}.{other} ({join.cardinality.replace('_', ' ')})"
                    for column, other in join.on.items()
                )

    def called(self, table: Table) -> str:
        """The shortest name that means this table."""
        return table.name if self._catalog.table(table.name) is table else table.qualified

    def full(self, table: Table) -> str:
        """Everything that helps to write a query over it."""
        entities = self._entities.get(table.qualified, [])
        said = [table.comment, *(words for e in entities for words in _words(e.label, e.description))]
        said += [f"{table.rows:,} rows"] if table.rows is not None else []
        if table.kind == "view":
            said.append("a view")
        key = f" primary key ({', '.join(table.primary_key)})" if table.primary_key else ""
        head = f"table {self.called(table)}{key}"
        meaning = "; ".join(dict.fromkeys(filter(None, said)))
        lines = [f"{head}: {meaning}" if meaning else head]
        lines += [f"  {self._column(column, entities)}" for column in table.columns]
        lines += [f"  {name}" for entity in entities for name in _computed(entity)]
        keys = [self._key(found) for found in table.foreign_keys] + self._joins.get(table.qualified, [])
        lines += [f"  key {said}" for said in _distinct_keys(keys)]
        return "\n".join(lines)

    def brief(self, table: Table) -> str:
        """Names, types and keys only."""
        columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
        keys = [self._key(found) for found in table.foreign_keys] + self._joins.get(table.qualified, [])
        after = f"; keys {', '.join(_distinct_keys(keys))}" if keys else ""
        return f"table {self.called(table)} ({columns}){after}"

    def _key(self, found: ForeignKey) -> str:
        target = self._catalog.table(found.to_table)
        name = self.called(target) if target is not None else found.to_table
        return f"{', '.join(found.columns)} -> {name}.{', '.join(found.to_columns)}"

    def _column(self, column: Column, entities: list[Entity]) -> str:
        said = [column.comment] if column.comment else []
        for entity in entities:
            for dimension in entity.dimensions:
                if dimension.sql.casefold() == column.name.casefold():
                    said += _words(dimension.label, dimension.description)
        held = _held(column)
        parts = [f"{column.name} {column.type}", *dict.fromkeys(said)]
        return " | ".join([*parts, held] if held else parts)


def metric_card(metric: Metric, model: SemanticModel) -> str:
    """A metric's definition on one line: how it is computed, over which table, with which filter and time."""
    names = "; ".join(_words(metric.label, metric.description)) or metric.name
    if metric.ratio is not None:
        how = f"{metric.ratio.numerator} / {metric.ratio.denominator} (metrics: sum each, then divide)"
    else:
        entity = model.entity(metric.table)
        inside = metric.expr or "*"
        function = "COUNT(DISTINCT " if metric.agg == "count_distinct" else f"{(metric.agg or '').upper()}("
        how = f"{function}{inside}) from {entity.physical if entity else metric.table}"
        how += f" where {metric.filter}" if metric.filter else ""
        time = metric.time or (entity.time if entity else "")
        dimension = entity.dimension(time) if entity and time else None
        how += f"; periods apply to {dimension.sql}" if dimension else ""
    unit = f"; unit {metric.unit}" if metric.unit else ""
    fixed = "" if metric.additivity == "additive" else f"; {metric.additivity.replace('_', '-')}"
    return f"{metric.name} = {how}{unit}{fixed} | {names}"


def _computed(entity: Entity) -> Iterator[str]:
    """Dimensions that are expressions: the company's way to group."""
    for dimension in entity.dimensions:
        if dimension.expr and not dimension.expr.isidentifier():
            words = "; ".join(_words(dimension.label, dimension.description)) or dimension.name
            yield f"{dimension.name} = {dimension.expr} | {words}"


def _held(column: Column) -> str:
    """Values as they are stored; only of a profile that this caller may see."""
    profile = column.profile
    if profile is None:
        return ""
    if profile.values and column.family in ("text", "boolean", "other"):
        whole = profile.complete and len(profile.values) <= VALUES
        shown = profile.values[: VALUES if (profile.distinct or VALUES + 1) <= 5 * VALUES else EXAMPLES]
        listed = ", ".join("'" + _short(value).replace("'", "''") + "'" for value in shown)
        return f"values {listed}" if whole else f"for example {listed}"
    if profile.minimum is not None and profile.maximum is not None and column.family != "text":
        return f"{_short(profile.minimum)} to {_short(profile.maximum)}"
    return ""


def _short(value: str) -> str:
    flat = " ".join(value.split())
    return flat if len(flat) <= LONGEST_VALUE else flat[: LONGEST_VALUE - 1] + "…"


def _words(label: Label, description: Label) -> list[str]:
    name = " / ".join(dict.fromkeys(filter(None, (label.en, label.ja))))
    return [text for text in (name, description.en or description.ja) if text]


def _distinct_keys(keys: list[str]) -> list[str]:
    """A key that the semantic model knows too is said once, in the model's fuller words."""
    kept: dict[str, str] = {}
    for key in keys:
        kept[key.partition(" (")[0]] = key
    return list(kept.values())
