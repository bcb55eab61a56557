"""What a question asks to see: numbers, columns and groups, tied to the model."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from text2sql.drafters.planning.measures import atoms
from text2sql.drafters.planning.plan import Bucket, CannotPlan, Field, Measure, Note, Order, note
from text2sql.drafters.planning.resolver import Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.planning.sketch import Sketch, Target
from text2sql.drafters.reading.calendar import Unit
from text2sql.drafters.reading.items import Item
from text2sql.semantics import Entity
from text2sql.words import split_name

_AMOUNTS = frozenset(
    ["amount", "quantity", "sales", "revenue", "cost", "profit", "金額", "売上", "売上高", "数量", "売上金額"]
)
"""Words of columns whose rows mean something only when added up."""
_LABELS = frozenset(
    ["id", "cd", "code", "no", "number", "year", "month", "day", "latitude", "longitude", "rank"]
)
"""Words of columns whose numbers are names."""


def own_names(entity: Entity) -> set[str]:
    """The dimensions that tell a table's rows apart: its title and its key."""
    return {entity.title, *(d.name for d in entity.dimensions if d.sql.strip('"') in entity.key)} - {""}


@dataclass
class Shown:
    """Resolves the targets and groups of one sketch; what it assumes on the way goes to `notes`."""

    names: Names
    sketch: Sketch
    resolver: Resolver
    notes: list[Note] = field(default_factory=list)

    def measure(self, target: Target) -> Measure | None:
        """The number a target asks for, None for a target that is shown as it is."""
        if target.agg is None:
            return None
        if target.agg == "metric":
            link = target.item.links_of("metric")[0] if target.item else None
            if link is None or target.item is None:
                raise CannotPlan("no_column", name="")
            self.resolver.chosen[target.item.start] = link
            return Measure("metric", metric=link.name)
        if target.item is None:
            return Measure("count", entity=self.only_entity())
        if target.agg == "count" and target.item.code == "E":
            entity = self.resolver.entity(target.item)
            return Measure("count", entity=entity or self.only_entity())
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

    def only_entity(self) -> str:
        """The table that rows are counted of when the question names only its columns."""
        named = [item for item in self.sketch.items if item.code == "E" and item.links_of("entity")]
        if named:
            return self.resolver.entity(named[0]) or ""
        if self.resolver.mentioned:
            return max(self.resolver.mentioned, key=lambda name: self.resolver.mentioned[name])
        raise CannotPlan("count_unclear")

    def columns(self) -> list[Field | Bucket]:
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
            fields = self.named_by(entities[0][0])
        return list(dict.fromkeys(fields))

    def _beside_columns(self, entities: list[tuple[str, Item]]) -> list[Field | Bucket]:
        """ "Video games and their types": the games are asked for too."""
        found: list[Field | Bucket] = []
        for entity, item in entities:
            at = self.sketch.items.index(item)
            codes = self.sketch.reading.codes
            if codes[at + 1 : at + 3] == "&D" and codes[at - 1 : at] not in ("o", "w", "D"):
                found += self.named_by(entity)
        return found

    def _asked_by_question_word(self, fields: list[Field | Bucket]) -> list[Field | Bucket]:
        """Where and when ask for a column that is not named."""
        first = self.sketch.reading.text.split(" ", 1)[0].lower()
        concept = {"where": "location", "when": "date"}.get(first)
        if concept is None or fields:
            return []
        if any(t.agg for t in self.sketch.targets):
            raise CannotPlan("unsupported", name=first)
        found = self.resolver.concept(concept, self.only_entity())
        if found is None:
            raise CannotPlan("no_column", name=first)
        return [found]

    def named_by(self, entity: str) -> list[Field | Bucket]:
        """How rows of a table are named: their title, or their key."""
        found = self.names.entity(entity)
        if found.title:
            return [Field(entity, found.title)]
        keys = [d.name for d in found.dimensions if d.sql.strip('"') in found.key]
        if keys:
            return [Field(entity, keys[0])]
        raise CannotPlan("no_title", name=entity)

    def groups(self, keys: list[Field | Bucket]) -> tuple[str, list[Field | Bucket]]:
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
                found += self.named_by(entity)
        return grouped, found

    def without_twins(self, keys: list[Field | Bucket]) -> list[Field | Bucket]:
        """Each column once; the two ends of one join are one column."""
        found: list[Field | Bucket] = []
        for key in keys:
            twins = (k for k in found if isinstance(k, Field) and isinstance(key, Field))
            if key not in found and not any(
                self.resolver.joined(key, k) for k in twins if isinstance(key, Field)
            ):
                found.append(key)
        return found

    def kinds(self, keys: list[Field | Bucket]) -> bool:
        """ "What ranks are there": each kind once, where rows are not told apart by it."""
        if "existing" not in self.sketch.flags or len(keys) != 1 or not isinstance(keys[0], Field):
            return False
        return keys[0].dimension not in own_names(self.names.entity(keys[0].entity))

    def _measured_in(self, entity: str) -> bool:
        return any(
            t.item is not None and t.agg and self.resolver.entity(t.item) == entity
            for t in self.sketch.targets
        )

    def grouped_entity(self, keys: list[Field | Bucket], measures: list[Measure], orders: list[Order]) -> str:
        """The table whose rows are the groups, where columns of one table stand beside a count of another."""
        owners = {key.entity for key in keys if isinstance(key, Field)}
        by = [order.by for order in orders if isinstance(order.by, Measure)]
        bases = {atom.base for measure in (*measures, *by) for atom in atoms(measure, self.names)}
        if len(owners) != 1 or owners & bases:
            return ""
        owner = self.names.entity(owners.pop())
        # Only what tells rows apart asks for rows: the city of a store is a group of its own.
        shown = {key.dimension for key in keys if isinstance(key, Field)}
        return (
            owner.name
            if shown & own_names(owner) or any("name" in split_name(name) for name in shown)
            else ""
        )

    def buckets(self, measures: list[Measure]) -> list[Bucket]:
        """Intervals of time to group by."""
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

    def summed(self, keys: list[Field | Bucket], measures: list[Measure]) -> list[Field | Bucket]:
        """ "Sales amount by store": a column that is summed by its nature, named as if it were a metric."""
        sketch = self.sketch
        split = sketch.groups or sketch.buckets or sketch.versus or sketch.flags & {"trend", "compared"}
        if measures or not (
            split or (len(keys) == 1 and (sketch.periods or sketch.bounds) and not sketch.sortings)
        ):
            return keys
        fields = [key for key in keys if isinstance(key, Field)]
        sums = [key for key in fields if self._amount(key)]
        means: list[Field] = []
        if sketch.buckets or "trend" in sketch.flags or self._split_rows(fields):
            means = [k for k in fields if k not in sums and self._measures(k)]
            sums += [key for key in means if self._measured_as("sum", key)]
            means = [key for key in means if key not in sums]
        measures += [
            Measure("avg" if key in means else "sum", field=key) for key in fields if key in (*sums, *means)
        ]
        self.notes += [note("summed", name=key.dimension) for key in sums]
        self.notes += [note("averaged", name=key.dimension) for key in means]
        return [key for key in keys if key not in (*sums, *means)]

    def _split_rows(self, fields: list[Field]) -> bool:
        """Whether the groups hold many rows each: "population by continent", not "price by product"."""
        if not self.sketch.split or not fields:
            return False
        groups = [self.resolver.field(i) if i.code == "D" else None for i in self.sketch.groups]
        tables = [self.resolver.entity(i) for i in self.sketch.groups if i.code != "D"]
        tables += [
            column.entity
            for column in groups
            if column is not None and column.dimension in own_names(self.names.entity(column.entity))
        ]
        return not any(f.entity in tables for f in fields)

    def _measures(self, key: Field) -> bool:
        """Whether a column holds numbers to compute with: no key, code, year or coordinate."""
        if self._measured_as("avg", key) or self._measured_as("sum", key):
            return True
        found = self.names.entity(key.entity)
        steps = self.names.graph.neighbours(key.entity)
        columns = {*found.key, *(pair[0].strip('"') for step in steps for pair in step.on)}
        return (
            self.names.dimension(key).type == "number"
            and self.names.dimension(key).sql.strip('"') not in columns
            and not _LABELS & set(split_name(key.dimension).split())
        )

    def _measured_as(self, agg: str, key: Field) -> bool:
        """Whether the model sums or averages this column."""
        sql = self.names.dimension(key).sql.strip('"')
        return any(
            m.agg == agg and m.table == key.entity and m.expr.strip('"') == sql and not m.filter
            for m in self.names.model.metrics
        )

    def _amount(self, key: Field) -> bool:
        """Whether the model sums this column, and its name says an amount or a quantity."""
        return self._measured_as("sum", key) and bool(_AMOUNTS & set(split_name(key.dimension).split()))
