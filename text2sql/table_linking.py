"""Which tables a question is about, out of thousands: words, meaning, and what keys connect.

Each table gets a score from how much of the question its names, columns, comments and values say (rare words
count more), how much of its name the question says, and, with an embedder, how near the question is to a short
card of it. Then its surroundings speak for it: tables joined to it by foreign keys, and its schema, since a
question is about one place. The weights were fitted on Spider's training questions alone. Deterministic; numpy
only; a few milliseconds beside the embedding.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from retrieval.embeddings import EmbeddingModel
from retrieval.searching import embed
from text2sql.common_words import CommonWords, common_words
from text2sql.table_terms import FIELDS, TableTerms
from text2sql.types import Catalog, Table
from text2sql.words import split_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]

COLUMNS_IN_CARD = 24
OWN = (*FIELDS, "values", "any", "name_said", "cosine", "name_cosine")
"""What a table says for itself, each in [0, 1] but for the cosines."""
AROUND = ("neighbour", "component_any", "schema_any", "schema_cosine")
"""What its surroundings add: scores of tables, shares of the question, the nearest card."""

WITH_MEANING: dict[str, float] = {
    "schema": 0.2, "columns": 0.6, "comments": 0.6, "values": 1.2, "any": 3.1, "name_said": 1.3, "cosine": 5.3,
    "name_cosine": 2.2, "neighbour": 0.4, "component_any": 3.1, "schema_any": 4.1, "schema_cosine": 3.7,
}  # fmt: skip
"""Softmax regression over 1,500 training questions of Spider; training schemas have no comments, which count as
columns do."""
WORDS_ALONE: dict[str, float] = {
    "schema": 1.3, "columns": 1.1, "comments": 1.1, "values": 0.6, "any": 4.2, "name_said": 2.1, "neighbour": 0.4,
    "component_any": 2.9, "schema_any": 4.0,
}  # fmt: skip


class TableRanker:
    """Ranks the tables of a catalogue for a question. Immutable once built; safe to share between threads."""

    def __init__(
        self, catalog: Catalog, embeddings: EmbeddingModel | None = None, common: CommonWords | None = None
    ) -> None:
        """Reads names, keys and profiles; embeds a card and a title a table where there is an embedder."""
        self._tables = catalog.tables
        self._terms = TableTerms(self._tables, common or common_words())
        self._embeddings = embeddings
        self._edges = _edges(self._tables)
        self._components = _Groups(_roots(len(self._tables), self._edges))
        self._schemas = _Groups([(table.catalog, table.schema) for table in self._tables])
        self._cards = _vectors(embeddings, [card(table) for table in self._tables])
        self._titles = _vectors(embeddings, [split_name(table.name) for table in self._tables])

    def rank(self, question: str, limit: int = 20) -> list[tuple[Table, float]]:
        """The best `limit` tables, best first, with scores that compare within one question only."""
        if not self._tables or limit < 1:
            return []
        features, with_meaning = self.features(question)
        scores = weigh(features, WITH_MEANING if with_meaning else WORDS_ALONE)
        order = np.argsort(-scores, kind="stable")[:limit]
        return [(self._tables[at], float(scores[at])) for at in order]

    def features(self, question: str) -> tuple[Floats, bool]:
        """[tables, len(OWN) + len(AROUND)], and whether the embedder could read the question."""
        heard = self._terms.hear(question)
        share: Floats = heard.weights / np.float32(heard.weights.sum() or 1.0)
        anywhere = np.maximum.reduce((*heard.fields.values(), heard.values))
        vector = embed(self._embeddings, question)
        near = np.zeros((2, len(self._tables)), dtype=np.float32)
        if vector is not None and self._cards is not None and self._titles is not None:
            asked = np.asarray(vector, dtype=np.float32)
            near = np.stack([self._cards @ asked, self._titles @ asked])
        own = [
            *(share @ heard.fields[field] for field in FIELDS),
            share @ heard.values,
            share @ anywhere,
            self._terms.name_said(heard),
            near[0],
            near[1],
        ]
        base = own[0] + own[5] + own[6] + 2 * near[0]
        around = [
            self._neighbours(base),
            self._components.share(share, anywhere),
            self._schemas.share(share, anywhere),
            self._schemas.best(near[0]),
        ]
        return np.stack([*own, *around], axis=1), vector is not None

    def _neighbours(self, scores: Floats) -> Floats:
        """The best score among the tables that keys join to each; 0 for a table without keys."""
        best = np.zeros_like(scores)
        if self._edges.size:
            np.maximum.at(best, self._edges[:, 0], scores[self._edges[:, 1]])
            np.maximum.at(best, self._edges[:, 1], scores[self._edges[:, 0]])
        return best


def weigh(features: Floats, weights: dict[str, float]) -> Floats:
    """One score a table."""
    names = (*OWN, *AROUND)
    return features @ np.array([weights.get(name, 0.0) for name in names], dtype=np.float32)


def card(table: Table) -> str:
    """A short text of a table for the embedder: its name, what is said of it, its columns."""
    columns = ", ".join(split_name(column.name) for column in table.columns[:COLUMNS_IN_CARD])
    place = f"{split_name(table.schema)} " if table.schema else ""
    said = f" ({table.comment[:120]})" if table.comment else ""
    return f"{place}{split_name(table.name)}{said}: {columns}"


def _vectors(embeddings: EmbeddingModel | None, texts: Sequence[str]) -> Floats | None:
    """[texts, dimensions], unit length; None without an embedder or texts."""
    if embeddings is None or not texts:
        return None
    vectors = np.asarray(embeddings.embeddings.embed_documents(list(texts)), dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)


class _Groups:
    """Tables in groups, by a key each; groups are numbered in order of their first table."""

    def __init__(self, keys: Sequence[Hashable]) -> None:
        seen: dict[Hashable, int] = {}
        self._of: Ints = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
        self._order = np.argsort(self._of, kind="stable")
        self._starts = np.flatnonzero(np.diff(self._of[self._order], prepend=-1))

    def best(self, values: Floats) -> Floats:
        """Each table gets the largest value of its group, [tables]."""
        return self._spread(self._reduced(values))

    def share(self, weights: Floats, values: Floats) -> Floats:
        """Each table gets the weighted sum of its group's largest values of each word: [words, tables] to [tables]."""
        return self._spread(weights @ self._reduced(values))

    def _reduced(self, values: Floats) -> Floats:
        found = np.maximum.reduceat(values[..., self._order], self._starts, axis=-1)
        return np.asarray(found, dtype=np.float32)

    def _spread(self, values: Floats) -> Floats:
        return np.asarray(values[self._of], dtype=np.float32)


def _edges(tables: Sequence[Table]) -> Ints:
    """[edges, 2]: the tables that a foreign key joins, by number."""
    at: dict[tuple[str, str], int] = {}
    for number, table in enumerate(tables):
        at.setdefault((table.catalog, table.qualified.casefold()), number)
    pairs = {
        (number, other)
        for number, table in enumerate(tables)
        for key in table.foreign_keys
        if (other := _target(at, table, key.to_table)) is not None and other != number
    }
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _target(at: dict[tuple[str, str], int], table: Table, name: str) -> int | None:
    folded = name.casefold()
    found = at.get((table.catalog, folded))
    return at.get((table.catalog, f"{table.schema.casefold()}.{folded}")) if found is None else found


def _roots(size: int, edges: Ints) -> list[int]:
    """The smallest table number that keys lead to from each table."""
    root = list(range(size))

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = root[root[at]]
            at = root[at]
        return at

    for one, other in edges.tolist():
        low, high = sorted((find(one), find(other)))
        root[high] = low
    return [find(at) for at in range(size)]
