"""Which column or table a word means here, where the model has several of that name.

What stands beside it decides first ("name of the stadium"), then which tables the question speaks of at all, then
how few joins lie between. Where two stay equally likely, the choice is kept as an ambiguity.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from text2sql.common_words import common_words
from text2sql.drafters.planning.plan import Field
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.reading.items import Item, Reading
from text2sql.linking import Link
from text2sql.semantics import Entity
from text2sql.values import ValueMatch
from text2sql.words import split_name, stems

CLOSE = 0.07
"""Two readings whose scores differ by less are equally likely."""


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """One word, and the fields it may mean, likeliest first."""

    item: Item
    fields: tuple[Field, ...]


@dataclass
class Resolver:
    """Resolves the items of one reading. `forced` maps an item's start to the field a person chose."""

    names: Names
    reading: Reading
    forced: dict[int, Field] = field(default_factory=dict)
    ambiguities: list[Ambiguity] = field(default_factory=list)
    chosen: dict[int, Link] = field(default_factory=dict)
    """Start of an item -> the link it was resolved to: for the record and for confidence."""

    def __post_init__(self) -> None:
        self.mentioned: dict[str, float] = {}
        self._mention()
        self._share()

    def _mention(self) -> None:
        """The entities that the question names, or that only one entity could be meant by."""
        for item in self.reading.items:
            if item.code == "E":
                for link in item.links_of("entity"):
                    self._say(link.entity, 1.0 if link.score >= 0.9 else 0.6)
            elif item.code == "M":
                for link in item.links_of("metric")[:1]:
                    metric = self.names.model.metric(link.name)
                    base = metric.ratio.numerator if metric and metric.ratio else None
                    metric = self.names.model.metric(base) if base else metric
                    self._say(metric.table if metric else "", 1.0)
            elif item.code == "D":
                owners = {link.entity for link in item.links_of("dimension")}
                if len(owners) == 1:
                    self._say(owners.pop(), 0.5 * item.links[0].score)
            elif item.code == "V":
                owners = {match.table for match in item.values}
                if len(owners) == 1:
                    table = owners.pop()
                    self._say(next((e.name for e in self.names.model.tables if e.physical == table), ""), 0.4)

    def _share(self) -> None:
        """Columns that several tables have: the table that has most of those named is likelier meant."""
        named = [item for item in self.reading.items if item.code == "D"]
        shares: dict[str, int] = {}
        for item in named:
            for entity in {link.entity for link in item.links_of("dimension") if link.score >= 0.9}:
                shares[entity] = shares.get(entity, 0) + 1
        for entity, count in shares.items():
            if count > 1 and self.mentioned.get(entity, 0.0) < 0.6:
                self.mentioned[entity] = self.mentioned.get(entity, 0.0) + 0.3 * count / len(named)

    def _say(self, entity: str, weight: float) -> None:
        if entity:
            self.mentioned[entity] = max(self.mentioned.get(entity, 0.0), weight)

    # -- entities --------------------------------------------------------------------------------------------

    def entity(self, item: Item) -> str | None:
        """The table an item names, None where it names none."""
        links = item.links_of("entity")
        if not links:
            return None
        best = max(links, key=lambda link: link.score + 0.3 * self._nearness(link.entity))
        self.chosen[item.start] = best
        return best.entity

    def beside(self, item: Item) -> str | None:
        """The table that stands beside a word and owns it: "name of the stadium", 歌手の名前."""
        items = self.reading.items
        at = next((i for i, other in enumerate(items) if other.start == item.start), None)
        if at is None:
            return None
        forward, backward = self._walk(at, 1), self._walk(at, -1)
        found = (backward, forward) if self.reading.language == "ja" else (forward, backward)
        owners = {link.entity for link in item.links_of("dimension")}
        for entity in found:
            if entity is not None and entity in owners:
                return entity
        return next((entity for entity in found if entity), None)

    def _walk(self, at: int, step: int) -> str | None:
        """The nearest table word in one direction, over words that keep a phrase together."""
        skip = "DoX,&" if step > 0 else "DX,&Aow"
        items = self.reading.items
        at += step
        while 0 <= at < len(items):
            if items[at].code == "E" and items[at].links_of("entity"):
                links = items[at].links_of("entity")
                return max(links, key=lambda link: link.score).entity
            if items[at].code not in skip:
                return None
            at += step
        return None

    # -- fields ----------------------------------------------------------------------------------------------

    def field(self, item: Item, context: str | None = None) -> Field | None:
        """The dimension an item names; `context` is a table it most likely belongs to."""
        if item.start in self.forced:
            return self.forced[item.start]
        links = item.links_of("dimension")
        if not links:
            return None
        near = self.beside(item)
        scored = sorted(((self._score(link, near, context), link) for link in links), key=lambda s: -s[0])
        best = scored[0][1]
        self.chosen[item.start] = best
        rivals = [
            link for score, link in scored if scored[0][0] - score < CLOSE and not self._same(link, best)
        ]
        if rivals:
            fields = tuple(Field(link.entity, link.name) for link in (best, *rivals))
            self.ambiguities.append(Ambiguity(item, fields))
        return Field(best.entity, best.name)

    def _score(self, link: Link, near: str | None, context: str | None) -> float:
        score = 2.0 * link.score + self._nearness(link.entity)
        if link.entity == near:
            score += 1.0
        if link.entity == context:
            score += 0.7
        return score

    def _nearness(self, entity: str) -> float:
        """How much the question speaks of a table: 1 where it is named, less with each join away."""
        if entity in self.mentioned:
            return self.mentioned[entity]
        lengths = [
            len(path)
            for other in self.mentioned
            if (path := self.names.graph.path(other, entity)) is not None
        ]
        return 0.35 / min(lengths) if lengths else 0.0

    def _same(self, one: Link, other: Link) -> bool:
        """Whether two dimensions are the two ends of one join, or the same column twice."""
        if one.entity == other.entity:
            return one.name == other.name
        for step in self.names.graph.neighbours(one.entity):
            if step.target == other.entity:
                left = self.names.dimension(Field(one.entity, one.name)).sql
                right = self.names.dimension(Field(other.entity, other.name)).sql
                if (left, right) in step.on:
                    return True
        return False

    def concept(self, concept: str, entity: str | None) -> Field | None:
        """The dimension that holds a concept ("older": age; "latest": the table's time)."""
        if entity is None:
            return None
        found = self.names.entity(entity)
        if concept == "date":
            return self._latest(found)
        wanted = [concept, *_RELATED.get(concept, ())]
        for word in wanted:
            for form in common_words().group(word):
                for dimension in found.dimensions:
                    said = (dimension.label.en, dimension.label.ja, split_name(dimension.name))
                    if any(stems(text)[-len(form) :] == form for text in said if text):
                        return Field(entity, dimension.name)
        return None

    def sizes(self, entity: str) -> list[Field]:
        """The columns that say how large a row of a table is: numbers called population, area, …"""
        found = []
        for dimension in self.names.entity(entity).dimensions:
            words = (*stems(dimension.label.en), *stems(split_name(dimension.name)))
            if dimension.type == "number" and (
                _SIZES & set(words) or any(size in dimension.label.ja for size in _SIZES_JA)
            ):
                found.append(Field(entity, dimension.name))
        return found

    @staticmethod
    def _latest(entity: Entity) -> Field | None:
        if entity.time:
            return Field(entity.name, entity.time)
        times = [d for d in entity.dimensions if d.type in ("date", "timestamp")]
        return Field(entity.name, times[0].name) if len(times) == 1 else None

    # -- values ----------------------------------------------------------------------------------------------

    def value_fields(self, values: tuple[ValueMatch, ...]) -> list[tuple[Field, ValueMatch, float]]:
        """The dimensions that hold a value, likeliest first, with scores that compare."""
        found = []
        for entity in self.names.model.tables:
            table = self.names.catalog.table(entity.physical)
            for match in values if table else ():
                if table is None or match.table != table.qualified:
                    continue
                for dimension in entity.dimensions:
                    if dimension.sql.strip('"').casefold() == match.column.casefold():
                        score = self._nearness(entity.name) + (
                            0.15 if match.column.casefold() == entity.title.casefold() else 0
                        )
                        found.append((Field(entity.name, dimension.name), match, score))
        return sorted(found, key=lambda each: -each[2])

    def value_field(self, item: Item) -> tuple[Field, ValueMatch] | None:
        """The dimension a value belongs to by itself; several near ones are an ambiguity."""
        found = self.value_fields(item.values)
        if not found:
            return None
        if item.start in self.forced:
            chosen = self.forced[item.start]
            return next(((f, match) for f, match, _ in found if f == chosen), None)
        best = found[0]
        rivals = [f for f, _, score in found[1:] if best[2] - score < CLOSE and not self.joined(f, best[0])]
        if rivals:
            self.ambiguities.append(Ambiguity(item, (best[0], *dict.fromkeys(rivals))))
        return best[0], best[1]

    def joined(self, one: Field, other: Field) -> bool:
        """Whether two fields are the same, or the two ends of one join."""
        if one == other:
            return True
        return self._same(
            Link("dimension", one.entity, one.dimension), Link("dimension", other.entity, other.dimension)
        )


_SIZES = frozenset(stems("population area size capacity acreage"))
_SIZES_JA = tuple(
    "".join(form)
    for word in ("population", "area", "size", "capacity")
    for form in common_words().group(word)
    if not form[0].isascii()
)
_RELATED = {
    "length": ("duration", "distance"),
    "age": (),
    "price": ("cost", "rate"),
    "height": (),
    "weight": (),
    "speed": (),
}
