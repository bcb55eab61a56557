"""The nearest questions that can be answered, made of the model's own words and tried before they are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from text2sql.drafters.planning.plan import Field, Measure
from text2sql.drafters.reading.items import Reading
from text2sql.drafters.telling.understood import Teller
from text2sql.semantics import Dimension, Entity, Metric, SemanticModel

MOST = 3
_TRIED = 12


def suggestions(
    reading: Reading, teller: Teller, model: SemanticModel, answered: Callable[[str], bool]
) -> tuple[str, ...]:
    """At most three questions near to this one that `answered` says yes to."""
    found: list[str] = []
    for tried, text in enumerate(dict.fromkeys(_candidates(reading, teller, model))):
        if tried >= _TRIED or len(found) == MOST:
            break
        if answered(text):
            found.append(text)
    return tuple(found)


def _candidates(reading: Reading, teller: Teller, model: SemanticModel) -> Iterator[str]:
    linked = [link for item in reading.items for link in item.links]
    metrics = [m for link in linked if link.kind == "metric" and (m := model.metric(link.name))]
    named = {link.entity: None for link in linked if link.entity}
    entities = [e for name in named if (e := model.entity(name))]
    for metric in metrics or list(model.metrics[:4] if not entities else ()):
        yield from _of_metric(metric, teller, model, linked_to=set(named))
    for entity in entities or list(model.tables[:2]):
        yield from _of_entity(entity, teller)


def _of_metric(metric: Metric, teller: Teller, model: SemanticModel, linked_to: set[str]) -> Iterator[str]:
    name = teller.measure(Measure("metric", metric=metric.name))
    base = metric.table or next(
        (m.table for m in model.metrics if metric.ratio and m.name == metric.ratio.numerator), ""
    )
    entities = [e for e in model.tables if e.name == base or e.name in linked_to]
    for entity in entities:
        for dimension in _groupable(entity)[:2]:
            label = teller.field(Field(entity.name, dimension.name))
            yield teller.say("ask_metric", metric=name, dimension=label)
    yield teller.say("ask_metric_total", metric=name)


def _of_entity(entity: Entity, teller: Teller) -> Iterator[str]:
    name = teller.entity(entity.name)
    yield teller.say("ask_count", entity=name)
    for dimension in _groupable(entity)[:1]:
        label = teller.field(Field(entity.name, dimension.name))
        yield teller.say("ask_count_by", entity=name, dimension=label)
    if entity.title:
        title = teller.field(Field(entity.name, entity.title))
        yield teller.say("ask_list", entity=name, dimension=title)


def _groupable(entity: Entity) -> list[Dimension]:
    """Dimensions worth grouping by: words, not keys, names or times."""
    return [
        d
        for d in entity.dimensions
        if d.type == "text" and d.sql not in entity.key and d.name not in (entity.title, entity.time)
    ]
