"""Bounds and periods of a sketch as filters of a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from text2sql.drafters.planning.plan import (
    AgainstAggregate,
    AnyOf,
    CannotPlan,
    Condition,
    During,
    Field,
    Filter,
    Note,
    Related,
    note,
)
from text2sql.drafters.planning.resolver import Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.planning.sketch import Bound, Sketch
from text2sql.drafters.reading.items import Item


@dataclass
class FilterBuilder:
    """Builds the filters of one plan."""

    names: Names
    sketch: Sketch
    resolver: Resolver
    notes: list[Note]

    def filters(self, anchor: str, *, has_metric: bool) -> list[Filter]:
        """All filters, in the order of the question; neighbours joined by "or" are one."""
        found: list[Filter] = []
        for bound in self.sketch.bounds:
            condition = self._condition(bound, anchor)
            if found and self._joined_by_or(bound) and isinstance(found[-1], Condition | AnyOf):
                previous = found[-1].parts if isinstance(found[-1], AnyOf) else (found[-1],)
                found[-1] = AnyOf((*previous, condition))
            elif bound.every and len(condition.values) > 1:
                found += self._every(condition, anchor)
            else:
                found.append(condition)
        for aggregate in self.sketch.aggregate_bounds:
            if aggregate.against:
                column = self.resolver.field(aggregate.item, anchor)
                if column is None:
                    raise CannotPlan("no_column", name=aggregate.item.text)
                found.append(AgainstAggregate(column, aggregate.operator, aggregate.agg))
        self._check_contradictions(found)
        return found + self._periods(anchor, has_metric=has_metric)

    @staticmethod
    def _check_contradictions(found: list[Filter]) -> None:
        """One column cannot be two things at once: the question meant something else."""
        equal = [part.field for part in found if isinstance(part, Condition) and part.operator == "="]
        if len(equal) != len(set(equal)):
            raise CannotPlan("only_one", name=equal[0].dimension, table=equal[0].entity)

    def _joined_by_or(self, bound: Bound) -> bool:
        before = self.sketch.reading.codes[: bound.at].rstrip("wo")
        if not before.endswith("|"):
            return False
        self.sketch.consume(len(before) - 1, len(before))
        return True

    def _every(self, condition: Condition, anchor: str) -> list[Filter]:
        """Both A and B: related rows for each; a single row cannot hold two values."""
        if condition.field.entity == anchor:
            raise CannotPlan("only_one", name=condition.field.dimension, table=anchor)
        return [
            Related(condition.field.entity, (replace(condition, values=(value,)),), exists=True)
            for value in condition.values
        ]

    def _condition(self, bound: Bound, anchor: str) -> Condition:
        column, values, numeric = self._operands(bound, anchor)
        operator = bound.operator
        if bound.negated and operator in ("=", "!="):
            operator = "!=" if operator == "=" else "="
        elif bound.negated:
            raise CannotPlan("negation")
        return Condition(column, operator, values, numeric)

    def _operands(self, bound: Bound, anchor: str) -> tuple[Field, tuple[str, ...], bool]:
        """The column, its values as stored, and whether they are numbers."""
        column = self._column(bound, anchor)
        if column is None:
            return self._by_value(bound, anchor)
        kind = self.names.dimension(column).type
        texts = []
        for item in bound.values:
            if item.number is not None and item.code in "NP":
                texts.append(item.number.literal if kind == "number" else item.number.text)
            elif bound.operator in ("contains", "starts", "ends"):
                texts.append(item.text)
            else:
                texts.append(self._stored(item, column))
        if kind in ("date", "timestamp") and any(
            i.number is not None and i.code == "N" for i in bound.values
        ):
            raise CannotPlan("is_text", name=column.dimension, value=" ".join(texts))
        if kind == "number" and any(not _is_number(text) for text in texts):
            raise CannotPlan("is_number", name=column.dimension)
        if kind != "number" and bound.operator in (">", ">=", "<", "<=") and kind == "text":
            self._check_text_numbers(column, texts)
            return column, tuple(texts), True
        return column, tuple(texts), kind == "number"

    def _check_text_numbers(self, column: Field, texts: list[str]) -> None:
        """Text is compared by size only where every known value is a number, and then as numbers."""
        found = self.names.column(column)
        values = found.profile.values if found and found.profile else ()
        if values and all(_is_number(value) for value in (*values, *texts)):
            return
        raise CannotPlan("is_text", name=column.dimension, value=" ".join(texts))

    def _column(self, bound: Bound, anchor: str) -> Field | None:
        if bound.dimension is not None and bound.dimension.code in "DE":
            column = self.resolver.field(bound.dimension, anchor)
            if column is not None and bound.dimension.code == "D":
                return column
            entity = self.resolver.entity(bound.dimension)
            if entity is not None and bound.values and bound.values[0].code == "Q":
                return self._titled(entity, bound.values[0])
            return None
        if bound.concept:
            entities = [anchor, *sorted(self.resolver.mentioned, key=lambda e: -self.resolver.mentioned[e])]
            found = (self.resolver.concept(bound.concept, entity) for entity in entities)
            column = next((each for each in found if each), None)
            if column is None:
                raise CannotPlan("no_column", name=bound.concept)
            return column
        return None

    def _titled(self, entity: str, value: Item) -> Field | None:
        """「Plaza Museum」という博物館: a quoted name belongs to the column that holds it, or to the title."""
        for column, _, _ in self.resolver.value_fields(value.values):
            if column.entity == entity:
                return column
        title = self.names.entity(entity).title
        return Field(entity, title) if title else None

    def _by_value(self, bound: Bound, anchor: str) -> tuple[Field, tuple[str, ...], bool]:
        """Values name their own column."""
        if not bound.values:
            raise CannotPlan("no_value", name="")
        found = self.resolver.value_field(bound.values[0])
        if found is None:
            raise CannotPlan("no_value", name=bound.values[0].text)
        column, match = found
        if self._far(column, anchor, negated=bound.negated):
            raise CannotPlan("far_value", value=match.value, name=column.entity, other=anchor)
        texts = [match.value, *(self._stored(item, column) for item in bound.values[1:])]
        return column, tuple(texts), False

    def _far(self, column: Field, anchor: str, *, negated: bool) -> bool:
        """Whether a value is held only by something that rows of the anchor have many of, and no word connects them."""
        path = self.names.graph.path(anchor, column.entity) or ()
        if all(step.single for step in path) or (self.sketch.reading.verbs and not negated):
            return False
        items = self.sketch.items
        if not any(i.code == "E" for i in items) and self._names_one(column, anchor):
            return False
        between = {step.target for step in path}
        spoken = {link.entity for i in items for link in i.links if link.score >= 0.6}
        return not between & spoken

    def _names_one(self, column: Field, anchor: str) -> bool:
        """Whether the value names a row that has one row of the anchor: the region that a city is in."""
        back = self.names.graph.path(column.entity, anchor) or ()
        title = self.names.entity(column.entity).title
        return column.dimension == title and all(step.single for step in back)

    def _stored(self, item: Item, column: Field) -> str:
        """The value as the column holds it; as said where the column's values are not known."""
        wanted = self.names.dimension(column).sql.strip('"').casefold()
        table = self.names.catalog.table(self.names.entity(column.entity).physical)
        for match in item.values:
            if table and match.column.casefold() == wanted and match.table == table.qualified:
                return match.value
        profile = (found := self.names.column(column)) and found.profile
        if profile and profile.complete:
            raise CannotPlan("not_a_value", name=column.dimension, value=item.text)
        self.sketch.weak.append(note("unknown_value", value=item.text, name=column.dimension))
        return item.text

    # -- periods ---------------------------------------------------------------------------------------------

    def _periods(self, anchor: str, *, has_metric: bool) -> list[Filter]:
        found: list[During] = []
        for item, dimension in self.sketch.periods:
            if item.period is None:
                continue
            column = self._period_column(dimension, anchor, has_metric=has_metric)
            if item.period.assumption:
                self.notes.append(
                    note(f"assume_{item.period.assumption}", label=item.period.label, dates=item.period.dates)
                )
            found.append(During(item.period, column))
        if len(found) > 1 and all(p.field == found[0].field for p in found):
            if not has_metric and found[0].field is None:
                raise CannotPlan("several_periods")
            return [AnyOf(tuple(found))]
        return list(found)

    def _period_column(self, dimension: Item | None, anchor: str, *, has_metric: bool) -> Field | None:
        if dimension is not None:
            column = self.resolver.field(dimension, anchor)
            if column is not None and self.names.form(column) is not None:
                return column
        if has_metric:
            return None
        absent = [entity for item, _ in self.sketch.absent if (entity := self.resolver.entity(item))]
        candidates = [
            *absent,
            anchor,
            *sorted(self.resolver.mentioned, key=lambda e: -self.resolver.mentioned[e]),
        ]
        for name in dict.fromkeys(candidates):
            time = self.names.entity(name).time
            if time:
                return Field(name, time)
        for name in dict.fromkeys(candidates):
            years = [
                Field(name, d.name)
                for d in self.names.entity(name).dimensions
                if self.names.form(Field(name, d.name)) is not None
            ]
            if len(years) == 1:
                self.sketch.weak.append(note("period_of", name=years[0].dimension))
                return years[0]
        raise CannotPlan("no_time", name=anchor)


def entities_of(part: Filter) -> set[str]:
    """The tables that a filter speaks of."""
    if isinstance(part, Related):
        return {part.entity}
    if isinstance(part, AnyOf):
        return {entity for each in part.parts for entity in entities_of(each)}
    return {part.field.entity} if part.field else set()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
