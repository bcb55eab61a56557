"""A small shop as a catalogue with profiles, and what the guard warns of in it."""

from __future__ import annotations

from dataclasses import replace

from retrieval.types import Principal
from text2sql.guard import SqlGuard
from text2sql.policy import parse
from text2sql.types import Catalog, Column, Dialect, ForeignKey, Profile, Table, TypeFamily, Warn

CALLER = Principal("ana")


def column(name: str, family: TypeFamily, *values: str, sampled: bool = False) -> Column:
    """A column that holds these values."""
    known = sorted(values, key=float if family in ("integer", "number") else str)
    profile = Profile(
        nulls=0, distinct=len(known), minimum=known[0] if known else None, maximum=known[-1] if known else None,
        values=tuple(known), sampled=sampled,
    )  # fmt: skip
    return Column(name, {"integer": "INTEGER", "date": "DATE"}.get(family, "TEXT"), family, profile=profile)


STORES = Table(
    "stores",
    (
        column("store_id", "integer", "1", "2", "3"),
        column("name", "text", "North", "South", "East"),
        column("city", "text", "Oslo", "Rome"),
        column("opened", "date", "2020-01-01", "2021-05-01"),
        column("size", "integer", "100", "200"),
        column("staff", "integer", "8", "11"),
    ),
    primary_key=("store_id",),
    rows=3,
)
SALES = Table(
    "sales",
    (
        column("sale_id", "integer", "1", "2", "3", "4"),
        column("store_id", "integer", "1", "2"),
        column("amount", "integer", "10", "25", "100"),
        column("kind", "text", "food", "tools"),
        column("code", "text", "17", "18"),
    ),
    primary_key=("sale_id",),
    foreign_keys=(ForeignKey(("store_id",), "stores", ("store_id",), inferred=True),),
    rows=4,
)
GOALS = Table(
    "goals",
    (
        column("store_id", "integer", "1", "2", "3"),
        column("goal", "integer", "5"),
        column("town", "text", "Bonn"),
    ),
    foreign_keys=(ForeignKey(("store_id",), "stores", ("store_id",)),),
    rows=3,
)
TABLES = (STORES, SALES, GOALS)


def catalog(dialect: Dialect = "sqlite") -> Catalog:
    return Catalog(dialect, TABLES)


def sampled() -> Catalog:
    """The same, as known from samples."""
    return Catalog(
        "sqlite",
        tuple(
            replace(
                t,
                columns=tuple(
                    replace(c, profile=replace(c.profile, sampled=True)) for c in t.columns if c.profile
                ),
            )
            for t in TABLES
        ),
    )


def warnings(sql: str, of: Catalog | None = None, policy: str = "") -> list[Warn]:
    verdict = SqlGuard().check(sql, of or catalog(), CALLER, parse(policy) if policy else None)
    assert verdict.allowed, verdict.violations
    return list(verdict.warnings)


def said(sql: str, of: Catalog | None = None, policy: str = "") -> list[tuple[str, str]]:
    return [(warning.code, warning.severity) for warning in warnings(sql, of, policy)]
