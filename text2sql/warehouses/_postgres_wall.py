"""A warehouse whose login role is the reader of a wall (`bunmyaku policy apply`): whom each statement runs for.

The reader itself reads nothing. Before a statement its transaction takes the role of exactly the policy roles that
the caller holds, and a signed context with their attributes; row security reads both (text2sql/row_security).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from retrieval.types import EVERYONE, Principal
from text2sql.errors import WarehouseError, WarehouseUnavailable
from text2sql.policy import Policy
from text2sql.row_security.context import SETTING, Key, commented, signed
from text2sql.row_security.wanted import fingerprint
from text2sql.warehouses._postgres_connections import Connection

_READER = (
    "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles WHERE rolname = current_user"
)
_ROLES = """
SELECT g.rolname, coalesce(shobj_description(g.oid, 'pg_authid'), '') FROM pg_auth_members a
JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member WHERE m.rolname = current_user"""


@dataclass(frozen=True, slots=True)
class Wall:
    """What `policy apply` left for the reader: which role stands for which roles of the policy."""

    database: str
    catalog: str
    policy: str
    title: str
    computed: bool
    sets: dict[frozenset[str], str]
    key: Key = field(repr=False)

    def role(self, principal: Principal) -> str | None:
        """The database's role for exactly the policy's roles that the caller holds; None where there is none."""
        return self.sets.get(self._held(principal))

    def _held(self, principal: Principal) -> frozenset[str]:
        known = frozenset().union(*self.sets)
        return frozenset({EVERYONE, *principal.roles}) & (known | {EVERYONE})

    def words(self, principal: Principal | None, where: str) -> str:
        """What a transaction begins with for this caller. Raises `WarehouseError` where nobody is known to ask."""
        if principal is None:
            raise WarehouseError(
                "This warehouse is read through a wall, and nobody is named to read for",
                where=where,
                todo="Open a session for the caller: `warehouse.session(principal)`.",
            )
        role = self.role(principal)
        if role is None:
            raise WarehouseError(
                f"The database has no role for callers who hold {', '.join(sorted(self._held(principal)))} together",
                where=where,
                todo="Run `bunmyaku policy apply`, with that caller among the users.",
            )
        return _taking(role, signed(self.key, self.database, role, principal.attributes, time.time()))

    def own(self) -> str:
        """The same for our own look at the catalogue and at profiles."""
        return _taking(self.catalog, signed(self.key, self.database, self.catalog, {}, time.time()))

    def notes(self, policy: Policy | None, *, told: bool) -> tuple[str, ...]:
        """What an administrator should know; `told`: whether somebody said under which policy they read."""
        applied = f"The database stands behind the guard: roles and row security of the policy {self.title}."
        if not told or (policy is not None and fingerprint(policy) == self.policy):
            return (applied,)
        other = "That is another policy than the one in use: run `bunmyaku policy apply`."
        return (applied, f"{other} Until then callers see what both allow.")


def _taking(role: str, context: str) -> str:
    quoted = '"' + role.replace('"', '""') + '"'
    return f"SET LOCAL {SETTING} = '{context}';SET LOCAL ROLE {quoted};"


def look_for_wall(connection: Connection, database: str, where: str) -> Wall | None:
    """The wall that the login role is the reader of; None where it is none. Raises `WarehouseUnavailable`."""
    rows: Sequence[tuple[Any, ...]] = connection.execute(_READER.encode()).fetchall()
    facts = commented(str(rows[0][0]), "reader") if rows else None
    if facts is None or facts.get("database") != database:
        return None
    password = connection.info.password
    if not password:
        raise WarehouseUnavailable(
            "The reader of a wall signs with its password, and has logged in without one",
            where=where,
            todo="Give the password in the URL or in libpq's password file.",
        )
    sets: dict[frozenset[str], str] = {}
    for name, text in connection.execute(_ROLES.encode()).fetchall():
        role = commented(text, "role")
        if role is not None and role.get("database") == database:
            sets[frozenset(role["roles"])] = name
    return Wall(
        database, f"{facts['prefix']}_catalog", facts["policy"], facts["title"], facts["computed_masks"], sets,
        Key.of(password, facts["salt"]),
    )  # fmt: skip
