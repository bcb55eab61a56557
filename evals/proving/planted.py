"""Guards broken on purpose: what a proof must find, and examples of what it takes.

Each is our own guard with one mistake in what it wrote. None of them may be used for anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp, parse_one

from evals.proving.guards import Asked, Guard, Refusal, Rewritten, bunmyaku
from text2sql.types import Table

Mistake = Callable[[exp.Expr, Asked], None]


def broken(mistake: Mistake) -> Guard:
    """Our guard, with a mistake made in the tree of what it wrote."""

    def guard(sql: str, asked: Asked) -> Rewritten | Refusal:
        answer = bunmyaku(sql, asked)
        if isinstance(answer, Refusal) or asked.policy is None:
            return answer
        marked = answer.sql.replace("$policy_", ":policy_")  # as sqlglot reads both
        tree = parse_one(marked, read=asked.dialect)
        mistake(tree, asked)
        text = tree.sql(asked.dialect).replace(
            ":policy_", "$policy_" if asked.dialect == "duckdb" else ":policy_"
        )
        used = {holder.name for holder in tree.find_all(exp.Placeholder)}
        return Rewritten(text, {k: v for k, v in answer.parameters.items() if k in used})

    return guard


def no_policy(sql: str, asked: Asked) -> Rewritten | Refusal:
    """Reads the policy, and forgets it."""
    return bunmyaku(sql, replace(asked, policy=None, yaml=""))


def _scans(tree: exp.Expr, asked: Asked) -> list[tuple[exp.Subquery, exp.Select, Table]]:
    """The sub-queries that stand for tables: in FROM, over one table of the catalogue alone."""
    found = []
    for node in tree.find_all(exp.Subquery):
        inner, held = node.this, node.parent
        if not isinstance(held, exp.From | exp.Join) or not isinstance(inner, exp.Select):
            continue
        source = inner.args.get("from_")
        table = (
            asked.catalog.table(source.this.name) if source and isinstance(source.this, exp.Table) else None
        )
        if table is not None and node.alias:
            found.append((node, inner, table))
    return found


def _open(select: exp.Select) -> None:
    """Let every row through."""
    select.set("where", None)


def dropped_where(inside: Callable[[exp.Subquery], bool]) -> Mistake:
    """Row rules are lost at some of the scans."""

    def mistake(tree: exp.Expr, asked: Asked) -> None:
        for node, inner, _ in _scans(tree, asked):
            if inside(node):
                _open(inner)

    return mistake


def _second_branch(node: exp.Subquery) -> bool:
    above: exp.Expr | None = node
    while above is not None:
        if isinstance(above.parent, exp.SetOperation) and above.arg_key == "expression":
            return True
        above = above.parent
    return False


def _right_of_left_join(node: exp.Subquery) -> bool:
    return isinstance(node.parent, exp.Join) and node.parent.side == "LEFT"


def loose_or(tree: exp.Expr, asked: Asked) -> None:
    """The row rule stands beside the query's own condition, with no parentheses around that."""
    for node, inner, _ in _scans(tree, asked):
        around = node.find_ancestor(exp.Select)
        own = around.args.get("where") if around else None
        rule = inner.args.get("where")
        if around is None or own is None or rule is None or not isinstance(own.this, exp.Or):
            continue
        appended = rule.this.copy()
        for column in appended.find_all(exp.Column):
            column.set("table", exp.to_identifier(node.alias))
        own.set("this", exp.or_(own.this.this.copy(), exp.and_(own.this.expression.copy(), appended)))
        _open(inner)


def loose_grants(tree: exp.Expr, asked: Asked) -> None:
    """Grants that add up are joined by AND."""
    for _, inner, _ in _scans(tree, asked):
        where = inner.args.get("where")
        if where is not None and isinstance(where.this, exp.Or):
            where.set("this", exp.and_(where.this.this.copy(), where.this.expression.copy()))


def unmasked(tree: exp.Expr, asked: Asked) -> None:
    """Masks are written only where a column is selected: what orders and filters is the stored value."""
    for node, inner, _ in _scans(tree, asked):
        around = node.find_ancestor(exp.Select)
        if around is None or around.args.get("order") is None:
            continue
        for at, item in enumerate(list(inner.expressions)):
            if isinstance(item, exp.Alias) and not isinstance(item.this, exp.Column):
                inner.expressions[at].replace(exp.column(item.args["alias"].copy()))


def off_by_one(tree: exp.Expr, asked: Asked) -> None:
    """`<` is taken for `<=`, in row rules alone."""
    for _, inner, _ in _scans(tree, asked):
        where = inner.args.get("where")
        for node in list(where.find_all(exp.LT)) if where else ():
            node.replace(exp.LTE(this=node.this.copy(), expression=node.expression.copy()))


MISTAKES: dict[str, Guard] = {
    "no policy": no_policy,
    "rows in a WITH query": broken(dropped_where(lambda n: n.find_ancestor(exp.CTE) is not None)),
    "rows in the second part of a set operation": broken(dropped_where(_second_branch)),
    "rows in EXISTS": broken(dropped_where(lambda n: n.find_ancestor(exp.Exists) is not None)),
    "rows in IN": broken(dropped_where(lambda n: n.find_ancestor(exp.In) is not None)),
    "rows right of LEFT JOIN": broken(dropped_where(_right_of_left_join)),
    "a rule looser than OR": broken(loose_or),
    "grants joined by AND": broken(loose_grants),
    "masks where it is ordered": broken(unmasked),
    "a bound too far": broken(off_by_one),
}
"""What is broken -> a guard that breaks it."""
