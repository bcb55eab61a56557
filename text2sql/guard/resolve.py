"""Step 5: every table is one of the caller's, every column is one of its tables', as the engine itself reads names.

One walk over the tree, a scope for each SELECT. Nothing is guessed: a name that the engine would not find, or
would find twice, is refused. CTE names are looked up before tables, but never for a qualified name.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from text2sql.guard import compound, projection
from text2sql.guard.allowlist import Allowlist
from text2sql.guard.completeness import check_everything
from text2sql.guard.crossing import check_crossing
from text2sql.guard.engines import Engine
from text2sql.guard.expressions import Expressions
from text2sql.guard.from_clause import Cte, Ctes, FromClause
from text2sql.guard.recursion import check_recursive
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Clause, Facts, Field, Output, Scope
from text2sql.guard.tables import Tables


class Resolver:
    """Resolves one statement. `facts` holds what it found."""

    def __init__(self, engine: Engine, allowed: Allowlist, tables: Tables, sql: str) -> None:
        self.engine = engine
        self.tables = tables
        self.facts = Facts(sql=sql)
        self._ctes: dict[int, Ctes] = {}
        self.expressions = Expressions(engine, allowed, self.facts, self._nested)
        self.from_clause = FromClause(engine, tables, self.facts, self.expressions, self._query)

    def statement(self, tree: exp.Expr) -> Output:
        """Resolve the whole statement. Raises `Refused`."""
        output = self._query(tree, {}, None)
        check_everything(tree, self.facts)
        check_crossing(self.facts, self.tables)
        return output

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
        compound.check_parts(parts, self.engine)
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
        known[name] = Cte(output, columns)

    def _recursive(
        self, name: str, cte: exp.CTE, columns: list[str], known: dict[str, Cte], outer: Scope | None
    ) -> None:
        body = check_recursive(name, cte, columns, self.engine)
        first = self._query(body.this, known, outer)
        inner = dict(known)
        inner[name] = Cte(first, columns)
        second = self._query(body.expression, inner, outer)
        compound.check_widths(body, [body.this, body.expression], [first, second])
        self.facts.recursive += 1
        known[name] = Cte(Output([Field(f.name) for f in first.fields], first.open), columns)

    # SELECT.

    def _select(self, node: exp.Select, ctes: Ctes, outer: Scope | None) -> Output:
        scope = self._scope(node, ctes, outer)
        self.from_clause.read(node, scope, ctes)
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
        scope.last, scope.closed = 0, True
        for key in ("limit", "offset"):
            clause = node.args.get(key)
            if clause is not None:
                for child in clause.iter_expressions():
                    if not isinstance(child, exp.LimitOptions):
                        self.expressions.visit(child, scope)
        scope.last, scope.closed = -1, False


def _names_any(cte: exp.CTE, names: Mapping[str, object], engine: Engine) -> bool:
    return any(
        isinstance(table.this, exp.Identifier)
        and not table.args.get("db")
        and engine.fold(table.this) in names
        for table in cte.this.find_all(exp.Table)
    )
