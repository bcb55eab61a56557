"""What is wrong with a policy for the catalogue at hand, and for those who are known to ask: said before anybody asks.

A problem is something that cannot be meant: a rule that protects nothing, a grant that admits nobody, a mask that
shows nothing. A remark may be meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from retrieval.types import EVERYONE, Principal
from text2sql.grants import AttributeType, Bucket, Grant
from text2sql.policy import Policy, TableRule
from text2sql.types import Catalog, Column, Table, TypeFamily

Severity = Literal["problem", "remark"]
_FAMILIES: dict[AttributeType, frozenset[TypeFamily]] = {
    "text": frozenset({"text", "date", "timestamp", "time", "other"}),
    "integer": frozenset({"integer", "number"}),
    "number": frozenset({"integer", "number"}),
    "boolean": frozenset({"boolean"}),
}
"""Type of an attribute -> columns that it can be compared with. Text is read as a date where the column is one."""
_NUMBERS = frozenset({"integer", "number"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know; `place` is where in the file. `unnamed`: it is about a name that the catalogue lacks."""

    severity: Severity
    place: str
    what: str
    unnamed: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def examine(policy: Policy, catalog: Catalog, callers: Sequence[Principal] | None = None) -> list[Finding]:
    """Everything found, in the file's order. `callers`: everybody who may ask; None where that is not known."""
    found: list[Finding] = []
    named = {id(rule): table for table in catalog.tables if (rule := policy.rule(table)) is not None}
    for name, rule in policy.tables.items():
        table = named.get(id(rule))
        if table is None:
            left = "; names that differ in nothing but case are left out" if name in catalog.left_out else ""
            found.append(Finding("problem", f"tables.{name}", f"there is no such table{left}", unnamed=True))
        found += _of_table(policy, name, rule, table, catalog, callers)
    found += _of_documents(policy)
    found += _of_attributes(policy)
    bare = [t.qualified for t in catalog.tables if policy.rule(t) is None]
    if bare:
        shown = ", ".join(bare[:5]) + (" …" if len(bare) > 5 else "")
        found.append(
            Finding("remark", "tables", f"nobody sees {len(bare)} tables that have no rule: {shown}")
        )
    return found


def _of_table(
    policy: Policy, name: str, rule: TableRule, table: Table | None, catalog: Catalog,
    callers: Sequence[Principal] | None,
) -> Iterator[Finding]:  # fmt: skip
    place = f"tables.{name}"
    if rule.discoverable and not rule.owner:
        yield Finding("problem", place, "discoverable, and no owner is named whom others could ask")
    if not rule.grants:
        yield Finding("remark", place, "no grants: nobody sees it")
    for number, grant in enumerate(rule.grants, 1):
        at = f"{place}.grants.{number}"
        if table is not None:
            yield from _of_columns(at, grant, table)
            yield from _of_masks(policy, at, grant, table, catalog)
            yield from _of_rows(policy, at, grant, table)
        yield from _of_callers(policy, at, grant, callers)


def _of_columns(at: str, grant: Grant, table: Table) -> Iterator[Finding]:
    ruled = grant.predicate.columns if grant.predicate else ()
    for column in dict.fromkeys((*grant.masks, *grant.hide, *ruled)):
        spelled = [c.name for c in table.columns if c.name.casefold() == column.casefold()]
        if not spelled:
            yield Finding("problem", at, f"there is no column {column}", unnamed=True)
        elif len(spelled) > 1 and column in ruled:
            yield Finding("problem", at, f"rows: nothing but case tells {' from '.join(spelled)}")
    if all(grant.hides(c.name) for c in table.columns):
        yield Finding("problem", at, "every column is hidden: it shows nothing")


