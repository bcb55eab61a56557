"""Which sets of a policy's roles a caller may hold together, and what the database may show to each.

Every set has one role of the database: what a caller sees is decided by all of their grants at once, and not by the
sum of what each of their roles would be shown alone (docs/policy.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from retrieval.types import EVERYONE
from text2sql.errors import PolicyError
from text2sql.grants import Grant, shown_whole
from text2sql.policy import Policy
from text2sql.types import Table

RoleSet = frozenset[str]
_FEW = 4
"""Roles of a policy up to which every set of them gets its role, held by somebody or not."""
_LONGEST = 63
"""Bytes of a name in PostgreSQL."""
_PREFIX = re.compile(r"(?!pg_)[a-z][a-z0-9_]{0,19}")


@dataclass(frozen=True, slots=True)
class Names:
    """What everything of one wall is called."""

    prefix: str

    def __post_init__(self) -> None:
        if not _PREFIX.fullmatch(self.prefix):
            raise PolicyError(
                "This is no prefix for names",
                where=f"--prefix {self.prefix}",
                todo="Use up to 20 of a-z, 0-9 and _, a letter first.",
            )

    @property
    def reader(self) -> str:
        """The role that logs in; it reads nothing itself."""
        return f"{self.prefix}_reader"

    @property
    def catalog(self) -> str:
        """The role that reads the catalogue and measures profiles."""
        return f"{self.prefix}_catalog"

    def of(self, roles: RoleSet) -> str:
        """The role of a set: named after its one role where that is possible."""
        several = sorted(roles - {EVERYONE}) or [EVERYONE]
        name = f"{self.prefix}_{several[0]}"
        reserved = name in (self.reader, self.catalog) or several[0].startswith("c_")
        clash = len(several) == 1 and several[0] == EVERYONE and roles != {EVERYONE}
        if len(several) > 1 or reserved or clash or len(name.encode()) > _LONGEST or "\0" in name:
            digest = hashlib.sha256("\n".join(sorted(roles)).encode()).hexdigest()[:16]
            return f"{self.prefix}_c_{digest}"
        return name


def policy_roles(policy: Policy) -> RoleSet:
    """The roles that some table's grants name, but for `everyone`."""
    named = (role for rule in policy.tables.values() for grant in rule.grants for role in grant.roles)
    return frozenset(named) - {EVERYONE}


def role_sets(policy: Policy, held: Iterable[Iterable[str]]) -> tuple[list[RoleSet], list[RoleSet]]:
    """The sets that must have a role (none, each role alone, what somebody holds), and those that may have one."""
    known = policy_roles(policy)
    must = {frozenset({EVERYONE})}
    must |= {frozenset({EVERYONE, role}) for role in known}
    must |= {frozenset(roles) & known | {EVERYONE} for roles in held}
    may: set[RoleSet] = set()
    if len(known) <= _FEW:
        sizes = range(2, len(known) + 1)
        may = {frozenset({EVERYONE, *some}) for size in sizes for some in combinations(sorted(known), size)}
    return sorted(must, key=sorted), sorted(may - must, key=sorted)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the database shows of one table to one set of roles; `guarded`: columns it cannot withhold or mask."""

    columns: tuple[str, ...]
    guarded: tuple[str, ...] = ()


def shown(table: Table, grants: tuple[Grant, ...], *, computed: bool) -> Shown:
    """Columns that every admitted row shows as they are; those that only the guard masks too, where `computed`.

    A column that a row rule reads is among `guarded` though it be hidden: the guard's own query names it.
    """
    whole = [c.name for c in table.columns if shown_whole(c.name, grants)]
    if not whole and not computed:
        return Shown(())
    guarded: list[str] = []
    if computed:
        guarded += [c.name for c in table.columns if c.name not in whole and _computed(c.name, grants)]
    ruled = {name.casefold() for g in grants if g.predicate for name in g.predicate.columns}
    if not any(g.predicate is None for g in grants) or computed:
        taken = {*whole, *guarded}
        guarded += [c.name for c in table.columns if c.name.casefold() in ruled and c.name not in taken]
    return Shown(tuple(whole), tuple(guarded))


def _computed(column: str, grants: tuple[Grant, ...]) -> bool:
    """Whether some rows show it, or something that is computed from it."""
    return any(not g.hides(column) and g.mask(column) != "null" for g in grants)
