"""Random policies over any catalogue and its rows: what owners of data write, with values that really occur.

Every table is denied, whole, or seen through one to three grants that overlap: row predicates with literals and with
attributes bound, masks of every kind, hidden columns; beside them grants for roles that the caller does not hold and
for attributes that the caller has not, which admit nobody.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import yaml

from evals.proving.masking import Kind
from evals.proving.policies import Admission, Posed
from evals.proving.rules import (
    Attribute,
    Both,
    Compare,
    Condition,
    Constant,
    Either,
    IsNull,
    Like,
    Not,
    OneOf,
    Operand,
    Operator,
    Stored,
)
from retrieval.types import EVERYONE, Principal
from text2sql.policy import parse
from text2sql.types import Catalog, Column, Table

Data = Mapping[str, Sequence[Sequence[Any]]]
"""Qualified table -> rows, in the order of the catalogue's columns."""
_SAMPLE = 400
_OPERATORS: tuple[Operator, ...] = ("=", "<>", "<", "<=", ">", ">=")
_ROLES = ("analyst", "clerk")
_OTHER = ("auditor", "owner")


@dataclass
class _Drawn:
    """One random policy while it is drawn."""

    rng: random.Random
    dialect: str
    attributes: dict[str, dict[str, Any]] = field(default_factory=dict)
    held: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def bind(self, values: Sequence[Any], *, several: bool) -> str:
        name = f"{self.rng.choice(['region', 'unit', 'own'])}_{len(self.attributes)}"
        kind = "text" if isinstance(values[0], str) else "integer" if isinstance(values[0], int) else "number"
        self.attributes[name] = {"type": kind, **({"list": True} if several else {})}
        self.held[name] = tuple(values)
        return name


def drawn(catalog: Catalog, data: Data, seed: int) -> Posed:
    """A policy and a caller, the same for the same seed and rows."""
    to = _Drawn(random.Random(f"{seed}"), catalog.dialect)  # noqa: S311 - to be the same again
    tables: dict[str, Any] = {}
    admissions: dict[str, tuple[Admission, ...]] = {}
    for table in catalog.tables:
        # A name that differs in case alone from another cannot be named at all.
        if catalog.table(table.qualified) is None:
            continue
        rule, admissions[table.qualified] = _table(table, data.get(table.qualified, ()), to)
        if rule is not None:
            tables[table.qualified] = rule
    principal = Principal(
        "asker",
        roles=_ROLES[: to.rng.choice([1, 2])] if to.rng.random() < 0.15 else _ROLES,
        attributes={
            name: values if "list" in to.attributes[name] else values[0] for name, values in to.held.items()
        },
    )
    missing = {"nobody": {"type": "text"}}
    document: dict[str, Any] = {"version": 1, "name": f"drawn {seed}", "attributes": to.attributes | missing}
    document |= {"tables": tables, **({"salt": "pepper"} if to.rng.random() < 0.5 else {})}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=10_000)
    return Posed(text, parse(text), principal, _held(tables, admissions, principal), to.held, seed)


def _held(
    tables: Mapping[str, Any], admissions: Mapping[str, tuple[Admission, ...]], principal: Principal
) -> dict[str, tuple[Admission, ...]]:
    """Of the grants that were drawn to admit, those whose role this caller came to hold."""
    roles = {EVERYONE, *principal.roles}
    return {
        name: tuple(
            each
            for each, grant in zip(
                found, [g for g in tables.get(name, {}).get("grants", ()) if _admits(g)], strict=True
            )
            if roles.intersection(grant["roles"])
        )
        for name, found in admissions.items()
    }


def _admits(grant: Mapping[str, Any]) -> bool:
    return grant["roles"][0] not in _OTHER and ":nobody" not in grant["rows"]


def _table(
    table: Table, rows: Sequence[Sequence[Any]], to: _Drawn
) -> tuple[dict[str, Any] | None, tuple[Admission, ...]]:
    rng, chance = to.rng, to.rng.random()
    rule: dict[str, Any] = {"owner": "data@example"} | ({"discoverable": True} if rng.random() < 0.2 else {})
    if chance < 0.02:
        return None, ()
    grants: list[dict[str, Any]] = []
    if rng.random() < 0.15:
        grants.append({"roles": [rng.choice(_OTHER)], "rows": "all"})
    if rng.random() < 0.1:
        grants.append({"roles": [EVERYONE], "rows": f"{_name(table.columns[0])} = :nobody"})
    if chance < 0.05:
        return rule | {"grants": grants}, ()
    if chance < 0.2:
        return rule | {"grants": [*grants, {"roles": [EVERYONE], "rows": "all"}]}, (_WHOLE,)
    found = []
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        grant, admission = _grant(table, rows, to)
        grants.append(grant)
        found.append(admission)
    return rule | {"grants": grants}, tuple(found)


_WHOLE = Admission(None, {}, frozenset())


