"""Names of values at hand, known to a part of an expression alone: parameters of lambdas, what comprehensions bind."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

from text2sql.guard.scope import Scope

Visit = Callable[[exp.Expr, Scope], None]


def visit_named(node: exp.Expr, scope: Scope, visit: Visit) -> bool:
    """Resolve what has names of its own, or columns by a pattern; False where the node is neither."""
    if isinstance(node, exp.Lambda):
        _inside(node.expressions, [node.this], scope, visit)
    elif isinstance(node, exp.Comprehension):
        visit(node.args["iterator"], scope)
        bound = (node.expression, node.args.get("position"))
        inside = (node.this, node.args.get("condition"))
        _inside(_given(bound), _given(inside), scope, visit)
    elif isinstance(node, exp.Columns):
        _by_pattern(node, scope, visit)
    elif isinstance(node, exp.Dot):
        visit(node.this, scope)
    else:
        return False
    return True


def _given(parts: Iterable[exp.Expr | None]) -> list[exp.Expr]:
    return [part for part in parts if part is not None]


def _inside(names: Iterable[exp.Expr], parts: Iterable[exp.Expr], scope: Scope, visit: Visit) -> None:
    scope.lambdas.append({scope.engine.fold(name) for name in names})
    for part in parts:
        visit(part, scope)
    scope.lambdas.pop()


def _by_pattern(node: exp.Columns, scope: Scope, visit: Visit) -> None:
    """DuckDB's `COLUMNS(…)`: those of the columns in sight whose names match, never more than `*` gives."""
    if isinstance(node.this, exp.Star):
        for left_out in node.this.args.get("except_") or ():
            visit(left_out, scope)
    else:
        visit(node.this, scope)
