"""What warnings look at: the columns a statement compares, and what is known of their keys and values."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from text2sql.guard.derived import Derived
from text2sql.guard.scope import Binding, Facts, Scope, Source
from text2sql.guard.tables import Tables
from text2sql.held import Held, held
from text2sql.types import Catalog, Column, Profile, Table

_TIES = (
    exp.EQ,
    exp.NullSafeEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Like,
    exp.Between,
    exp.In,
    exp.Func,
    exp.NEQ,
)
COMPARED = (
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Between,
    exp.In,
)
_LOOKED_AT = (*COMPARED, exp.Like, exp.ILike, exp.Case, exp.Not)
_LEAVES = (exp.Column, exp.Identifier, exp.Literal, exp.DataType, exp.TableAlias)
_ROOTS = 8
"""Foreign keys followed from one column."""
Key = tuple[str, str]
"""A column of the catalogue: qualified table and name, both folded."""


@dataclass(frozen=True, eq=False, slots=True)
class Link:
    """Two columns of two sources that a statement sets equal. `must`: no row comes where they differ."""

    node: exp.Expr
    left: Binding
    right: Binding
    must: bool


@dataclass(eq=False)
class Looking:
    """One resolved statement, as warnings look at it. `ungrouped` are columns beside aggregates."""

    facts: Facts
    tables: Tables
    ungrouped: list[exp.Expr]
    derived: Derived = field(init=False)
    _strings: set[int] = field(init=False)
    _links: dict[int, list[Link]] = field(default_factory=dict)
    _ties: dict[int, list[set[int]]] = field(default_factory=dict)
    _inside: dict[int, list[exp.Expr]] = field(default_factory=dict)
    _comparisons: dict[int, list[exp.Expr]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.derived = Derived(self.facts)
        self._strings = {id(node) for node in self.facts.strings}

    def joining(self) -> Iterator[Scope]:
        """The scopes that read several sources."""
        return (s for s in self.facts.scopes if isinstance(s.select, exp.Select) and len(s.sources) > 1)

    def bound(self, node: exp.Expr | None) -> Binding | None:
        """What a column means; None for anything else."""
        return self.facts.bindings.get(id(node))

    def literal(self, node: exp.Expr) -> exp.Literal | None:
        """A literal, also a string that SQLite takes a double-quoted name for."""
        if isinstance(node, exp.Literal):
            return node
        if not self._strings:
            return None
        return exp.Literal.string(node.name) if id(node) in self._strings else None

    # Joins.

    def links(self, scope: Scope) -> list[Link]:
        """Columns of two sources of this scope that are set equal, by ON, WHERE, USING or NATURAL."""
        found = self._links.get(id(scope))
        if found is None:
            found = self._links[id(scope)] = [*self._equalities(scope), *_merged(scope)]
        return found

    def _equalities(self, scope: Scope) -> Iterator[Link]:
        for clause in conditions(scope):
            for node in clause.find_all(exp.EQ, exp.NullSafeEQ):
                left, right = self.bound(node.this.unnest()), self.bound(node.expression.unnest())
                if left is None or right is None or not (left.scope is right.scope is scope):
                    continue
                if left.source is not right.source:
                    yield Link(node, left, right, _must(node, clause))

    def ties(self, scope: Scope) -> list[set[int]]:
        """Ids of the sources that one condition of any kind names together."""
        found = self._ties.get(id(scope))
        if found is None:
            found = self._ties[id(scope)] = [*self._conditional(scope)]
        return found

    def _conditional(self, scope: Scope) -> Iterator[set[int]]:
        for clause in conditions(scope):
            for node in clause.find_all(*_TIES):
                if isinstance(node, exp.Connector):  # a function to the parser: AND ties nothing
                    continue
                bound = [self.bound(column) for column in node.find_all(exp.Column)]
                together = {id(b.source) for b in bound if b is not None and b.scope is scope}
                if len(together) > 1:
                    yield together
        yield from scope.merged.values()

    # Values.

    def inside(self, scope: Scope) -> list[exp.Expr]:
        """Comparisons and CASEs of this SELECT, without those of queries inside it. One walk a SELECT."""
        found = self._inside.get(id(scope))
        if found is None:
            select = scope.select
            found = self._inside[id(scope)] = _looked_at(select) if isinstance(select, exp.Select) else []
        return found

    def comparisons(self, scope: Scope) -> list[exp.Expr]:
        """Those of them that compare by size or equality."""
        if id(scope) not in self._comparisons:
            self._comparisons[id(scope)] = [n for n in self.inside(scope) if type(n) in COMPARED]
        return self._comparisons[id(scope)]

    def profile(self, binding: Binding) -> Profile | None:
        """What a column of the catalogue holds, for what this caller sees of it; None where that is not known."""
        found = self._known_of(binding)
        return found[1].profile if found is not None else None

    def held(self, binding: Binding) -> Held | None:
        """The values of `profile`, ready to be compared with."""
        found = self._known_of(binding)
        return None if found is None or found[1].profile is None else held(found[0], found[1].profile)

    def _known_of(self, binding: Binding) -> tuple[Catalog, Column] | None:
        """The column whose profile is of the caller's own rows, and its catalogue. A masked column has none."""
        column, table = binding.field.column, binding.field.table
        if column is None or table is None:
            return None
        if any(column.name.casefold() in altered for altered in self.tables.altered(table)):
            return None
        if all(grant.predicate is None for grant in self.tables.grants(table) or ()):
            return self.tables.catalog, column
        own = self.own(binding)
        return None if own is None or self.tables.known is None else (self.tables.known, own)

    def own(self, binding: Binding) -> Column | None:
        """The column in the caller's own catalogue, where one was handed in."""
        column, table, known = binding.field.column, binding.field.table, self.tables.known
        own = known.table(table.qualified) if known is not None and table is not None else None
        return own.column(column.name) if own is not None and column is not None else None

    def unique(self, binding: Binding) -> bool:
        """Whether no value stands twice in a column: it is a key, or no value does today."""
        table, column = binding.field.table, binding.field.column
        if table is None or column is None:
            return False
        if column.name.casefold() in keys_alone(table):
            return True
        found = self._known_of(binding)
        profile = found[1].profile if found is not None and found[0] is self.tables.catalog else None
        if profile is None or profile.sampled or not table.rows:
            return False
        return profile.distinct == table.rows - (profile.nulls or 0)


