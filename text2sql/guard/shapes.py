"""What a node may hold and where it may stand, where the parser takes more than engines do: seen in the tree alone."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping

from sqlglot import exp

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.refusal import Refused

COMPARISONS: tuple[type[exp.Expr], ...] = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
_ROWS_STAND_IN: tuple[type[exp.Expr], ...] = (*COMPARISONS, exp.Values, exp.In, exp.Between, exp.Case, exp.If)
_ORDERS_IN_CALLS = sqlite3.sqlite_version_info >= (3, 44)
_ORDERED: tuple[type[exp.Expr], ...] = (exp.Query, exp.Window, exp.WithinGroup)
_NAME = re.compile(r"[^\W\d][\w$]*")
_COUNT = re.compile(r"\s*[-+]?\d+(?:\.0*)?\s*")
_PLAIN_NAMES = frozenset({"sqlite", "postgres", "redshift"})


def _tuple(node: exp.Expr, allowed: Allowlist) -> None:
    """SQLite knows rows of values only where they are compared."""
    if allowed.dialect != "sqlite":
        return
    around = node.parent
    if not isinstance(around, _ROWS_STAND_IN):
        raise Refused(
            "syntax", "A row of values can only be compared with one; leave the parentheses out.", node, "("
        )
    if isinstance(around, exp.In) and around.expressions:
        listed = around.expressions
        rows = listed[0].expressions if isinstance(listed[0], exp.Values) else listed
        # A list of one is read as =; a longer one has to be a query.
        if len(listed) > 1 or {_width(row) for row in (around.this, *rows)} != {_width(node)}:
            raise Refused(
                "syntax", "A row of values is looked for IN (SELECT …) or IN (VALUES …).", node, "("
            )


def _width(node: exp.Expr) -> int:
    return len(node.expressions) if isinstance(node, exp.Tuple) else 1


def _exists(node: exp.Expr, allowed: Allowlist) -> None:
    if allowed.dialect != "duckdb" and not isinstance(node.this, exp.Query | exp.Values):
        raise Refused("syntax", "EXISTS is followed by a query in parentheses.", node, "EXISTS")


def _order(node: exp.Expr, allowed: Allowlist) -> None:
    if allowed.dialect == "sqlite" and not _ORDERS_IN_CALLS and not isinstance(node.parent, _ORDERED):
        raise Refused(
            "syntax", "This SQLite knows no ORDER BY inside a call; order a sub-query.", node, "ORDER BY"
        )


def _type(node: exp.Expr, allowed: Allowlist) -> None:
    kind = str(node.args.get("kind") or "")
    if allowed.dialect == "sqlite" and ("." in kind or kind.lower() in allowed.reserved):
        raise Refused("type", f"{kind} is not the name of a type.", node.parent or node, kind)


def _between(node: exp.Expr, allowed: Allowlist) -> None:
    del allowed
    if node.args.get("high") is None:
        raise Refused("syntax", "BETWEEN … AND … lacks its AND.", node, "BETWEEN")


def _limit(node: exp.Expr, allowed: Allowlist) -> None:
    """A count of rows is a number; SQLite takes no fraction."""
    value = node.args.get("expression")
    if isinstance(value, exp.Neg) and allowed.dialect != "sqlite":
        raise Refused("syntax", f"{value.sql()} is not a number of rows.", node, value.sql())
    if isinstance(value, exp.Literal) and not value.name.isdigit():
        if value.is_string and _COUNT.fullmatch(value.name):
            return
        if value.is_string or allowed.dialect == "sqlite":
            raise Refused("syntax", f"{value.sql()} is not a number of rows.", node, value.name)


def _pow(node: exp.Expr, allowed: Allowlist) -> None:
    """`x ** ~y` is not `x ** (~y)` to DuckDB, which raises all that stands before it to that power."""
    if allowed.dialect == "duckdb" and isinstance(node.expression, exp.BitwiseNot):
        raise Refused("syntax", "Put what stands behind ** into parentheses.", node, "~")


def _using(node: exp.Expr, allowed: Allowlist) -> None:
    del allowed
    for column in node.args.get("using") or ():
        if not isinstance(column, exp.Identifier):
            raise Refused("syntax", "USING names columns without their tables.", column, "USING")


def _identifier(node: exp.Expr, allowed: Allowlist) -> None:
    """`$` and the like are read as names by the tokenizer."""
    name = node.args.get("this")
    if (
        allowed.dialect in _PLAIN_NAMES
        and not node.args.get("quoted")
        and isinstance(name, str)
        and name.isascii()
        and not _NAME.fullmatch(name)
    ):
        raise Refused("syntax", f"{name} is no name; put it in quotes if it is meant as one.", node, name)


SHAPES: Mapping[str, Callable[[exp.Expr, Allowlist], None]] = {
    "Tuple": _tuple,
    "Exists": _exists,
    "Order": _order,
    "Identifier": _identifier,
    "DataType": _type,
    "Between": _between,
    "Limit": _limit,
    "Pow": _pow,
    "Offset": _limit,
    "Join": _using,
}
"""By the name of the node."""
