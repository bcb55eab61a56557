"""What a table is found by: words of its names, comments and values, and which words of a question name which.

Names are cut into words (`customerID`, `order_items`), also where they are glued (`countrylanguage`), with the
catalogue's own words as the dictionary. A question's words count as much as they are rare in the catalogue;
words of the bilingual list that mean the same count for a part.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from retrieval.tokens import lexical_tokens
from text2sql.common_words import CommonWords
from text2sql.types import Table
from text2sql.words import split_name, stems

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

FIELDS = ("name", "schema", "columns", "comments")
SYNONYM = 0.6
"""What a word that only means the same is worth."""
VALUES = 40
"""Values of one column that are looked for in a question."""
LONGEST = 6
"""Words of the longest value looked for."""
_LONGEST_COMMON = 8
"""Tokens of the longest entry of the bilingual list: a Japanese character is one."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A question's words against every table: arrays [words, tables] of how much a field says the word."""

    weights: Floats
    """[words]: how rare each is."""
    fields: dict[str, Floats]
    values: Floats
    """[words, tables]: 1 where the word is part of a value that the table holds."""


class TableTerms:
    """The words of many tables, by field. Immutable once built."""

    def __init__(self, tables: Sequence[Table], common: CommonWords) -> None:
        self._size = len(tables)
        self._common = common
        self._known = _vocabulary(tables)
        postings: dict[str, dict[str, set[int]]] = {name: defaultdict(set) for name in FIELDS}
        self._values: dict[tuple[str, ...], set[int]] = defaultdict(set)
        named: list[list[str]] = []
        for number, table in enumerate(tables):
            named.append(list(dict.fromkeys(self.words(table.name))))
            for field, texts in _texts(table).items():
                for text in texts:
                    for word in self.words(text) if field != "comments" else lexical_tokens(text):
                        postings[field][word].add(number)
            for value in _values(table):
                self._values[value].add(number)
        self._postings = {
            field: {word: np.fromiter(sorted(found), np.int64) for word, found in words.items()}
            for field, words in postings.items()
        }
        self._holding: dict[str, int] = {}
        for word in {word for words in postings.values() for word in words}:
            self._holding[word] = len(set().union(*(words.get(word, ()) for words in postings.values())))
        self._names = np.array([sum(map(self.rarity, words)) or 1.0 for words in named], dtype=np.float32)

    def words(self, name: str) -> list[str]:
        """The words of a name, glued ones apart."""
        return [part for word in lexical_tokens(split_name(name)) for part in _parts(word, self._known)]

    def rarity(self, word: str) -> float:
        """How much a word tells: the logarithm of how few tables have it (BM25's inverse document frequency)."""
        holding = self._holding.get(word, 0)
        return math.log(1 + (self._size - holding + 0.5) / (holding + 0.5))

    def hear(self, question: str) -> Heard:
        """Hold every word of a question against every table. Words nobody has are left out."""
        said = list(
            dict.fromkeys(
                part for word in lexical_tokens(question) for part in _with_parts(word, self._known)
            )
        )
        meant = self._meant(question)
        valued = self._valued(question)
        words = [
            word
            for word in said
            if self._holding.get(word)
            or any(self._holding.get(w) for w in meant.get(word, ()))
            or word in valued
        ]
        fields = {field: np.zeros((len(words), self._size), dtype=np.float32) for field in FIELDS}
        values = np.zeros((len(words), self._size), dtype=np.float32)
        weights = np.zeros(len(words), dtype=np.float32)
        for row, word in enumerate(words):
            synonyms = [w for w in meant.get(word, ()) if w != word]
            weights[row] = self._weight(word, synonyms, bool(word in valued))
            for field in FIELDS:
                for other in synonyms:
                    fields[field][row, self._postings[field].get(other, _NONE)] = SYNONYM
                fields[field][row, self._postings[field].get(word, _NONE)] = 1.0
            values[row, sorted(valued.get(word, ()))] = 1.0
        return Heard(weights, fields, values)

    def name_said(self, heard: Heard) -> Floats:
        """[tables]: how much of each table's name the question says, by the rarity of its words, in [0, 1]."""
        said = heard.weights @ heard.fields["name"] / self._names
        return np.asarray(np.minimum(said, 1.0), dtype=np.float32)

    def _weight(self, word: str, synonyms: Iterable[str], valued: bool) -> float:
        if self._holding.get(word):
            return self.rarity(word)
        if known := [self.rarity(other) for other in synonyms if self._holding.get(other)]:
            return max(known)
        return math.log(1 + self._size) / 2 if valued else 0.0

    def _meant(self, question: str) -> dict[str, list[str]]:
        """Question word -> words that mean the same, from the bilingual list."""
        meant: dict[str, list[str]] = defaultdict(list)
        forms = stems(question)
        for start in range(len(forms)):
            for end in range(start + 1, min(len(forms), start + _LONGEST_COMMON) + 1):
                form = forms[start:end]
                others = self._common.others(form)
                if not others:
                    continue
                same = [word for other in others for word in lexical_tokens(_joined(other))]
                for word in lexical_tokens(_joined(form)):
                    meant[word].extend(same)
        return {word: list(dict.fromkeys(others)) for word, others in meant.items()}

    def _valued(self, question: str) -> dict[str, set[int]]:
        """Question word -> tables that hold a value it is part of."""
        valued: dict[str, set[int]] = defaultdict(set)
        forms = stems(question)
        for start in range(len(forms)):
            for end in range(start + 1, min(len(forms), start + LONGEST) + 1):
                if found := self._values.get(forms[start:end]):
                    for word in lexical_tokens(_joined(forms[start:end])):
                        valued[word] |= found
        return valued


