"""Statements of SQLite with nothing left to chance in their groups."""

from __future__ import annotations

from sqlglot import exp

from evals.proving.reading import tree_of


def any_row_both_ways(sql: str) -> tuple[str, str] | None:
    """The statement with the least, and with the greatest value of each column that stands beside aggregates without
    being grouped; None where there is none, or it does not parse.

    Also where a single MIN or MAX says which row is taken: several rows may have it.
    """
    tree = tree_of(sql, "sqlite")
    if tree is None:
        return None
    least, greatest = _extreme(tree.copy(), exp.Min), _extreme(tree.copy(), exp.Max)
    return (least.sql("sqlite"), greatest.sql("sqlite")) if least != tree else None


def _extreme(tree: exp.Expr, kind: type[exp.Func]) -> exp.Expr:
    for select in list(tree.find_all(exp.Select)):
        group = select.args.get("group")
        keys = list(group.expressions) if group else []
        parts = [*select.selects, *(select.args[key] for key in ("having", "order") if select.args.get(key))]
        if not keys and not any(part.find(exp.AggFunc) for part in select.selects):
            continue
        grouped = {key.name.casefold() for key in keys}
        places = {key.name for key in keys if isinstance(key, exp.Literal)}
        named = {each.alias.casefold() for each in select.selects if isinstance(each, exp.Alias)}
        for at, part in enumerate(parts, 1):
            if at <= len(select.selects) and (str(at) in places or part.alias_or_name.casefold() in grouped):
                continue
            for column in list(part.find_all(exp.Column)):
                known = column.name.casefold() in grouped or (
                    at > len(select.selects) and not column.table and column.name.casefold() in named
                )
                if known or column.is_star or _within(column, part):
                    continue
                wrapped = kind(this=column.copy())
                # A sub-query's column keeps its name, by which the query around it may ask for it.
                column.replace(exp.alias_(wrapped, column.name, quoted=True) if column is part else wrapped)
    return tree


def _within(column: exp.Expr, part: exp.Expr) -> bool:
    """Whether it stands in an aggregate or in a query of its own."""
    above = column
    while above is not part and above.parent is not None:
        above = above.parent
        if isinstance(above, exp.AggFunc | exp.Query):
            return True
    return False
