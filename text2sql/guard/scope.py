"""What the resolver knows while it walks: sources with their fields, scopes, and the facts it has established."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from text2sql.guard.engines import Engine
from text2sql.types import Column, Table

Clause = Literal["select", "from", "on", "where", "group", "having", "qualify", "window", "order", "limit"]
AGGREGATES_IN: frozenset[Clause] = frozenset({"select", "having", "qualify", "order", "window"})
WINDOWS_IN: frozenset[Clause] = frozenset({"select", "qualify", "order"})


@dataclass(eq=False, slots=True)
class Field:
    """One column of a source. `table` and `column` where it is a column of the catalogue, carried through as it is."""

    name: str
    table: Table | None = None
    column: Column | None = None
    expression: exp.Expr | None = None
    """What computes it in a sub-query."""
    made_up: bool = False
    """Whether a statement asked for it of a source whose columns are not known."""


@dataclass(eq=False, slots=True)
class Source:
    """A table, sub-query, CTE or function in FROM, under the name that the scope knows it by."""

    alias: str
    fields: list[Field]
    node: exp.Expr
    table: Table | None = None
    open: bool = False
    """Whether it may have columns that we cannot know (a table function's)."""
    schema: str = ""
    by_name: dict[str, Field] = field(init=False)
    repeated: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.by_name = {}
        for f in self.fields:
            if f.name in self.by_name:
                self.repeated.add(f.name)
            else:
                self.by_name[f.name] = f

    def find(self, name: str) -> Field | None:
        """The field of that folded name; an open source makes one up."""
        found = self.by_name.get(name)
        if found is None and self.open:
            found = self.by_name[name] = Field(name, made_up=True)
        return found


@dataclass(eq=False, slots=True)
class Scope:
    """One SELECT while it is resolved. `parent` is the query around it, where that is visible."""

    engine: Engine
    parent: Scope | None
    select: exp.Expr
    sources: list[Source] = field(default_factory=list)
    aliases: dict[str, exp.Expr] = field(default_factory=dict)
    merged: dict[str, set[int]] = field(default_factory=dict)
    """Column name -> ids of the sources whose columns of that name USING or NATURAL made one."""
    windows: set[str] = field(default_factory=set)
    lambdas: list[set[str]] = field(default_factory=list)
    clause: Clause = "from"
    first: int = 0
    last: int = -1
    """The current clause sees the sources from `first` up to `last`; -1: to the end."""
    closed: bool = False
    """Whether the current clause cannot see the query around it."""
    grouped: bool = False
    aggregates: list[exp.Expr] = field(default_factory=list)

    def seen(self) -> list[Source]:
        """The sources that the current clause sees."""
        return self.sources[self.first :] if self.last < 0 else self.sources[self.first : self.last]

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it that the current clause sees."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = None if scope.closed else scope.parent

    def matches(self, qualifier: str, name: str, schema: str = "") -> list[tuple[Source, Field]]:
        """The fields that a name may mean here."""
        found: list[tuple[Source, Field]] = []
        for source in self.seen():
            if qualifier and source.alias != qualifier:
                continue
            if schema and source.schema != schema:
                continue
            match = source.find(name)
            if match is not None:
                found.append((source, match))
        return found

    def one(self, name: str, found: list[tuple[Source, Field]]) -> bool:
        """Whether several matches are one column, merged by USING or NATURAL."""
        merged = self.merged.get(name, set())
        return all(id(source) in merged for source, _ in found)


@dataclass(eq=False, slots=True)
class Scan:
    """One place where a table of the catalogue is read."""

    node: exp.Table
    table: Table
    source: Source


@dataclass(eq=False, slots=True)
class Binding:
    """What a column of the statement means: a field of a source, in the scope that owns the source."""

    scope: Scope
    source: Source
    field: Field


@dataclass(eq=False)
class Facts:
    """What resolution has established about the whole statement."""

    sql: str = ""
    scans: list[Scan] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    """ids of the Table nodes that were looked up, as tables or as WITH names."""
    nodes: list[exp.Column] = field(default_factory=list)
    """Every column that was bound, in order."""
    bindings: dict[int, Binding] = field(default_factory=dict)
    """id of a Column node -> what it means."""
    aliases: dict[int, exp.Expr] = field(default_factory=dict)
    """id of a Column node -> the expression of the SELECT list that it names."""
    strings: list[exp.Column] = field(default_factory=list)
    """Double-quoted names that are strings."""
    scopes: list[Scope] = field(default_factory=list)
    starred: list[Field] = field(default_factory=list)
    """What the stars of SELECT lists stand for: columns that are read though nothing names them."""
    determined: dict[int, list[Binding]] = field(default_factory=dict)
    """id of a source -> its columns that stand beside aggregates because the table's key is grouped by."""
    recursive: int = 0

    def columns(self) -> list[str]:
        """`table.column` for every column of the catalogue that the statement reads: those named, then those of stars."""
        seen: dict[str, None] = {}
        for found in (*(binding.field for binding in self.bindings.values()), *self.starred):
            if found.column is not None and found.table is not None:
                seen[f"{found.table.qualified}.{found.column.name}"] = None
        return list(seen)

    def tables(self) -> list[str]:
        """Qualified names of the tables read, in order of appearance."""
        return list(dict.fromkeys(scan.table.qualified for scan in self.scans))


@dataclass(eq=False, slots=True)
class Output:
    """The columns a query gives. `exprs` are the expressions of its SELECT list, None under a star."""

    fields: list[Field]
    open: bool = False
    scopes: tuple[Scope, ...] = ()
    """The scopes of the SELECTs that make it up: one, or one for each part of a set operation."""

    def source(self, alias: str, node: exp.Expr, names: Iterable[str] = ()) -> Source:
        """It as a source, with other names for its first columns where some are given."""
        given = list(names)
        fields = [
            Field(given[i] if i < len(given) else f.name, f.table, f.column, f.expression)
            for i, f in enumerate(self.fields)
        ]
        return Source(alias, fields, node, open=self.open)
