"""Linking: which words of a question name which metric, dimension or table of the semantic model.

Longest match over labels, synonyms and glossary words in both languages, and over names split into words.
What is said in other words than the model's own carries a lower score, so that the answer can say so:
`common` (a word of the trade-neutral bilingual list means the same), `part` (only part of the label is said),
`fuzzy` (nearly spelled so).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rapidfuzz import fuzz, process

from text2sql.common_words import CommonWords, common_words
from text2sql.glossary import Glossary
from text2sql.semantics import Dimension, Entity, Label, SemanticModel, Synonyms
from text2sql.words import Token, split_name, stems

LinkKind = Literal["metric", "dimension", "entity"]
How = Literal["label", "part", "common", "fuzzy"]

SCORES: dict[How, float] = {"label": 1.0, "common": 0.9, "part": 0.75, "fuzzy": 0.6}
FUZZY = 88.0
"""Similarity (0 to 100) from which a misspelt word is taken for a known one."""

# Words that say little alone: no part of a longer label may be known by one of them.
_WEAK = frozenset(
    (
        "id",
        "name",
        "code",
        "type",
        "number",
        "date",
        "year",
        "description",
        "detail",
        "other",
        "total",
        "value",
        "key",
        "no",
    )
)
_UNITS = frozenset(
    (
        "million",
        "dollar",
        "usd",
        "yen",
        "jpy",
        "percent",
        "euro",
        "year",
        "f",
        "c",
        "km",
        "kg",
        "cm",
        "in",
        "of",
        "the",
    )
)


@dataclass(frozen=True, slots=True)
class Link:
    """A model object that words may name. For a metric `entity` is "" and `name` the metric's name."""

    kind: LinkKind
    entity: str
    name: str
    score: float = 1.0
    how: How = "label"
    type: str = ""
    """Of a dimension: `text`, `number`, `date`, `timestamp`, `boolean`, or `year` for a number that is one."""

    @property
    def target(self) -> tuple[LinkKind, str, str]:
        """What is linked to, however it was said."""
        return (self.kind, self.entity, self.name)


class Linker:
    """Finds model objects in tokens. Built once a model; immutable."""

    def __init__(
        self, model: SemanticModel, glossary: Glossary | None = None, common: CommonWords | None = None
    ) -> None:
        self._common = common or common_words()
        self._forms: dict[tuple[str, ...], dict[tuple[LinkKind, str, str], Link]] = {}
        for form, link in self._all(model):
            self._add(form, link)
        self._add_glossary(glossary)
        self._longest: dict[str, int] = {}
        for form in self._forms:
            self._longest[form[0]] = max(self._longest.get(form[0], 0), len(form))
        self._words = sorted({w for f in self._forms for w in f if len(w) >= 5 and w.isascii()})

    def at(self, tokens: Sequence[Token], start: int) -> list[tuple[int, tuple[Link, ...]]]:
        """What begins at `tokens[start]`: (end, links, best first), longest first."""
        longest = self._longest.get(tokens[start].stem, 0)
        found = []
        key: tuple[str, ...] = ()
        for end in range(start, min(len(tokens), start + 2 * longest)):
            if tokens[end].text in ("_", "-"):
                continue  # a name written as the column is: sales_amount
            key = (*key, tokens[end].stem)
            if key in self._forms:
                found.append((end + 1, self._ranked(key)))
        return found[::-1]

    def named(self, text: str) -> tuple[Link, ...]:
        """What exactly these words name, best first; empty when nothing."""
        key = stems(text)
        return self._ranked(key) if key in self._forms else ()

    def fuzzy(self, word: str) -> tuple[Link, ...]:
        """What a misspelt single word may name; empty below the margin."""
        if len(word) < 6 or not word.isascii() or word.endswith(("ed", "ing")):
            return ()
        best = process.extractOne(word, self._words, scorer=fuzz.ratio, score_cutoff=FUZZY)
        key = (best[0],) if best else ()
        if key not in self._forms:
            return ()
        score = SCORES["fuzzy"]
        return tuple(replace(k, score=k.score * score, how="fuzzy") for k in self._ranked(key))

    def _ranked(self, key: tuple[str, ...]) -> tuple[Link, ...]:
        return tuple(sorted(self._forms[key].values(), key=lambda link: -link.score))

    def _add(self, form: tuple[str, ...], link: Link) -> None:
        if not form or len(form) > 24:
            return
        links = self._forms.setdefault(form, {})
        known = links.get(link.target)
        if known is None or known.score < link.score:
            links[link.target] = link

    def _add_glossary(self, glossary: Glossary | None) -> None:
        for term in glossary.terms if glossary else ():
            forms = [stems(word) for word in term.words]
            named = [
                link for form in forms for link in self._forms.get(form, {}).values() if link.how == "label"
            ]
            for link in named:
                for form in forms:
                    self._add(form, link)

    def _all(self, model: SemanticModel) -> Iterator[tuple[tuple[str, ...], Link]]:
        generic = _generic(model)
        for metric in model.metrics:
            if metric.name in generic:
                continue
            for said in _said(metric.name, metric.label, metric.synonyms):
                yield from self._say(said, Link("metric", "", metric.name))
        for entity in model.tables:
            for said in _said(entity.name, entity.label, entity.synonyms):
                yield from self._say(said, Link("entity", entity.name, ""))
                form = stems(said)
                for size in range(1, len(form)):
                    if form[-size:][0] not in _WEAK | _UNITS and form[-1].isascii():
                        yield form[-size:], Link("entity", entity.name, "", 0.85, "part")
            for dimension in entity.dimensions:
                yield from self._dimension(entity, dimension)

    def _dimension(self, entity: Entity, dimension: Dimension) -> Iterator[tuple[tuple[str, ...], Link]]:
        link = Link("dimension", entity.name, dimension.name, type=_type(dimension))
        owners = {stems(said) for said in _said(entity.name, entity.label, entity.synonyms)}
        if dimension.name == entity.title:
            # The rows' names, whatever the column is called.
            for form in (("name",), *((*owner, "name") for owner in tuple(owners) if owner[-1].isascii())):
                yield form, replace(link, score=0.9, how="part")
        owners |= {form for owner in tuple(owners) for form in self._common.variants(owner)}
        for said in _said(dimension.name, dimension.label, dimension.synonyms):
            yield from self._say(said, link)
            form = stems(said)
            form = self._common.written_out(form)
            rest = next((form[len(o) :] for o in owners if len(form) > len(o) and form[: len(o)] == o), form)
            rest = rest[1:] if rest[:1] == ("の",) else rest  # 店舗の地域 is the 地域 of a 店舗
            if rest == form and _abbreviates(form, owners):
                rest = form[1:]
            if rest != form:
                yield rest, replace(link, score=0.96)
                for other in self._common.variants(rest):
                    yield other, replace(link, score=0.88, how="common")
            yield from self._unnamed(form, owners if rest != form else set(), link)
            for owner in owners:
                yield (*owner, *rest), link
                for other in self._common.variants(rest):
                    yield (*owner, *other), replace(link, score=SCORES["common"], how="common")
            if dimension.type == "text" and rest[-1] not in _WEAK and rest[-1].isascii():
                yield (*rest, "name"), replace(link, score=0.97)
            yield from _parts(rest, link)

    def _unnamed(
        self, form: tuple[str, ...], owners: set[tuple[str, ...]], link: Link
    ) -> Iterator[tuple[tuple[str, ...], Link]]:
        """A compound after its table's word (カテゴリ大区分名), and without its 名: 大区分 is a major category's name."""
        said = [
            (other, replace(link, score=SCORES["common"], how="common"))
            for other in self._common.variants(form)
        ]
        for other, found in said:
            yield from (((*owner, *other), found) for owner in owners)
        if len(form) <= 2 or form[-1] != "name":
            return
        part = replace(link, score=0.88, how="part")
        for other in self._common.variants(form[:-1]):
            if not other[0].isascii():
                yield other, part
                yield from (((*owner, *other), part) for owner in owners)

    def _say(self, said: str, link: Link) -> Iterator[tuple[tuple[str, ...], Link]]:
        form = stems(said)
        yield form, link
        for other in self._common.variants(form):
            yield other, replace(link, score=SCORES["common"], how="common")


