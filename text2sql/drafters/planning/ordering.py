"""What a question orders, ranks and bounds its groups by."""

from __future__ import annotations

from dataclasses import dataclass, replace

from text2sql.drafters.planning.plan import Bucket, CannotPlan, Field, Having, Measure, Order, QueryPlan, note
from text2sql.drafters.planning.resolver import Ambiguity, Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.planning.shown import Shown, own_names
from text2sql.drafters.planning.sketch import Sketch, Sorting, Target
from text2sql.drafters.reading.items import Item


@dataclass
class Ordering:
    """Resolves the orders of one sketch."""

    names: Names
    sketch: Sketch
    resolver: Resolver
    shown: Shown

    def orders(self, measures: list[Measure], keys: list[Field | Bucket]) -> list[Order]:
        """All orders; a superlative without a number picks one row."""
        found = []
        for sorting in self.sketch.sortings:
            by = self._order_by(sorting, keys, measures)
            if by is None:
                raise CannotPlan("order_unclear")
            found.append(Order(by, sorting.descending))
            if sorting.picks and self.sketch.limit is None:
                self.sketch.limit = 1
        return found

    def _order_by(
        self, sorting: Sorting, keys: list[Field | Bucket], measures: list[Measure]
    ) -> Field | Measure | None:
        context = next((key.entity for key in keys if isinstance(key, Field)), None)
        item = sorting.item
        if item is None:
            return self._unnamed(sorting, keys, measures, context)
        if sorting.common:
            column = self.resolver.field(item, context)
            return Measure("count", entity=column.entity) if column else None
        if sorting.agg == "metric":
            link = item.links_of("metric")[0]
            self.resolver.chosen[item.start] = link
            return Measure("metric", metric=link.name)
        if sorting.agg == "count":
            return self._counted(item, keys, context)
        column = self.resolver.field(item, context)
        split = [m for m in measures if m.field == column] if self.sketch.split and not sorting.agg else []
        if split:
            return split[0]
        if sorting.amount and column and context and self._many(context, column.entity):
            return Measure("sum", field=column)  # rows of the context have many of these
        return Measure(sorting.agg, field=column) if sorting.agg and column else column

    def _unnamed(
        self,
        sorting: Sorting,
        keys: list[Field | Bucket],
        measures: list[Measure],
        context: str | None,
    ) -> Field | Measure | None:
        """An order that names no column: "the oldest", "in alphabetical order"."""
        if sorting.concept == "size":
            return self._size(sorting, context)
        if sorting.concept:
            entities = [context, *sorted(self.resolver.mentioned, key=lambda e: -self.resolver.mentioned[e])]
            found = (self.resolver.concept(sorting.concept, entity) for entity in entities if entity)
            return next((column for column in found if column), None)
        if len(measures) == 1:
            return measures[0]
        return keys[0] if len(keys) == 1 and isinstance(keys[0], Field) else None

    def _size(self, sorting: Sorting, context: str | None) -> Field | None:
        """ "The largest city": its one column of sizes; where there are several, which is asked back."""
        entity = context or self.shown.only_entity()
        sizes = self.resolver.sizes(entity)
        if sorting.word is None or not sizes:
            return None
        chosen = self.resolver.forced.get(sorting.word.start, sizes[0])
        if len(sizes) > 1 and sorting.word.start not in self.resolver.forced:
            self.resolver.ambiguities.append(Ambiguity(sorting.word, tuple(sizes)))
        self.shown.notes.append(note("size", text=sorting.word.text, name=chosen.dimension))
        return chosen

    def _counted(self, item: Item, keys: list[Field | Bucket], context: str | None) -> Field | Measure | None:
        """How many: rows of a table, or different values of a column; a column of counts is one already."""
        entity = self.resolver.entity(item)
        if entity is not None:
            self._check_counted(entity, keys)
            return Measure("count", entity=entity)
        column = self.resolver.field(item, context)
        if column is None or self.names.dimension(column).type == "number":
            return column
        return Measure("count_distinct", field=column)

    def _many(self, entity: str, other: str) -> bool:
        """Whether a row of one table has many of the other."""
        path = self.names.graph.path(entity, other)
        return bool(path) and not all(step.single for step in path or ())

    def _check_counted(self, entity: str, keys: list[Field | Bucket]) -> None:
        """ "The largest countries": rows of a table are one each, it is their size that was not said."""
        own = own_names(self.names.entity(entity))
        if not keys or any(isinstance(k, Field) and k.entity == entity and k.dimension in own for k in keys):
            raise CannotPlan("order_unclear")

    def rank_named_rows(self) -> None:
        """売上高トップ10の商品: the table that is named is what is ranked."""
        if self.sketch.limit_kind not in ("asc", "desc") or self.sketch.groups or self.sketch.sortings:
            return
        named = [t.item for t in self.sketch.targets if t.agg is None and t.item and t.item.code == "E"]
        self.sketch.groups += named[:1]

    def check_picks(self) -> None:
        """ "For each maker, the most expensive product": one row of each group is not a plain query."""
        if any(s.picks and not s.agg and not s.common for s in self.sketch.sortings):
            raise CannotPlan("unsupported", name=self.sketch.groups[0].text)

    def having(self) -> list[Having]:
        """The bounds on groups."""
        found = []
        for bound in self.sketch.aggregate_bounds:
            if bound.against or bound.number is None or bound.number.number is None:
                continue
            target = Target(bound.item, bound.agg)
            measure = self.shown.measure(target)
            if measure is not None:
                found.append(Having(measure, bound.operator, bound.number.number.literal))
        return found

    def measures_shown(
        self, measures: list[Measure], orders: list[Order], having: list[Having]
    ) -> list[Measure]:
        """A metric that decides the order or the choice is shown beside what it decides on."""
        ordered = [order.by for order in orders if isinstance(order.by, Measure)]
        by = [*ordered, *(bound.measure for bound in having)]
        if not measures and self.sketch.groups and not any(s.picks for s in self.sketch.sortings):
            return ordered  # "by store, the most revenue first": what is ordered by is what is asked for
        return [*measures, *(measure for measure in by if measure.agg == "metric")]

    def ranked(self, plan: QueryPlan) -> QueryPlan:
        """Top n without a word by what: by the first measure; trends run with time."""
        buckets = [key for key in plan.keys if isinstance(key, Bucket)]
        if plan.limit and self.sketch.limit_kind in ("asc", "desc") and not plan.order:
            if not plan.measures:
                raise CannotPlan("order_unclear")
            return replace(plan, order=(Order(plan.measures[0], self.sketch.limit_kind == "desc"),))
        if buckets and not plan.order:
            return replace(plan, order=tuple(Order(bucket) for bucket in buckets))
        return plan
