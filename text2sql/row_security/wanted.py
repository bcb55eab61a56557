"""What the database should hold for a policy: roles, grants and row policies. A pure function of policy and catalogue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from text2sql.grants import Grant
from text2sql.policy import Policy
from text2sql.row_security.predicate import admitted, using
from text2sql.row_security.sets import Names, RoleSet, Shown, role_sets, shown
from text2sql.types import Catalog, Table

Place = tuple[str, str]
"""Schema and table."""
OTHERS, GRANTEES, CATALOG = "others", "grantees", "catalog"


@dataclass(frozen=True, slots=True)
class RowPolicy:
    """One `CREATE POLICY`: to which roles, for which command, over which rows."""

    roles: tuple[str, ...]
    using: str
    command: str = "SELECT"
    check: bool = False
    """Whether rows that are written must fulfil it too."""

    @property
    def digest(self) -> str:
        """Changes when the policy does."""
        text = json.dumps([self.roles, self.using, self.command, self.check])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Wanted:
    """The wall as it should be. `refusals` stand against it; `remarks` are for whoever applies it."""

    names: Names
    roles: dict[str, RoleSet] = field(default_factory=dict)
    columns: set[tuple[str, str, str, str]] = field(default_factory=set)
    """Schema, table, column, role."""
    policies: dict[tuple[str, str, str], RowPolicy] = field(default_factory=dict)
    """Schema, table and name of the policy."""
    refusals: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def secured(self) -> set[Place]:
        """Tables whose rows are secured."""
        return {(schema, table) for schema, table, _ in self.policies}

    @property
    def schemas(self) -> set[tuple[str, str]]:
        """Schema and role."""
        return {(schema, role) for schema, _, _, role in self.columns}


def fingerprint(policy: Policy) -> str:
    """A hash over what the wall is built from: tables, grants and attributes, not documents."""
    parts = policy.model_dump(mode="json", include={"attributes", "tables"})
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def wanted(
    policy: Policy,
    catalog: Catalog,
    held: Iterable[Iterable[str]] = (),
    *,
    prefix: str = "bunmyaku",
    computed: bool = False,
    grantees: Mapping[Place, tuple[str, ...]] | None = None,
    rowless: frozenset[Place] = frozenset(),
) -> Wanted:
    """The wall of a policy. `held`: roles of each known caller. `computed`: also grant what only the guard can mask.

    `grantees`: who else had rights on a table before. `rowless`: relations without row security (views, foreign).
    """
    found = Wanted(Names(prefix))
    must, may = role_sets(policy, held)
    ruled = [(t, rule) for t in catalog.tables if (rule := policy.rule(t)) is not None and rule.grants]
    for roles in (*must, *may):
        views: list[tuple[Table, tuple[Grant, ...], Shown]] = []
        for table, rule in ruled:
            grants = policy.held(rule, roles)
            if grants:
                views.append((table, grants, shown(table, grants, computed=computed)))
        problems = _problems(roles, views, computed=computed)
        if problems and roles in may:
            continue
        found.refusals += problems
        name = found.names.of(roles)
        found.roles[name] = roles
        for table, grants, seen in views:
            _show(found, table, grants, seen, name, rowless)
    for table, rule in ruled:
        _secure(found, policy, table, rule.grants, (grantees or {}).get(_place(table), ()), rowless)
    found.refusals = list(dict.fromkeys(found.refusals))
    found.remarks = list(dict.fromkeys(found.remarks))
    return found


def _place(table: Table) -> Place:
    return table.schema, table.name


def _problems(
    roles: RoleSet, views: list[tuple[Table, tuple[Grant, ...], Shown]], *, computed: bool
) -> list[str]:
    if computed:
        return []
    return [
        f"{table.qualified}.{column}: a row rule reads it, and {' + '.join(sorted(roles))} may not see it: the "
        "database cannot hide it from the guard's own query. Show it, or give --computed-masks."
        for table, _, seen in views
        for column in seen.guarded
    ]


def _show(
    found: Wanted, table: Table, grants: tuple[Grant, ...], seen: Shown, role: str, rowless: frozenset[Place]
) -> None:
    place = _place(table)
    if place in rowless and not any(g.predicate is None for g in grants):
        found.remarks.append(
            f"{table.qualified} has a row rule and no row security (a view, a materialized view or a foreign "
            f"table): {role} gets nothing of it. Put the rule on the tables below it."
        )
        return
    for column in seen.guarded:
        found.remarks.append(f"{table.qualified}.{column}: for {role} only the guard stands.")
    for column in (*seen.columns, *seen.guarded):
        found.columns |= {(*place, column, role), (*place, column, found.names.catalog)}


def _secure(
    found: Wanted, policy: Policy, table: Table, grants: tuple[Grant, ...], others: tuple[str, ...],
    rowless: frozenset[Place],
) -> None:  # fmt: skip
    """The row policies of a table: one a grant, one for profiles, and two that leave everybody else as they were."""
    place, names = _place(table), found.names
    readers = {role for *where, _, role in found.columns if tuple(where) == place}
    if place in rowless or not readers:
        return
    for number, grant in enumerate(grants, 1):
        to = sorted(
            name for name, roles in found.roles.items() if name in readers and roles.intersection(grant.roles)
        )
        if to:
            rule = RowPolicy(tuple(to), using(policy, table, grant, names.prefix))
            found.policies[*place, f"{names.prefix}_{number}"] = rule
    found.policies[*place, f"{names.prefix}_{CATALOG}"] = RowPolicy((names.catalog,), admitted(names.prefix))
    if others:  # without a condition, which costs them neither an index nor a plan
        found.policies[*place, f"{names.prefix}_{GRANTEES}"] = RowPolicy(others, "true", "ALL", check=True)
    ours = f"NOT starts_with(CURRENT_USER::text, '{names.prefix}_')"
    found.policies[*place, f"{names.prefix}_{OTHERS}"] = RowPolicy((), ours, "ALL", check=True)
