"""How the tables of a question hang together: whose rows are asked for, which must or must not have a partner."""

from __future__ import annotations

from dataclasses import dataclass

from text2sql.drafters.planning.filters import entities_of
from text2sql.drafters.planning.measures import atoms
from text2sql.drafters.planning.plan import (
    AnyOf,
    Bucket,
    CannotPlan,
    Condition,
    During,
    Field,
    Filter,
    Having,
    Measure,
    Order,
    QueryPlan,
    Related,
)
from text2sql.drafters.planning.resolver import Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.planning.shown import Shown
from text2sql.drafters.planning.sketch import Sketch
from text2sql.drafters.reading.items import Item


@dataclass
class Relating:
    """Decides the relations of one sketch."""

    names: Names
    sketch: Sketch
    resolver: Resolver
    shown: Shown

    def anchor(
        self, keys: list[Field | Bucket], groups: list[Field | Bucket], measures: list[Measure]
    ) -> str:
        """The table whose rows are asked for or counted."""
        for measure in measures:
            if measure.agg == "metric":
                metric = self.names.model.metric(measure.metric)
                return metric.table if metric and metric.table else self._ratio_base(measure)
            return measure.entity or (measure.field.entity if measure.field else "")
        for key in (*keys, *groups):
            if isinstance(key, Field):
                return self._asked_rows(key.entity)
        return self.shown.only_entity()

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

    def absent(self, anchor: str, filters: list[Filter]) -> list[Related]:
        """What must not be there; filters on it are taken from `filters`, they say which."""
        found = []
        for item, _ in self.sketch.absent:
            entity = self.resolver.entity(item)
            if entity is None or entity == anchor:
                raise CannotPlan("absence_unclear")
            inside: list[Condition | During | AnyOf] = [
                f for f in filters if isinstance(f, Condition | During | AnyOf) and entities_of(f) == {entity}
            ]
            for part in inside:
                filters.remove(part)
            found.append(Related(entity, tuple(inside)))
        return found

    def present(
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
            if not all(step.single for step in path) or (
                len(path) == 1 and self._is_part(path[0].source, entity)
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