def _generic(model: SemanticModel) -> set[str]:
    """Metrics that only say in words what the grammar computes itself: "average age", "number of stores".

    A first model is full of them, one for each column; as words of their own they would hide what they are made
    of ("older than the average age").
    """
    found = set()
    for metric in model.metrics:
        entity = model.entity(metric.table)
        if entity is None or metric.filter or metric.synonyms != Synonyms() or metric.agg is None:
            continue
        said = stems(metric.label.en)
        columns = {stems(d.label.en) for d in entity.dimensions if d.sql.strip('"') == metric.expr.strip('"')}
        if metric.agg == "count" and not metric.expr:
            columns = {stems(entity.label.en)}
        if any(column and said[-len(column) :] == column and said != column for column in columns):
            found.add(metric.name)
    return found


def _type(dimension: Dimension) -> str:
    if dimension.type == "number" and "year" in split_name(dimension.name).split():
        return "year"
    return dimension.type


def _said(name: str, label: Label, synonyms: Synonyms) -> Iterable[str]:
    """Every way the model itself gives to say a thing, without repeats."""
    words = (label.en, label.ja, *synonyms.en, *synonyms.ja, split_name(name), name)
    return dict.fromkeys(word for word in words if word)


def _abbreviates(form: tuple[str, ...], owners: set[tuple[str, ...]]) -> bool:
    """Whether a column's first word is its table's name cut short: stu_fname of student, dept_name of department."""
    first = form[0]
    return len(form) > 1 and len(first) >= 3 and any(o[0].startswith(first) for o in owners if len(o) == 1)


def _parts(form: tuple[str, ...], link: Link) -> Iterator[tuple[tuple[str, ...], Link]]:
    """The head of a longer English label ("rating" of "overall rating"), or the label without its unit."""
    if len(form) < 2 or not all(word.isascii() for word in form):
        return
    part = replace(link, score=SCORES["part"], how="part")
    if form[0] in ("is", "has", "if", "number", "total"):
        return
    for size in range(1, len(form)):
        head = form[-size:]
        weak = size == 1 and (head[0] in _WEAK | _UNITS or head[0].endswith("ed"))
        if not weak:
            yield head, part
        elif head[0] in ("name", "title", "description", "detail", "date", "type"):
            yield head, replace(part, score=0.6)
        front, rest = form[:size], form[size:]
        if rest == ("id",):
            continue
        if all(word in _UNITS for word in rest) and front[0] not in _WEAK:
            yield front, replace(link, score=0.95)
        elif not (size == 1 and front[0] in _WEAK | _UNITS) and rest in (("name",), ("title",)):
            yield front, replace(part, score=0.7)
        elif size > 1 and rest == ("code",):
            yield front, replace(part, score=0.85)
