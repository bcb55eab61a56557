"""FROM: which tables, sub-queries and functions a SELECT reads, and what its ON conditions see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from text2sql.guard import joins
from text2sql.guard.engines import Engine
from text2sql.guard.expressions import Expressions
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts, Field, Output, Scan, Scope, Source
from text2sql.guard.tables import Tables
from text2sql.types import Table


@dataclass(eq=False, slots=True)
class Cte:
    """A WITH query: what it gives, and the names its definition gives to its columns."""

    output: Output
    names: list[str]


_NAMES_JOINS = frozenset({"postgres", "duckdb", "athena"})
"""Engines that let a join in parentheses have a name."""
Ctes = Mapping[str, Cte]
Query = Callable[[exp.Expr, Ctes, Scope | None], Output]


@dataclass(eq=False, slots=True)
class _Reading:
    """One FROM clause while it is read."""

    scope: Scope
    ctes: Ctes
    conditions: list[tuple[exp.Join, int, int]] = field(default_factory=list)
    """Joins with ON, and which sources it sees: from, to."""
    gone: list[Source] = field(default_factory=list)
    """Right sides of SEMI and ANTI joins: seen by ON alone."""
    group: int = 0
    """First source after the last comma: JOIN binds tighter than it."""


class FromClause:
    """Reads FROM clauses. `query` resolves a query, given the CTEs and the scope it sees."""

    def __init__(
        self, engine: Engine, tables: Tables, facts: Facts, expressions: Expressions, query: Query
    ) -> None:
        self.engine = engine
        self.tables = tables
        self.facts = facts
        self.expressions = expressions
        self.query = query

    def read(self, node: exp.Select, scope: Scope, ctes: Ctes) -> None:
        """Fill the scope with the sources of this SELECT."""
        reading = _Reading(scope, ctes)
        if node.args.get("from_") is not None:
            self._add(node.args["from_"].this, reading)
        for join in node.args.get("joins") or ():
            self._join(join, reading)
        for lateral in node.args.get("laterals") or ():
            self._add(lateral, reading)
        for join, first, last in reading.conditions:
            scope.clause = "on"
            # SQLite treats the ON of inner joins like WHERE: it sees every table.
            everything = self.engine.name == "sqlite" and not join.args.get("side")
            scope.first, scope.last = (0, -1) if everything else (first, last)
            self.expressions.visit(join.args["on"], scope)
        scope.first, scope.last = 0, -1
        for source in reading.gone:
            source.alias, source.fields, source.by_name = "", [], {}
        joins.check_aliases(scope)

    def _join(self, join: exp.Join, reading: _Reading) -> None:
        sources = reading.scope.sources
        before = len(sources)
        if not any(join.args.get(key) for key in ("kind", "side", "method", "on", "using")) and (
            self.engine.name not in ("sqlite", "duckdb")
        ):
            reading.group = before
        self._add(join.this, reading)
        joins.merge(join, reading.scope, before)
        if join.args.get("on") is not None:
            reading.conditions.append((join, reading.group, len(sources)))
        if join.kind in ("SEMI", "ANTI"):
            reading.gone.extend(sources[before:])

    def _add(self, node: exp.Expr, reading: _Reading) -> None:
        """Add what stands in FROM to the scope."""
        if isinstance(node, exp.Subquery) and joins.holds_sources(node) and not self._as_query(node):
            self._parenthesised(node, reading)
        else:
            source = self._source(node, reading.scope, reading.ctes)
            reading.scope.sources.append(joins.pivoted(node, source, reading.scope, self.expressions))
        for join in node.args.get("joins") or ():
            self._join(join, reading)

    def _as_query(self, node: exp.Subquery) -> bool:
        """`(a JOIN b ON …) AS j` as `(SELECT * FROM a JOIN b ON …) AS j`, which says the same. In place."""
        alias, inner = node.args.get("alias"), node.this
        named = alias is not None and alias.args.get("this") is not None
        if not named or self.engine.name not in _NAMES_JOINS or not inner.args.get("joins"):
            return False
        node.set(
            "this",
            exp.Select(expressions=[exp.Star()], from_=exp.From(this=inner), joins=inner.args["joins"]),
        )
        inner.set("joins", None)
        return True

    def _parenthesised(self, node: exp.Subquery, reading: _Reading) -> None:
        """`(a JOIN b ON …)`; it is transparent, and so cannot have a name of its own."""
        alias = node.args.get("alias")
        if node.args.get("pivots"):
            raise Refused("node", "PIVOT stands after one table or sub-query; write a sub-query.", node)
        if self.engine.name == "sqlite" and _lone_table(node):
            node.set("alias", None)
            node.this.set("alias", alias)  # `(t) AS x` is `(t AS x)`
        elif (
            self.engine.name in ("postgres", "redshift") and _lone_table(node) and not node.args.get("joins")
        ):
            raise Refused("syntax", "One table stands in no parentheses.", node)
        elif alias is not None and alias.args.get("this") is not None:
            raise Refused(
                "node", "Tables in parentheses cannot be given a name here; write a sub-query.", node
            )
        self._add(node.this, reading)

    def _source(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> Source:
        alias, columns = joins.alias_of(node, self.engine)
        if isinstance(node, exp.Table):
            if isinstance(node.this, exp.Identifier):
                return self._table(node, alias, columns, ctes)
            return joins.table_function(node, node.this, alias, columns, scope, self.expressions)
        if isinstance(node, exp.Lateral | exp.Unnest):
            inner = node.this if isinstance(node, exp.Lateral) else node
            if isinstance(inner, exp.Subquery):
                return self.query(inner, ctes, scope).source(alias, node, columns)
            return joins.table_function(node, inner, alias, columns, scope, self.expressions)
        if isinstance(node, exp.Subquery | exp.Values):
            outer = scope if self.engine.implicit_lateral else scope.parent
            return self.query(node, ctes, outer).source(alias, node, columns)
        raise Refused("node", "This cannot stand in FROM here.", node, type(node).__name__)

    def _table(self, node: exp.Table, alias: str, columns: list[str], ctes: Ctes) -> Source:
        """A CTE, which only a bare name can mean, or a table of the catalogue."""
        name = self.engine.fold(node.this)
        cte = ctes.get(name) if node.args.get("db") is None else None
        self.facts.read.add(id(node))
        if cte is not None:
            return cte.output.source(alias or name, node, columns or cte.names)
        table = self.tables.find(node)
        source = self._table_source(node, table, alias or name, columns)
        self.facts.scans.append(Scan(node, table, source))
        return source

    def _table_source(self, node: exp.Table, table: Table, alias: str, columns: list[str]) -> Source:
        fields = [
            Field(columns[i] if i < len(columns) else self.tables.fold(column.name), table, column)
            for i, column in enumerate(self.tables.columns(table))
        ]
        schema = (table.schema or self.engine.default_schema).lower()
        # SQLite knows `main.x.column` also where x is the name given to a table of main.
        hidden = node.args.get("alias") and self.engine.name != "sqlite"
        return Source(alias, fields, node, table=table, schema="" if hidden else schema)


def _lone_table(node: exp.Subquery) -> bool:
    table = node.this
    return isinstance(table, exp.Table) and not (table.args.get("alias") or table.args.get("joins"))
