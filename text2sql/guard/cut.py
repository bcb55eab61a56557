"""Names that are longer than the engine keeps: it cuts them, and two that differ here may then be one there."""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts
from text2sql.guard.tables import Tables


def check_cut(tree: exp.Expr, facts: Facts, tables: Tables) -> None:
    """Raises `Refused` with code duplicate_name where a cut name becomes another of the statement or of its tables."""
    engine = tables.engine
    limit = engine.name_bytes
    if limit is None:
        return
    names: dict[str, exp.Identifier] = {}
    for node in tree.find_all(exp.Identifier):
        names.setdefault(engine.fold(node), node)
    long = {name: node for name, node in names.items() if not _fits(name, limit)}
    if not long:
        return
    others = {tables.fold(c.name) for scan in facts.scans for c in tables.columns(scan.table)}
    kept = {name for name in (*names, *others) if _fits(name, limit)}
    for name, node in long.items():
        cut = name.encode()[:limit].decode(errors="ignore")
        if cut in kept:
            raise Refused(
                "duplicate_name",
                f"{engine.name} keeps {limit} bytes of a name, and so much of this one is another; shorten it.",
                node, node.name,
            )  # fmt: skip
        kept.add(cut)


def _fits(name: str, limit: int) -> bool:
    return len(name) * 4 <= limit or len(name.encode(errors="replace")) <= limit
