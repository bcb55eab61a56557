"""A sum of what does not add up: a ratio, an average, a count of distinct things, a balance over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sqlglot import exp

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.guard.scope import Binding, Scope
from text2sql.key_names import Name
from text2sql.types import Warn

_SHARES = frozenset((
    "rate", "ratio", "percent", "percentage", "pct", "avg", "average", "mean", "median", "probability", "temperature",
    "temp", "humidity", "latitude", "longitude", "age", "rating", "率", "割合", "比率", "平均", "気温", "年齢",
))  # fmt: skip
"""Words of names whose numbers are no amounts, whatever the column holds."""
_ENDINGS = ("率", "割合", "比率", "平均", "年齢")
_TIMES = ("date", "timestamp")


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each such sum; hard where a semantic model says so, soft where a name or a sub-query does."""
    for scope in looking.facts.scopes:
        for aggregate in scope.aggregates:
            inner = aggregate.find(exp.Sum)
            binding = looking.bound(inner.this.unnest()) if inner is not None else None
            if inner is None or binding is None:
                continue
            found = _judged(looking, scope, binding)
            if found is not None:
                severity, why = found
                yield Warn(
                    "not_additive",
                    f"{binding.field.name} {why}: its sum means nothing. Average it, or compute it from its parts.",
                    position(inner, looking.facts.sql),
                    binding.field.name,
                    severity=severity,
                )


def _judged(looking: Looking, scope: Scope, binding: Binding) -> tuple[Literal["hard", "soft"], str] | None:
    computed = binding.field.expression
    if computed is not None:
        inner = computed.unalias().unnest()
        if isinstance(inner, exp.Avg):
            return "soft", "is an average"
        distinct = isinstance(inner, exp.Count) and isinstance(inner.this, exp.Distinct)
        return ("soft", "counts distinct things, which may be counted twice") if distinct else None
    column = binding.field.column
    if column is None:
        return None
    own = looking.own(binding)
    said = (own.additivity if own is not None else "") or column.additivity
    if said == "non_additive":
        return "hard", "does not add up"
    if said == "semi_additive":
        return None if _at_one_time(looking, scope, binding) else ("hard", "does not add up over time")
    if said == "additive" or binding.field.table is None:
        return None
    words = Name.of(column.name).words
    called = bool(words) and (words[-1] in _SHARES or words[0] in _SHARES or words[-1].endswith(_ENDINGS))
    return ("soft", "is called like an average or a rate") if called else None


def _at_one_time(looking: Looking, scope: Scope, binding: Binding) -> bool:
    """Whether each sum is over one time: the table's time column is grouped by, or set equal to something."""
    times = {
        field.name
        for field in binding.source.fields
        if field.column is not None and field.column.family in _TIMES
    }
    group = scope.select.args.get("group")
    nodes = list(group.expressions) if group is not None else []
    for node in looking.comparisons(scope):
        if isinstance(node, exp.EQ):
            nodes += [node.this, node.expression]
    bound = [looking.bound(looking.facts.aliases.get(id(node), node).unnest()) for node in nodes]
    return any(b is not None and b.source is binding.source and b.field.name in times for b in bound)
