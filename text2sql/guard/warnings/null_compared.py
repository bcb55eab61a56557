"""A comparison with NULL: neither = nor <> is ever true of it, and NOT IN with a NULL in the list never is."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.types import Warn

_EQUAL = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each comparison that the word NULL decides."""
    for scope in looking.facts.scopes:
        for node in looking.inside(scope):
            if isinstance(node, _EQUAL):
                nulls = any(isinstance(side.unnest(), exp.Null) for side in (node.this, node.expression))
            elif isinstance(node, exp.In):
                nulls = any(isinstance(value.unnest(), exp.Null) for value in node.expressions)
            elif isinstance(node, exp.Case) and node.this is not None:
                nulls = any(isinstance(when.this.unnest(), exp.Null) for when in node.args.get("ifs") or ())
            else:
                continue
            if nulls:
                yield Warn(
                    "null_compared",
                    "Nothing equals NULL, nor differs from it: this is never true. Use IS NULL or IS NOT NULL.",
                    position(node, looking.facts.sql),
                    node.sql() if not isinstance(node, exp.Case) else node.this.sql(),
                    severity="hard",
                )
