"""SQLite's types of columns: what a masked column must keep, so that it compares as the column does.

`age = '30'` holds for a column that is declared INTEGER and never for a bare expression; CAST gives an expression the
affinity of a type, and so does a scalar sub-query that of its column.
https://www.sqlite.org/datatype3.html#affinity_of_expressions
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from text2sql.grants import Bucket
from text2sql.types import Column

_TYPES = {
    "INT": exp.DataType(this=exp.DType.INT),
    "TEXT": exp.DataType(this=exp.DType.TEXT),
    "BLOB": exp.DataType(this=exp.DType.VARBINARY),
    "REAL": exp.DataType(this=exp.DType.DOUBLE),
    "NUMERIC": exp.DataType(this=exp.DType.USERDEFINED, kind="NUMERIC"),
}
_NAMES = {"INT": "INTEGER", "TEXT": "TEXT", "VARBINARY": "BLOB", "DOUBLE": "REAL"}
_NULLS = ("null", "hash")
"""Masks that show nothing: SQLite cannot hash."""


def affinity(declared: str) -> str:
    """INT, TEXT, BLOB, REAL or NUMERIC. https://www.sqlite.org/datatype3.html#determination_of_column_affinity"""
    name = declared.upper()
    if "INT" in name:
        return "INT"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not name or "BLOB" in name:
        return "BLOB"
    return "REAL" if any(part in name for part in ("REAL", "FLOA", "DOUB")) else "NUMERIC"


def data_type(affinity_of: str) -> exp.DataType:
    """The type that CAST names to give it."""
    return _TYPES[affinity_of].copy()


def plain_casts(tree: exp.Expr) -> None:
    """Casts to these types as the words that are written for them. In place.

    The generator reads five names of other types for every cast, to see that it is none of them: a sixth of a
    millisecond each. What is written is read back and compared in any case.
    """
    for cast in list(tree.find_all(exp.Cast)):
        to = cast.args["to"]
        kind = to.this.name if isinstance(to.this, exp.DType) else ""
        name = _NAMES.get(kind) or (to.args.get("kind") if kind == "USERDEFINED" else None)
        bare = not to.expressions and all(
            v in (None, False, []) for k, v in cast.args.items() if k not in ("this", "to")
        )
        if (
            type(cast) is exp.Cast
            and isinstance(name, str)
            and (name == "NUMERIC" or kind in _NAMES)
            and bare
        ):
            words = exp.Anonymous(this="CAST")
            cast.replace(words)
            words.set("expressions", [exp.Alias(this=cast.this, alias=exp.Var(this=name))])


def as_column(
    value: exp.Expr, column: Column, plain: exp.Expr, masks: Sequence[str | Bucket | None]
) -> exp.Expr:
    """The value under these masks (None: as it is stored, in some rows) with the affinity of its column."""
    kind = affinity(column.type)
    if kind == "BLOB" or isinstance(value, exp.Cast):
        return value  # there is none to keep, or it has it
    if None not in masks and (kind == "TEXT" or all(isinstance(m, Bucket) or m in _NULLS for m in masks)):
        return exp.Cast(this=value, to=data_type(kind))  # which changes nothing else
    return _of_column(value, plain)


def _of_column(shown: exp.Expr, column: exp.Expr) -> exp.Expr:
    """Any value beside the column's affinity: SQLite takes a compound's from its last part, which gives no row here.

    CAST would make 0 of a text that an INTEGER column may well hold.
    """
    last = exp.Select(expressions=[column], where=exp.Where(this=exp.false()))
    both = exp.Union(this=exp.Select(expressions=[shown]), expression=last, distinct=False)
    return exp.Subquery(this=both)
