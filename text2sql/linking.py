"""Linking: which words of a question name which metric, dimension or table of the semantic model.

Longest match over labels, synonyms and glossary words in both languages, and over names split into words.
What is said in other words than the model's own carries a lower score, so that the answer can say so:
`common` (a word of the trade-neutral bilingual list means the same), `part` (only part of the label is said),
`fuzzy` (nearly spelled so).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
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
_WEAK = frozenset("id name code type number date year description detail other total value key no".split())
_UNITS = frozenset("million dollar usd yen jpy percent euro year f c km kg cm in of the".split())


@dataclass(frozen=True, slots=True)
class Link:
    """A model object that words may name. For a metric `entity` is "" and `name` the metric's name."""

    kind: LinkKind
    entity: str
    name: str
    score: float = 1.0
    how: How = "label"

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
        for end in range(start, min(len(tokens), start + longest)):
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
        if len(word) < 5 or not word.isascii():
            return ()
        best = process.extractOne(word, self._words, scorer=fuzz.ratio, score_cutoff=FUZZY)
        key = (best[0],) if best else ()
        if key not in self._forms:
            return ()
        score = SCORES["fuzzy"]
        return tuple(Link(k.kind, k.entity, k.name, k.score * score, "fuzzy") for k in self._ranked(key))

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
            named = [link for form in forms for link in self._forms.get(form, {}).values() if link.how == "label"]
            for link in named:
                for form in forms:
                    self._add(form, link)

    def _all(self, model: SemanticModel) -> Iterator[tuple[tuple[str, ...], Link]]:
        for metric in model.metrics:
            for said in _said(metric.name, metric.label, metric.synonyms):
                yield from self._say(said, "metric", "", metric.name)
        for entity in model.tables:
            for said in _said(entity.name, entity.label, entity.synonyms):
                yield from self._say(said, "entity", entity.name, "")
            for dimension in entity.dimensions:
                yield from self._dimension(entity, dimension)

    def _dimension(self, entity: Entity, dimension: Dimension) -> Iterator[tuple[tuple[str, ...], Link]]:
        owners = {stems(said) for said in _said(entity.name, entity.label, entity.synonyms)}
        owners |= {form for owner in tuple(owners) for form in self._common.variants(owner)}
        for said in _said(dimension.name, dimension.label, dimension.synonyms):
            yield from self._say(said, "dimension", entity.name, dimension.name)
            form = stems(said)
            rest = next((form[len(o) :] for o in owners if len(form) > len(o) and form[: len(o)] == o), form)
            if rest != form:
                yield rest, Link("dimension", entity.name, dimension.name, 0.97)
                for other in self._common.variants(rest):
                    yield other, Link("dimension", entity.name, dimension.name, 0.88, "common")
            for owner in owners:
                yield (*owner, *rest), Link("dimension", entity.name, dimension.name)
                for other in self._common.variants(rest):
                    score = SCORES["common"]
                    yield (*owner, *other), Link("dimension", entity.name, dimension.name, score, "common")
            yield from _parts(rest, entity.name, dimension.name)

    def _say(
        self, said: str, kind: LinkKind, entity: str, name: str
    ) -> Iterator[tuple[tuple[str, ...], Link]]:
        form = stems(said)
        yield form, Link(kind, entity, name)
        for other in self._common.variants(form):
            yield other, Link(kind, entity, name, SCORES["common"], "common")


def _said(name: str, label: Label, synonyms: Synonyms) -> Iterable[str]:
    """Every way the model itself gives to say a thing, without repeats."""
    words = (label.en, label.ja, *synonyms.en, *synonyms.ja, split_name(name), name)
    return dict.fromkeys(word for word in words if word)


def _parts(form: tuple[str, ...], entity: str, name: str) -> Iterator[tuple[tuple[str, ...], Link]]:
    """The head of a longer English label ("rating" of "overall rating"), or the label without its unit."""
    if len(form) < 2 or not all(word.isascii() for word in form):
        return
    link = Link("dimension", entity, name, SCORES["part"], "part")
    for size in range(1, len(form)):
        head = form[-size:]
        if head != () and not (size == 1 and head[0] in _WEAK | _UNITS):
            yield head, link
        front, rest = form[:size], form[size:]
        if all(word in _UNITS for word in rest) and front[0] not in _WEAK:
            yield front, Link("dimension", entity, name, 0.95)
        elif not (size == 1 and front[0] in _WEAK | _UNITS) and all(word in _WEAK for word in rest):
            yield front, link
