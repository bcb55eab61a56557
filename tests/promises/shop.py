"""One little shop on three real engines (and as a catalogue on five dialects), its policy, and who asks."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from retrieval.types import Principal
from tests.text2sql.warehouses.postgres_server import OwnServer
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.policy import Policy, parse
from text2sql.types import Catalog, Dialect, Limits, Verdict, Warehouse
from text2sql.warehouses import open_warehouse

__all__ = ["DIALECTS"]
ENGINES: tuple[Dialect, ...] = ("duckdb", "sqlite", "postgres")
TABLES: Mapping[str, Mapping[str, str]] = {
    "stores": {"store_id": "INTEGER PRIMARY KEY", "region": "VARCHAR(20)", "size": "INTEGER"},
    "sales": {
        "sale_id": "INTEGER PRIMARY KEY",
        "store_id": "INTEGER REFERENCES stores (store_id)",
        "region": "VARCHAR(20)",
        "buyer": "VARCHAR(40)",
        "amount": "INTEGER",
        "code": "VARCHAR(10)",
        "note": "VARCHAR(40)",
    },
    "wages": {"person": "VARCHAR(40)", "monthly": "INTEGER"},
    "bonuses": {"person": "VARCHAR(40)", "yearly": "INTEGER"},
}
REGIONS = ("Kanto", "Kansai", "Tohoku")
ROWS: Mapping[str, list[tuple[Any, ...]]] = {
    "stores": [(i, REGIONS[i % 3], 10 * i) for i in range(1, 10)],
    # The code of others is no number: whoever converts it in a row that is not theirs, fails.
    "sales": [
        (i, 1 + i % 9, REGIONS[i % 3], f"Buyer {i:02}", 3 * i, str(i) if i % 3 == 0 else f"x{i}", f"note {i}")
        for i in range(1, 31)
    ],
    "wages": [("Sato", 300), ("Ito", 410)],
    "bonuses": [("Sato", 50)],
}
MINE = [row for row in ROWS["sales"] if row[2] == "Kanto"]
POLICY = """
name: shop
attributes: {regions: {type: text, list: true}}
tables:
  stores: {grants: [{roles: [clerk]}]}
  sales:
    grants: [{roles: [clerk], rows: "region IN (:regions)", masks: {buyer: partial}, hide: [note]}]
  wages: {discoverable: true, owner: pay@shop, grants: [{roles: [boss]}]}
  bonuses: {grants: [{roles: [boss]}]}
"""
CLERK = Principal("kim", roles=("clerk",), attributes={"regions": ("Kanto",)})
NOBODY = Principal("eve")


def ddl() -> str:
    return "".join(
        f"CREATE TABLE {name} ({', '.join(f'{c} {k}' for c, k in columns.items())});\n"
        for name, columns in TABLES.items()
    )


@cache
def policy() -> Policy:
    return parse(POLICY)


@cache
def catalog(dialect: Dialect) -> Catalog:
    """Names and keys alone, as read from the DDL."""
    return catalog_from_ddl(ddl(), dialect)


@dataclass(frozen=True)
class Place:
    """One engine with the shop in it."""

    warehouse: Warehouse

    @property
    def guard(self) -> SqlGuard:
        return SqlGuard()

    def check(self, sql: str, principal: Principal = CLERK, under: Policy | None = None) -> Verdict:
        """The verdict over the real catalogue, profiles and all."""
        return SqlGuard().check(sql, self.warehouse.catalog(), principal, under or policy())

    def open(self, sql: str) -> Verdict:
        """The verdict where no policy is configured."""
        return self.guard.check(sql, self.warehouse.catalog(), NOBODY, None)

    def rows(self, sql: str, principal: Principal = CLERK) -> list[tuple[Any, ...]]:
        """What the caller gets, in no order. Fails where the guard refuses."""
        verdict = self.check(sql, principal)
        assert verdict.allowed, f"{self.warehouse.dialect}: {sql}\n{verdict.violations}"
        found = self.warehouse.run(verdict.sql, Limits(), verdict.parameters).rows()
        return sorted((tuple(row.values()) for row in found), key=repr)


@cache
def place(dialect: Dialect) -> Place:
    """The engine, filled once for the whole run."""
    return Place({"duckdb": _duckdb, "sqlite": _sqlite, "postgres": _postgres}[dialect]())


@cache
def folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="bunmyaku-promises-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _inserts() -> list[tuple[str, list[tuple[Any, ...]]]]:
    return [(name, rows) for name, rows in ROWS.items()]


def _sqlite() -> Warehouse:
    with sqlite3.connect(folder() / "shop.sqlite") as connection:
        connection.executescript(ddl())
        for name, rows in _inserts():
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.close()
    return open_warehouse(folder() / "shop.sqlite")


def _duckdb() -> Warehouse:
    with duckdb.connect(str(folder() / "shop.duckdb")) as connection:
        connection.execute(ddl())
        for name, rows in _inserts():
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
    return open_warehouse(folder() / "shop.duckdb")


def _postgres() -> Warehouse:
    server = OwnServer()
    atexit.register(server.close)
    name = server.fresh("shop", ddl())
    with server.connect(name) as connection, connection.cursor() as cursor:
        for table, rows in _inserts():
            cursor.executemany(
                f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})".encode(), rows
            )
        connection.execute(b"ANALYZE")
    warehouse = open_warehouse(server.url(name))
    atexit.register(warehouse.close)
    return warehouse


def refused(dialect: Dialect, sql: str, principal: Principal = CLERK) -> str:
    """The code it is refused with; fails where it is allowed."""
    verdict = SqlGuard().check(sql, catalog(dialect), principal, policy())
    assert not verdict.allowed, f"{dialect}: {sql!r} would run as {verdict.sql!r}"
    assert not verdict.sql, "a refusal hands out nothing to run"
    assert verdict.violations, "a refusal has a reason"
    return verdict.violations[0].code


def allowed(dialect: Dialect, sql: str, principal: Principal = CLERK) -> Verdict:
    verdict = SqlGuard().check(sql, catalog(dialect), principal, policy())
    assert verdict.allowed, f"{dialect}: {sql!r}: {verdict.violations}"
    return verdict
