"""Mutants of a statement: one small mistake each, of the kinds that people and models make.

A mutant that gives the rows of the statement itself shows that the data cannot tell the two apart (or that they
mean the same): a draft with that mistake would count as right. After DeMillo, Lipton and Sayward 1978; operators
close to Tuya, Suárez-Cabal and de la Riva 2007 (mutation of SQL).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

MOST = 40
"""Mutants of one statement."""

_FLIPPED: dict[type[exp.Expr], tuple[type[exp.Binary], ...]] = {
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
}
_AGGREGATES: dict[type[exp.Expr], type[exp.Func]] = {
    exp.Max: exp.Min,
    exp.Min: exp.Max,
    exp.Sum: exp.Avg,
    exp.Avg: exp.Sum,
}
_SETS: dict[type[exp.Expr], type[exp.SetOperation]] = {
    exp.Intersect: exp.Union,
    exp.Except: exp.Intersect,
    exp.Union: exp.Intersect,
}
Change = tuple[str, Callable[[Any], None]]
"""A kind of mistake, and what makes it on a copy of the node."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A statement with one mistake in it."""

    kind: str
    sql: str


def mutants(sql: str, dialect: str, most: int = MOST) -> list[Mutant]:
    """Every one-step mutant, each text once, in a fixed order; evenly thinned to `most`. Empty where nothing parses."""
    try:
        tree = parse_one(sql, read=dialect)
    except (SqlglotError, RecursionError):
        return []
    known = {tree.sql(dialect)}
    found: list[Mutant] = []
    for number, node in enumerate(tree.walk()):
        for kind, change in _changes(node):
            held = exp.Tuple(expressions=[tree.copy()])  # so that the outermost node can be replaced as well
            change(_nth(held.expressions[0], number))
            text = held.expressions[0].sql(dialect)
            if text not in known:
                known.add(text)
                found.append(Mutant(kind, text))
    if len(found) > most:
        found = [found[at * len(found) // most] for at in range(most)]
    return found


def _nth(tree: exp.Expr, number: int) -> exp.Expr:
    return next(node for at, node in enumerate(tree.walk()) if at == number)


def _changes(node: exp.Expr) -> Iterator[Change]:
    for others in (_conditions, _selections, _numbers):
        yield from others(node)


def _conditions(node: exp.Expr) -> Iterator[Change]:
    """Of conditions: one dropped, a comparison flipped, AND for OR, NOT forgotten."""
    if isinstance(node, exp.And):
        yield "drop_condition", lambda it: it.replace(it.right.copy())
        yield "drop_condition", lambda it: it.replace(it.left.copy())
        yield "swap_and_or", lambda it: it.replace(exp.Or(this=it.left.copy(), expression=it.right.copy()))
    elif isinstance(node, exp.Or):
        yield "swap_and_or", lambda it: it.replace(exp.And(this=it.left.copy(), expression=it.right.copy()))
    elif isinstance(node, exp.Not):
        yield "drop_not", lambda it: it.replace(it.this.copy())
    elif isinstance(node, exp.Where | exp.Having):
        kind = "drop_having" if isinstance(node, exp.Having) else "drop_condition"
        yield kind, lambda it: it.pop()
    if type(node) in _FLIPPED and not _joins(node):
        for other in _FLIPPED[type(node)]:
            yield "flip_comparison", partial(_compare, other)


def _selections(node: exp.Expr) -> Iterator[Change]:
    """Of what is selected, joined, grouped and ordered."""
    if isinstance(node, exp.Distinct) and isinstance(node.parent, exp.Select):
        yield "drop_distinct", lambda it: it.pop()
    elif isinstance(node, exp.Distinct) and len(node.expressions) == 1:
        yield "drop_distinct", lambda it: it.replace(it.expressions[0].copy())
    elif isinstance(node, exp.Count) and isinstance(node.this, exp.Column):
        yield "add_distinct", lambda it: it.set("this", exp.Distinct(expressions=[it.this.copy()]))
    elif isinstance(node, exp.Ordered):
        yield "flip_order", _turn
    elif isinstance(node, exp.Join) and not node.args.get("side") and node.args.get("on"):
        yield "left_join", lambda it: it.set("side", "LEFT")
        yield "drop_join_condition", lambda it: it.set("on", exp.true())
    elif isinstance(node, exp.Group) and len(node.expressions) > 1:
        for at in range(len(node.expressions)):
            yield "drop_group_key", partial(_without_key, at)
    if type(node) in _AGGREGATES:
        yield "change_aggregate", lambda it: it.replace(_AGGREGATES[type(it)](this=it.this.copy()))
    if type(node) in _SETS:
        yield "change_set", lambda it: it.replace(_SETS[type(it)](**_parts(it)))


def _numbers(node: exp.Expr) -> Iterator[Change]:
    """Of whole numbers: one more; one less where that is still a limit."""
    if not isinstance(node, exp.Literal) or node.is_string or not str(node.this).isdigit():
        return
    value = int(node.this)
    if isinstance(node.parent, exp.Ordered | exp.Group | exp.DataType | exp.DataTypeParam):
        return  # the place of a column, the size of a type
    yield "off_by_one", lambda it: it.replace(exp.Literal.number(value + 1))
    if value > 1:
        yield "off_by_one", lambda it: it.replace(exp.Literal.number(value - 1))


def _compare(other: type[exp.Binary], node: Any) -> None:
    node.replace(other(this=node.left.copy(), expression=node.right.copy()))


def _turn(node: Any) -> None:
    """The other direction, with NULL on the other side as engines have it."""
    node.set("desc", not node.args.get("desc"))
    node.set("nulls_first", not node.args.get("nulls_first"))


def _without_key(at: int, node: Any) -> None:
    node.expressions.pop(at)


def _joins(node: exp.Expr) -> bool:
    """Whether a comparison is what joins two tables: flipped, it would join nearly all with all."""
    return isinstance(node.parent, exp.Join) or (
        isinstance(node, exp.Binary)
        and isinstance(node.left, exp.Column)
        and isinstance(node.right, exp.Column)
        and node.find_ancestor(exp.Join) is not None
    )


def _parts(node: exp.Expr) -> dict[str, Any]:
    return {key: value.copy() if isinstance(value, exp.Expr) else value for key, value in node.args.items()}
