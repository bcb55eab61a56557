"""WITH queries called like a table that the statement reads as well, where no schema can tell the table from them."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from text2sql.guard.scope import Facts
from text2sql.guard.tables import Tables


def rename_shadows(tree: exp.Expr, facts: Facts, tables: Tables, ctes: Collection[str]) -> frozenset[str]:
    """Give them other names, in place; the old ones stay as the names of what they are read as. Returns the old names.

    Done only where a table has no schema to be written with: elsewhere its schema tells it apart.
    """
    engine = tables.engine
    if tables.catalog.default_schema or engine.default_schema:
        return frozenset()
    scanned = {id(scan.node) for scan in facts.scans}
    bare = {
        engine.fold(scan.node.this)
        for scan in facts.scans
        if not scan.table.schema and scan.node.args.get("db") is None
    }
    shadows = bare.intersection(ctes)
    if not shadows:
        return frozenset()
    nodes = [node for node in tree.find_all(exp.Table) if isinstance(node.this, exp.Identifier)]
    taken = {engine.fold(node.this) for node in nodes}.union(ctes)
    fresh: dict[str, str] = {}
    for name in sorted(shadows):
        number = 1
        while f"{name}_{number}" in taken:
            number += 1
        taken.add(fresh.setdefault(name, f"{name}_{number}"))
    for cte in tree.find_all(exp.CTE):
        name = engine.fold(cte.args["alias"].this)
        if name in fresh:
            cte.args["alias"].set("this", exp.to_identifier(fresh[name], quoted=True))
    for node in nodes:
        name = engine.fold(node.this)
        if name not in fresh or id(node) in scanned or node.args.get("db") is not None:
            continue
        alias = node.args.get("alias")
        if alias is None:
            node.set("alias", exp.TableAlias(this=node.this.copy()))
        elif alias.args.get("this") is None:
            alias.set("this", node.this.copy())
        node.set("this", exp.to_identifier(fresh[name], quoted=True))
    return frozenset(shadows)
