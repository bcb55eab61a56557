"""UNION, INTERSECT and EXCEPT: parts of equal width, ordered by what they give."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.canonical import canonical
from text2sql.guard.engines import Engine
from text2sql.guard.expressions import Expressions
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts, Output


def parts(node: exp.SetOperation) -> list[exp.Expr]:
    """The queries that a chain of set operations puts together, left to right."""
    found: list[exp.Expr] = []
    current: exp.Expr = node
    while isinstance(current, exp.SetOperation) and (current is node or _bare(current)):
        found.append(current.expression)
        current = current.this
    found.append(current)
    return found[::-1]


def _bare(node: exp.Expr) -> bool:
    return not any(node.args.get(key) for key in ("with_", "order", "limit", "offset"))


def check_parts(queries: list[exp.Expr], engine: Engine) -> None:
    """SQLite knows no parentheses around the parts."""
    # The first may be in parentheses that the parser put there to keep the order of evaluation.
    for query in queries[1:]:
        if engine.name == "sqlite" and isinstance(query, exp.Subquery):
            raise Refused("syntax", "SQLite takes no parentheses around the parts of a set operation.", query)


def check_widths(node: exp.Expr, queries: list[exp.Expr], outputs: list[Output]) -> None:
    """Raises `Refused` with code columns where the parts give different numbers of columns."""
    if node.args.get("by_name"):
        return
    first = outputs[0]
    for query, output in zip(queries[1:], outputs[1:], strict=True):
        if not (first.open or output.open) and len(output.fields) != len(first.fields):
            raise Refused(
                "columns",
                f"This part gives {len(output.fields)} columns, the first one {len(first.fields)}.",
                query,
            )


def check_order(
    order: exp.Order, output: Output, engine: Engine, expressions: Expressions, facts: Facts
) -> None:
    """ORDER BY of a whole set operation names a column it gives, by position, by name or, on SQLite, by expression."""
    names = {f.name for f in output.fields}
    for item in order.expressions:
        node = item.this if isinstance(item, exp.Ordered) else item
        node = node.this if isinstance(node, exp.Collate) else node
        if isinstance(node, exp.Var):
            continue
        if isinstance(node, exp.Literal) and node.name.isdigit() and not node.is_string:
            if not output.open and not 1 <= int(node.name) <= len(output.fields):
                raise Refused(
                    "position",
                    f"ORDER BY {node.name} is not between 1 and {len(output.fields)}.",
                    node,
                    node.name,
                )
        elif _bare_column(node) and (output.open or engine.fold(node.this) in names):
            continue
        elif output.open and output.scopes:
            output.scopes[0].clause = "order"
            expressions.visit(node, output.scopes[0])
        elif not _matches_part(node, output, engine, expressions, facts):
            raise Refused(
                "order",
                f"ORDER BY {node.sql()} must be a column that every part gives; use its name or its position.",
                node, node.sql(), sorted(names),
            )  # fmt: skip


def _bare_column(node: exp.Expr) -> bool:
    return (
        isinstance(node, exp.Column)
        and node.args.get("table") is None
        and isinstance(node.this, exp.Identifier)
    )


def _matches_part(
    node: exp.Expr, output: Output, engine: Engine, expressions: Expressions, facts: Facts
) -> bool:
    """SQLite lets a term be an expression or an alias of any of the parts."""
    if engine.name not in ("sqlite", "duckdb"):
        return False
    for scope in output.scopes:
        if _bare_column(node) and engine.fold(node.this) in scope.aliases:
            return True
        before, aggregates = dict(facts.bindings), len(scope.aggregates)
        scope.clause = "order"
        try:
            expressions.visit(node, scope)
        except Refused:
            facts.bindings.clear()
            facts.bindings.update(before)
            continue
        finally:
            del scope.aggregates[aggregates:]
        wanted = canonical(node, facts)
        if any(canonical(e.unalias(), facts) == wanted for e in scope.select.expressions):
            return True
        if _bound_by_star(node, scope.select, facts):
            return True
    return False


def _bound_by_star(node: exp.Expr, select: exp.Expr, facts: Facts) -> bool:
    return id(node) in facts.bindings and any(isinstance(e, exp.Star) for e in select.expressions)
