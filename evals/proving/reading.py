"""Statements as trees, in every spelling that the guard reads: sqlglot alone does not know all types of SQLite."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.allowlist import allowlist
from text2sql.guard.reading import read
from text2sql.guard.refusal import Refused
from text2sql.types import Dialect


def tree_of(sql: str, dialect: Dialect) -> exp.Expr | None:
    """The tree of one statement; None where it cannot be read."""
    try:
        return read(sql, allowlist(dialect)).tree
    except Refused:
        return None
