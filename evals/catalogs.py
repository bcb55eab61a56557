"""Catalogues of the databases of sets, with profiles and inferred keys, and many of them as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from evals.drafting.places import places
from evals.suites.databases import Suite
from text2sql.types import Catalog, Dialect
from text2sql.warehouses import open_warehouse


def catalogs(suite: Suite) -> Iterator[tuple[str, Catalog]]:
    """Each database of a set and its catalogue. Raises `EvalError`, `WarehouseUnavailable`."""
    with places(suite, suite.sources) as found:
        for db, place in found.items():
            warehouse = open_warehouse(place.url)
            try:
                yield db, warehouse.catalog()
            finally:
                warehouse.close()


def united(found: Iterable[tuple[str, Catalog]], dialect: Dialect) -> Catalog:
    """One catalogue of many databases: each table under its database's name as its schema."""
    tables = []
    for db, catalog in found:
        for table in catalog.tables:
            keys = tuple(
                replace(key, to_table=f"{db}.{key.to_table.rpartition('.')[2]}") for key in table.foreign_keys
            )
            tables.append(replace(table, schema=db, catalog="", foreign_keys=keys))
    return Catalog(dialect, tuple(tables))