def _grant(table: Table, rows: Sequence[Sequence[Any]], to: _Drawn) -> tuple[dict[str, Any], Admission]:
    rng = to.rng
    sample = (
        rows if len(rows) <= _SAMPLE else [rows[i] for i in sorted(rng.sample(range(len(rows)), _SAMPLE))]
    )
    values = {c.name: [row[at] for row in sample] for at, c in enumerate(table.columns)}
    test, text = None, "all"
    if rng.random() < 0.8:
        test, text = _tests(table, values, to, rng.choice([0, 0, 1, 1, 2]))
    masks: dict[str, Kind] = {}
    hide: list[str] = []
    if rng.random() < 0.35:
        for column in rng.sample(table.columns, min(len(table.columns), rng.choice([1, 1, 2]))):
            masks[column.name] = rng.choice(_masks(column, values[column.name], to.dialect))
    if len(table.columns) > 1 and rng.random() < 0.12:
        column = rng.choice(table.columns)
        if column.name not in masks:
            hide.append(column.name)
    grant: dict[str, Any] = {"roles": [rng.choice([EVERYONE, *_ROLES])], "rows": text}
    if masks:
        grant["masks"] = {c: {"bucket": m} if isinstance(m, int) else m for c, m in masks.items()}
    if hide:
        grant["hide"] = hide
    return grant, Admission(test, masks, frozenset(hide))


def _masks(column: Column, values: Sequence[Any], dialect: str) -> list[Kind]:
    """Masks that make sense of these values."""
    known = [v for v in values if v is not None]
    plain = re.match(r"(?i)text|varchar|character varying|int|bigint|smallint|$", column.type) is not None
    found: list[Kind] = ["null"]
    if dialect == "sqlite" or plain:
        if all(isinstance(v, str) and "\0" not in v for v in known):
            found += ["partial", "hash", "year"]
        elif all(isinstance(v, int) and not isinstance(v, bool) for v in known):
            found += ["partial", "hash"]
    if column.family in ("integer", "number") and all(_is_number(v) for v in known):
        found += [2, 10, 100]
    if known and all(isinstance(v, date) for v in known):
        found.append("year")
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _tests(
    table: Table, values: Mapping[str, Sequence[Any]], to: _Drawn, depth: int
) -> tuple[Condition, str]:
    """A random predicate: as rules, and as its text."""
    rng = to.rng
    if depth:
        if rng.random() < 0.2:
            test, text = _tests(table, values, to, depth - 1)
            return Not(test), f"NOT ({text})"
        parts = [_tests(table, values, to, depth - 1) for _ in range(2)]
        word = rng.choice(["AND", "OR"])
        # Only OR inside AND and NOT need parentheses: that the guard keeps the others apart is to be shown.
        texts = [f"({text})" if word == "AND" and " OR " in text else text for _, text in parts]
        tests = tuple(test for test, _ in parts)
        return Both(tests) if word == "AND" else Either(tests), f" {word} ".join(texts)
    column = rng.choice(table.columns)
    usable = [v for v in values[column.name] if _usable(v)]
    if not usable:
        return _null(column, rng)
    return _simple(column, usable, to)


def _null(column: Column, rng: random.Random) -> tuple[Condition, str]:
    test: Condition = IsNull(Stored(column.name))
    if rng.random() < 0.5:
        return test, f"{_name(column)} IS NULL"
    return Not(test), f"{_name(column)} IS NOT NULL"


def _simple(column: Column, usable: Sequence[Any], to: _Drawn) -> tuple[Condition, str]:
    rng, left, name = to.rng, Stored(column.name), _name(column)
    chosen = rng.choice(usable)
    of_kind = [v for v in usable if type(v) is type(chosen)]
    bindable = type(chosen) in (str, int) or (isinstance(chosen, float) and to.dialect != "postgres")
    ordered = to.dialect != "postgres" or not isinstance(chosen, str)  # by a collation of its own
    form = rng.choice(["compare", "in", "between", "like", "null", "compare", "in"])
    if form == "null":
        return _null(column, rng)
    if form == "in":
        members = list(dict.fromkeys(rng.choices(of_kind, k=rng.choice([1, 2, 4, 8]))))
        if bindable and rng.random() < 0.5:
            bound = to.bind(members, several=True)
            test: Condition = OneOf(left, (Attribute(bound),))
            text = f":{bound}"
        else:
            test, text = OneOf(left, tuple(map(Constant, members))), ", ".join(map(_literal, members))
        return (
            (Not(test), f"{name} NOT IN ({text})") if rng.random() < 0.25 else (test, f"{name} IN ({text})")
        )
    if form == "between" and ordered:
        low, high = sorted(rng.choices(of_kind, k=2))
        both = Both((Compare(left, ">=", Constant(low)), Compare(left, "<=", Constant(high))))
        return both, f"{name} BETWEEN {_literal(low)} AND {_literal(high)}"
    if form == "like" and isinstance(chosen, str) and re.match(r"(?i)text|.*char|$", column.type):
        pattern = rng.choice([f"{chosen[:2]}%", f"%{chosen[-2:]}", f"%{chosen[1:3]}%", f"_{chosen[1:]}"])
        return Like(left, Constant(pattern)), f"{name} LIKE {_literal(pattern)}"
    sign: Operator = rng.choice(_OPERATORS if ordered else _OPERATORS[:2])
    right: Operand = Constant(chosen)
    text = _literal(chosen)
    if bindable and rng.random() < 0.4:
        bound = to.bind([chosen], several=False)
        right, text = Attribute(bound), f":{bound}"
    return Compare(left, sign, right), f"{name} {sign} {text}"


def _usable(value: Any) -> bool:
    """Whether a value can stand in a predicate as a constant."""
    if isinstance(value, str):
        return len(value) <= 60 and value.isprintable() and "\ufffd" not in value and "\\" not in value
    if isinstance(value, float):
        return math.isfinite(value) and "e" not in repr(value)
    return isinstance(value, bool | int | Decimal | date)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _name(column: Column) -> str:
    return '"' + column.name.replace('"', '""') + '"'
