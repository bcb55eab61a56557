"""A policy, a caller, and what both mean: as the YAML that a guard is given, and as rules that Python can follow.

`posed` reads a policy that somebody wrote; `evals.proving.drawing` draws random ones over any catalogue and its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from evals.errors import EvalError
from evals.proving.masking import Kind
from evals.proving.rules import (
    Attribute,
    Both,
    Bound,
    Compare,
    Computed,
    Condition,
    Constant,
    Either,
    Holds,
    IsNull,
    Like,
    Not,
    OneOf,
    Operand,
    Operator,
    Stored,
)
from retrieval.types import EVERYONE, Principal
from text2sql.grants import Grant
from text2sql.policy import Policy
from text2sql.types import Catalog, Table

_OPERATORS: dict[type[exp.Expr], Operator] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip


@dataclass(frozen=True)
class Admission:
    """One grant that admits the caller: rows (None: every row), masks and hidden columns, by the table's own names."""

    rows: Condition | None
    masks: Mapping[str, Kind]
    hide: frozenset[str]

    def kind(self, column: str) -> Kind:
        """How the column is shown in rows of this grant; a hidden one shows nothing where another grant has it."""
        return "null" if column in self.hide else self.masks.get(column)


@dataclass(frozen=True)
class Posed:
    """A policy put to a guard. `admissions`: qualified table -> what admits the caller, () where it is not there."""

    yaml: str
    policy: Policy
    principal: Principal
    admissions: Mapping[str, tuple[Admission, ...]]
    bound: Bound
    seed: int | None = None

    def columns(self, table: Table) -> tuple[str, ...]:
        """The columns of the table that are there for the caller."""
        held = self.admissions.get(table.qualified, ())
        return tuple(c.name for c in table.columns if any(c.name not in each.hide for each in held))

    def masked(self, table: Table) -> frozenset[str]:
        """The columns that some row may not show as they are: a grant masks them, and none shows them in every row."""
        held = self.admissions.get(table.qualified, ())
        return frozenset(
            c
            for c in self.columns(table)
            if any(each.kind(c) is not None for each in held)
            and not any(each.kind(c) is None and each.rows is None for each in held)
        )


def posed(policy: Policy, text: str, principal: Principal, catalog: Catalog) -> Posed:
    """A policy as rules. Raises `EvalError` where its predicate uses what Python cannot follow."""
    admissions, bound = {}, {}
    for table in catalog.tables:
        rule = policy.rule(table)
        held = {EVERYONE, *principal.roles}
        found = []
        for grant in rule.grants if rule else ():
            names = grant.predicate.attributes if grant.predicate else ()
            values = {name: _values(policy, name, principal) for name in names}
            if held.intersection(grant.roles) and all(values.values()):
                found.append(_admission(grant, table))
                bound.update(values)
        admissions[table.qualified] = tuple(found)
    return Posed(text, policy, principal, admissions, bound)


def _values(policy: Policy, name: str, principal: Principal) -> tuple[Any, ...]:
    """The caller's values of an attribute; () where one is of another type than declared, or there are too many."""
    declared = policy.attributes[name]
    given = principal.attributes.get(name, ())
    values = tuple(given) if isinstance(given, list | tuple | set | frozenset) else (given,)
    wanted = {"text": str, "integer": int, "number": (int, float), "boolean": bool}[declared.type]
    fitting = all(
        isinstance(v, wanted) and isinstance(v, bool) == (declared.type == "boolean")  # type: ignore[arg-type]  # types of Python
        for v in values
    )
    return values if fitting and (declared.list or len(values) == 1) else ()


def _admission(grant: Grant, table: Table) -> Admission:
    spelled = {c.name.casefold(): c.name for c in table.columns}
    masks: dict[str, Kind] = {
        spelled[name.casefold()]: mask if isinstance(mask, str) else mask.bucket
        for name, mask in grant.masks.items()
        if name.casefold() in spelled
    }
    hide = frozenset(spelled[name.casefold()] for name in grant.hide if name.casefold() in spelled)
    rows = None if grant.predicate is None else _test(grant.predicate.tree, spelled)
    return Admission(rows, masks, hide)


def _test(node: exp.Expr, spelled: Mapping[str, str]) -> Condition:  # noqa: PLR0911 - one line a form
    if isinstance(node, exp.Paren):
        return _test(node.this, spelled)
    if isinstance(node, exp.And | exp.Or):
        parts = (_test(node.this, spelled), _test(node.expression, spelled))
        return Both(parts) if isinstance(node, exp.And) else Either(parts)
    if isinstance(node, exp.Not):
        return Not(_test(node.this, spelled))
    if type(node) in _OPERATORS:
        return Compare(
            _operand(node.this, spelled), _OPERATORS[type(node)], _operand(node.expression, spelled)
        )
    if isinstance(node, exp.Between):
        value = _operand(node.this, spelled)
        low, high = (_operand(node.args[key], spelled) for key in ("low", "high"))
        return Both((Compare(value, ">=", low), Compare(value, "<=", high)))
    if isinstance(node, exp.In):
        return OneOf(_operand(node.this, spelled), tuple(_operand(e, spelled) for e in node.expressions))
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return IsNull(_operand(node.this, spelled))
    if isinstance(node, exp.Like):
        return Like(_operand(node.this, spelled), _operand(node.expression, spelled))
    return Holds(_operand(node, spelled))


def _operand(node: exp.Expr, spelled: Mapping[str, str]) -> Operand:  # noqa: PLR0911 - one line a form
    if isinstance(node, exp.Paren):
        return _operand(node.this, spelled)
    if isinstance(node, exp.Column):
        return Stored(spelled[node.name.casefold()])
    if isinstance(node, exp.Placeholder):
        return Attribute(str(node.this))
    if isinstance(node, exp.Literal):
        return Constant(node.to_py())
    if isinstance(node, exp.Boolean):
        return Constant(bool(node.this))
    if isinstance(node, exp.Null):
        return Constant(None)
    if isinstance(node, exp.Lower | exp.Upper):
        change = str.lower if isinstance(node, exp.Lower) else str.upper
        return Computed(lambda v: None if v is None else change(str(v)), (_operand(node.this, spelled),))
    if isinstance(node, exp.Coalesce):
        return Computed(_first, _operands([node.this, *node.expressions], spelled))
    if isinstance(node, exp.Neg):
        return Computed(lambda v: None if v is None else -v, (_operand(node.this, spelled),))
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        sign = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}[type(node)]
        return Computed(
            lambda a, b: _arithmetic(sign, a, b), _operands([node.this, node.expression], spelled)
        )
    raise EvalError(
        f"The proof cannot follow `{node.sql()}` in a row predicate",
        todo="Write it with comparisons, IN, BETWEEN, LIKE, IS NULL, AND, OR and NOT, or leave the table out.",
    )


def _operands(nodes: Iterable[exp.Expr], spelled: Mapping[str, str]) -> tuple[Operand, ...]:
    return tuple(_operand(node, spelled) for node in nodes)


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _arithmetic(sign: str, a: Any, b: Any) -> Any:
    if a is None or b is None:
        return None
    return a + b if sign == "+" else a - b if sign == "-" else a * b
