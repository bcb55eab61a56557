"""The nearest questions that can be answered, made of the model's own words and tried before they are offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from text2sql.drafters.planning.plan import Field, Measure
from text2sql.drafters.reading.items import Reading
from text2sql.drafters.telling.understood import Teller
from text2sql.semantics import Dimension, Entity, Metric, SemanticModel
from text2sql.words import split_name

MOST = 3
_TRIED = 12
_FEW = 50
"""More groups than this make no readable answer."""
_IDENTIFIERS = {"id", "code", "cd", "number", "no", "name", "address", "phone", "email"}


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
    partners = [join.to for join in model.joins if join.from_ == base]
    for entity_name in dict.fromkeys([*sorted(linked_to), base, *partners]):
        entity = model.entity(entity_name)
        for dimension in _groupable(entity, teller)[:1] if entity else ():
            label = teller.field(Field(entity_name, dimension.name))
            yield teller.say("ask_metric", metric=name, dimension=label)
    owner = model.entity(base)
    if owner and (metric.time or owner.time):
        yield teller.say("ask_metric_total", metric=name)


def _of_entity(entity: Entity, teller: Teller) -> Iterator[str]:
    name = teller.entity(entity.name)
    yield teller.say("ask_count", entity=name)
    for dimension in _groupable(entity, teller)[:1]:
        label = teller.field(Field(entity.name, dimension.name))
        yield teller.say("ask_count_by", entity=name, dimension=label)
    if entity.title:
        title = teller.field(Field(entity.name, entity.title))
        yield teller.say("ask_list", entity=name, dimension=title)


def _groupable(entity: Entity, teller: Teller) -> list[Dimension]:
    """Dimensions worth grouping by: words with few values, not keys, codes, names or times."""
    found = []
    for dimension in entity.dimensions:
        words = set(split_name(dimension.name).split())
        column = teller.column(Field(entity.name, dimension.name))
        distinct = column.profile.distinct if column and column.profile else None
        if dimension.type == "text" and not words & _IDENTIFIERS and (distinct is None or distinct <= _FEW):
            found.append(dimension)
    return [d for d in found if d.sql not in entity.key and d.name not in (entity.title, entity.time)]
