"""That resolution has left nothing out: every query and every table of the tree was looked at.

What an engine reads and the resolver passes by would run as it was written, without the caller's policy. Wherever a new
place for a query is found, this refuses it until the resolver goes there.
"""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts


def check_everything(tree: exp.Expr, facts: Facts) -> None:
    """Raises `Refused` with code node for a table or SELECT that no name was resolved in."""
    selects = {id(scope.select) for scope in facts.scopes}
    for node in tree.walk():
        if isinstance(node, exp.Select):
            left_out = id(node) not in selects
        else:
            left_out = (
                isinstance(node, exp.Table)
                and isinstance(node.this, exp.Identifier)
                and id(node) not in facts.read
            )
        if left_out:
            raise Refused("node", "A query or table cannot stand in this place; write it another way.", node)
