"""`x <> ALL (values)` and `x = SOME (values)`, which the parser takes for calls of functions of these names."""

from __future__ import annotations

from sqlglot import exp

QUANTIFIERS: dict[str, type[exp.Expr]] = {"all": exp.All, "some": exp.Any}
_COMPARED: tuple[type[exp.Expr], ...] = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike,
)  # fmt: skip


def quantified(tree: exp.Expr) -> exp.Expr:
    """The tree with those calls as what they are: right of a comparison, of one operand, the name without quotes. In place."""
    for call in list(tree.find_all(exp.Anonymous)):
        kind = QUANTIFIERS.get(call.this.lower()) if isinstance(call.this, str) else None
        if (
            kind is not None
            and len(call.expressions) == 1
            and isinstance(call.parent, _COMPARED)
            and call.arg_key == "expression"
        ):
            operand = call.expressions[0]
            call.replace(kind(this=operand if isinstance(operand, exp.Query) else exp.Paren(this=operand)))
    return tree
