"""What a FROM clause of a generated query gives: its sources, and which of their columns a name can mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from evals.proving.terms import Leaf, Scope
from text2sql.types import Column, Table

_TEXTS = ("char", "text", "string", "clob")


@dataclass(slots=True)
class Source:
    """One thing in FROM: its text, the name its columns go by, and their names and kinds."""

    text: str
    alias: str
    fields: list[Leaf]
    table: Table | None = None
    rows: int | None = None

    @property
    def leaves(self) -> list[Leaf]:
        """Its columns that a name can mean."""
        names = Counter(leaf.name.casefold() for leaf in self.fields)
        return [
            Leaf(leaf.kind, self.alias, leaf.name, column=leaf.column)
            for leaf in self.fields
            if leaf.name and names[leaf.name.casefold()] == 1
        ]


@dataclass(slots=True)
class From:
    """A FROM clause: its text, what it gives, and conditions that WHERE must hold (of comma joins)."""

    text: str = ""
    sources: list[Source] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    """Names (folded) that no bare column can be called: ambiguous."""
    merged: list[Leaf] = field(default_factory=list)
    must: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    """Aliases whose columns only ON sees: right sides of SEMI and ANTI joins."""
    whole: bool = False
    """Whether nothing may be joined to it: of three sources the merged columns are ambiguous to SQLite."""

    def seen(self) -> list[Source]:
        """The sources that other clauses than ON see."""
        return [source for source in self.sources if source.alias not in self.gone]

    def columns(self) -> list[Leaf]:
        """What `*` gives: columns that USING merged first, and once."""
        merged = {leaf.name.casefold() for leaf in self.merged}
        later = [
            f
            for i, s in enumerate(self.sources)
            if s.alias not in self.gone
            for f in s.fields
            if i > 1 or f.name.casefold() not in merged
        ]
        return [*self.merged, *(Leaf(f.kind, "", f.name, column=f.column) for f in later)]

    def scope(self, outer: Sequence[Leaf]) -> Scope:
        """What an expression beside this FROM can name."""
        seen = self.seen()
        merged = {leaf.name.casefold() for leaf in self.merged}
        own = [leaf for source in seen for leaf in source.leaves if leaf.name.casefold() not in merged]
        names = Counter(leaf.name.casefold() for source in seen for leaf in source.fields)
        aliases = {source.alias.casefold() for source in self.sources}
        bare = [
            Leaf(leaf.kind, "", leaf.name, column=leaf.column)
            for leaf in own
            if names[leaf.name.casefold()] == 1 and leaf.name.casefold() not in aliases
        ]
        around = [
            leaf for leaf in outer
            if (leaf.alias and leaf.alias.casefold() not in aliases) or (not leaf.alias and leaf.name.casefold() not in names)
        ]  # fmt: skip
        later = {leaf.name.casefold() for source in self.sources[2:] for leaf in source.fields}
        return Scope([*own, *bare, *(m for m in self.merged if m.name.casefold() not in later)], around)


def kind_of(column: Column) -> str:
    """The kind of a column's values; `other` for what is not compared with ordinary literals."""
    if column.family == "text" and not any(part in column.type.casefold() for part in _TEXTS):
        return "other"
    return "other" if column.family in ("time", "binary") else column.family


def words(*parts: str) -> str:
    """The parts of a statement with one space between; empty ones left out."""
    return " ".join(part.strip(" ") for part in parts if part)
