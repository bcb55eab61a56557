"""Operands of kinds that an operator does not take: text compared with a number, a number as a condition.

For engines that refuse these when they prepare a statement. Only what is sure is refused: a kind that is not known
(a text written out, a parameter, most functions) goes with every other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sqlglot import exp

from text2sql.families import family
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts
from text2sql.guard.shapes import COMPARISONS
from text2sql.types import TypeFamily

STRICT = frozenset({"postgres", "duckdb"})
_TEXTS = re.compile(r"char|text|string", re.IGNORECASE)
_KINDS: Mapping[TypeFamily, str] = {
    "integer": "number", "number": "number", "text": "text", "date": "date", "timestamp": "date", "boolean": "boolean",
}  # fmt: skip
_WORDS = {"number": "a number", "text": "text", "date": "a date", "boolean": "true or false"}
_MIXED: Mapping[str, frozenset[frozenset[str]]] = {
    "duckdb": frozenset(map(frozenset, (("number", "text"), ("number", "date"), ("text", "date")))),
    "postgres": frozenset(
        map(
            frozenset,
            (
                ("number", "text"),
                ("number", "date"),
                ("text", "date"),
                ("boolean", "number"),
                ("boolean", "text"),
            ),
        )
    ),
}
"""Kinds that cannot be compared."""
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_NUMBERS = (exp.Count, exp.Length, exp.Extract, exp.RowNumber, exp.Rank, exp.DenseRank)
_TEXT = (exp.Upper, exp.Lower, exp.Trim, exp.Substring)
_TRUTHS = (*COMPARISONS, exp.And, exp.Or, exp.Not, exp.Like, exp.ILike, exp.In, exp.Between, exp.Exists)
_ALWAYS = {"number": _NUMBERS, "text": _TEXT, "boolean": _TRUTHS}
_MAX_DEPTH = 30


def check_operands(tree: exp.Expr, facts: Facts, dialect: str) -> None:
    """Raises `Refused` with code type at the first operator that its engine has not for these kinds."""
    if dialect not in STRICT:
        return
    kinds = _Kinds(facts)
    for node in tree.walk():
        check = _CHECKS.get(type(node))
        if check is not None:
            check(node, kinds, dialect)


class _Kinds:
    """number, text, date or boolean for an expression, "" where that is not sure."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def of(self, node: exp.Expr | None, depth: int = 0) -> str:
        """The kind of value it has."""
        if node is None or depth > _MAX_DEPTH:
            return ""
        node = node.unnest()
        if isinstance(node, exp.Literal):
            return "" if node.is_string else "number"
        if isinstance(node, exp.Column):
            return self._column(node, depth)
        if isinstance(node, exp.Select):
            return self.of(node.expressions[0].unalias(), depth + 1) if len(node.expressions) == 1 else ""
        if isinstance(node, exp.Cast):
            return _declared(node.args["to"].sql())
        always = next((kind for kind, nodes in _ALWAYS.items() if isinstance(node, nodes)), "")
        return always or self._made(node, depth)

    def _made(self, node: exp.Expr, depth: int) -> str:
        if isinstance(node, _ARITHMETIC):
            both = {self.of(node.this, depth + 1), self.of(node.expression, depth + 1)}
            return "number" if both == {"number"} else ""
        if isinstance(node, exp.Window):
            return self.of(node.this, depth + 1)
        if isinstance(node, exp.Neg | exp.Sum | exp.Avg | exp.Abs | exp.Round):
            return "number" if self.of(node.this, depth + 1) == "number" else ""
        if isinstance(node, exp.Min | exp.Max) and not node.expressions:
            return self.of(node.this, depth + 1)
        return ""

    def _column(self, node: exp.Column, depth: int) -> str:
        named = self.facts.aliases.get(id(node))
        if named is not None:
            return self.of(named, depth + 1)
        binding = self.facts.bindings.get(id(node))
        if binding is None:
            return ""
        if binding.field.column is not None:
            return _declared(binding.field.column.type)
        return self.of(binding.field.expression, depth + 1)


