"""Row predicates of a policy: SQL over one table's own columns, checked when the policy is loaded.

Parsed once, without a dialect: only what every engine reads alike is allowed, so one tree serves them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

MAX_LENGTH = 4_000

_ALLOWED: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.Paren,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Like,
    exp.Null, exp.Literal, exp.Boolean, exp.Neg, exp.Column, exp.Identifier, exp.Placeholder,
    exp.Lower, exp.Upper, exp.Coalesce, exp.Case, exp.If, exp.Add, exp.Sub, exp.Mul,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Predicate:
    """A checked predicate. `attributes`: name -> whether it stands only inside `IN (…)`."""

    text: str
    tree: exp.Expr
    columns: tuple[str, ...]
    attributes: Mapping[str, bool]


def parse_predicate(text: str) -> Predicate:
    """Parse and check one predicate. Raises ValueError saying what in it cannot be enforced."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"rows is longer than {MAX_LENGTH} characters")
    tree = _parsed(text)
    columns: dict[str, None] = {}
    attributes: dict[str, bool] = {}
    for node in tree.walk():
        if not isinstance(node, _ALLOWED) or (isinstance(node, exp.In) and _odd_in(node)):
            raise ValueError(f"rows: {node.sql()} is more than a predicate over the table's own columns")
        if isinstance(node, exp.Column):
            if node.args.get("table") or isinstance(node.this, exp.Star):
                raise ValueError(f"rows: write {node.sql()} as the bare name of a column of the table")
            columns[node.name] = None
        elif isinstance(node, exp.Placeholder):
            if not isinstance(node.this, str) or not node.this.isidentifier():
                raise ValueError("rows: an attribute is written :name")
            attributes[node.this] = attributes.get(node.this, True) and _inside_in(node)
    if not columns:
        raise ValueError("rows: a predicate names a column; write `all` to admit every row")
    for node in tree.walk():
        node.meta.clear()  # places in the text, which every copy would copy
    return Predicate(text, tree, tuple(columns), attributes)


def _parsed(text: str) -> exp.Expr:
    try:
        statements = sqlglot.parse(text)
    except (SqlglotError, RecursionError) as error:
        raise ValueError(f"rows: not a predicate that can be read: {text}") from error
    if len(statements) != 1 or statements[0] is None:
        raise ValueError(f"rows: not one predicate: {text}")
    return statements[0]


def _inside_in(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.In) and node.arg_key == "expressions"


def _odd_in(node: exp.In) -> bool:
    return {key for key, value in node.args.items() if value} != {"this", "expressions"}
