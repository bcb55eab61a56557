"""What every warehouse does alike. An adapter's test class inherits this and says how to make the shop in it."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from text2sql.errors import QueryCancelled, QueryTimeout, WarehouseError, WarehouseUnavailable
from text2sql.types import Limits, Warehouse
from text2sql.warehouses._shared import SharedWarehouse

STORES = [(1, "Ginza", "Kanto"), (2, "Umeda", "Kansai"), (3, "栄店", "Chubu")]
SALES = [
    (1, 1, "2024-01-05", 120), (2, 1, "2024-02-06", 80), (3, 2, "2024-02-07", 200), (4, 2, "2024-03-01", None),
    (5, 3, "2024-03-02", 50),
]  # fmt: skip


@dataclass(frozen=True)
class Capabilities:
    """How an adapter differs, as data."""

    declares_keys: bool = True
    has_views: bool = True
    estimates: bool = True
    parameter: str = "$name"
    """How `name` is bound."""
    qualifier: str = ""
    """What stands before the name of a table (`@` in this suite), where a bare one means nothing."""
    long_query: str = "SELECT count(*) AS n FROM range(100000000000) a, range(100000) b"
    """Runs for hours."""
    endless_rows: str = "SELECT range AS n FROM range(100000000000)"
    slow_rows: str = "SELECT md5(repeat(range::VARCHAR, 2000)) AS n FROM range(100000000000)"
    """Rows without end that do not come fast enough to reach any ceiling within seconds."""
    """Gives rows at once and never ends."""
    writes: tuple[str, ...] = (
        "INSERT INTO @stores VALUES (9, 'x', 'y')",
        "DELETE FROM @stores",
        "CREATE TABLE @mine (i integer)",
        "DROP TABLE @stores",
        "UPDATE @stores SET name = 'x'",
    )
    outside: tuple[str, ...] = ()
    """Statements that would reach outside the warehouse."""


class WarehouseContract:
    """The suite. `warehouse` is fresh for each test."""

    capabilities = Capabilities()

    def make(self, folder: Path) -> Path:
        """Write the shop under `folder` in the adapter's format; the path that opens it."""
        raise NotImplementedError

    def open(self, path: Path) -> SharedWarehouse:
        raise NotImplementedError

    @pytest.fixture
    def shop(self, tmp_path: Path) -> Path:
        return self.make(tmp_path)

    @pytest.fixture
    def warehouse(self, shop: Path) -> Iterator[SharedWarehouse]:
        opened = self.open(shop)
        yield opened
        opened.close()

    def sql(self, text: str) -> str:
        return text.replace("@", self.capabilities.qualifier)

    def rows(self, warehouse: Warehouse, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        result = warehouse.run(self.sql(sql), Limits(), parameters)
        return [tuple(row.values()) for row in result.rows()]

    # The port

    def test_it_has_every_member_of_the_port_with_the_same_signature(
        self, warehouse: SharedWarehouse
    ) -> None:
        for name, wanted in inspect.getmembers(Warehouse, inspect.isfunction):
            if name.startswith("_"):
                continue
            for has in (type(warehouse), type(warehouse.session())):
                mine = inspect.signature(getattr(has, name))
                assert list(mine.parameters) == list(inspect.signature(wanted).parameters), (has, name)

    # The catalogue

    def test_the_catalogue_names_tables_columns_and_families(self, warehouse: SharedWarehouse) -> None:
        catalog = warehouse.catalog()
        assert catalog.dialect == warehouse.dialect
        stores, sales = catalog.table("stores"), catalog.table("sales")
        assert stores is not None
        assert sales is not None
        assert [c.name for c in stores.columns] == ["id", "name", "region"]
        assert [c.family for c in stores.columns] == ["integer", "text", "text"]
        assert [c.name for c in sales.columns] == ["id", "store_id", "sold_on", "amount"]
        assert [c.family for c in sales.columns] == ["integer", "integer", "date", "integer"]
        assert (stores.rows, sales.rows) == (3, 5)

    def test_keys_are_there_declared_or_inferred(self, warehouse: SharedWarehouse) -> None:
        catalog = warehouse.catalog()
        stores, sales = catalog.table("stores"), catalog.table("sales")
        assert stores is not None
        assert sales is not None
        assert stores.primary_key == ("id",)
        assert sales.primary_key == ("id",)
        (key,) = sales.foreign_keys
        assert (key.columns, key.to_columns) == (("store_id",), ("id",))
        assert catalog.table(key.to_table) is stores
        assert key.inferred is not self.capabilities.declares_keys

    def test_profiles_say_what_columns_hold(self, warehouse: SharedWarehouse) -> None:
        catalog = warehouse.catalog()
        sales, stores = catalog.table("sales"), catalog.table("stores")
        assert sales is not None
        assert stores is not None
        amount = sales.column("amount")
        name = stores.column("name")
        assert amount is not None
        assert name is not None
        assert amount.profile is not None
        assert name.profile is not None
        assert (amount.profile.nulls, amount.profile.distinct) == (1, 4)
        assert (amount.profile.minimum, amount.profile.maximum) == ("50", "200")
        assert set(name.profile.values) == {"Ginza", "Umeda", "栄店"}
        assert name.profile.complete

    def test_views_are_in_it_and_system_tables_are_not(self, warehouse: SharedWarehouse) -> None:
        catalog = warehouse.catalog()
        wanted = {"stores", "sales"} | ({"big_sales"} if self.capabilities.has_views else set())
        assert {t.name for t in catalog.tables} == wanted
        if self.capabilities.has_views:
            view = catalog.table("big_sales")
            assert view is not None
            assert view.kind == "view"

    def test_it_is_read_once_and_its_fingerprint_is_that_of_the_schema(
        self, warehouse: SharedWarehouse
    ) -> None:
        first = warehouse.catalog()
        assert warehouse.catalog() is first
        again = warehouse.refresh()
        assert again is not first
        assert again.fingerprint == first.fingerprint != ""

    # Running

    def test_rows_come_back_as_arrow_with_names_in_order(self, warehouse: SharedWarehouse) -> None:
        result = warehouse.run(self.sql("SELECT name, id FROM @stores ORDER BY id DESC"), Limits())
        assert result.columns == ["name", "id"]
        assert result.table.column("id").to_pylist() == [3, 2, 1]
        assert result.rows()[0] == {"name": "栄店", "id": 3}
        assert not result.truncated
        assert result.total_bytes == result.table.nbytes > 0

    def test_sums_of_integers_are_integers(self, warehouse: SharedWarehouse) -> None:
        value = self.rows(warehouse, "SELECT sum(amount) AS s FROM @sales")[0][0]
        assert value == 450
        assert isinstance(value, int)

    def test_repeated_names_are_numbered(self, warehouse: SharedWarehouse) -> None:
        result = warehouse.run("SELECT 1 AS a, 2 AS a, 3 AS a_2", Limits())
        assert len(set(result.columns)) == 3
        assert sorted(result.rows()[0].values()) == [1, 2, 3]

    def test_no_rows_and_null_columns_keep_their_names(self, warehouse: SharedWarehouse) -> None:
        assert warehouse.run(self.sql("SELECT id, name FROM @stores WHERE id > 99"), Limits()).columns == [
            "id",
            "name",
        ]
        assert self.rows(warehouse, "SELECT NULL AS empty_one") == [(None,)]

    def test_parameters_are_bound_by_name_never_as_text(self, warehouse: SharedWarehouse) -> None:
        where = self.sql(f"SELECT id FROM @stores WHERE region = {self.capabilities.parameter}")
        assert self.rows(warehouse, where, name="Kansai") == [(2,)]
        assert self.rows(warehouse, where, name="' OR 1=1 --") == []

    def test_the_row_cap_cuts_and_says_so(self, warehouse: SharedWarehouse) -> None:
        cut = warehouse.run(self.sql("SELECT id FROM @sales ORDER BY id"), Limits(rows=2))
        assert (cut.table.num_rows, cut.truncated) == (2, True)
        exact = warehouse.run(self.sql("SELECT id FROM @sales ORDER BY id"), Limits(rows=5))
        assert (exact.table.num_rows, exact.truncated) == (5, False)

    def test_the_row_cap_holds_for_a_query_that_never_ends(self, warehouse: SharedWarehouse) -> None:
        started = time.monotonic()
        result = warehouse.run(self.capabilities.endless_rows, Limits(rows=5000, seconds=20))
        assert (result.table.num_rows, result.truncated) == (5000, True)
        assert time.monotonic() - started < 5

    def test_the_byte_cap_cuts_and_says_so(self, warehouse: SharedWarehouse) -> None:
        result = warehouse.run(self.capabilities.endless_rows, Limits(rows=1_000_000, bytes=10_000))
        assert result.truncated
        assert 0 < result.total_bytes <= 10_000

    # Refusing

    def test_nothing_can_be_written(self, warehouse: SharedWarehouse) -> None:
        for statement in self.capabilities.writes:
            with pytest.raises(WarehouseError):
                warehouse.run(self.sql(statement), Limits())
        assert self.rows(warehouse, "SELECT count(*) FROM @stores") == [(3,)]

    def test_nothing_outside_can_be_reached(self, warehouse: SharedWarehouse) -> None:
        for statement in self.capabilities.outside:
            with pytest.raises(WarehouseError):
                warehouse.run(statement, Limits(seconds=5))

    def test_one_statement_at_a_time(self, warehouse: SharedWarehouse) -> None:
        with pytest.raises(WarehouseError):
            warehouse.run("SELECT 1; SELECT 2", Limits())

    def test_an_error_names_the_warehouse_and_what_is_wrong(self, warehouse: SharedWarehouse) -> None:
        with pytest.raises(WarehouseError, match="colour") as caught:
            warehouse.run(self.sql("SELECT colour FROM @stores"), Limits())
        assert caught.value.where

    # Planning

    def test_explain_proves_validity_without_running(self, warehouse: SharedWarehouse) -> None:
        started = time.monotonic()
        estimate = warehouse.explain(self.capabilities.long_query)
        assert time.monotonic() - started < 2
        assert estimate.detail
        with pytest.raises(WarehouseError):
            warehouse.explain(self.sql("SELECT colour FROM @stores"))

    def test_explain_binds_parameters(self, warehouse: SharedWarehouse) -> None:
        sql = self.sql(f"SELECT id FROM @stores WHERE region = {self.capabilities.parameter}")
        assert warehouse.explain(sql, {"name": "Kanto"}).detail

    def test_a_cross_join_is_seen_in_the_estimate(self, warehouse: SharedWarehouse) -> None:
        if not self.capabilities.estimates:
            pytest.skip("this engine gives no estimates")
        alone = warehouse.explain(self.sql("SELECT a.id FROM @sales a")).rows
        crossed = warehouse.explain(self.sql("SELECT a.id FROM @sales a, @sales b, @sales c")).rows
        assert alone == 5
        assert crossed is not None
        assert crossed >= 100

    # Stopping

    def test_the_time_limit_stops_a_query(self, warehouse: SharedWarehouse) -> None:
        started = time.monotonic()
        with pytest.raises(QueryTimeout):
            warehouse.run(self.capabilities.long_query, Limits(seconds=0.3))
        assert time.monotonic() - started < 1.5
        assert self.rows(warehouse, "SELECT 1 AS one") == [(1,)]

    def test_cancel_from_another_thread_stops_within_a_second(self, warehouse: SharedWarehouse) -> None:
        with _Running(warehouse, self.capabilities.long_query) as running:
            cancelled = time.monotonic()
            warehouse.cancel()
            assert isinstance(running.error(), QueryCancelled)
            assert time.monotonic() - cancelled < 1

    def test_cancel_stops_a_query_that_is_handing_out_rows(self, warehouse: SharedWarehouse) -> None:
        limits = Limits(rows=100_000_000, bytes=10**12)  # the warehouse's own ceiling still holds
        with _Running(warehouse, self.capabilities.slow_rows, limits) as running:
            warehouse.cancel()
            assert isinstance(running.error(), QueryCancelled)

    def test_cancel_of_a_session_leaves_the_others_alone(self, warehouse: SharedWarehouse) -> None:
        mine, theirs = warehouse.session(), warehouse.session()
        with (
            _Running(mine, self.capabilities.long_query) as stopped,
            _Running(theirs, self.capabilities.long_query) as left,
        ):
            mine.cancel()
            assert isinstance(stopped.error(), QueryCancelled)
            assert left.is_alive()
            theirs.close()
            assert isinstance(left.error(), QueryCancelled)
        assert self.rows(warehouse, "SELECT 1 AS one") == [(1,)]

    def test_cancel_with_nothing_running_does_nothing(self, warehouse: SharedWarehouse) -> None:
        warehouse.cancel()
        assert self.rows(warehouse, "SELECT 1 AS one") == [(1,)]

    def test_many_threads_share_one_warehouse(self, warehouse: SharedWarehouse) -> None:
        answers: list[list[tuple[Any, ...]]] = []
        where = self.sql(f"SELECT id FROM @stores WHERE region = {self.capabilities.parameter}")

        def ask() -> None:
            answers.extend(self.rows(warehouse, where, name="Kansai") for _ in range(10))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [[(2,)]] * 80

    # Opening and closing

    def test_closed_is_closed(self, shop: Path) -> None:
        warehouse = self.open(shop)
        warehouse.close()
        warehouse.close()
        for use in (warehouse.catalog, lambda: warehouse.run("SELECT 1", Limits())):
            with pytest.raises(WarehouseError, match="closed"):
                use()

    def test_closing_stops_what_runs(self, shop: Path) -> None:
        warehouse = self.open(shop)
        with _Running(warehouse, self.capabilities.long_query) as running:
            warehouse.close()
            assert isinstance(running.error(), QueryCancelled)

    def test_what_is_not_there_is_unavailable_and_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(WarehouseUnavailable) as caught:
            self.open(tmp_path / "nowhere")
        assert "nowhere" in caught.value.where
        assert caught.value.todo


class _Running(threading.Thread):
    """A statement under way in a thread of its own, started and surely running."""

    def __init__(self, warehouse: Warehouse, sql: str, limits: Limits | None = None) -> None:
        super().__init__(daemon=True)
        self._arguments = warehouse, sql, limits or Limits(seconds=30)
        self._error: BaseException | None = None

    def run(self) -> None:
        warehouse, sql, limits = self._arguments
        try:
            warehouse.run(sql, limits)
        except WarehouseError as error:
            self._error = error

    def error(self) -> BaseException | None:
        self.join(5)
        assert not self.is_alive(), "the statement still runs"
        return self._error

    def __enter__(self) -> _Running:
        self.start()
        time.sleep(0.15)
        return self

    def __exit__(self, *_: object) -> None:
        self.join(5)