def _declared(kind: str) -> str:
    found = _KINDS.get(family(kind), "")
    if (found == "text" and not _TEXTS.search(kind)) or (found == "boolean" and "bool" not in kind.lower()):
        return ""
    return found


def _compared(node: exp.Expr, kinds: _Kinds, dialect: str) -> None:
    if dialect == "duckdb" and isinstance(node, exp.EQ | exp.NEQ):
        return  # it converts one of them, and only fails on a value that cannot be
    _comparable(node, node.this, node.expression, kinds, dialect)


def _comparable(node: exp.Expr, left: exp.Expr, right: exp.Expr | None, kinds: _Kinds, dialect: str) -> None:
    if isinstance(right, exp.Null) or isinstance(node, exp.Is):
        return
    one = kinds.of(left)
    other = kinds.of(right) if one else ""
    if other and frozenset((one, other)) in _MIXED[dialect]:
        message = (
            f"{left.sql()} is {_WORDS[one]}, what it is compared with is {_WORDS[other]}; CAST one of them."
        )
        raise Refused("type", message, node, left.sql())


def _between(node: exp.Expr, kinds: _Kinds, dialect: str) -> None:
    for key in ("low", "high"):
        _comparable(node, node.this, node.args[key], kinds, dialect)


def _in(node: exp.Expr, kinds: _Kinds, dialect: str) -> None:
    for value in node.expressions if dialect != "duckdb" else ():
        _comparable(node, node.this, value, kinds, dialect)
    _comparable(node, node.this, node.args.get("query"), kinds, dialect)


def _like(node: exp.Expr, kinds: _Kinds, dialect: str) -> None:
    del dialect
    kind = kinds.of(node.this)
    if kind in ("number", "date"):
        message = (
            f"LIKE takes text; {node.this.sql()} is {_WORDS[kind]}. Write CAST({node.this.sql()} AS VARCHAR)."
        )
        raise Refused("type", message, node, node.this.sql())


def _calculated(node: exp.Expr, kinds: _Kinds, dialect: str) -> None:
    del dialect
    for side in (node.this, node.expression):
        if kinds.of(side) == "text":
            raise Refused(
                "type", f"{side.sql()} is text; nothing can be calculated from it.", side, side.sql()
            )


def _summed(node: exp.Expr, kinds: _Kinds, dialect: str) -> None:
    inner = (
        node.this.expressions[0]
        if isinstance(node.this, exp.Distinct) and node.this.expressions
        else node.this
    )
    kind = kinds.of(inner)
    if kind == "text" or (kind == "date" and (dialect == "postgres" or isinstance(node, exp.Sum))):
        name = node.key.upper()
        raise Refused("type", f"{name}() takes numbers; {inner.sql()} is {_WORDS[kind]}.", node, inner.sql())


def _condition(node: exp.Expr, kinds: _Kinds, dialect: str) -> None:
    """WHERE, AND and the like take what is true or false; DuckDB reads a number as that."""
    if dialect != "postgres":
        return
    for key in ("this", "expression", "on"):
        part = node.args.get(key)
        if isinstance(part, exp.Expr) and not isinstance(part, exp.Table | exp.Subquery | exp.Query):
            kind = "row" if isinstance(part, exp.Tuple) else kinds.of(part)
            if kind and kind != "boolean":
                message = f"{part.sql()} is {_WORDS.get(kind, 'a row')}, not true or false; compare it with something."
                raise Refused("type", message, part, part.sql())


_Check = Callable[[exp.Expr, _Kinds, str], None]
_CHECKS: Mapping[type[exp.Expr], _Check] = {
    **dict.fromkeys(COMPARISONS, _compared),
    **dict.fromkeys(_ARITHMETIC, _calculated),
    **dict.fromkeys((exp.Sum, exp.Avg), _summed),
    **dict.fromkeys((exp.Like, exp.ILike), _like),
    **dict.fromkeys((exp.Where, exp.Having, exp.And, exp.Or, exp.Not, exp.Join), _condition),
    exp.Between: _between,
    exp.In: _in,
}
