"""The tables this caller may name: the catalogue seen through the policy, one table at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from retrieval.types import Principal
from text2sql.grants import Bucket, Grant
from text2sql.guard.engines import Engine
from text2sql.guard.refusal import Refused, instead, nearest
from text2sql.guard.scope import Scan
from text2sql.policy import Policy, visible_columns
from text2sql.types import Catalog, Column, Table

Altered = Mapping[str, str | Bucket]
"""Folded name of a column -> its mask; null where it is hidden."""
_SUGGEST_AMONG = 2_000
"""Catalogues with more tables than this get no suggestions: looking through them all costs more than the check."""


class Tables:
    """Finds tables. Only what a statement names is looked at, so the cost does not grow with the catalogue."""

    def __init__(
        self,
        engine: Engine,
        catalog: Catalog,
        principal: Principal,
        policy: Policy | None,
        known: Catalog | None = None,
    ) -> None:
        self.engine = engine
        self.catalog = catalog
        self.principal = principal
        self.policy = policy
        self.known = known
        """The catalogue as the caller sees it, with profiles of their own rows: for warnings alone."""
        self.withheld: dict[str, None] = {}
        self._columns: dict[int, tuple[Column, ...]] = {}
        self._grants: dict[int, tuple[Grant, ...]] = {}
        self._altered: dict[int, tuple[Altered, ...]] = {}

    def fold(self, name: str) -> str:
        """How a column of the catalogue is looked up."""
        return name if self.engine.exact_quotes else self.engine.folded(name)

    def grants(self, table: Table) -> tuple[Grant, ...] | None:
        """What admits the caller to the table; None where no policy is configured."""
        if self.policy is None:
            return None
        found = self._grants.get(id(table))
        if found is None:
            found = self._grants[id(table)] = self.policy.grants(table, self.principal)
        return found

    def altered(self, table: Table) -> tuple[Altered, ...]:
        """For each grant, the columns that its rows do not show as they are. () where no policy is configured."""
        found = self._altered.get(id(table))
        if found is None:
            found = tuple(
                {name.casefold(): "null" for name in g.hide}
                | {n.casefold(): mask for n, mask in g.masks.items()}
                for g in self.grants(table) or ()
            )
            self._altered[id(table)] = found
        return found

    def columns(self, table: Table) -> tuple[Column, ...]:
        """The columns of the table that are there for the caller."""
        found = self._columns.get(id(table))
        if found is None:
            grants = self.grants(table)
            found = table.columns if grants is None else visible_columns(table, grants)
            self._columns[id(table)] = found
        return found

    def sees(self, table: Table, names: Iterable[str]) -> bool:
        """Whether all these columns of the table are there for the caller: only then may a message name them."""
        there = {column.name.casefold() for column in self.columns(table)}
        return all(name.casefold() in there for name in names)

    def schemas(self, scans: Iterable[Scan]) -> frozenset[str]:
        """The schemas of the tables read: what a column may be qualified with until its table is rewritten."""
        own = self.catalog.default_schema or self.engine.default_schema
        return frozenset((scan.table.schema or own).lower() for scan in scans)

    def find(self, node: exp.Table) -> Table:
        """The table a node names. Raises `Refused` with code unknown_table, the same for absent and for hidden."""
        table = self._lookup(node)
        if table is not None and self.columns(table):
            return table
        if table is not None and self.policy is not None and self.policy.discoverable(table):
            self.withheld[table.qualified] = None
        name = ".".join(part.name for part in node.parts)
        offered = nearest(node.name, self._names())
        raise Refused(
            "unknown_table",
            f"There is no table {name} here." + instead(offered, "Use only the tables of the catalogue."),
            node, name, offered,
        )  # fmt: skip

    def _lookup(self, node: exp.Table) -> Table | None:
        table = self._any_case(node)
        if table is None:
            return None
        # The catalogue finds more than the engine does: masse for maße. What is quoted is meant to the letter on some;
        # what is not is written out as the catalogue has it.
        own = self.catalog.default_schema or self.engine.default_schema
        given = ((node.this, table.name), (node.args.get("db"), table.schema or own))
        return table if all(n is None or self._same(n, name) for n, name in given) else None

    def _same(self, identifier: exp.Expr, name: str) -> bool:
        if self.engine.exact_quotes and _quoted(identifier):
            return identifier.name == name
        return self.engine.folded(identifier.name) == self.engine.folded(name)

    def _any_case(self, node: exp.Table) -> Table | None:
        catalog, schema = node.args.get("catalog"), node.args.get("db")
        if catalog is not None and catalog.name.lower() != (self.catalog.default_catalog or "\0").lower():
            return None
        own = self.catalog.default_schema or self.engine.default_schema
        if schema is None or schema.name.lower() == own.lower():
            table = self._exact((f"{own}.{node.name}", node.name))
            if table is None or (table.schema or own).lower() == own.lower():
                return table
            return None
        table = self._exact((f"{schema.name}.{node.name}",))
        return table if table is not None and table.schema.lower() == schema.name.lower() else None

    def _exact(self, names: Iterable[str]) -> Table | None:
        return next((t for t in map(self.catalog.table, names) if t is not None), None)

    def _names(self) -> list[str]:
        if len(self.catalog.tables) > _SUGGEST_AMONG:
            return []
        return [t.name for t in self.catalog.tables if self.columns(t)]


def _quoted(identifier: exp.Expr) -> bool:
    return bool(identifier.args.get("quoted"))
