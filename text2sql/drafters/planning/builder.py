"""From a sketch to a plan: every word tied to a column, one table chosen as the rows that are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from text2sql.drafters.planning.filters import FilterBuilder, entities_of
from text2sql.drafters.planning.measures import atoms
from text2sql.drafters.planning.plan import (
    Bucket,
    CannotPlan,
    During,
    Field,
    Filter,
    Having,
    Measure,
    Order,
    Note,
    QueryPlan,
    Related,
    note,
)
from text2sql.drafters.planning.resolver import Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.planning.sketch import Sketch, Sorting, Target
from text2sql.drafters.reading.calendar import Period, Unit
from text2sql.drafters.reading.items import Item
from text2sql.words import split_name


@dataclass
class Builder:
    """Builds one plan. `plan()` raises `CannotPlan` where the sketch makes no query."""

    names: Names
    sketch: Sketch
    resolver: Resolver
    notes: list[Note] = field(default_factory=list)
    """What was assumed, in words."""

    def plan(self) -> QueryPlan:
        """The plan of the sketch."""
        refuse_unsupported(self.sketch)
        if "both" in self.sketch.flags and not any(bound.every for bound in self.sketch.bounds):
            raise CannotPlan("unsupported", name="both")
        measures = [m for target in self.sketch.targets if (m := self._measure(target))]
        keys = self._keys()
        self._rank_named_rows()
        grouped, group_keys = self._groups(keys)
        keys = self._summed(keys, measures)
        if grouped and any(atom.base == grouped for m in measures for atom in atoms(m, self.names)):
            raise CannotPlan("unsupported", name=grouped)
        orders = self._orders(measures, keys + group_keys)
        having = self._having()
        if grouped or group_keys:
            self._check_picks()
        if "all_columns" in self.sketch.flags and not measures:
            keys, grouped, group_keys = [], "", []
        aggregated = bool(measures or having or any(isinstance(o.by, Measure) for o in orders))
        anchor = self._anchor(keys, group_keys, measures)
        if aggregated and keys and not grouped:
            grouped = self._grouped_entity(keys, [*measures, *(h.measure for h in having)], orders)
        if keys and not group_keys and any(m.agg in ("avg", "sum", "min", "max") for m in measures):
            self.sketch.weak.append(note("loose_columns"))
        keys = self._without_twins([*self._buckets(measures), *group_keys, *keys])
        if aggregated and not keys and (having or (orders and not measures)):
            keys, grouped = self._shown_of(anchor), anchor
        builder = FilterBuilder(self.names, self.sketch, self.resolver, self.notes)
        filters = builder.filters(anchor, has_metric=any(m.agg == "metric" for m in measures))
        filters += self._absent(anchor, filters)
        filters += self._present(anchor, keys, measures, having, orders, filters)
        all_columns = "all_columns" in self.sketch.flags and not keys
        if not measures and not keys and not all_columns:
            keys = self._shown_of(anchor)
        plan = QueryPlan(
            anchor=anchor,
            keys=tuple(keys),
            measures=tuple(dict.fromkeys(self._shown_measures(measures, orders, having))),
            filters=tuple(filters),
            having=tuple(having),
            order=tuple(orders),
            limit=self.sketch.limit,
            distinct=not aggregated and ("distinct" in self.sketch.flags or self._kinds(keys)),
            all_columns=all_columns,
            grouped=grouped,
        )
        return self._compared(self._ranked(plan))

    # -- what is shown ---------------------------------------------------------------------------------------

    def _measure(self, target: Target) -> Measure | None:
        if target.agg is None:
            return None
        if target.agg == "metric":
            link = target.item.links_of("metric")[0] if target.item else None
            if link is None or target.item is None:
                raise CannotPlan("no_column", name="")
            self.resolver.chosen[target.item.start] = link
            return Measure("metric", metric=link.name)
        if target.item is None:
            return Measure("count", entity=self._only_entity())
        if target.agg == "count" and target.item.code == "E":
            entity = self.resolver.entity(target.item)
            return Measure("count", entity=entity or self._only_entity())
        found = self.resolver.field(target.item)
        if found is None:
            raise CannotPlan("no_column", name=target.item.text)
        if target.agg in ("sum", "avg") and self.names.dimension(found).type != "number":
            raise CannotPlan("not_number", name=target.item.text)
        if target.agg == "count" and self.names.dimension(found).type != "number":
            return Measure("count_distinct", field=found)
        if target.agg == "count":
            raise CannotPlan("count_unclear")
        return Measure(target.agg, field=found)

    def _only_entity(self) -> str:
        """The table that rows are counted of when the question names only its columns."""
        named = [item for item in self.sketch.items if item.code == "E" and item.links_of("entity")]
        if named:
            return self.resolver.entity(named[0]) or ""
        if self.resolver.mentioned:
            return max(self.resolver.mentioned, key=lambda name: self.resolver.mentioned[name])
        raise CannotPlan("count_unclear")

    def _keys(self) -> list[Field | Bucket]:
        """Columns named by themselves. A table named beside its own columns only says whose they are."""
        plain = [t.item for t in self.sketch.targets if t.agg is None and t.item is not None]
        fields: list[Field | Bucket] = []
        entities: list[tuple[str, Item]] = []
        for item in plain:
            found = self.resolver.field(item) if item.code == "D" else None
            if found is not None:
                fields.append(found)
            else:
                entity = self.resolver.entity(item)
                if entity is not None:
                    entities.append((entity, item))
        fields = [*self._beside_columns(entities), *fields] if fields else fields
        fields += self._asked_by_question_word(fields)
        measured = self.sketch.groups or any(t.agg for t in self.sketch.targets)
        if not fields and entities and not measured and "all_columns" not in self.sketch.flags:
            fields = self._shown_of(entities[0][0])
        return list(dict.fromkeys(fields))

    def _beside_columns(self, entities: list[tuple[str, Item]]) -> list[Field | Bucket]:
        """ "Video games and their types": the games are asked for too."""
        found: list[Field | Bucket] = []
        for entity, item in entities:
            at = self.sketch.items.index(item)
            codes = self.sketch.reading.codes
            if codes[at + 1 : at + 3] == "&D" and codes[at - 1 : at] not in ("o", "w", "D"):
                found += self._shown_of(entity)
        return found

    def _asked_by_question_word(self, fields: list[Field | Bucket]) -> list[Field | Bucket]:
        """Where and when ask for a column that is not named."""
        first = self.sketch.reading.text.split(" ", 1)[0].lower()
        concept = {"where": "location", "when": "date"}.get(first)
        if concept is None or fields or any(t.agg for t in self.sketch.targets):
            return []
        found = self.resolver.concept(concept, self._only_entity())
        if found is None:
            raise CannotPlan("no_column", name=first)
        return [found]

    def _shown_of(self, entity: str) -> list[Field | Bucket]:
        """How rows of a table are named: their title, or their key."""
        found = self.names.entity(entity)
        if found.title:
            return [Field(entity, found.title)]
        keys = [d.name for d in found.dimensions if d.sql.strip('"') in found.key]
        if keys:
            return [Field(entity, keys[0])]
        raise CannotPlan("no_title", name=entity)

    def _groups(self, keys: list[Field | Bucket]) -> tuple[str, list[Field | Bucket]]:
        """Columns and tables to group by; a table is grouped by its key and shown by its title."""
        grouped = ""
        found: list[Field | Bucket] = []
        for item in self.sketch.groups:
            dimension = self.resolver.field(item) if item.code == "D" or not item.links_of("entity") else None
            if dimension is not None:
                found.append(dimension)
                continue
            entity = self.resolver.entity(item)
            if entity is None:
                continue
            exact = [link for link in item.links_of("dimension") if link.score >= 0.95]
            column = self.resolver.field(replace(item, links=tuple(exact))) if exact else None
            own = column is not None and column.entity != entity and self._measured_in(column.entity)
            if column is not None and own and not self.names.entity(entity).title:
                found.append(column)
                continue
            grouped = entity
            if not any(isinstance(key, Field) and key.entity == entity for key in keys):
                found += self._shown_of(entity)
        return grouped, found

    def _without_twins(self, keys: list[Field | Bucket]) -> list[Field | Bucket]:
        """Each column once; the two ends of one join are one column."""
        found: list[Field | Bucket] = []
        for key in keys:
            twins = (k for k in found if isinstance(k, Field) and isinstance(key, Field))
            if key not in found and not any(
                self.resolver.joined(key, k) for k in twins if isinstance(key, Field)
            ):
                found.append(key)
        return found

    def _kinds(self, keys: list[Field | Bucket]) -> bool:
        """ "What ranks are there": each kind once, where rows are not told apart by it."""
        if "existing" not in self.sketch.flags or len(keys) != 1 or not isinstance(keys[0], Field):
            return False
        entity = self.names.entity(keys[0].entity)
        own = {entity.title, *(d.name for d in entity.dimensions if d.sql.strip('"') in entity.key)}
        return keys[0].dimension not in own

    def _measured_in(self, entity: str) -> bool:
        return any(
            t.item is not None and t.agg and self.resolver.entity(t.item) == entity
            for t in self.sketch.targets
        )

    def _grouped_entity(
        self, keys: list[Field | Bucket], measures: list[Measure], orders: list[Order]
    ) -> str:
        """The table whose rows are the groups, where columns of one table stand beside a count of another."""
        owners = {key.entity for key in keys if isinstance(key, Field)}
        by = [order.by for order in orders if isinstance(order.by, Measure)]
        bases = {atom.base for measure in (*measures, *by) for atom in atoms(measure, self.names)}
        if len(owners) != 1 or owners & bases:
            return ""
        owner = self.names.entity(owners.pop())
        # Only what tells rows apart asks for rows: the city of a store is a group of its own.
        shown = {key.dimension for key in keys if isinstance(key, Field)}
        own = {owner.title, *(d.name for d in owner.dimensions if d.sql.strip('"') in owner.key)}
        return owner.name if shown & own or any("name" in split_name(name) for name in shown) else ""

    def _buckets(self, measures: list[Measure]) -> list[Bucket]:
        units: list[Unit] = list(self.sketch.buckets)
        said = [item.period.unit for item, _ in self.sketch.periods if item.period and item.period.start]
        if not units and len(said) > 1 and len(set(said)) == 1 and measures and "|" not in self.sketch.codes:
            units = [said[0]]  # 2023 and 2024: one row each
        if not units and "trend" in self.sketch.flags and measures:
            units = ["month"]
            self.notes.append(note("by_month"))
        if units and not measures:
            raise CannotPlan("nothing_measured")
        return [Bucket(unit) for unit in units]

    # -- order -----------------------------------------------------------------------------------------------

    def _orders(self, measures: list[Measure], keys: list[Field | Bucket]) -> list[Order]:
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
        if sorting.common and item is not None:
            column = self.resolver.field(item, context)
            return Measure("count", entity=column.entity) if column else None
        if item is None and not sorting.concept and len(measures) == 1:
            return measures[0]
        if item is None and not sorting.concept:
            # "in alphabetical order": of what is shown, where that is one thing.
            return next((key for key in keys if isinstance(key, Field)), None) if len(keys) == 1 else None
        if item is None:
            entities = [context, *sorted(self.resolver.mentioned, key=lambda e: -self.resolver.mentioned[e])]
            found = (self.resolver.concept(sorting.concept, entity) for entity in entities if entity)
            return next((column for column in found if column), None)
        if sorting.agg == "metric":
            link = item.links_of("metric")[0]
            self.resolver.chosen[item.start] = link
            return Measure("metric", metric=link.name)
        column = self.resolver.field(item, context) if item.code == "D" or not sorting.agg else None
        if sorting.agg == "count":
            entity = self.resolver.entity(item)
            if entity is not None:
                self._check_counted(entity, keys)
                return Measure("count", entity=entity)
            numeric = column is not None and self.names.dimension(column).type == "number"
            return column if numeric else Measure("count_distinct", field=column) if column else None
        if sorting.amount and column and context and self._many(context, column.entity):
            return Measure("sum", field=column)
        return Measure(sorting.agg, field=column) if sorting.agg and column else column

    def _many(self, entity: str, other: str) -> bool:
        """Whether a row of one table has many of the other."""
        path = self.names.graph.path(entity, other)
        return bool(path) and not all(step.single for step in path or ())

    def _check_counted(self, entity: str, keys: list[Field | Bucket]) -> None:
        """ "The largest countries": rows of a table are one each, it is their size that was not said."""
        found = self.names.entity(entity)
        own = {found.title, *(d.name for d in found.dimensions if d.sql.strip('"') in found.key)}
        if not keys or any(isinstance(k, Field) and k.entity == entity and k.dimension in own for k in keys):
            raise CannotPlan("order_unclear")

    def _rank_named_rows(self) -> None:
        """売上高トップ10の商品: the table that is named is what is ranked."""
        if self.sketch.limit_kind not in ("asc", "desc") or self.sketch.groups or self.sketch.sortings:
            return
        named = [t.item for t in self.sketch.targets if t.agg is None and t.item and t.item.code == "E"]
        self.sketch.groups += named[:1]

    def _summed(self, keys: list[Field | Bucket], measures: list[Measure]) -> list[Field | Bucket]:
        """ "Sales amount by store": a column that is summed by its nature, named as if it were a metric."""
        sketch = self.sketch
        split = sketch.groups or sketch.buckets or sketch.versus or sketch.flags & {"trend", "compared"}
        if measures or not (
            split or (len(keys) == 1 and (sketch.periods or sketch.bounds) and not sketch.sortings)
        ):
            return keys
        sums = [key for key in keys if isinstance(key, Field) and self._additive(key)]
        measures += [Measure("sum", field=key) for key in sums]
        for key in sums:
            self.notes.append(note("summed", name=key.dimension))
        return [key for key in keys if key not in sums]

    def _additive(self, key: Field) -> bool:
        """Whether the model sums this column, and its name says an amount or a quantity."""
        sql = self.names.dimension(key).sql.strip('"')
        summed = any(
            m.agg == "sum" and m.table == key.entity and m.expr.strip('"') == sql and not m.filter
            for m in self.names.model.metrics
        )
        return summed and bool(_AMOUNTS & set(split_name(key.dimension).split()))

    def _check_picks(self) -> None:
        """ "For each maker, the most expensive product": one row of each group is not a plain query."""
        if any(s.picks and not s.agg and not s.common for s in self.sketch.sortings):
            raise CannotPlan("unsupported", name=self.sketch.groups[0].text)

    def _having(self) -> list[Having]:
        found = []
        for bound in self.sketch.aggregate_bounds:
            if bound.against or bound.number is None or bound.number.number is None:
                continue
            target = Target(bound.item, bound.agg)
            measure = self._measure(target)
            if measure is not None:
                found.append(Having(measure, bound.operator, bound.number.number.literal))
        return found

    def _shown_measures(
        self, measures: list[Measure], orders: list[Order], having: list[Having]
    ) -> list[Measure]:
        """A metric that decides the order or the choice is shown beside what it decides on."""
        ordered = [order.by for order in orders if isinstance(order.by, Measure)]
        by = [*ordered, *(bound.measure for bound in having)]
        if not measures and self.sketch.groups and not any(s.picks for s in self.sketch.sortings):
            return ordered  # "by store, the most revenue first": what is ordered by is what is asked for
        return [*measures, *(measure for measure in by if measure.agg == "metric")]

    def _ranked(self, plan: QueryPlan) -> QueryPlan:
        """Top n without a word by what: by the first measure; trends run with time."""
        buckets = [key for key in plan.keys if isinstance(key, Bucket)]
        if plan.limit and self.sketch.limit_kind in ("asc", "desc") and not plan.order:
            if not plan.measures:
                raise CannotPlan("order_unclear")
            return replace(plan, order=(Order(plan.measures[0], self.sketch.limit_kind == "desc"),))
        if buckets and not plan.order:
            return replace(plan, order=tuple(Order(bucket) for bucket in buckets))
        return plan

    # -- the rest --------------------------------------------------------------------------------------------

    def _anchor(
        self, keys: list[Field | Bucket], groups: list[Field | Bucket], measures: list[Measure]
    ) -> str:
        for measure in measures:
            if measure.agg == "metric":
                metric = self.names.model.metric(measure.metric)
                return metric.table if metric and metric.table else self._ratio_base(measure)
            return measure.entity or (measure.field.entity if measure.field else "")
        for key in (*keys, *groups):
            if isinstance(key, Field):
                return self._asked_rows(key.entity)
        return self._only_entity()

    def _asked_rows(self, owner: str) -> str:
        """The names of poker players, kept with people: the rows are poker players, the table that was named."""
        named = [e for i in self.sketch.items if i.code == "E" and (e := self.resolver.entity(i))]
        if not named or owner in named:
            return owner
        path = self.names.graph.path(named[0], owner)
        return named[0] if path and all(step.single for step in path) else owner

    def _ratio_base(self, measure: Measure) -> str:
        metric = self.names.model.metric(measure.metric)
        part = self.names.model.metric(metric.ratio.numerator) if metric and metric.ratio else None
        return part.table if part else ""

    def _absent(self, anchor: str, filters: list[Filter]) -> list[Related]:
        found = []
        for item, _ in self.sketch.absent:
            entity = self.resolver.entity(item)
            if entity is None or entity == anchor:
                raise CannotPlan("absence_unclear")
            inside = [
                f
                for f in filters
                if isinstance(f, During) or getattr(getattr(f, "field", None), "entity", "") == entity
            ]
            for part in inside:
                filters.remove(part)
            found.append(Related(entity, tuple(inside)))  # type: ignore[arg-type]  # conditions and periods only
        return found

    def _present(
        self,
        anchor: str,
        keys: list[Field | Bucket],
        measures: list[Measure],
        having: list[Having],
        orders: list[Order],
        filters: list[Filter],
    ) -> list[Related]:
        """Tables that were named and play no other part: only rows that have one ("singers in concerts")."""
        used = {anchor} | {key.entity for key in keys if isinstance(key, Field)}
        used |= {o.by.entity for o in orders if isinstance(o.by, Field)}
        for measure in (
            *measures,
            *(h.measure for h in having),
            *(o.by for o in orders if isinstance(o.by, Measure)),
        ):
            used |= {atom.base for atom in atoms(measure, self.names)}
        used |= {entity for part in filters for entity in entities_of(part)}
        used |= {entity for item in self.sketch.groups if (entity := self.resolver.entity(item))}
        found = []
        for item in self.sketch.items:
            if item.code != "E" or item.start in {i.start for i in self.sketch.groups}:
                continue
            entity = self.resolver.entity(item)
            if entity is None or entity in used:
                continue
            path = self.names.graph.path(anchor, entity)
            if path is None or self._listed_beside(item):
                raise CannotPlan("no_join", name=anchor, other=entity)
            used.add(entity)
            if (
                not all(step.single for step in path)
                or len(path) == 1
                and self._is_part(path[0].source, entity)
            ):
                found.append(Related(entity, exists=True))
        return found

    def _listed_beside(self, item: Item) -> bool:
        """ "Customers and suppliers": two tables in one list are no join."""
        at = self.sketch.items.index(item)
        around = (self.sketch.items[at - 2 : at], self.sketch.items[at + 1 : at + 3])
        return any({part.code for part in side} == {"E", "&"} for side in around)

    def _is_part(self, whole: str, part: str) -> bool:
        """Whether a one-to-one partner holds only some of the rows (poker players among people)."""
        back = self.names.graph.path(part, whole)
        return bool(back) and all(step.single for step in back or ())

    def _compared(self, plan: QueryPlan) -> QueryPlan:
        if not self.sketch.versus and "growth" not in self.sketch.flags:
            return plan
        if not plan.measures:
            raise CannotPlan("nothing_measured")
        periods = [f for f in plan.filters if isinstance(f, During)]
        unit = next((key.unit for key in plan.keys if isinstance(key, Bucket)), None)
        months = 12 if self.sketch.versus in ("year", "") else _length(unit, periods)
        return replace(plan, versus=months)


_AMOUNTS = frozenset(
    ["amount", "quantity", "sales", "revenue", "cost", "profit", "金額", "売上", "売上高", "数量", "売上金額"]
)
"""Words of columns whose rows mean something only when added up."""


def detours(plan: QueryPlan, names: Names) -> int:
    """How many tables are reached from the anchor by way of a partner that both share (students, courses of the
    same department): the join exists, but seldom means what was asked."""
    used = {key.entity for key in plan.keys if isinstance(key, Field)}
    used |= {entity for part in plan.filters for entity in entities_of(part)}
    found = 0
    for entity in used - {plan.anchor}:
        shape = "".join("1" if step.single else "n" for step in names.graph.path(plan.anchor, entity) or ())
        found += "1n" in shape
    return found


def _length(unit: Unit | None, periods: list[During]) -> int:
    """How far back "the previous period" is, in months."""
    sizes = {"month": 1, "quarter": 3, "year": 12, "fiscal_year": 12}
    period: Period | None = periods[0].period if periods else None
    months = sizes.get(unit or "", 0) or (period.months if period else 0)
    if not months:
        raise CannotPlan("versus_unclear")
    return months


def refuse_unsupported(sketch: Sketch) -> None:
    """Words whose meaning is known and beyond this drafter: better said than ignored."""
    for flag in sorted(sketch.flags):
        if flag.startswith("unsupported:"):
            raise CannotPlan("unsupported", name=flag.partition(":")[2])
