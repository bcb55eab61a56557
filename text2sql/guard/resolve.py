"""Step 5: every table is one of the caller's, every column is one of its tables', as the engine itself reads names.

One walk over the tree, a scope for each SELECT. Nothing is guessed: a name that the engine would not find, or
would find twice, is refused. CTE names are looked up before tables, but never for a qualified name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from text2sql.guard import compound, joins, projection
from text2sql.guard.allowlist import Allowlist
from text2sql.guard.engines import Engine
from text2sql.guard.expressions import Expressions
from text2sql.guard.recursion import check_recursive
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Clause, Facts, Field, Output, Scan, Scope, Source
from text2sql.guard.tables import Tables
from text2sql.types import Table

Ctes = Mapping[str, "Cte"]


@dataclass(eq=False, slots=True)
class Cte:
    """A WITH query. `output` is None while it is being resolved itself."""

    node: exp.CTE
    output: Output | None
    names: list[str]
    recursive: bool = False


class Resolver:
    """Resolves one statement. `facts` holds what it found."""

    def __init__(self, engine: Engine, allowed: Allowlist, tables: Tables, sql: str) -> None:
        self.engine = engine
        self.tables = tables
        self.facts = Facts(sql=sql)
        self._ctes: dict[int, Ctes] = {}
        self.expressions = Expressions(engine, allowed, self.facts, self._nested)

    def statement(self, tree: exp.Expr) -> Output:
        """Resolve the whole statement. Raises `Refused`."""
        return self._query(tree, {}, None)

    # Queries.

    def _nested(self, node: exp.Expr, scope: Scope) -> Output:
        """A query inside an expression of `scope`."""
        return self._query(node, self._ctes[id(scope)], scope)

    def _query(self, node: exp.Expr, ctes: Ctes, outer: Scope | None) -> Output:
        ctes = self._with(node, ctes, outer)
        if isinstance(node, exp.Subquery):
            return self._wrapped(node, ctes, outer)
        if isinstance(node, exp.Select):
            return self._select(node, ctes, outer)
        if isinstance(node, exp.SetOperation):
            return self._set_operation(node, ctes, outer)
        if isinstance(node, exp.Values):
            return self._values(node, ctes, outer)
        raise Refused("node", "This is not a query that can be read here.", node, type(node).__name__)

    def _wrapped(self, node: exp.Subquery, ctes: Ctes, outer: Scope | None) -> Output:
        """A query in parentheses, with an ORDER BY or LIMIT of its own perhaps."""
        if not isinstance(node.this, exp.Query | exp.Values):
            raise Refused("syntax", "A query is wanted inside these parentheses.", node)
        output = self._query(node.this, ctes, outer)
        self._ordered(node, output, ctes, outer)
        return output

    def _set_operation(self, node: exp.SetOperation, ctes: Ctes, outer: Scope | None) -> Output:
        parts = compound.parts(node)
        outputs = [self._query(part, ctes, outer) for part in parts]
        compound.check_widths(node, parts, outputs)
        output = Output(
            [Field(f.name, f.table, f.column) for f in outputs[0].fields],
            any(o.open for o in outputs),
            tuple(scope for o in outputs for scope in o.scopes),
        )
        self._ordered(node, output, ctes, outer)
        return output

    def _ordered(self, node: exp.Expr, output: Output, ctes: Ctes, outer: Scope | None) -> None:
        order = node.args.get("order")
        if order is not None:
            compound.check_order(order, output, self.engine, self.expressions, self.facts)
        scope = self._scope(node, ctes, outer)
        self._limits(node, scope)

    def _values(self, node: exp.Values, ctes: Ctes, outer: Scope | None) -> Output:
        rows = node.expressions
        scope = self._scope(node, ctes, outer)
        scope.clause = "where"  # neither aggregates nor windows
        for row in rows:
            for value in row.expressions if isinstance(row, exp.Tuple) else [row]:
                self.expressions.visit(value, scope)
        widths = {len(row.expressions) if isinstance(row, exp.Tuple) else 1 for row in rows}
        if len(widths) != 1:
            raise Refused("columns", "The rows of VALUES have different numbers of columns.", node)
        prefix = "col" if self.engine.name == "duckdb" else "column"
        start = 0 if self.engine.name == "duckdb" else 1
        return Output([Field(f"{prefix}{i + start}") for i in range(widths.pop())])

    def _scope(self, node: exp.Expr, ctes: Ctes, outer: Scope | None) -> Scope:
        scope = Scope(self.engine, outer, node)
        self._ctes[id(scope)] = ctes
        self.facts.scopes.append(scope)
        return scope

    # WITH.

    def _with(self, node: exp.Expr, ctes: Ctes, outer: Scope | None) -> Ctes:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        known: dict[str, Cte] = dict(ctes)
        pending = list(clause.expressions)
        names = [self.engine.fold(cte.args["alias"].this) for cte in pending]
        for name, cte in zip(names, pending, strict=True):
            if names.count(name) > 1:
                raise Refused("duplicate_name", f"Two WITH queries are called {name}; rename one.", cte, name)
        if self.engine.forward_ctes:
            return self._forward(pending, names, known, outer)
        for name, cte in zip(names, pending, strict=True):
            self._cte(name, cte, known, outer, recursive=bool(clause.args.get("recursive")))
        return known

    def _forward(
        self, pending: list[exp.CTE], names: list[str], known: dict[str, Cte], outer: Scope | None
    ) -> Ctes:
        """WITH queries that see those after them: each is resolved after those it names."""
        left = dict(zip(names, pending, strict=True))
        while left:
            name = next(
                (n for n, cte in left.items() if not _names_any(cte, left, self.engine)), next(iter(left))
            )
            self._cte(name, left.pop(name), known, outer, recursive=True)
        return known

    def _cte(
        self, name: str, cte: exp.CTE, known: dict[str, Cte], outer: Scope | None, *, recursive: bool
    ) -> None:
        columns = [self.engine.fold(c) for c in cte.args["alias"].args.get("columns") or ()]
        if recursive and _names_any(cte, {name: cte}, self.engine):
            self._recursive(name, cte, columns, known, outer)
            return
        output = self._query(cte.this, known, outer)
        if (
            columns
            and len(columns) != len(output.fields)
            and not (output.open or len(columns) < len(output.fields))
        ):
            raise Refused(
                "columns", f"{name} names {len(columns)} columns and gives {len(output.fields)}.", cte, name
            )
        if columns and len(columns) != len(output.fields) and self.engine.name == "sqlite":
            raise Refused(
                "columns", f"{name} names {len(columns)} columns and gives {len(output.fields)}.", cte, name
            )
        known[name] = Cte(cte, output, columns)

    def _recursive(
        self, name: str, cte: exp.CTE, columns: list[str], known: dict[str, Cte], outer: Scope | None
    ) -> None:
        body = check_recursive(name, cte, columns, self.engine)
        first = self._query(body.this, known, outer)
        inner = dict(known)
        inner[name] = Cte(cte, first, columns, recursive=True)
        second = self._query(body.expression, inner, outer)
        compound.check_widths(body, [body.this, body.expression], [first, second])
        self.facts.recursive += 1
        known[name] = Cte(cte, Output([Field(f.name) for f in first.fields], first.open), columns)

    # SELECT.

    def _select(self, node: exp.Select, ctes: Ctes, outer: Scope | None) -> Output:
        scope = self._scope(node, ctes, outer)
        self._from(node, scope, ctes)
        scope.windows = {self.engine.fold(w.this) for w in node.args.get("windows") or ()}
        group = node.args.get("group")
        scope.grouped = group is not None
        scope.clause = "select"
        output = projection.project(node, scope, self.expressions)
        output.scopes = (scope,)
        self._clauses(node, scope, output)
        if group is not None:
            scope.clause = "group"
            projection.check_group(group, scope, output, self.expressions)
        self._limits(node, scope)
        return output

    def _clauses(self, node: exp.Select, scope: Scope, output: Output) -> None:
        where, having = node.args.get("where"), node.args.get("having")
        if where is not None:
            self._visit("where", where.this, scope)
        if having is not None:
            if self.engine.name == "sqlite" and not (scope.grouped or scope.aggregates):
                raise Refused(
                    "having", "HAVING needs GROUP BY or an aggregate in the SELECT list; use WHERE.", having
                )
            self._visit("having", having.this, scope)
            scope.grouped = True
        qualify = node.args.get("qualify")
        if qualify is not None:
            self._visit("qualify", qualify.this, scope)
        for window in node.args.get("windows") or ():
            scope.clause = "window"
            self.expressions.window_parts(window, scope)
        order = node.args.get("order")
        if order is not None:
            scope.clause = "order"
            projection.check_order(order, scope, output, self.expressions)

    def _visit(self, clause: Clause, node: exp.Expr, scope: Scope) -> None:
        scope.clause = clause
        self.expressions.visit(node, scope)

    def _limits(self, node: exp.Expr, scope: Scope) -> None:
        """LIMIT and OFFSET see no columns."""
        scope.clause = "limit"
        scope.visible, scope.closed = 0, True
        for key in ("limit", "offset"):
            clause = node.args.get(key)
            if clause is not None:
                for child in clause.iter_expressions():
                    if not isinstance(child, exp.LimitOptions):
                        self.expressions.visit(child, scope)
        scope.visible, scope.closed = -1, False

    # FROM.

    def _from(self, node: exp.Select, scope: Scope, ctes: Ctes) -> None:
        from_ = node.args.get("from_")
        pending: list[tuple[exp.Join, int]] = []
        if from_ is not None:
            self._add(from_.this, scope, ctes, pending)
        for join in node.args.get("joins") or ():
            self._join(join, scope, ctes, pending)
        for lateral in node.args.get("laterals") or ():
            self._add(lateral, scope, ctes, pending)
        for join, visible in pending:
            scope.clause = "on"
            # SQLite treats the ON of inner joins like WHERE: it sees every table.
            everything = self.engine.name == "sqlite" and not join.args.get("side")
            scope.visible = -1 if everything else visible
            self.expressions.visit(join.args["on"], scope)
        scope.visible = -1
        joins.check_aliases(scope)

    def _join(self, join: exp.Join, scope: Scope, ctes: Ctes, pending: list[tuple[exp.Join, int]]) -> None:
        before = len(scope.sources)
        self._add(join.this, scope, ctes, pending)
        joins.merge(join, scope, before)
        if join.args.get("on") is not None:
            pending.append((join, len(scope.sources)))
        if join.kind in ("SEMI", "ANTI"):
            # Their right side filters and is gone; its columns are seen by ON alone.
            for source in scope.sources[before:]:
                source.alias = ""
                source.by_name = {}

    def _add(self, node: exp.Expr, scope: Scope, ctes: Ctes, pending: list[tuple[exp.Join, int]]) -> None:
        """Add what stands in FROM to the scope."""
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Subquery) and not isinstance(
            joins.innermost(node), exp.Query
        ):  # fmt: skip
            self._parenthesised(node, scope, ctes, pending)
        else:
            scope.sources.append(
                joins.pivoted(node, self._source(node, scope, ctes), scope, self.expressions)
            )
        for join in node.args.get("joins") or ():
            self._join(join, scope, ctes, pending)

    def _parenthesised(
        self, node: exp.Subquery, scope: Scope, ctes: Ctes, pending: list[tuple[exp.Join, int]]
    ) -> None:
        """`(a JOIN b ON …)`, under its own name or transparent."""
        alias = node.args.get("alias")
        before = len(scope.sources)
        self._add(node.this, scope, ctes, pending)
        if alias is not None and alias.args.get("this") is not None:
            inner = scope.sources[before:]
            if any(joined for joined, _ in pending):
                raise Refused(
                    "node", "A join in parentheses cannot be given a name here; write a sub-query.", node
                )
            del scope.sources[before:]
            fields = [f for source in inner for f in source.fields]
            scope.sources.append(Source(self.engine.fold(alias.this), fields, node))

    def _source(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> Source:
        alias, columns = joins.alias_of(node, self.engine)
        if isinstance(node, exp.Table):
            if isinstance(node.this, exp.Identifier):
                return self._table(node, alias, columns, ctes)
            return joins.table_function(node, node.this, alias, columns, scope, self.expressions)
        if isinstance(node, exp.Lateral | exp.Unnest):
            inner = node.this if isinstance(node, exp.Lateral) else node
            if isinstance(inner, exp.Subquery):
                output = self._query(inner, ctes, scope)
                return output.source(alias, node, columns)
            return joins.table_function(node, inner, alias, columns, scope, self.expressions)
        if isinstance(node, exp.Subquery | exp.Values):
            outer = scope if self.engine.implicit_lateral else scope.parent
            return self._query(node, ctes, outer).source(alias, node, columns)
        raise Refused("node", "This cannot stand in FROM here.", node, type(node).__name__)

    def _table(self, node: exp.Table, alias: str, columns: list[str], ctes: Ctes) -> Source:
        name = self.engine.fold(node.this)
        cte = None if node.args.get("db") is not None else ctes.get(name)
        if cte is not None:
            assert cte.output is not None
            names = columns or cte.names
            return cte.output.source(alias or name, node, names)
        table = self.tables.find(node)
        source = self._table_source(node, table, alias or name, columns)
        identifier = node.args["alias"].this if node.args.get("alias") is not None else None
        self.facts.scans.append(Scan(node, table, identifier, source))
        return source

    def _table_source(self, node: exp.Table, table: Table, alias: str, columns: list[str]) -> Source:
        visible = self.tables.columns(table)
        fields = [
            Field(columns[i] if i < len(columns) else self.tables.fold(column.name), table, column)
            for i, column in enumerate(visible)
        ]
        schema = (table.schema or self.engine.default_schema).lower()
        return Source(alias, fields, node, table=table, schema="" if node.args.get("alias") else schema)


def _names_any(cte: exp.CTE, names: Mapping[str, object], engine: Engine) -> bool:
    return any(
        isinstance(table.this, exp.Identifier)
        and not table.args.get("db")
        and engine.fold(table.this) in names
        for table in cte.this.find_all(exp.Table)
    )
