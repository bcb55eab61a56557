"""Who may see which rows and columns: a YAML file that a data owner keeps in version control.

version: 1
name: shop
attributes: {regions: {type: text, list: true}, seller_id: {type: integer}}
tables:
  sales:
    owner: sales-data@shop
    discoverable: true            # others may learn that it exists; default false
    grants:                       # admitted by any grant whose roles the caller holds; none: the table is not there
      - roles: [analyst]
        rows: all
        masks: {buyer_name: 'null', birth_date: year, email: hash, phone: partial, age: {bucket: 10}}
        hide: [note]
      - roles: [regional_manager]
        rows: region IN (:regions)      # over the table's own columns; :name is the caller's attribute, bound
documents:
  - {match: "handbook/*", roles: [everyone]}
  - {match: "internal/*", roles: [manager], discoverable: true, owner: office@shop}

Default deny throughout: a table, document or row that no grant admits is not there. An attribute that is
missing, empty or of another type makes its grant admit nothing; it can never widen one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from retrieval.types import EVERYONE, Access, Principal
from retrieval.yaml_files import read_yaml
from text2sql.errors import PolicyError
from text2sql.grants import Attribute, Grant, Part, withheld
from text2sql.types import Catalog, Column, ForeignKey, Table

_UNNAMED_SCHEMAS = frozenset({"", "main", "public"})
"""Schemas that a bare table name in a policy may mean: the ones engines use when none is named."""


class TableRule(Part):
    """Everything about one table."""

    owner: str = ""
    discoverable: bool = False
    grants: tuple[Grant, ...] = ()


class DocumentRule(Part):
    """Who may read documents whose source or uri matches the glob `match`, and whether others may learn of them."""

    match: str
    roles: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    """Ids of single users admitted besides the roles."""
    discoverable: bool = False
    owner: str = ""

    @property
    def access(self) -> Access:
        """Who may read what the rule decides about, and who may learn of it."""
        labels = _labels(self.roles) | {f"user:{user}" for user in self.users}
        return Access(labels, self.discoverable, self.owner)


class Policy(Part):
    """A whole policy file, valid in itself; `problems` says what is wrong for the catalogue at hand."""

    version: Literal[1] = 1
    name: str = "policy"
    attributes: dict[str, Attribute] = Field(default_factory=dict)
    tables: dict[str, TableRule] = Field(default_factory=dict)
    documents: tuple[DocumentRule, ...] = ()
    salt: str = ""
    """Mixed into `hash` masks, so that they cannot be looked up in a table of hashes."""
    _folded: dict[str, TableRule] = PrivateAttr(default_factory=dict)
    _walled: bool = PrivateAttr(default=False)

    @model_validator(mode="after")
    def _check(self) -> Policy:
        for name, rule in self.tables.items():
            if _folded(name) in self._folded:
                raise ValueError(f"table {name} is named twice")
            self._folded[_folded(name)] = rule
            for grant in rule.grants:
                self._check_binding(name, grant)
        return self

    def _check_binding(self, table: str, grant: Grant) -> None:
        if grant.predicate is None:
            return
        for name, in_list in grant.predicate.attributes.items():
            attribute = self.attributes.get(name)
            if attribute is None:
                raise ValueError(f"table {table}: rows binds :{name}, which `attributes` does not declare")
            if attribute.list and not in_list:
                raise ValueError(f"table {table}: :{name} is a list and stands only in `column IN (:{name})`")

    @property
    def title(self) -> str:
        """What verdicts and answers call it: name and version of the format."""
        return f"{self.name} v{self.version}"

    def rule(self, table: Table | str) -> TableRule | None:
        """The rule for a table: by its qualified name, or by its bare name where its schema goes unnamed."""
        schema, name = _parts(table)
        exact = self._folded.get(f"{schema}.{name}" if schema else name)
        if exact is None and schema in _UNNAMED_SCHEMAS:
            exact = self._folded.get(name)
        return exact

    def grants(self, table: Table | str, principal: Principal) -> tuple[Grant, ...]:
        """The grants that admit this caller: roles held, and every attribute they bind present. () is no table."""
        rule = self.rule(table)
        if rule is None:
            return ()
        held = self.held(rule, principal.roles)
        admitted = tuple(g for g in held if self._bound(g, principal))
        return withheld(held, admitted) if self._walled else admitted

    def held(self, rule: TableRule, roles: Iterable[str]) -> tuple[Grant, ...]:
        """The grants of these roles and of everyone, whatever attributes they bind."""
        held = {EVERYONE, *roles}
        return tuple(g for g in rule.grants if held.intersection(g.roles))

    def behind_wall(self) -> Policy:
        """The same policy for a database that withholds masked columns (docs/policy.md): NULL stands for them."""
        walled = self.model_copy()
        walled._walled = True  # noqa: SLF001 - of its own class
        return walled

    def _bound(self, grant: Grant, principal: Principal) -> bool:
        names: Iterable[str] = grant.predicate.attributes if grant.predicate else ()
        return all(self.values(name, principal) for name in names)

    def values(self, attribute: str, principal: Principal) -> tuple[Any, ...]:
        """The caller's values of a declared attribute; () when there are none that fit."""
        return self.attributes[attribute].values(principal.attributes.get(attribute, ()))

    def discoverable(self, table: Table | str) -> bool:
        """Whether those who may not read the table may learn that it exists."""
        rule = self.rule(table)
        return rule is not None and rule.discoverable

    def labels_for(self, table: Table | str) -> frozenset[str]:
        """Access labels of catalogue documents about the table; empty admits nobody."""
        rule = self.rule(table)
        return _labels(role for grant in (rule.grants if rule else ()) for role in grant.roles)

    def access_to_document(self, source: str, *uris: str) -> Access:
        """Who may read an ingested document, or learn of it; no rule, nobody.

        The first rule that matches its source or any of the names it goes by decides, whichever name that is.
        """
        for rule in self.documents:
            if any(fnmatchcase(name, rule.match) for name in (source, *uris)):
                return rule.access
        return Access()


