"""Items: the typed, non-overlapping pieces a question is read into, and the one-letter codes of their types."""

from __future__ import annotations

from dataclasses import dataclass

from text2sql.drafters.reading.calendar import Period
from text2sql.drafters.reading.numbers import Number
from text2sql.linking import Link
from text2sql.values import ValueMatch

CODES = {
    "glue": ".", "of": "o", "relative": "w", "by": "b", "and": "&", "or": "|", "count": "K", "distinct": "X",
    "each": "G", "each_before": "g", "aggregate": "A", "superlative": "S", "common": "s", "rare": "s",
    "direction": "R", "order": "O", "compare": "C", "after": "c", "between": "B", "not": "Z", "without": "Z",
    "all_columns": "*", "like": "L", "named": "n", "null": "H", "not null": "H", "grain": "Y", "trend": "F",
    "versus": "F", "growth": "F", "both": "W", "compared": "F", "many": "h", "unsupported": "!", "times": "t", "verb": ".", "filler": ".", "existing": "x", "rest": ".",
}  # fmt: skip
"""Role of a function word -> code. What is found rather than listed: M metric, D dimension, E entity, V value,
Q quoted text, N number, P period, T limit, U unknown, `,` a comma."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece. `start`/`end` count characters of `normal(question)`; only the fields of its code are set."""

    code: str
    start: int
    end: int
    text: str
    role: str = ""
    tag: str = ""
    """What exactly a function word says: `avg`, `>`, `desc age`, `month`."""
    links: tuple[Link, ...] = ()
    values: tuple[ValueMatch, ...] = ()
    number: Number | None = None
    period: Period | None = None
    plural: bool = False

    @property
    def content(self) -> bool:
        """Whether the piece names something (function words do not)."""
        return self.code in "MDEVQNPU"

    def links_of(self, kind: str) -> tuple[Link, ...]:
        """The links of one kind, best first."""
        return tuple(link for link in self.links if link.kind == kind)


@dataclass(frozen=True, slots=True)
class Reading:
    """A question read: its items in order, without glue. `text` is the `normal` question."""

    text: str
    language: str
    items: tuple[Item, ...]
    verbs: tuple[str, ...] = ()
    """Words that say what rows do with what they are joined to: speak, have."""

    @property
    def codes(self) -> str:
        """One letter an item."""
        return "".join(item.code for item in self.items)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The content words that name nothing known."""
        return tuple(item.text for item in self.items if item.code == "U")
