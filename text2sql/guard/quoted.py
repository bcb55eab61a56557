"""SQLite's texts in double quotes: a name that resolves to nothing, where a text can be meant and a column cannot.

SQLite takes every such name for a text, so that a misspelt column runs and gives its own name in every row. In drafts
and gold they are what a column is compared with; elsewhere they are refused as the columns that they look like.
"""

from __future__ import annotations

from sqlglot import exp

from text2sql.guard.scope import Facts
from text2sql.guard.shapes import COMPARISONS

_COMPARED: tuple[type[exp.Expr], ...] = (*COMPARISONS, exp.Like, exp.Glob, exp.DPipe)
_CLOCK = frozenset(
    {"date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff", "printf", "format"}
)
"""Functions whose texts are often all they are given: `date("now")`."""
_LANGUAGE: tuple[type[exp.Expr], ...] = (exp.Connector, exp.Cast, exp.Case, exp.If, exp.Exists)


def means_text(node: exp.Column, facts: Facts) -> bool:
    """Whether a double-quoted name that is no column stands where a text is meant."""
    inner: exp.Expr = node
    around = node.parent
    while isinstance(around, exp.Paren | exp.Escape):
        inner, around = around, around.parent
    if isinstance(around, _COMPARED):
        other = around.expression if around.this is inner else around.this
        return not _constant(other, facts)
    if isinstance(around, exp.In | exp.Between):
        return around.this is not inner and not _constant(around.this, facts)
    if isinstance(around, exp.If):
        compared = around.parent.this if isinstance(around.parent, exp.Case) else None
        return around.this is not inner or (compared is not None and not _constant(compared, facts))
    if isinstance(around, exp.Case):
        return around.this is not inner
    return (
        isinstance(around, exp.Func) and not isinstance(around, _LANGUAGE) and _operand(around, inner, facts)
    )


def _operand(call: exp.Func, inner: exp.Expr, facts: Facts) -> bool:
    """Whether a text may be meant among what a function is given: not all of it, nor what an aggregate counts or sums."""
    if isinstance(call, exp.AggFunc) and call.this is inner:
        return False
    name = call.name if isinstance(call, exp.Anonymous) else call.sql_names()[0]
    if name.lower() in _CLOCK or isinstance(call, exp.TimeToStr | exp.Date | exp.Datetime | exp.Format):
        return True
    return any(not _constant(part, facts) for part in call.iter_expressions() if part is not inner)


def _constant(node: exp.Expr, facts: Facts) -> bool:
    """Whether it is the same for every row at sight."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return any(node is found for found in facts.strings)
    if isinstance(node, exp.Neg | exp.Cast):
        return _constant(node.this, facts)
    return isinstance(node, exp.Literal | exp.Null | exp.Boolean | exp.Var)
