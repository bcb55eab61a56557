"""NOT IN with a query that gives NULL: it is true of no row at all."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.types import Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each NOT IN over a column that holds NULL today; hard where nothing in the query drops it."""
    for scope in looking.facts.scopes:
        for node in looking.inside(scope):
            inner = node.this.unnest() if isinstance(node, exp.Not) else None
            query = inner.args.get("query") if isinstance(inner, exp.In) else None
            binding = looking.derived.only(query)
            profile = looking.profile(binding) if binding is not None else None
            if inner is None or binding is None or profile is None or profile.sampled or not profile.nulls:
                continue
            within = looking.derived.select(query)
            if within is None or _dropped(looking, within.select, binding.field.name):
                continue
            plain = not any(within.select.args.get(key) for key in ("where", "joins", "having", "limit"))
            yield Warn(
                "not_in_nulls",
                f"{binding.source.alias}.{binding.field.name} holds NULL, and NOT IN a list with NULL is never true. "
                "Use NOT EXISTS, or leave NULL out of the query.",
                position(inner, looking.facts.sql),
                binding.field.name,
                severity="hard" if plain else "soft",
            )


def _dropped(looking: Looking, select: exp.Expr, name: str) -> bool:
    """Whether the conditions name the column: a row where it is NULL meets none but IS NULL."""
    clauses = [select.args.get("where"), *(join.args.get("on") for join in select.args.get("joins") or ())]
    for clause in clauses:
        for column in clause.find_all(exp.Column) if clause is not None else ():
            bound = looking.bound(column)
            if bound is not None and bound.field.name == name:
                return True
    return False
