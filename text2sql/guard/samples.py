"""TABLESAMPLE: a part of the rows by chance, of those rows that the caller may see.

A sample taken of the whole table and a row rule after it would tell of rows that are not the caller's: ten rows asked
for, seven given. So the sample is written around the policy's sub-query, where the engine samples sub-queries. Where
it samples tables alone, it stays inside, and only if that is the same: there is no row rule, or each row is drawn by
itself (BERNOULLI), so that choosing the caller's rows before or after makes no difference.
"""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.refusal import Refused

_METHODS = {
    "duckdb": frozenset({"", "BERNOULLI", "SYSTEM", "RESERVOIR"}),
    "athena": frozenset({"BERNOULLI", "SYSTEM"}),
    "postgres": frozenset({"BERNOULLI", "SYSTEM"}),
}
_OF_TABLES_ALONE = frozenset({"postgres"})


def check_sample(node: exp.Expr, allowed: Allowlist) -> None:
    """Raises `Refused` for a sample that the engine does not know; how many is a number, written out."""
    methods = _METHODS.get(allowed.dialect)
    if methods is None:
        raise Refused("argument", f"{allowed.dialect} has no TABLESAMPLE; leave it out.", node, "TABLESAMPLE")
    method = node.args.get("method")
    if (method.name.upper() if method is not None else "") not in methods:
        raise Refused("syntax", f"{allowed.dialect} samples by {', '.join(sorted(methods - {''}))}.", node)
    for key in ("percent", "size", "seed"):
        value = node.args.get(key)
        if value and not (isinstance(value, exp.Literal) and not value.is_string):
            raise Refused("syntax", "How much is sampled must be a number, written out.", node, "TABLESAMPLE")
    sized, seeded = bool(node.args.get("size")), bool(node.args.get("seed"))
    if (sized and allowed.dialect != "duckdb") or (seeded and allowed.dialect == "athena"):
        raise Refused("syntax", f"{allowed.dialect} samples a percentage of rows.", node, "TABLESAMPLE")
    if allowed.dialect in _OF_TABLES_ALONE and not _of_a_table(node.parent):
        raise Refused("syntax", f"{allowed.dialect} samples tables alone.", node, "TABLESAMPLE")


def _of_a_table(sampled: exp.Expr | None) -> bool:
    return isinstance(sampled, exp.Table) and isinstance(sampled.this, exp.Identifier)


def place_sample(scan: exp.Expr, inner: exp.Select, outer: exp.Subquery, dialect: str) -> None:
    """Move the sample of a scan to where it is taken of the caller's rows. `inner` is what the policy put in its place."""
    sample = scan.args.get("sample")
    if sample is None:
        return
    if dialect not in _OF_TABLES_ALONE:
        outer.set("sample", sample)
        return
    if inner.args.get("where") is not None and sample.args["method"].name.upper() != "BERNOULLI":
        message = "A sample of blocks is taken of everyone's rows; sample with BERNOULLI, or leave it out."
        raise Refused("argument", message, sample, "TABLESAMPLE")
    inner.args["from_"].this.set("sample", sample)
