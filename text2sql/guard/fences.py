"""Whether a statement can fail on a row that its caller may not see, and so tell that the row is there.

PostgreSQL puts a sub-query's condition and the query's own side by side and tests the cheaper one first: `1 / (x - 7)`
then fails on a hidden row where x is 7. `OFFSET 0` keeps them apart. It also keeps the query's conditions from the
table's indexes, so it is written only where something in the statement can fail for one row and not for another.
"""

from __future__ import annotations

from sqlglot import exp

_NEVER_FAIL: tuple[type[exp.Expr], ...] = (
    exp.Query, exp.Values, exp.With, exp.CTE, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered,
    exp.Limit, exp.Offset, exp.Distinct, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Var,
    exp.Literal, exp.Boolean, exp.Null, exp.Tuple, exp.Paren, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE,
    exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Exists, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.DataType,
    exp.DataTypeParam, exp.AggFunc, exp.Filter, exp.Window, exp.WindowSpec, exp.RowNumber, exp.Rank, exp.DenseRank,
)  # fmt: skip
_FIRST = frozenset({"where", "joins", "from_", "laterals"})
"""What of a SELECT is computed before its rows are known to be the caller's."""


def can_fail(tree: exp.Expr) -> bool:
    """Whether something in the statement may fail for one row and not for another, where rows are not yet chosen."""
    return any(_fails(node) and not _after_the_rows(node, tree) for node in tree.walk())


def _fails(node: exp.Expr) -> bool:
    if isinstance(node, exp.Subquery):  # as a value: of more than one row
        return not isinstance(node.parent, exp.From | exp.Join | exp.SetOperation | exp.Subquery | None)
    if isinstance(node, exp.Cast | exp.Neg):
        return not isinstance(node.this, exp.Literal)
    if isinstance(node, exp.Like | exp.ILike):
        return not isinstance(node.expression, exp.Literal)
    return not isinstance(node, _NEVER_FAIL)


def _after_the_rows(node: exp.Expr, tree: exp.Expr) -> bool:
    """Inside an aggregate, or in what the outermost SELECT gives, groups and orders by."""
    while (parent := node.parent) is not None and not isinstance(parent, exp.Query):
        if isinstance(parent, exp.AggFunc):
            return True
        node = parent
    return parent is tree and isinstance(tree, exp.Select) and node.arg_key not in _FIRST