def _looked_at(select: exp.Select) -> list[exp.Expr]:
    """Level by level, as `walk` goes; names and literals, most of a tree, hold nothing to be looked at."""
    found: list[exp.Expr] = []
    ahead: deque[exp.Expr] = deque([select])
    while ahead:
        node = ahead.popleft()
        if isinstance(node, _LOOKED_AT):
            found.append(node)
        elif isinstance(node, _LEAVES) or (isinstance(node, exp.Query) and node is not select):
            continue
        ahead.extend(node.iter_expressions())
    return found


def keys_alone(table: Table) -> set[str]:
    """The columns that are a key each by itself, folded."""
    return {key[0].casefold() for key in (table.primary_key, *table.unique) if len(key) == 1}


def conditions(scope: Scope) -> Iterator[exp.Expr]:
    """What stands behind ON and WHERE of this SELECT."""
    for join in _joins(scope.select):
        if join.args.get("on") is not None:
            yield join.args["on"]
    where = scope.select.args.get("where")
    if where is not None:
        yield where.this


def _joins(select: exp.Expr) -> Iterator[exp.Join]:
    """The joins of this SELECT, also those in parentheses, not those of queries inside."""
    from_ = select.args.get("from_")
    stack = [from_.this] if from_ is not None else []
    stack += select.args.get("joins") or ()
    while stack:
        node = stack.pop(0)
        if isinstance(node, exp.Join):
            yield node
            node = node.this
        if not isinstance(node, exp.Query) or isinstance(node, exp.Subquery):
            stack += node.args.get("joins") or ()
            if isinstance(node, exp.Subquery) and not isinstance(node.this, exp.Query):
                stack.append(node.this)


def _must(node: exp.Expr, clause: exp.Expr) -> bool:
    holder: exp.Expr | None = node
    while holder is not None and holder is not clause:
        holder = holder.parent
        if not isinstance(holder, exp.And | exp.Paren):
            return False
    return True


def _merged(scope: Scope) -> Iterator[Link]:
    for name, ids in scope.merged.items():
        held = [(s, s.find(name)) for s in scope.sources if id(s) in ids]
        bound = [Binding(scope, s, f) for s, f in held if f is not None]
        for other in bound[1:]:
            yield Link(other.source.node, bound[0], other, True)


def groups(sources: list[Source], ties: list[set[int]]) -> list[list[Source]]:
    """The sources in groups that ties hold together, in their order."""
    group = {id(s): i for i, s in enumerate(sources)}
    for tie in ties:
        numbers = {group[i] for i in tie if i in group}
        for key, number in group.items():
            if number in numbers:
                group[key] = min(numbers)
    parts: dict[int, list[Source]] = {}
    for source in sources:
        parts.setdefault(group[id(source)], []).append(source)
    return list(parts.values())


# Keys.


def key_of(binding: Binding) -> Key | None:
    """The catalogue's column behind it."""
    column, table = binding.field.column, binding.field.table
    return None if column is None or table is None else (table.qualified.casefold(), column.name.casefold())


def roots(looking: Looking, table: Table, name: str) -> set[Key]:
    """The column itself, and all that foreign keys lead to from it."""
    found: set[Key] = set()
    ahead: list[tuple[Table, str]] = [(table, name.casefold())]
    while ahead and len(found) < _ROOTS:
        at, column = ahead.pop()
        if (at.qualified.casefold(), column) in found:
            continue
        found.add((at.qualified.casefold(), column))
        for key in at.foreign_keys:
            for own, other in zip(key.columns, key.to_columns, strict=False):
                to = looking.tables.catalog.table(key.to_table)
                if own.casefold() == column and to is not None:
                    ahead.append((to, other.casefold()))
    return found


def on_key(looking: Looking, left: Binding, right: Binding) -> bool | None:
    """Whether foreign keys lead from the two columns to one; None where nothing is known of either."""
    one, other = left.field, right.field
    if one.table is None or other.table is None or one.column is None or other.column is None:
        return None
    if key_of(left) == key_of(right):
        return True
    if "view" in (one.table.kind, other.table.kind):
        return None
    first = roots(looking, one.table, one.column.name)
    return not first.isdisjoint(roots(looking, other.table, other.column.name))
