"""What a caller's catalogue says of values comes only from rows and columns that the caller sees."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from retrieval.types import Principal
from text2sql.guard import SqlGuard
from text2sql.policy import parse, visible_catalog
from text2sql.scoped_profiles import VALUES, with_scoped_profiles
from text2sql.types import Catalog, Profile, Warehouse
from text2sql.warehouses import open_warehouse

POLICY = parse(
    """
version: 1
name: shop
attributes: {regions: {type: text, list: true}}
tables:
  sale:
    grants:
      - {roles: [seller], rows: "region IN (:regions)", masks: {buyer: 'null'}, hide: [note]}
      - {roles: [analyst], rows: all, masks: {buyer: 'null'}}
"""
)
SELLER = Principal("kim", roles=("seller",), attributes={"regions": ("North",)})
ANALYST = Principal("ana", roles=("analyst",))


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute(
            "CREATE TABLE sale (id INTEGER PRIMARY KEY, region TEXT, product TEXT, buyer TEXT, note TEXT)"
        )
        rows = [
            (n, "South" if n % 4 else "North", f"P-{n % 120}", f"Buyer {n}", "secret") for n in range(480)
        ]
        connection.executemany("INSERT INTO sale VALUES (?, ?, ?, ?, ?)", rows)
        connection.commit()
    opened = open_warehouse(tmp_path / "shop.db")
    yield opened
    opened.close()


def scoped(warehouse: Warehouse, who: Principal) -> Catalog:
    visible = visible_catalog(POLICY, warehouse.catalog(), who)
    return with_scoped_profiles(visible, who, POLICY, SqlGuard(), warehouse)


def profile(catalog: Catalog, column: str) -> Profile | None:
    table = catalog.table("sale")
    assert table is not None
    found = table.column(column)
    return found.profile if found else None


def test_values_are_those_of_the_rows_seen(warehouse: Warehouse) -> None:
    region = profile(scoped(warehouse, SELLER), "region")
    assert region is not None
    assert (region.values, region.distinct, region.complete) == (("North",), 1, True)


def test_a_column_with_more_values_than_are_kept_is_not_called_complete(warehouse: Warehouse) -> None:
    whole = profile(warehouse.catalog(), "product")
    assert whole is not None
    assert whole.distinct == 120
    product = profile(scoped(warehouse, SELLER), "product")
    assert product is not None
    assert product.distinct == len(product.values) == 30
    assert len(product.values) <= VALUES


def test_masked_and_hidden_columns_tell_nothing(warehouse: Warehouse) -> None:
    for who in (SELLER, ANALYST):
        buyer = profile(scoped(warehouse, who), "buyer")
        assert buyer is None or buyer.values == ()
    table = scoped(warehouse, SELLER).table("sale")
    assert table is not None
    assert table.column("note") is None


def test_who_sees_every_row_keeps_the_profile_that_was_read(warehouse: Warehouse) -> None:
    assert profile(scoped(warehouse, ANALYST), "region") == profile(warehouse.catalog(), "region")


def test_who_is_admitted_nowhere_has_an_empty_catalogue(warehouse: Warehouse) -> None:
    assert scoped(warehouse, Principal("guest")).tables == ()