_A_TO_Z = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _folded(name: str) -> str:
    """As engines compare names: A to Z alone, so that a rule for `masse` admits nobody to `maße`."""
    return name.translate(_A_TO_Z)


def _parts(table: Table | str) -> tuple[str, str]:
    if isinstance(table, Table):
        return _folded(table.schema), _folded(table.name)
    schema, _, name = _folded(table).rpartition(".")
    return schema, name


def _labels(roles: Iterable[str]) -> frozenset[str]:
    return frozenset(EVERYONE if role == EVERYONE else f"role:{role}" for role in roles)


def parse(text: str, where: str = "policy") -> Policy:
    """Read and check policy text. Raises `PolicyError` naming `where` and the place in it."""
    try:
        return Policy.model_validate(read_yaml(text) or {})
    except yaml.YAMLError as error:
        raise PolicyError("The policy is not readable YAML", where=where, todo=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "top"
        raise PolicyError(
            f"The policy cannot be enforced: {first['msg'].removeprefix('Value error, ')}",
            where=f"{where}: {place}",
            todo="Mend the file; until then nothing is readable under it.",
        ) from error


def load(path: Path) -> Policy:
    """Read and check a policy file. Raises `PolicyError` naming the file and the place in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PolicyError(
            "There is no policy", where=str(path), todo="Write one with `bunmyaku init`."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError("The policy cannot be read", where=str(path), todo=str(error)) from error
    return parse(text, str(path))


def visible_columns(table: Table, grants: Iterable[Grant]) -> tuple[Column, ...]:
    """The columns that at least one of these grants shows, masked or not, in the table's order."""
    hidden = [{name.casefold() for name in grant.hide} for grant in grants]
    if not hidden:
        return ()
    nowhere = set.intersection(*hidden)
    return tuple(c for c in table.columns if c.name.casefold() not in nowhere) if nowhere else table.columns


def visible_catalog(policy: Policy | None, catalog: Catalog, principal: Principal) -> Catalog:
    """What this caller may name. Without a policy: everything.

    Profiles and row counts of a table with row predicates are dropped, as are profiles of masked columns:
    they were measured over rows and values that the caller may not see.
    """
    if policy is None:
        return catalog
    seen = [(t, policy.grants(t, principal)) for t in catalog.tables]
    kept = {t.qualified.casefold(): {c.name.casefold() for c in visible_columns(t, g)} for t, g in seen if g}
    tables = (_visible_table(table, grants, kept) for table, grants in seen if grants)
    return dataclasses.replace(catalog, tables=tuple(t for t in tables if t.columns), left_out=())


def known_catalog(policy: Policy, catalog: Catalog, principal: Principal) -> Catalog:
    """What this caller may know of: what they may name, and of discoverable tables that they may not read, the names.

    Nothing that was measured over those, and no column that any grant hides.
    """
    visible = visible_catalog(policy, catalog, principal)
    known = [
        _named_only(table, rule.grants)
        for table in catalog.tables
        if (rule := policy.rule(table)) and rule.discoverable and visible.table(table.qualified) is None
    ]
    return dataclasses.replace(visible, tables=(*visible.tables, *known))


def _named_only(table: Table, grants: tuple[Grant, ...]) -> Table:
    columns = tuple(
        dataclasses.replace(column, profile=None)
        for column in table.columns
        if not any(grant.hides(column.name) for grant in grants)
    )
    return Table(table.name, columns, schema=table.schema, catalog=table.catalog, kind=table.kind)


def _visible_table(table: Table, grants: tuple[Grant, ...], kept: dict[str, set[str]]) -> Table:
    mine = kept[table.qualified.casefold()]
    whole = any(grant.predicate is None for grant in grants)

    def column(c: Column) -> Column:
        clear = whole and all(g.mask(c.name) is None and not g.hides(c.name) for g in grants)
        return c if clear else dataclasses.replace(c, profile=None)

    def key(names: tuple[str, ...]) -> bool:
        return mine.issuperset(name.casefold() for name in names)

    def foreign(fk: ForeignKey) -> bool:
        theirs = kept.get(fk.to_table.casefold(), set())
        return key(fk.columns) and theirs.issuperset(name.casefold() for name in fk.to_columns)

    return dataclasses.replace(
        table,
        columns=tuple(column(c) for c in visible_columns(table, grants)),
        primary_key=table.primary_key if key(table.primary_key) else (),
        unique=tuple(names for names in table.unique if key(names)),
        foreign_keys=tuple(fk for fk in table.foreign_keys if foreign(fk)),
        rows=table.rows if whole else None,
    )


def problems(policy: Policy, catalog: Catalog) -> list[str]:
    """What in the policy is not in this catalogue: it protects nothing, or its grants cannot be enforced."""
    found: list[str] = []
    named = {id(rule): table for table in catalog.tables if (rule := policy.rule(table)) is not None}
    for name, rule in policy.tables.items():
        table = named.get(id(rule))
        if table is None:
            found.append(f"table {name}: not in the catalogue")
            continue
        for grant in rule.grants:
            used = (*grant.masks, *grant.hide, *(grant.predicate.columns if grant.predicate else ()))
            found.extend(
                f"table {name}: no column {column}" for column in used if table.column(column) is None
            )
    return found
