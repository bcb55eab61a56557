"""Groups of one row each: a table grouped by its own key, so that counting or adding up within them says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.guard.scope import Scope
from text2sql.types import Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each SELECT from one table that groups by its key; hard where HAVING wants several rows."""
    for scope in looking.facts.scopes:
        group = scope.select.args.get("group")
        if group is None or not scope.aggregates or len(scope.sources) != 1 or not _by_key(looking, scope):
            continue
        table = scope.sources[0]
        yield Warn(
            "group_of_one",
            f"Each group is one row of {table.alias}: it is grouped by a key. "
            "Group by what several rows have in common.",
            position(group, looking.facts.sql),
            table.alias,
            severity="hard" if _wants_several(scope) else "soft",
        )


def _by_key(looking: Looking, scope: Scope) -> bool:
    source, group = scope.sources[0], scope.select.args["group"]
    if source.table is None or any(group.args.get(key) for key in ("grouping_sets", "cube", "rollup", "all")):
        return False
    nodes = [looking.facts.aliases.get(id(item), item).unnest() for item in group.expressions]
    bound = [b for b in map(looking.bound, nodes) if b is not None]
    names = {b.field.column.name.casefold() for b in bound if b.field.column is not None}
    keys = (source.table.primary_key, *source.table.unique)
    return any(key and names.issuperset(name.casefold() for name in key) for key in keys)


def _wants_several(scope: Scope) -> bool:
    """Whether HAVING asks for a COUNT above one."""
    having = scope.select.args.get("having")
    if having is None:
        return False
    return any(map(_several, having.find_all(exp.GT, exp.GTE, exp.EQ)))


def _several(node: exp.Expr) -> bool:
    least = node.expression.unnest()
    if not (isinstance(node.this.unnest(), exp.Count) and isinstance(least, exp.Literal) and least.is_int):
        return False
    return int(least.name) >= (1 if isinstance(node, exp.GT) else 2)