def _of_masks(policy: Policy, at: str, grant: Grant, table: Table, catalog: Catalog) -> Iterator[Finding]:
    for name, mask in grant.masks.items():
        column = table.column(name)
        if column is None:
            continue
        kind = "bucket" if isinstance(mask, Bucket) else mask
        if (kind == "bucket" and column.family not in _NUMBERS) or (
            kind == "year" and column.family not in ("date", "timestamp", "text")
        ):
            yield Finding("problem", at, f"masks.{name}: {kind} of {column.type} shows nothing; write 'null'")
        elif kind in ("hash", "partial") and column.family == "boolean":
            yield Finding("problem", at, f"masks.{name}: {kind} of two values hides nothing; write 'null'")
        elif kind == "hash" and catalog.dialect == "sqlite":
            yield Finding("remark", at, f"masks.{name}: SQLite cannot hash; NULL is shown")
        elif kind == "hash" and not policy.salt:
            yield Finding(
                "remark", at, f"masks.{name}: without a salt, hashes of known values can be looked up"
            )
        elif kind == "partial" and column.family != "text":
            yield Finding("remark", at, f"masks.{name}: the first digit of {column.type} is shown")


def _of_rows(policy: Policy, at: str, grant: Grant, table: Table) -> Iterator[Finding]:
    if grant.predicate is None:
        return
    for node in grant.predicate.tree.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In):
        sides = [node.this, *(node.expressions if isinstance(node, exp.In) else [node.expression])]
        column = next(
            (c for s in sides if isinstance(s, exp.Column) and (c := table.column(s.name)) is not None), None
        )
        for side in sides:
            if isinstance(side, exp.Null):
                yield Finding("problem", at, "rows: nothing equals NULL; write IS NULL")
            elif column is not None:
                yield from _compared(policy, at, column, side)


def _compared(policy: Policy, at: str, column: Column, side: exp.Expr) -> Iterator[Finding]:
    if isinstance(side, exp.Placeholder):
        kind = policy.attributes[side.name].type
        if column.family not in _FAMILIES[kind]:
            yield Finding("problem", at, f"rows: :{side.name} is {kind}, {column.name} is {column.type}")
    elif isinstance(side, exp.Literal):
        if side.is_string == (column.family in _NUMBERS):
            yield Finding("problem", at, f"rows: {side.sql()} is compared with {column.name}, {column.type}")
        elif _absent(column, side.name):
            yield Finding("remark", at, f"rows: no row has {side.sql()} in {column.name} now")


def _absent(column: Column, value: str) -> bool:
    profile = column.profile if column.family == "text" else None
    return profile is not None and profile.complete and value not in profile.values


def _of_callers(
    policy: Policy, at: str, grant: Grant, callers: Sequence[Principal] | None
) -> Iterator[Finding]:
    if callers is None or not callers:
        return
    holding = [c for c in callers if {EVERYONE, *c.roles}.intersection(grant.roles)]
    if not holding:
        yield Finding("problem", at, f"it admits nobody: no user holds {' or '.join(grant.roles)}")
        return
    for name in grant.predicate.attributes if grant.predicate else ():
        if not any(policy.values(name, caller) for caller in holding):
            kind = policy.attributes[name].type
            yield Finding("problem", at, f"it admits nobody: no user of these roles has :{name} as {kind}")


def _of_documents(policy: Policy) -> Iterator[Finding]:
    for number, rule in enumerate(policy.documents, 1):
        at = f"documents.{number}"
        if rule.discoverable and not rule.owner:
            yield Finding("problem", at, "discoverable, and no owner is named whom others could ask")
        if any(earlier.match == rule.match for earlier in policy.documents[: number - 1]):
            yield Finding("problem", at, f"an earlier rule decides for {rule.match} already")


def _of_attributes(policy: Policy) -> Iterator[Finding]:
    bound = {
        name
        for rule in policy.tables.values()
        for grant in rule.grants
        if grant.predicate
        for name in grant.predicate.attributes
    }
    for name in policy.attributes:
        if name not in bound:
            yield Finding("remark", f"attributes.{name}", "no row rule binds it")
