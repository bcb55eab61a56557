"""What a question asks for, in its own words: items sorted into roles, not yet tied to columns.

A sketch is filled by rules (patterns over the items' one-letter codes); each rule consumes the items it explains.
Content items that no rule consumed are what the sketch could not explain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from text2sql.drafters.planning.plan import Aggregate, Note, Operator
from text2sql.drafters.reading.calendar import Unit
from text2sql.drafters.reading.items import Item, Reading

CONSUMED = "_"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to show: an item as it is, or an aggregate of it (`item` None: rows)."""

    item: Item | None
    agg: Aggregate | None = None
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A filter: `dimension operator values`; the dimension may be left to the values, or to a `concept`."""

    operator: Operator
    values: tuple[Item, ...]
    dimension: Item | None = None
    concept: str = ""
    negated: bool = False
    at: int = 0
    """Index of the first item, for connecting neighbours by "or"."""
    every: bool = False
    """All values must hold ("both A and B")."""


@dataclass(frozen=True, slots=True)
class AggregateBound:
    """`agg(dimension) operator number` of each group, or (`against`) of a row with the whole column."""

    operator: Operator
    number: Item | None
    item: Item
    agg: Aggregate
    against: bool = False


@dataclass(frozen=True, slots=True)
class Sorting:
    """An order: by an item, its count or aggregate, or a concept such as `age`; `limit` where it picks rows."""

    descending: bool
    item: Item | None = None
    agg: Aggregate | None = None
    concept: str = ""
    picks: bool = False
    amount: bool = False
    """Ranked by how much there is ("the most", 最も多い), not by how high one row's number is."""
    common: bool = False
    """Groups of the item by how many rows each has."""
    word: Item | None = None
    """The superlative that said a concept: what a choice between columns is asked about."""


@dataclass
class Sketch:
    """Filled by the rules, read by the builder."""

    reading: Reading
    codes: str = ""
    targets: list[Target] = field(default_factory=list)
    groups: list[Item] = field(default_factory=list)
    buckets: list[Unit] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    aggregate_bounds: list[AggregateBound] = field(default_factory=list)
    sortings: list[Sorting] = field(default_factory=list)
    periods: list[tuple[Item, Item | None]] = field(default_factory=list)
    absent: list[tuple[Item, int]] = field(default_factory=list)
    limit: int | None = None
    limit_kind: Literal["", "asc", "desc", "head"] = ""
    versus: str = ""
    split: bool = False
    """Whether the groups were said to split numbers ("by continent", 大陸別) rather than to name rows ("for each")."""
    flags: set[str] = field(default_factory=set)
    """`distinct`, `all_columns`, `trend`, `growth`, `compared`, `both`, `unsupported:<word>`."""
    weak: list[Note] = field(default_factory=list)
    """What was read with some doubt, in words; each lowers the confidence."""

    def __post_init__(self) -> None:
        self.codes = self.reading.codes

    @property
    def items(self) -> tuple[Item, ...]:
        """All items."""
        return self.reading.items

    def consume(self, start: int, end: int) -> None:
        """Mark items [start, end) as explained."""
        self.codes = self.codes[:start] + CONSUMED * (end - start) + self.codes[end:]

    @property
    def unexplained(self) -> list[Item]:
        """Content items and function words with a meaning that nothing consumed."""
        return [
            i
            for i, code in zip(self.items, self.codes, strict=True)
            if code in "MDEVQNPUSsCcLAKOBHZRGYFXTht!|"
        ]
