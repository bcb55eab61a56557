"""From a sketch to a plan: every word tied to a column, one table chosen as the rows that are asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from text2sql.drafters.planning.comparing import compared
from text2sql.drafters.planning.counting import counted
from text2sql.drafters.planning.filters import FilterBuilder
from text2sql.drafters.planning.measures import atoms
from text2sql.drafters.planning.ordering import Ordering
from text2sql.drafters.planning.plan import (
    Bucket,
    CannotPlan,
    Field,
    Having,
    Measure,
    Note,
    Order,
    QueryPlan,
    note,
)
from text2sql.drafters.planning.relating import Relating
from text2sql.drafters.planning.resolver import Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.planning.shown import Shown
from text2sql.drafters.planning.sketch import Sketch
from text2sql.drafters.reading.periods import Today

_YES_OR_NO = re.compile(r"(?:is|are|was|were|does|did|do|can|could|will|has|have|should)\s", re.IGNORECASE)


@dataclass
class _Parts:
    """What a plan is made of, as it comes together."""

    measures: list[Measure]
    keys: list[Field | Bucket]
    groups: list[Field | Bucket]
    grouped: str
    orders: list[Order] = field(default_factory=list)
    having: list[Having] = field(default_factory=list)

    @property
    def aggregated(self) -> bool:
        return bool(self.measures or self.having or any(isinstance(o.by, Measure) for o in self.orders))


class Builder:
    """Builds one plan. `plan()` raises `CannotPlan` where the sketch makes no query; `notes` are its assumptions."""

    def __init__(self, names: Names, sketch: Sketch, resolver: Resolver, today: Today) -> None:
        self.names = names
        self.sketch = sketch
        self.resolver = resolver
        self.today = today
        self.notes: list[Note] = []
        self._shown = Shown(names, sketch, resolver, self.notes)
        self._ordering = Ordering(names, sketch, resolver, self._shown)
        self._relating = Relating(names, sketch, resolver, self._shown)

    def plan(self) -> QueryPlan:
        """The plan of the sketch."""
        refuse_unsupported(self.sketch)
        parts = self._parts()
        anchor = self._relating.anchor(parts.keys, parts.groups, parts.measures)
        keys = self._final_keys(parts, anchor)
        builder = FilterBuilder(self.names, self.sketch, self.resolver, self.notes)
        filters = builder.filters(anchor, has_metric=any(m.agg == "metric" for m in parts.measures))
        filters += self._relating.absent(anchor, filters)
        filters += self._relating.present(anchor, keys, parts.measures, parts.having, parts.orders, filters)
        all_columns = "all_columns" in self.sketch.flags and not keys
        if not parts.measures and not keys and not all_columns:
            keys = self._shown.named_by(anchor)
        shown = self._ordering.measures_shown(parts.measures, parts.orders, parts.having)
        plan = QueryPlan(
            anchor=anchor,
            keys=tuple(keys),
            measures=tuple(dict.fromkeys(shown)),
            filters=tuple(filters),
            having=tuple(parts.having),
            order=tuple(parts.orders),
            limit=self.sketch.limit,
            distinct=not parts.aggregated and ("distinct" in self.sketch.flags or self._shown.kinds(keys)),
            all_columns=all_columns,
            grouped=parts.grouped,
        )
        plan = counted(plan, self.names, self.notes, self.sketch.reading.text)
        return compared(self._ordering.ranked(plan), self.sketch, self.today, self.notes)

    def _parts(self) -> _Parts:
        """Numbers, columns, groups and orders."""
        shown = self._shown
        measures = [m for target in self.sketch.targets if (m := shown.measure(target))]
        keys = shown.columns()
        self._ordering.rank_named_rows()
        grouped, groups = shown.groups(keys)
        keys = shown.summed(keys, measures)
        if grouped and any(atom.base == grouped for m in measures for atom in atoms(m, self.names)):
            raise CannotPlan("unsupported", name=grouped)
        orders = self._ordering.orders(measures, keys + groups)
        if grouped or groups:
            self._ordering.check_picks()
        if "all_columns" in self.sketch.flags and not measures:
            keys, grouped, groups = [], "", []
        parts = _Parts(measures, keys, groups, grouped, orders, self._ordering.having())
        if parts.aggregated and keys and not grouped:
            measured = [*measures, *(bound.measure for bound in parts.having)]
            parts.grouped = shown.grouped_entity(keys, measured, orders)
        if keys and not groups and any(m.agg in ("avg", "sum", "min", "max") for m in measures):
            self.sketch.weak.append(note("loose_columns"))
        return parts

    def _final_keys(self, parts: _Parts, anchor: str) -> list[Field | Bucket]:
        shown = self._shown
        keys = shown.without_twins([*shown.buckets(parts.measures), *parts.groups, *parts.keys])
        if parts.aggregated and not keys and (parts.having or (parts.orders and not parts.measures)):
            parts.grouped = anchor
            return shown.named_by(anchor)
        return keys


def refuse_unsupported(sketch: Sketch) -> None:
    """Words whose meaning is known and beyond this drafter: better said than ignored."""
    for flag in sorted(sketch.flags):
        if flag.startswith("unsupported:"):
            raise CannotPlan("unsupported", name=flag.partition(":")[2])
    if _YES_OR_NO.match(sketch.reading.text):
        raise CannotPlan("yes_or_no")
    if "both" in sketch.flags and not any(bound.every for bound in sketch.bounds):
        raise CannotPlan("unsupported", name="both")
