"""What a database holds of a wall now, and what of it is not ours: read from PostgreSQL's catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from text2sql.row_security.context import MARK, Key, comment, commented
from text2sql.row_security.functions import POLICY_STANDS, functions_stand
from text2sql.row_security.sets import Names
from text2sql.row_security.wanted import Place

Ask = Callable[..., Sequence[tuple[Any, ...]]]
"""Runs a statement with `%(name)s` parameters and gives its rows."""
_ROLES = """
SELECT r.rolname, coalesce(shobj_description(r.oid, 'pg_authid'), ''),
    r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolinherit OR r.rolreplication
FROM pg_roles r WHERE starts_with(r.rolname, %(start)s)"""
_BEYOND = """
SELECT DISTINCT n.nspname, c.relname, r.rolname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT x.grantee FROM aclexplode(c.relacl) x WHERE x.grantee <> c.relowner
    UNION ALL SELECT x.grantee FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) x
    WHERE a.attrelid = c.oid AND (x.privilege_type <> 'SELECT' OR n.nspname = %(schema)s)) g
LEFT JOIN pg_roles r ON r.oid = g.grantee
WHERE starts_with(r.rolname, %(start)s) OR (n.nspname = %(schema)s AND c.relname = 'key')"""
_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, r.rolname FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
CROSS JOIN LATERAL aclexplode(a.attacl) x JOIN pg_roles r ON r.oid = x.grantee
WHERE starts_with(r.rolname, %(start)s) AND x.privilege_type = 'SELECT' AND NOT a.attisdropped"""
_SCHEMAS = """
SELECT n.nspname, r.rolname FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
JOIN pg_roles r ON r.oid = x.grantee WHERE starts_with(r.rolname, %(start)s) AND x.privilege_type = 'USAGE'"""
_OPEN = """
SELECT n.nspname FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) x
WHERE x.grantee = 0 AND x.privilege_type = 'USAGE'"""
_MEMBERS = """
SELECT g.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
JOIN pg_roles m ON m.oid = a.member WHERE starts_with(m.rolname, %(start)s)"""
_OUTSIDERS = """
SELECT g.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid
JOIN pg_roles m ON m.oid = a.member WHERE starts_with(g.rolname, %(start)s)
AND NOT starts_with(m.rolname, %(start)s) AND m.rolname <> current_user"""
_POLICIES = """
SELECT n.nspname, c.relname, p.polname, coalesce(obj_description(p.oid, 'pg_policy'), ''), {policy_stands}
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace"""
_TABLES = """
SELECT n.nspname, c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity,
    coalesce('security_invoker=true' = ANY (c.reloptions) OR 'security_invoker=on' = ANY (c.reloptions), false),
    array(SELECT DISTINCT g.rolname::text FROM (
        SELECT x.grantee FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
        UNION SELECT x.grantee FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) x WHERE a.attrelid = c.oid
        UNION SELECT c.relowner) o JOIN pg_roles g ON g.oid = o.grantee ORDER BY 1),
    EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee = 0 AND x.privilege_type = 'SELECT') OR EXISTS (
        SELECT FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) x
        WHERE a.attrelid = c.oid AND x.grantee = 0 AND x.privilege_type = 'SELECT') OR EXISTS (
        SELECT FROM pg_partition_tree(c.oid) t JOIN pg_class q ON q.oid = t.relid CROSS JOIN LATERAL aclexplode(q.relacl) x
        WHERE x.grantee = 0 AND x.privilege_type = 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
AND NOT c.relispartition"""
_OWN = """
SELECT coalesce(obj_description(n.oid, 'pg_namespace'), ''), {functions_stand},
    to_regclass(format('%%I.key', n.nspname)) IS NOT NULL
FROM pg_namespace n WHERE n.nspname = %(schema)s"""
_READERS = """
SELECT r.rolname, shobj_description(r.oid, 'pg_authid') FROM pg_roles r
WHERE starts_with(shobj_description(r.oid, 'pg_authid'), %(mark)s)"""
_LOOSE = "SELECT rolname FROM pg_roles WHERE rolsuper OR rolbypassrls ORDER BY 1"

ALTERED = f"{MARK}schema altered"


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view as PostgreSQL has it. `grantees`: who has rights on it, the owner included."""

    kind: str
    secured: bool
    forced: bool
    invoker: bool
    grantees: tuple[str, ...]
    public: bool

    @property
    def rowless(self) -> bool:
        """Whether row security cannot be had on it."""
        return self.kind not in ("r", "p")


@dataclass
class Standing:
    """What stands now. Roles, comments and grants are those whose name begins with the wall's prefix."""

    database: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    """Roles of ours that somebody gave more rights than we did."""
    columns: set[tuple[str, str, str, str]] = field(default_factory=set)
    beyond: set[tuple[str, str, str | None]] = field(default_factory=set)
    """Relation and role that have rights there which no wall gives; None: PUBLIC."""
    schemas: set[tuple[str, str]] = field(default_factory=set)
    open_schemas: set[str] = field(default_factory=set)
    """Schemas that PUBLIC may use."""
    members: set[tuple[str, str]] = field(default_factory=set)
    """Role granted, and to which."""
    outsiders: set[tuple[str, str]] = field(default_factory=set)
    """The same where a role of ours was granted to somebody else's."""
    policies: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Ours, with their digests; "" where somebody altered one."""
    foreign: set[Place] = field(default_factory=set)
    """Tables with row policies of others."""
    relations: dict[Place, Relation] = field(default_factory=dict)
    own_schema: str | None = None
    """The comment of the wall's schema; None where there is none, `ALTERED` where its functions are others."""
    key_table: bool = False
    key: Key | None = None
    walls: set[str] = field(default_factory=set)
    """Prefixes of all walls of the server."""
    unbound: list[str] = field(default_factory=list)
    """Roles that row security does not bind."""

    def reader(self, names: Names) -> dict[str, Any]:
        """The facts in the reader's comment; {} where there is no reader."""
        return commented(self.roles.get(names.reader), "reader") or {}


