"""WITH queries of SQLite and DuckDB, which resolve one where it is used: not at all where nothing uses it, and SQLite also
by names of the query around its use."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from evals.proving.reading import tree_of
from text2sql.types import Dialect


def without_unused(sql: str) -> str | None:
    """The statement without the WITH queries that its result does not depend on; None where it has none."""
    tree = tree_of(sql, "sqlite")
    if tree is None:
        return None
    removed = False
    while unused := next((cte for cte in tree.find_all(exp.CTE) if not _used(cte)), None):
        removed = True
        around = unused.parent
        unused.pop()
        if isinstance(around, exp.With) and not around.expressions:
            around.pop()
    return tree.sql("sqlite") if removed else None


def _used(cte: exp.CTE) -> bool:
    """Whether a name of a table in the query that it belongs to, outside of itself, is its own."""
    around = cte.parent.parent if cte.parent is not None else None
    if around is None:
        return True
    inside = {id(node) for node in cte.find_all(exp.Table)}
    return any(
        node.name.lower() == cte.alias.lower() and not node.args.get("db") and id(node) not in inside
        for node in around.find_all(exp.Table)
    )


def each_alone(sql: str, dialect: Dialect) -> Iterator[str]:
    """Every WITH query as a statement of its own, resolved where it is written, beside those that it can name."""
    tree = tree_of(sql, dialect)
    for cte in tree.find_all(exp.CTE) if tree is not None else ():
        named: dict[str, exp.CTE] = {}
        recursive = False
        above: exp.Expr | None = cte
        while above is not None:
            found = above.args.get("with_") if isinstance(above, exp.Query) else None
            if found is not None:
                recursive |= bool(found.args.get("recursive"))
                own = {each.alias.lower(): each for each in found.expressions}
                # What stands farther out is named before, save where what is nearer has its name.
                named = {name: each for name, each in own.items() if name not in named} | named
            above = above.parent
        alone = exp.select("*").from_(exp.to_table(cte.alias, quoted=True))
        alone.set(
            "with_", exp.With(expressions=[each.copy() for each in named.values()], recursive=recursive)
        )
        for name in alone.find_all(exp.Identifier) if dialect == "sqlite" else ():
            # Of a name in double quotes that is not there SQLite makes a text.
            name.set("quoted", not (name.this.isascii() and name.this.isidentifier()))
        yield alone.sql(dialect)
