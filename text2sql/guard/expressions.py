"""Names inside expressions: columns, aliases, aggregates and windows, each where the engine allows it."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.columns import Columns
from text2sql.guard.engines import Engine
from text2sql.guard.named_values import visit_named
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import AGGREGATES_IN, WINDOWS_IN, Facts, Output, Scope
from text2sql.guard.shapes import COMPARISONS
from text2sql.guard.wrapped import innermost, windowed

_LEAVES = (
    exp.Literal, exp.DataType, exp.Var, exp.Identifier, exp.Null, exp.Boolean, exp.RawString, exp.JSONPath,
)  # fmt: skip


class Expressions:
    """Walks expressions of one statement. `query` resolves a query that stands inside one."""

    def __init__(
        self, engine: Engine, allowed: Allowlist, facts: Facts, query: Callable[[exp.Expr, Scope], Output]
    ) -> None:
        self.engine = engine
        self.allowed = allowed
        self.facts = facts
        self.query = query
        self.columns = Columns(engine, facts)
        self._kinds: dict[type[exp.Expr], str] = {}
        self._inside: list[exp.Expr] = []
        """Aggregates that are being walked."""
        self._windows = 0
        """Window functions whose operands are being walked."""
        self._around: list[Scope] = []
        """Scopes of the aggregates around the sub-query that is being walked."""

    def visit(self, node: exp.Expr, scope: Scope) -> None:
        """Resolve every name in the expression. Raises `Refused`."""
        stack = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, _LEAVES):
                continue
            if isinstance(current, exp.Column):
                self._column(current, scope)
            elif isinstance(current, exp.Query):
                self._subquery(current, scope)
            elif not self._special(current, scope):
                stack.extend(reversed(list(current.iter_expressions())))

    def _special(self, node: exp.Expr, scope: Scope) -> bool:
        """Handle what is more than the sum of its parts; False when it is not."""
        if visit_named(node, scope, self.visit):
            return True
        if isinstance(node, exp.In):
            self._in(node, scope)
        elif isinstance(node, exp.Exists):
            self._exists(node, scope)
        elif isinstance(node, exp.Any | exp.All):
            self._quantified(node, scope)
        elif isinstance(node, exp.Window):
            self._window(node, scope)
        elif isinstance(node, COMPARISONS) and self._of_rows(node):
            self._compared(node, scope)
        elif isinstance(node, exp.Star):
            raise Refused("syntax", "* stands in the wrong place.", node, "*")
        elif isinstance(node, exp.Interval):
            if node.this is not None:
                self.visit(node.this, scope)
        elif isinstance(node, exp.PropertyEQ | exp.Kwarg):
            self.visit(node.expression, scope)
        elif isinstance(node, exp.Func | exp.WithinGroup | exp.Filter):
            return self._function(node, scope)
        else:
            return False
        return True

    # Columns.

    def _column(self, node: exp.Column, scope: Scope) -> None:
        named = self.columns.resolve(node, scope)
        if named is None:
            return
        # The name of an expression in the SELECT list stands for that expression.
        if self.contains_aggregate(named) and (self._inside or scope.clause not in AGGREGATES_IN):
            raise Refused(
                "aggregate", f"{node.name} names an aggregate, which cannot stand here.", node, node.name
            )
        if named.find(exp.Window) is not None and (self._inside or scope.clause not in WINDOWS_IN):
            raise Refused(
                "window", f"{node.name} names a window function, which cannot stand here.", node, node.name
            )

    # Queries inside expressions.

    def _subquery(self, node: exp.Expr, scope: Scope) -> None:
        """A scalar sub-query: one column."""
        self._width(node, self._enter(node, scope), 1)

    def _of_rows(self, node: exp.Expr) -> bool:
        """Whether rows of several values may be compared; DuckDB compares with one value of a sub-query alone."""
        return self.engine.name != "duckdb" and (
            isinstance(node.this, exp.Tuple) or isinstance(node.expression, exp.Tuple)
        )

    def _compared(self, node: exp.Expr, scope: Scope) -> None:
        """`(a, b) = (SELECT x, y …)`: as many columns on either side."""
        widths = []
        for side in (node.this, node.expression):
            if isinstance(side, exp.Query):
                output = self._enter(side, scope)
                widths.append(None if output.open else len(output.fields))
            else:
                self.visit(side, scope)
                widths.append(len(side.expressions) if isinstance(side, exp.Tuple) else 1)
        known = [width for width in widths if width is not None]
        if len(set(known)) > 1:
            message = f"{known[0]} values are compared with {known[1]}; name as many on both sides."
            raise Refused("columns", message, node)

    def _enter(self, node: exp.Expr, scope: Scope) -> Output:
        inside, self._inside = self._inside, []
        windows, self._windows = self._windows, 0
        if inside:
            self._around.append(scope)
        output = self.query(node, scope)
        if inside:
            self._around.pop()
        self._inside, self._windows = inside, windows
        return output

    def _width(self, node: exp.Expr, output: Output, wanted: int) -> None:
        if not output.open and len(output.fields) != wanted:
            raise Refused(
                "columns",
                f"This sub-query gives {len(output.fields)} columns where {wanted} is wanted.",
                node,
            )

    def _in(self, node: exp.In, scope: Scope) -> None:
        wanted = len(node.this.expressions) if isinstance(node.this, exp.Tuple) else 1
        for part in (node.this, *node.expressions):
            self.visit(part, scope)
        for key in ("query", "unnest", "field"):
            part = node.args.get(key)
            if isinstance(part, exp.Query):
                self._width(part, self._enter(part, scope), wanted)
            elif part is not None:
                self.visit(part, scope)

    def _exists(self, node: exp.Expr, scope: Scope) -> None:
        if isinstance(node.this, exp.Query):
            self._enter(node.this, scope)
        else:
            self.visit(node.this, scope)

    def _quantified(self, node: exp.Expr, scope: Scope) -> None:
        if isinstance(node.this, exp.Query):
            self._width(node.this, self._enter(node.this, scope), 1)
        else:
            self.visit(node.this, scope)

    # Functions.

    def kind(self, node: exp.Expr) -> str:
        """aggregate, window, or anything else: what the function is to this engine."""
        if not isinstance(node, exp.Func):
            return ""
        if isinstance(node, exp.Anonymous):
            function = self.allowed.functions.get(node.name.lower())
            return function.kinds[0][0] if function else ""
        if isinstance(node, exp.Max | exp.Min) and node.expressions and self.engine.name == "sqlite":
            return "scalar"  # SQLite's max(a, b)
        found = self._kinds.get(type(node))
        if found is None:
            function = self.allowed.functions.get(self.name(node))
            found = function.kinds[0][0] if function else "aggregate" if isinstance(node, exp.AggFunc) else ""
            self._kinds[type(node)] = found
        return found

    def name(self, node: exp.Expr) -> str:
        """The name of a function as the list has it."""
        if isinstance(node, exp.Anonymous) or not isinstance(node, exp.Func):
            return node.name.lower()
        names = [name.lower() for name in node.sql_names()]
        names.extend(self.allowed.written.get(type(node).__name__, ()))
        return next((name for name in names if name in self.allowed.functions), names[0] if names else "")

    def contains_aggregate(self, node: exp.Expr) -> bool:
        """Whether an aggregate stands in the expression outside of windows and sub-queries."""
        stack = [node]
        while stack:
            current = stack.pop()
            if isinstance(current, exp.Query):
                continue
            if self.kind(current) == "aggregate" and not windowed(current):
                return True
            stack.extend(current.iter_expressions())
        return False

    def _function(self, node: exp.Expr, scope: Scope) -> bool:
        if isinstance(node, exp.WithinGroup | exp.Filter):
            if self.kind(innermost(node)) == "aggregate":
                self._aggregate(node, scope)
                return True
            return False
        kind = self.kind(node)
        if kind == "aggregate":
            self._aggregate(node, scope)
            return True
        if kind == "window":
            raise Refused("window", f"{node.sql()} needs OVER (…).", node, self.name(node))
        if kind == "table" and self.name(node) in self.allowed.only_in_from:
            name = self.name(node)
            raise Refused("function", f"{name}() gives rows: it stands in FROM.", node, name)
        return False

    def _aggregate(self, node: exp.Expr, scope: Scope) -> None:
        before = len(self.facts.bindings)
        if self._inside:
            self._misuse(node, "inside another aggregate")
        self._inside.append(node)
        self._operands(node, scope)
        self._inside.pop()
        owner = self._owner(scope, before)
        if owner is not scope and any(owner is around for around in self._around):
            self._misuse(node, "inside another aggregate, of whose query its columns are")
        if owner.clause not in AGGREGATES_IN:
            self._misuse(node, f"in {owner.clause.upper()}; use HAVING, or a sub-query")
        if (
            owner.clause == "order"
            and self.engine.name == "sqlite"
            and not (owner.grouped or owner.aggregates)
        ):
            self._misuse(node, "in ORDER BY of a query that is not grouped")
        owner.aggregates.append(node)

    def _misuse(self, node: exp.Expr, where: str) -> None:
        name = self.name(innermost(node))
        raise Refused("aggregate", f"The aggregate {name}() cannot stand {where}.", node, name)

    def _owner(self, scope: Scope, before: int) -> Scope:
        """An aggregate over columns of outer queries alone belongs to the nearest of those."""
        scopes = [b.scope for b in list(self.facts.bindings.values())[before:]]
        if not scopes or any(s is scope for s in scopes):
            return scope
        return next((s for s in scope.chain() if any(s is found for found in scopes)), scope)

    def _operands(self, node: exp.Expr, scope: Scope) -> None:
        """Everything an aggregate is given: arguments, order, filter."""
        for child in node.iter_expressions():
            if isinstance(child, exp.Star):
                continue
            if isinstance(child, exp.Column) and isinstance(child.this, exp.Star):
                raise Refused(
                    "whole_row", "An aggregate takes a column, not a whole row.", child, child.sql()
                )
            if (isinstance(child, exp.Func | exp.WithinGroup | exp.Filter) and child is node.this and (
                isinstance(node, exp.WithinGroup | exp.Filter | exp.IgnoreNulls | exp.RespectNulls)
            )) or isinstance(child, exp.Distinct | exp.Order | exp.Ordered | exp.Where | exp.HavingMax | exp.Tuple):  # fmt: skip
                self._operands(child, scope)
            else:
                self.visit(child, scope)

    # Windows.

    def _window(self, node: exp.Window, scope: Scope) -> None:
        if scope.clause not in WINDOWS_IN or self._inside:
            raise Refused(
                "window", f"A window function cannot stand in {scope.clause.upper()}; use a sub-query.", node
            )
        if self._windows:
            raise Refused("window", "A window function cannot stand inside another; use a sub-query.", node)
        self._windows += 1
        self._operands(node.this, scope)  # these may be aggregates of this query: sum(count(*)) OVER ()
        self.window_parts(node, scope)
        self._windows -= 1

    def window_parts(self, node: exp.Window, scope: Scope) -> None:
        """PARTITION BY, ORDER BY and frame of a window, or the window's name."""
        alias = node.args.get("alias")
        if isinstance(alias, exp.Identifier) and self.engine.fold(alias) not in scope.windows:
            raise Refused("window", f"There is no window called {alias.name}.", alias, alias.name)
        for part in node.args.get("partition_by") or ():
            self.visit(part, scope)
        for key in ("order", "spec"):
            part = node.args.get(key)
            if part is not None:
                for child in part.iter_expressions():
                    self.visit(child.this if isinstance(child, exp.Ordered) else child, scope)
