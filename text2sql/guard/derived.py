"""Queries inside a statement, as warnings look at them: what stands behind a source, and how many rows it has."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from text2sql.guard.scope import Binding, Facts, Field, Scope, Source


@dataclass(eq=False)
class Derived:
    """The sub-queries of one statement. `scopes`: id of a SELECT -> its scope."""

    facts: Facts
    scopes: dict[int, Scope] = field(init=False)

    def __post_init__(self) -> None:
        self.scopes = {id(scope.select): scope for scope in self.facts.scopes}

    def of(self, source: Source) -> Scope | None:
        """The SELECT behind a sub-query or WITH name; None for tables, functions, set operations, recursion."""
        node = source.node
        if isinstance(node, exp.Table):
            body = _cte(node) if source.table is None else None
        else:
            body = node.this if isinstance(node, exp.Subquery) else None
        return self.select(body)

    def select(self, node: exp.Expr | None) -> Scope | None:
        """The scope of a SELECT, in parentheses or not."""
        while isinstance(node, exp.Subquery):
            node = node.this
        return self.scopes.get(id(node)) if isinstance(node, exp.Select) else None

    def only(self, node: exp.Expr | None) -> Binding | None:
        """The column that a query of one column gives, where it is one and not computed."""
        scope = self.select(node)
        if scope is None or len(scope.select.expressions) != 1:
            return None
        return self.facts.bindings.get(id(scope.select.expressions[0].unalias().unnest()))


def one_row(scope: Scope) -> bool:
    """Whether a SELECT gives a row at the most, whatever the data: totals, LIMIT 1, or no FROM."""
    select = scope.select
    if not scope.sources or (scope.aggregates and select.args.get("group") is None):
        return True
    limit: exp.Expr | None = select.args.get("limit")
    count = None if limit is None else limit.args.get("expression") or limit.args.get("count")
    return isinstance(count, exp.Literal) and count.name in ("0", "1")


def group_names(scope: Scope, names: list[Field]) -> frozenset[str] | None:
    """The columns of a grouped SELECT that tell its rows apart; None where they are not all shown, or none group."""
    select = scope.select
    group = select.args.get("group")
    if group is None or any(group.args.get(key) for key in ("grouping_sets", "cube", "rollup", "all")):
        return frozenset(f.name for f in names) if select.args.get("distinct") else None
    shown: dict[str, str] = {}
    for at, item in enumerate(select.expressions[: len(names)]):
        shown[item.unalias().sql().casefold()] = names[at].name
        shown[item.alias_or_name.casefold()] = names[at].name
        shown[str(at + 1)] = names[at].name
    keys = [shown.get(item.sql().casefold()) for item in group.expressions]
    return None if not keys or None in keys else frozenset(key for key in keys if key is not None)


def _cte(node: exp.Table) -> exp.Expr | None:
    """The query that a WITH name stands for, by the nearest WITH around it; None where it is recursive."""
    name = node.name.casefold()
    holder: exp.Expr | None = node
    while holder is not None:
        with_ = holder.args.get("with_")
        recursive = with_ is None or with_.args.get("recursive")
        for cte in () if with_ is None else with_.expressions:
            if cte.alias.casefold() == name and not recursive:
                return cte.this  # type: ignore[no-any-return]  # what a CTE holds is a query
        holder = holder.parent
    return None
