"""A database of a set, opened in a worker: the warehouse that drafts run on, and the gold beside it.

Drafts pass the guard and the plan check like any other. Gold is the set's own and runs as it is written, read-only.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg

from evals.drafting.places import Place
from text2sql.bootstrap import first_model
from text2sql.errors import QueryTimeout, WarehouseError
from text2sql.same_rows import Grid
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Limits, ResultSet, Warehouse
from text2sql.warehouses import open_warehouse

ROWS = 200_000
"""Rows of a result that are looked at; a longer one cannot be compared."""
_KEPT = 4
"""Databases that a worker keeps open."""


@dataclass
class Opened:
    """One database. `drafters` keeps what was built for it, by name."""

    place: Place
    warehouse: Warehouse
    catalog: Catalog
    model: SemanticModel
    drafters: dict[str, Any] = field(default_factory=dict)
    _gold: psycopg.Connection | None = None

    def gold(self, sql: str, seconds: float) -> Grid:
        """The rows of a statement as it stands, read-only. Raises `WarehouseError` where it does not run."""
        if self.place.engine == "sqlite":
            return grid(self.warehouse.run(sql, Limits(rows=ROWS, seconds=seconds)))
        return self._postgres(sql, seconds)

    def _postgres(self, sql: str, seconds: float) -> Grid:
        """With the names as the set writes them: our own warehouse wants every name qualified."""
        if self._gold is None:
            self._gold = psycopg.connect(self.place.url)
            self._gold.read_only = True
        try:
            with self._gold.transaction(force_rollback=True), self._gold.cursor("gold") as cursor:
                self._gold.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}".encode())
                cursor.execute(sql.encode())
                rows = cursor.fetchmany(ROWS + 1)
                width = len(cursor.description or ())
        except psycopg.errors.QueryCanceled as error:
            raise QueryTimeout(f"Stopped after {seconds:g} seconds", where=self.place.db) from error
        except psycopg.Error as error:
            raise WarehouseError(str(error).splitlines()[0] if str(error) else "failed") from error
        if len(rows) > ROWS:
            raise WarehouseError("More rows than can be compared", where=self.place.db)
        return Grid.of(rows, width)

    def close(self) -> None:
        """Let go of it."""
        self.warehouse.close()
        if self._gold is not None:
            with closing(self._gold):
                self._gold = None


def grid(result: ResultSet) -> Grid:
    """A result as it is compared. Raises `WarehouseError` where rows were cut off."""
    if result.truncated:
        raise WarehouseError("More rows than can be compared")
    return Grid.of_table(result.table)


_OPEN: OrderedDict[Place, Opened] = OrderedDict()
"""What this process has open, the latest used last."""


def opened(place: Place) -> Opened:
    """The database of a place, opened once in this process. Raises `WarehouseUnavailable`."""
    found = _OPEN.pop(place, None)
    if found is None:
        while len(_OPEN) >= _KEPT:
            _OPEN.popitem(last=False)[1].close()
        warehouse = open_warehouse(place.url)
        catalog = warehouse.catalog()
        found = Opened(place, warehouse, catalog, first_model(catalog, place.db))
    _OPEN[place] = found
    return found


def close_all() -> None:
    """Let go of everything that this process has open."""
    while _OPEN:
        _OPEN.popitem()[1].close()