_NONE: Ints = np.zeros(0, dtype=np.int64)


def _texts(table: Table) -> dict[str, list[str]]:
    """The texts of each field."""
    return {
        "name": [table.name],
        "schema": [table.schema],
        "columns": [column.name for column in table.columns],
        "comments": [text for text in (table.comment, *(c.comment for c in table.columns)) if text],
    }


def _values(table: Table) -> Iterator[tuple[str, ...]]:
    """The stems of text values, the most frequent of each column; of Japanese ones a character is a stem."""
    for column in table.columns:
        if column.family != "text" or column.profile is None:
            continue
        for value in column.profile.values[:VALUES]:
            form = stems(value[:80])
            if (
                form
                and len(form) <= LONGEST
                and (len(form) > 1 or len(form[0]) > 1)
                and not form[0].isdigit()
            ):
                yield form


def _vocabulary(tables: Sequence[Table]) -> frozenset[str]:
    """Words that stand alone in the names of at least two tables: what a glued name may be made of."""
    seen: dict[str, int] = defaultdict(int)
    for table in tables:
        names = [table.name, *(column.name for column in table.columns)]
        for word in {word for name in names for word in lexical_tokens(split_name(name))}:
            seen[word] += 1
    return frozenset(word for word, count in seen.items() if count >= 2 and len(word) >= 3 and word.isalpha())


def _parts(word: str, known: frozenset[str]) -> list[str]:
    """`countrylanguage` as country and language; a word that is no two known ones as it is."""
    if len(word) < 7 or not word.isascii() or not word.isalpha() or word in known:
        return [word]
    for cut in range(len(word) - 3, 2, -1):
        if word[:cut] in known and word[cut:] in known:
            return [word[:cut], word[cut:]]
    return [word]


def _with_parts(word: str, known: frozenset[str]) -> list[str]:
    parts = _parts(word, known)
    return parts if len(parts) == 1 else [word, *parts]


def _joined(form: Sequence[str]) -> str:
    """Stems as text again: Japanese without spaces."""
    text = form[0]
    for before, word in pairwise(form):
        text += word if not before.isascii() and not word.isascii() else f" {word}"
    return text
