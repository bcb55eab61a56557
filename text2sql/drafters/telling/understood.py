"""A plan in words, in the asker's language: one line for each decision, periods with their days."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import cast

from retrieval.yaml_files import read_yaml
from text2sql.drafters.planning.measures import title
from text2sql.drafters.planning.plan import (
    AgainstAggregate,
    AnyOf,
    Bucket,
    Condition,
    During,
    Field,
    Filter,
    Measure,
    Note,
    QueryPlan,
)
from text2sql.drafters.planning.resolver import Resolver
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.reading.items import Item
from text2sql.linking import Link
from text2sql.semantics import Label
from text2sql.types import Column


@lru_cache(maxsize=1)
def _phrases() -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name("phrases.yaml")
    return cast("dict[str, dict[str, str]]", read_yaml(path.read_text(encoding="utf-8")))


def say(key: str, language: str, **values: object) -> str:
    """One sentence of the file. Raises `KeyError` for an unknown key."""
    return _phrases()[language][key].format(**values)


class Teller:
    """Says names and plans in one language."""

    def __init__(self, names: Names, language: str) -> None:
        self._names = names
        self._language = language

    def say(self, key: str, **values: object) -> str:
        """One sentence of the file; `dates` are said in its language."""
        if "dates" in values:
            values["dates"] = self.dates(str(values["dates"]))
        return say(key, self._language, **values)

    def dates(self, dates: str) -> str:
        """`2024-04-01 to 2025-03-31` as this language writes it."""
        if self._language != "ja":
            return dates
        for english, japanese in (
            (r"(\S+) to (\S+)", r"\1〜\2"),
            (r"from (\S+)", r"\1から"),
            (r"until (\S+)", r"\1まで"),
        ):
            dates = re.sub(english, japanese, dates)
        return dates

    def note(self, note: Note) -> str:
        """A note in words."""
        return self.say(note.key, **dict(note.values))

    def label(self, label: Label, fallback: str) -> str:
        """A label in this language, in the other, or the name."""
        first, second = (label.ja, label.en) if self._language == "ja" else (label.en, label.ja)
        return first or second or fallback

    def field(self, field: Field) -> str:
        """What a dimension is called."""
        dimension = self._names.dimension(field)
        return self.label(dimension.label, dimension.name)

    def column(self, field: Field) -> Column | None:
        """The catalogue's column behind a dimension, None for expressions."""
        return self._names.column(field)

    def entity(self, name: str) -> str:
        """What a table is called."""
        entity = self._names.entity(name)
        return self.label(entity.label, entity.name)

    def key(self, key: Field | Bucket) -> str:
        """What a group is called."""
        return self.say(f"unit_{key.unit}") if isinstance(key, Bucket) else self.field(key)

    def measure(self, measure: Measure) -> str:
        """What a number is called."""
        if measure.agg == "metric":
            metric = self._names.model.metric(measure.metric)
            return self.label(metric.label, metric.name) if metric else measure.metric
        return title(measure, self._names).replace("_", " ")

    def link(self, link: Link) -> str:
        """What a link names."""
        if link.kind == "metric":
            return self.measure(Measure("metric", metric=link.name))
        if link.kind == "entity":
            return self.entity(link.entity)
        return f"{self.entity(link.entity)}.{self.field(Field(link.entity, link.name))}"

    def plan(self, plan: QueryPlan) -> tuple[str, ...]:
        """Every decision of a plan, the numbers first."""
        lines = [
            self.say("metric" if m.agg == "metric" else "rows" if m.field is None else "measure",
                     name=self.entity(m.entity) if m.agg == "count" and m.field is None else self.measure(m),
                     agg=m.agg)
            for m in plan.measures
        ]  # fmt: skip
        if plan.keys:
            listed = ", ".join(self.key(key) for key in plan.keys)
            lines.append(self.say("groups" if plan.aggregate else "columns", names=listed))
        lines += [line for part in plan.filters for line in self._filter(part)]
        lines += [
            self.say("having", name=self.measure(h.measure), operator=h.operator, values=h.value)
            for h in plan.having
        ]
        for order in plan.order:
            name = self.measure(order.by) if isinstance(order.by, Measure) else self.key(order.by)
            direction = self.say("descending" if order.descending else "ascending")
            lines.append(self.say("order", name=name, direction=direction))
        if plan.limit:
            lines.append(self.say("limit", count=plan.limit))
        if plan.versus:
            lines.append(self.say("versus", months=plan.versus))
        return tuple(lines)

    def _filter(self, part: Filter) -> list[str]:
        if isinstance(part, Condition):
            values = self.say("or").join(part.values)
            return [
                self.say("filter", name=self.field(part.field), operator=part.operator, values=values).strip()
            ]
        if isinstance(part, During):
            return [self.say("period", label=part.period.label, dates=part.period.dates)]
        if isinstance(part, AgainstAggregate):
            return [self.say("against", name=self.field(part.field), operator=part.operator, agg=part.agg)]
        if isinstance(part, AnyOf):
            return [self.say("or").join(line for each in part.parts for line in self._filter(each))]
        key = "present" if part.exists else "absent"
        inner = [line for each in part.filters for line in self._filter(each)]
        return [self.say(key, name=self.entity(part.entity)), *inner]

    def assumed(self, resolver: Resolver, items: tuple[Item, ...]) -> list[str]:
        """Links that were not said in the model's own words."""
        texts = {item.start: item.text for item in items}
        return [
            self.say("link", text=texts[start], name=self.link(link))
            for start, link in sorted(resolver.chosen.items())
            if link.score < 0.95 and start in texts
        ]
