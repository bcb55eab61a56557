"""Tables that nothing joins: each row of one meets every row of the others.

Two or three such tables are asked for on purpose (every store with every month); eight copies of a table never end.
What holds them together is an equality between columns of two of them: `1 = 1` and `a.x < b.x` do not. A sub-query
counts for what it crosses inside, or for half a table where it sums up, drops repeats or is cut by LIMIT. Where the
catalogue counts the rows of all of them, their product decides alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from sqlglot import exp

from text2sql.guard.derived import Derived, one_row
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts, Scope, Source
from text2sql.guard.tables import Tables

MAX_TABLES = 4.0
"""Unconnected tables that are too many where it is not known how large they are."""
MAX_ROWS = 1e10
"""Rows of a product of tables that the catalogue counts."""
_EQUAL: tuple[type[exp.Expr], ...] = (exp.EQ, exp.NullSafeEQ, exp.Between, exp.Like, exp.ILike, exp.Func)
Pairs = frozenset[frozenset[int]]


@dataclass(frozen=True, slots=True)
class _Size:
    """How many tables are crossed, and their rows where all are known."""

    tables: float
    rows: float | None


_ONE_ROW = _Size(0, 1)


def check_crossing(facts: Facts, tables: Tables) -> None:
    """Raises `Refused` with code unbounded for a product of too many tables. Takes what resolution has found.

    How many rows a table has is known of those alone that the caller sees whole: a refusal would tell of the others.
    """
    many = [
        scope for scope in facts.scopes if len(scope.sources) > 2 and isinstance(scope.select, exp.Select)
    ]
    if many:
        crossing = _Crossing(facts, tables)
        for scope in many:
            size = crossing.of(scope)
            too_many = (
                size.tables >= MAX_TABLES if size.rows is None else size.rows > MAX_ROWS and size.tables > 2
            )
            if too_many:
                message = (
                    f"{len(scope.sources)} tables meet with too little to join them by; join them by columns."
                )
                raise Refused("unbounded", message, scope.select, "FROM")


class _Crossing:
    def __init__(self, facts: Facts, tables: Tables) -> None:
        self.facts = facts
        self.tables = tables
        self.derived = Derived(facts)
        self._known: dict[int, _Size] = {}

    def of(self, scope: Scope) -> _Size:
        """What the FROM of a SELECT makes."""
        found = self._known.get(id(scope))
        if found is None:
            self._known[id(scope)] = _ONE_ROW
            found = self._known[id(scope)] = self._product(scope)
        return found

    def _product(self, scope: Scope) -> _Size:
        tables, rows = 0.0, 1.0
        known = True
        for part in _parts(scope.sources, self._ties(scope)):
            sizes = [self._source(source) for source in part]
            tables += max(size.tables for size in sizes)
            counts = [size.rows for size in sizes if size.rows is not None]
            known = known and len(counts) == len(sizes)
            rows *= max(counts, default=1.0)
        return _Size(tables, rows if known else None)

    def _source(self, source: Source) -> _Size:
        if source.table is not None:
            grants = self.tables.grants(source.table)
            whole = grants is None or any(grant.predicate is None for grant in grants)
            return _Size(1, source.table.rows if whole else None)
        inner = self.derived.of(source)
        if inner is None:
            made = isinstance(source.node, exp.Values | exp.Unnest | exp.Lateral) or source.node.find(
                exp.Values
            )
            return _Size(0.5, None) if made else _Size(1, None)
        if one_row(inner):
            return _ONE_ROW
        size = self.of(inner)
        if any(inner.select.args.get(key) for key in ("group", "distinct", "limit")):
            return _Size(min(0.5, size.tables), size.rows)
        return size

    def _ties(self, scope: Scope) -> Pairs:
        select = scope.select
        conditions = [
            join.args.get("on") for join in select.find_all(exp.Join) if join.args.get("on") is not None
        ]
        where = select.args.get("where")
        tied = {frozenset(pair) for ids in scope.merged.values() for pair in combinations(ids, 2)}
        for condition in [*conditions, *([where.this] if where is not None else [])]:
            tied |= self._tied(condition)
        for source in scope.sources:  # what sees its neighbours is tied to them
            if not isinstance(source.node, exp.Table) or not isinstance(source.node.this, exp.Identifier):
                tied |= {frozenset({id(source), other}) for other in self._seen(source.node)}
        return frozenset(tied)

    def _tied(self, node: exp.Expr) -> Pairs:
        """The pairs of sources that hold together wherever the condition is true."""
        node = node.unnest()
        if isinstance(node, exp.And):
            return self._tied(node.this) | self._tied(node.expression)
        if isinstance(node, exp.Or):
            return self._tied(node.this) & self._tied(node.expression)
        if not isinstance(node, _EQUAL):
            return frozenset()
        return frozenset(frozenset(pair) for pair in combinations(self._seen(node), 2))

    def _seen(self, node: exp.Expr) -> set[int]:
        bindings = (self.facts.bindings.get(id(column)) for column in node.find_all(exp.Column))
        return {id(binding.source) for binding in bindings if binding is not None}


def _parts(sources: list[Source], ties: Pairs) -> list[list[Source]]:
    """The sources, apart where nothing ties them."""
    home = {id(source): {id(source)} for source in sources}
    for pair in ties:
        ends = [home.setdefault(end, {end}) for end in pair]
        joined = set().union(*ends)
        for member in joined:
            home[member] = joined
    parts: dict[int, list[Source]] = {}
    for source in sources:
        parts.setdefault(min(home[id(source)]), []).append(source)
    return list(parts.values())