def standing(ask: Ask, names: Names) -> Standing:
    """Read it. Raises the driver's errors."""
    start, schema = f"{names.prefix}_", names.prefix
    now = Standing(database=ask("SELECT current_database()")[0][0])
    for name, text, more in ask(_ROLES, start=start):
        now.roles[name] = text
        now.loose += [name] if more else []
    now.columns = {(n, t, c, r) for n, t, c, r in ask(_COLUMNS, start=start)}
    now.beyond = {(n, t, r) for n, t, r in ask(_BEYOND, start=start, schema=schema)}
    now.schemas = {(n, r) for n, r in ask(_SCHEMAS, start=start)}
    now.open_schemas = {name for (name,) in ask(_OPEN)}
    now.members = {(g, m) for g, m in ask(_MEMBERS, start=start)}
    now.outsiders = {(g, m) for g, m in ask(_OUTSIDERS, start=start)}
    for place_schema, table, name, text, stands in ask(_POLICIES.replace("{policy_stands}", POLICY_STANDS)):
        if name.startswith(start) and text.startswith(MARK):
            facts = commented(text, "policy") or {}
            as_made = facts.get("stands") == stands
            now.policies[place_schema, table, name] = str(facts.get("digest", "")) if as_made else ""
        else:
            now.foreign.add((place_schema, table))
    for place_schema, table, kind, secured, forced, invoker, grantees, public in ask(_TABLES):
        others = tuple(name for name in grantees if not name.startswith(start))
        now.relations[place_schema, table] = Relation(kind, secured, forced, invoker, others, public)
    for text, stands, now.key_table in ask(
        _OWN.replace("{functions_stand}", functions_stand(schema)), schema=schema
    ):
        facts = commented(text, "schema") or {}
        altered = text.startswith(MARK) and facts.pop("stands", None) != stands
        now.own_schema = ALTERED if altered else comment("schema", **facts) if facts else text
    if now.own_schema is not None and now.own_schema.startswith(MARK) and now.key_table:
        for inner, outer in ask(f'SELECT inner_pad, outer_pad FROM "{schema}".key'):  # noqa: S608 - a checked prefix
            now.key = Key(bytes(inner), bytes(outer))
    readers = [commented(text, "reader") or {} for _, text in ask(_READERS, mark=f"{MARK}reader ")]
    now.walls = {str(facts["prefix"]) for facts in readers if "prefix" in facts}
    now.unbound = [name for (name,) in ask(_LOOSE)]
    return now


def obstacles(now: Standing, names: Names, ruled: set[Place]) -> list[str]:
    """Why the wall cannot be built here without touching, or trusting, what is not ours."""
    found: list[str] = [
        f"The names of the wall {other} begin as these would, or these as those: choose another --prefix."
        for other in sorted(now.walls)
        if other.startswith(f"{names.prefix}_") or names.prefix.startswith(f"{other}_")
    ]
    for name, text in now.roles.items():
        facts = commented(text, "role") or commented(text, "reader") or commented(text, "catalog")
        if facts is None:
            found.append(f"The role {name} is there and not ours: choose another --prefix.")
        elif facts.get("database") != now.database:
            found.append(
                f"The role {name} is of the wall of database {facts.get('database')}: choose another --prefix."
            )
    found += [
        f"The role {name} was given more rights than the wall gives: take them away." for name in now.loose
    ]
    if now.own_schema is not None and not now.own_schema.startswith(MARK):
        found.append(f"The schema {names.prefix} is there and not ours: choose another --prefix.")
    found += [
        f"{member} is a member of {role}, which is not of the wall: REVOKE it."
        for role, member in sorted(now.members)
        if not role.startswith(f"{names.prefix}_")
    ]
    for place in sorted(ruled):
        relation, spelled = now.relations.get(place), ".".join(place)
        if relation is None:
            continue
        ours = (*place, f"{names.prefix}_others") in now.policies
        if place in now.foreign or (relation.secured and not ours and not relation.rowless):
            found.append(
                f"{spelled} has row security that is not ours, which the wall would loosen or be loosened by."
            )
        if relation.public:
            found.append(
                f"PUBLIC may read {spelled} or a partition of it, and so may everybody: REVOKE that right."
            )
    return found


def remarks(now: Standing, ruled: set[Place]) -> list[str]:
    """What whoever applies the wall should know of where it does not bind."""
    found = [f"Row security does not bind superusers and BYPASSRLS: {', '.join(now.unbound)}."]
    found += [
        f"{member} was made a member of {role}, and reads its columns in every row: REVOKE it."
        for role, member in sorted(now.outsiders)
    ]
    for place, relation in sorted(now.relations.items()):
        spelled = ".".join(place)
        if place not in ruled and relation.public:
            found.append(f"PUBLIC may read {spelled}, which the policy does not name: the wall's roles too.")
        if place in ruled and relation.kind == "v" and not relation.invoker:
            found.append(
                f"{spelled} reads with its owner's rights (no security_invoker): only its columns are bound."
            )
        if place in ruled and relation.kind in ("r", "p") and not relation.forced:
            found.append(f"The owner of {spelled} is not bound by its row policies (--force binds it too).")
    return found
