"""What stands around an aggregate: FILTER, WITHIN GROUP, IGNORE NULLS, OVER."""

from __future__ import annotations

from sqlglot import exp

_AROUND = (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)


def windowed(node: exp.Expr) -> bool:
    """Whether the function is computed over a window."""
    parent = node.parent
    while isinstance(parent, _AROUND):
        parent = parent.parent
    return isinstance(parent, exp.Window) and parent.this.find(type(node)) is not None


def innermost(node: exp.Expr) -> exp.Expr:
    """The function itself."""
    while isinstance(node, _AROUND):
        node = node.this
    return node
