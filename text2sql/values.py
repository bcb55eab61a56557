"""Which values the warehouse holds, found by how people write them (width, kana, case, plural) or nearly so.

The index is built from the profiles of one caller's visible catalogue, so that it can name no value that this
caller may not see. Numbers and dates are not indexed: questions name them by comparison, not by look-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from retrieval.language import fold
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog
from text2sql.visible_model import visible_model
from text2sql.words import Token, stems

LONGEST = 8
"""Tokens of the longest value that is looked for inside a question; longer ones are found when quoted."""


@dataclass(frozen=True, slots=True)
class ValueMatch:
    """A stored value and where it is. `table` is the catalogue's qualified name; `score` is in [0, 100]."""

    table: str
    column: str
    value: str
    score: float = 100.0


class ValueIndex:
    """Looks values up. Immutable once built; safe to share between threads."""

    def __init__(self, entries: Iterable[tuple[str, ValueMatch]]) -> None:
        """`entries`: how the value is said (the value itself, or a synonym of the model), and the value."""
        self._folded: dict[str, list[ValueMatch]] = {}
        self._stems: dict[tuple[str, ...], list[ValueMatch]] = {}
        self._longest: dict[str, int] = {}
        for said, match in entries:
            self._folded.setdefault(fold(said), []).append(match)
            key = stems(said)
            if key and len(key) <= LONGEST * 3:
                self._stems.setdefault(key, []).append(match)
                self._longest[key[0]] = max(self._longest.get(key[0], 0), len(key))
        self._said = list(self._folded)

    @classmethod
    def of(cls, catalog: Catalog, model: SemanticModel | None = None) -> ValueIndex:
        """The values in the catalogue's profiles and the model's other ways to say them."""
        return cls(_entries(catalog, model))

    def __len__(self) -> int:
        return len(self._folded)

    def lookup(self, text: str) -> tuple[ValueMatch, ...]:
        """Every place that holds this value, as written up to folding, or up to number where nothing is."""
        found = self._folded.get(fold(text)) or self._stems.get(stems(text), [])
        return tuple(dict.fromkeys(found))

    def at(self, tokens: Sequence[Token], start: int) -> list[tuple[int, tuple[ValueMatch, ...]]]:
        """Values that begin at `tokens[start]`: (end, matches), longest first. Marks between words are skipped."""
        longest = self._longest.get(tokens[start].stem, 0)
        found: list[tuple[int, tuple[ValueMatch, ...]]] = []
        key: list[str] = []
        for end in range(start, min(len(tokens), start + 2 * longest)):
            if tokens[end].kind == "mark":
                continue
            key.append(tokens[end].stem)
            if len(key) > longest:
                break
            matches = self._stems.get(tuple(key))
            if matches:
                found.append((end + 1, tuple(dict.fromkeys(matches))))
        return found[::-1]

    def nearest(self, text: str, limit: int = 3, cutoff: float = 85.0) -> tuple[ValueMatch, ...]:
        """Values spelled almost like `text` (rapidfuzz ratio of the folded forms), best first."""
        close = process.extract(fold(text), self._said, scorer=fuzz.ratio, limit=limit, score_cutoff=cutoff)
        return tuple(
            ValueMatch(match.table, match.column, match.value, score)
            for said, score, _ in close
            for match in dict.fromkeys(self._folded[said])
        )


def _entries(catalog: Catalog, model: SemanticModel | None) -> Iterable[tuple[str, ValueMatch]]:
    for table in catalog.tables:
        for column in table.columns:
            if column.profile is not None and column.family in ("text", "other"):
                for value in column.profile.values:
                    if value.strip():
                        yield value, ValueMatch(table.qualified, column.name, value)
    for entity in visible_model(model, catalog).tables if model else ():
        owner = catalog.table(entity.physical)
        for dimension in entity.dimensions if owner is not None else ():
            column_name = dimension.sql
            for value, said in dimension.values.items():
                match = ValueMatch(owner.qualified if owner else "", column_name, value)
                for text in (value, *said.en, *said.ja):
                    yield text, match
