"""From what stands to what is wanted: the statements between, in an order in which they can run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from text2sql.row_security.context import Key, comment, role_facts
from text2sql.row_security.functions import FUNCTIONS, NAMES, POLICY_STANDS, TABLES, VERSION, functions_stand
from text2sql.row_security.sets import Names
from text2sql.row_security.standing import Standing
from text2sql.row_security.wanted import RowPolicy, Wanted

_BARE = "NOLOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `shown`: the same without secrets, for people."""

    sql: str
    shown: str = ""

    def __str__(self) -> str:
        return self.shown or self.sql


@dataclass(frozen=True, slots=True)
class Login:
    """How the reader logs in: the verifier of its password (never the password), the key, and facts for its comment."""

    facts: dict[str, object]
    verifier: str = ""
    key: Key | None = None


def quoted(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _of(schema: str, table: str) -> str:
    return f"{quoted(schema)}.{quoted(table)}"


def changes(now: Standing, to: Wanted, login: Login, *, force: bool = False) -> list[Statement]:
    """What must run so that the wall is as wanted; [] where it is."""
    return [
        *_functions(now, to.names, login),
        *_roles(now, to, login),
        *_grants(now, to),
        *_policies(now, to, force=force),
        *_stale(now, to),
    ]


def _stale(now: Standing, to: Wanted) -> Iterator[Statement]:
    for name in sorted(set(now.roles) - {*_all_roles(to)}):
        for function in NAMES[:2]:
            yield Statement(
                f"REVOKE ALL ON FUNCTION {quoted(to.names.prefix)}.{function} FROM {quoted(name)}"
            )
        yield Statement(f"DROP ROLE {quoted(name)}")


def _all_roles(to: Wanted) -> Iterable[str]:
    return (to.names.reader, to.names.catalog, *to.roles)


def _functions(now: Standing, names: Names, login: Login) -> Iterator[Statement]:
    schema = names.prefix
    text = comment("schema", database=now.database, version=VERSION)
    if now.own_schema is None:
        yield Statement(f"CREATE SCHEMA {quoted(schema)}")
    if not now.key_table:
        yield from (Statement(table.replace("{s}", schema)) for table in TABLES)
    if now.own_schema != text:
        for function in FUNCTIONS:
            yield Statement(function.replace("{s}", schema))
        for name in NAMES:
            yield Statement(f"REVOKE ALL ON FUNCTION {quoted(schema)}.{name} FROM PUBLIC")
        yield _noted(f"SCHEMA {quoted(schema)}", text, f"SELECT {functions_stand(schema)}")
    if login.key is not None:
        yield Statement(f"DELETE FROM {quoted(schema)}.key")  # noqa: S608 - a checked prefix
        insert = f"INSERT INTO {quoted(schema)}.key VALUES "  # noqa: S608 - as above
        yield Statement(
            f"{insert}('\\x{login.key.inner.hex()}', '\\x{login.key.outer.hex()}')", f"{insert}('…', '…')"
        )


def _roles(now: Standing, to: Wanted, login: Login) -> Iterator[Statement]:
    names = to.names
    reader, database = quoted(names.reader), quoted(now.database)
    if names.reader not in now.roles:
        yield Statement(f"CREATE ROLE {reader} {_BARE}")
        yield Statement(f"GRANT CONNECT ON DATABASE {database} TO {reader}")
    if login.verifier:
        yield Statement(
            f"ALTER ROLE {reader} LOGIN PASSWORD {_text(login.verifier)}",
            f"ALTER ROLE {reader} LOGIN PASSWORD '…'",
        )
    wanted = {names.reader: comment("reader", **login.facts)}
    wanted[names.catalog] = comment("catalog", database=now.database)
    wanted |= {name: role_facts(roles, now.database) for name, roles in to.roles.items()}
    new_functions = now.own_schema != comment("schema", database=now.database, version=VERSION)
    for name, text in sorted(wanted.items()):
        if name not in now.roles and name != names.reader:
            yield Statement(f"CREATE ROLE {quoted(name)} {_BARE}")
        if name != names.reader and (name not in now.roles or new_functions):
            for function in NAMES[:2]:
                yield Statement(
                    f"GRANT EXECUTE ON FUNCTION {quoted(names.prefix)}.{function} TO {quoted(name)}"
                )
        if now.roles.get(name) != text:
            yield Statement(f"COMMENT ON ROLE {quoted(name)} IS {_text(text)}")
        if name != names.reader and (name, names.reader) not in now.members:
            yield Statement(f"GRANT {quoted(name)} TO {reader}")


def _grants(now: Standing, to: Wanted) -> Iterator[Statement]:
    for schema, table, role in sorted(now.beyond, key=str):  # takes the rights on columns away as well
        who = "PUBLIC" if role is None else quoted(role)
        yield Statement(f"REVOKE ALL ON TABLE {_of(schema, table)} FROM {who}")
    standing = {one for one in now.columns if (one[0], one[1], one[3]) not in now.beyond}
    for schema, role in sorted(to.schemas - now.schemas):
        if schema in now.open_schemas:  # who owns a table in `public` may mostly grant nothing on `public`
            continue
        yield Statement(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {quoted(role)}")
    for verb, word, columns in (
        ("REVOKE", "FROM", standing - to.columns),
        ("GRANT", "TO", to.columns - standing),
    ):
        together: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for schema, table, column, role in sorted(columns):
            together[schema, table, role].append(quoted(column))
        for (schema, table, role), named in together.items():
            yield Statement(
                f"{verb} SELECT ({', '.join(named)}) ON {_of(schema, table)} {word} {quoted(role)}"
            )
    for schema, role in sorted(now.schemas - to.schemas):
        yield Statement(f"REVOKE USAGE ON SCHEMA {quoted(schema)} FROM {quoted(role)}")


def _policies(now: Standing, to: Wanted, *, force: bool) -> Iterator[Statement]:
    """New ones before row security is switched on, and it off before the last goes: others see their rows throughout."""
    before = bool(now.reader(to.names).get("force"))  # else somebody else bound the owners
    fresh = {key: rule.digest for key, rule in to.policies.items()}
    for key in sorted(set(now.policies)):
        if now.policies[key] != fresh.get(key):
            schema, table, name = key
            yield Statement(f"DROP POLICY {quoted(name)} ON {_of(schema, table)}")
    for key, rule in sorted(to.policies.items()):
        if now.policies.get(key) != fresh[key]:
            yield from _create(key, rule)
    for place in sorted(to.secured):
        relation = now.relations.get(place)
        if relation is None or not relation.secured:
            yield Statement(f"ALTER TABLE {_of(*place)} ENABLE ROW LEVEL SECURITY")
        forced = relation is not None and relation.forced
        if force and not forced:
            yield Statement(f"ALTER TABLE {_of(*place)} FORCE ROW LEVEL SECURITY")
        if forced and before and not force:
            yield Statement(f"ALTER TABLE {_of(*place)} NO FORCE ROW LEVEL SECURITY")
    for place in sorted({(schema, table) for schema, table, _ in now.policies} - to.secured):
        if now.relations[place].forced and before:
            yield Statement(f"ALTER TABLE {_of(*place)} NO FORCE ROW LEVEL SECURITY")
        yield Statement(f"ALTER TABLE {_of(*place)} DISABLE ROW LEVEL SECURITY")


def _create(key: tuple[str, str, str], rule: RowPolicy) -> Iterator[Statement]:
    schema, table, name = key
    roles = ", ".join(quoted(role) for role in rule.roles) or "PUBLIC"
    check = f" WITH CHECK ({rule.using})" if rule.check else ""
    on = f"{quoted(name)} ON {_of(schema, table)}"
    yield Statement(f"CREATE POLICY {on} FOR {rule.command} TO {roles} USING ({rule.using}){check}")
    place = f"p.polname = {_text(name)} AND p.polrelid = {_text(_of(schema, table))}::regclass"
    stands = f"SELECT {POLICY_STANDS} FROM pg_policy p WHERE {place}"  # noqa: S608 - quoted names
    yield _noted(f"POLICY {on}", comment("policy", digest=rule.digest), stands)


def _noted(thing: str, text: str, stands: str) -> Statement:
    """A comment that also holds how the thing stands once it is made, as PostgreSQL spells it (`stands` selects that)."""
    start = f"COMMENT ON {thing} IS "
    end = text.removesuffix("}") + ', "stands": "'
    return Statement(
        "DO "
        + _text(f"BEGIN EXECUTE {_text(start)} || quote_literal({_text(end)} || ({stands}) || '\"}}'); END")
    )


def removal(now: Standing, names: Names) -> list[Statement]:
    """What takes the whole wall away again; [] where there is none."""
    found = [*_grants(now, Wanted(names)), *_policies(now, Wanted(names), force=False)]
    if now.own_schema is not None:
        schema = quoted(names.prefix)
        found += [Statement(f"DROP FUNCTION IF EXISTS {schema}.{name}") for name in NAMES]
        found += [Statement(f"DROP TABLE IF EXISTS {schema}.key"), Statement(f"DROP SCHEMA {schema}")]
    if names.reader in now.roles:
        found.append(
            Statement(f"REVOKE CONNECT ON DATABASE {quoted(now.database)} FROM {quoted(names.reader)}")
        )
    return [*found, *(Statement(f"DROP ROLE {quoted(name)}") for name in sorted(now.roles))]
