from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.contracts.warehouse_contract import SALES, STORES, Capabilities, WarehouseContract
from text2sql.errors import WarehouseError, WarehouseUnavailable
from text2sql.types import Limits
from text2sql.warehouses import open_warehouse
from text2sql.warehouses.duckdb import DuckDbWarehouse, build

OUTSIDE = (
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM '/etc/passwd'",
    "COPY stores TO '/tmp/stolen.csv'",
    "ATTACH '/tmp/other.duckdb'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '100GB'",
    "PRAGMA version",
    "CALL pragma_version()",
    "EXPORT DATABASE '/tmp/x'",
    "WITH w AS (INSERT INTO stores VALUES (9, 'x', 'y') RETURNING id) SELECT * FROM w",
)


def write_shop(path: Path) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            CREATE TABLE stores (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL, region VARCHAR);
            CREATE TABLE sales (
                id INTEGER PRIMARY KEY, store_id INTEGER REFERENCES stores(id), sold_on DATE, amount INTEGER);
            CREATE VIEW big_sales AS SELECT * FROM sales WHERE amount > 100;
            COMMENT ON TABLE stores IS '店舗';
            COMMENT ON COLUMN stores.name IS '店舗名';
            """
        )
        connection.executemany("INSERT INTO stores VALUES (?, ?, ?)", STORES)
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", SALES)
    return path


class TestDuckDb(WarehouseContract):
    capabilities = Capabilities(outside=OUTSIDE)

    def make(self, folder: Path) -> Path:
        return write_shop(folder / "shop.duckdb")

    def open(self, path: Path) -> DuckDbWarehouse:
        return DuckDbWarehouse(path)

    def test_comments_are_read(self, warehouse: DuckDbWarehouse) -> None:
        stores = warehouse.catalog().table("stores")
        assert stores is not None
        assert stores.comment == "店舗"
        assert [c.comment for c in stores.columns] == ["", "店舗名", ""]

    def test_the_catalogue_knows_its_default_names(self, warehouse: DuckDbWarehouse) -> None:
        catalog = warehouse.catalog()
        assert (catalog.default_catalog, catalog.default_schema) == ("shop", "main")
        assert catalog.table("main.stores") is catalog.table("STORES")

    def test_another_schema_is_read_too(self, tmp_path: Path) -> None:
        path = write_shop(tmp_path / "two.duckdb")
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "CREATE SCHEMA hr; CREATE TABLE hr.staff AS SELECT 1 AS staff_id, 'Aki' AS name"
            )
        with DuckDbWarehouse(path) as warehouse:
            staff = warehouse.catalog().table("hr.staff")
            assert staff is not None
            assert staff.qualified == "hr.staff"
            assert warehouse.catalog().table("staff") is None
            assert self.rows(warehouse, "SELECT name FROM hr.staff") == [("Aki",)]

    def test_types_that_readers_would_stumble_over(self, warehouse: DuckDbWarehouse) -> None:
        sql = """SELECT 1::HUGEINT AS h, 170141183460469231731687303715884105727::HUGEINT AS huge, 1.50::DECIMAL(9,2) AS d,
            'a'::ENUM('a', 'b') AS e, DATE '2024-01-02' AS day, [1, 2] AS l, {'k': 1} AS s, NULL AS nothing"""
        (row,) = warehouse.run(sql, Limits()).rows()
        assert row["h"] == 1
        assert isinstance(row["h"], int)
        assert row["huge"] == Decimal(2**127 - 1)
        assert row["d"] == Decimal("1.50")
        assert (row["e"], row["day"], row["l"], row["s"]) == ("a", dt.date(2024, 1, 2), [1, 2], {"k": 1})

    def test_a_value_met_while_running_is_not_in_the_error(self, warehouse: DuckDbWarehouse) -> None:
        with pytest.raises(WarehouseError) as caught:
            warehouse.run("SELECT CAST(name AS INTEGER) FROM stores", Limits())
        assert "Ginza" not in str(caught.value)
        assert "Conversion" in str(caught.value)

    def test_a_column_that_was_not_named_is_not_suggested(self, warehouse: DuckDbWarehouse) -> None:
        with pytest.raises(WarehouseError) as caught:
            warehouse.run("SELECT regio FROM stores", Limits())
        assert "region" not in str(caught.value)

    def test_a_file_that_is_being_written_says_so(self, shop: Path) -> None:
        script = f"import duckdb, sys; c = duckdb.connect({str(shop)!r}); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            with pytest.raises(WarehouseUnavailable, match="writing"):
                DuckDbWarehouse(shop)
            writer.communicate("")

    def test_a_file_that_is_no_database_says_so(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.duckdb"
        path.write_text("these are notes\n" * 500)
        with pytest.raises(WarehouseUnavailable, match="not a DuckDB"):
            DuckDbWarehouse(path)

    def test_other_settings_in_the_same_process_say_so(self, warehouse: DuckDbWarehouse) -> None:
        with pytest.raises(WarehouseUnavailable, match="other settings"):
            DuckDbWarehouse(warehouse.path, memory=512 * 1024**2)

    def test_the_memory_limit_is_the_one_given(self, shop: Path) -> None:
        with build({"path": shop, "memory": 256 * 1024**2}) as warehouse:
            assert isinstance(warehouse, DuckDbWarehouse)
            found = warehouse.query("SELECT value FROM duckdb_settings() WHERE name = 'memory_limit'")
            assert found == [("256.0 MiB",)]

    def test_refresh_follows_a_file_that_was_replaced(self, shop: Path, tmp_path: Path) -> None:
        with DuckDbWarehouse(shop) as warehouse:
            before = warehouse.catalog()
            other = write_shop(tmp_path / "next.duckdb")
            with duckdb.connect(str(other)) as connection:
                connection.execute("CREATE TABLE added AS SELECT 1 AS id")
            other.replace(shop)
            after = warehouse.refresh()
            assert before.table("added") is None
            assert after.table("added") is not None
            assert after.fingerprint != before.fingerprint
            assert self.rows(warehouse, "SELECT id FROM added") == [(1,)]

    def test_a_url_opens_it(self, shop: Path) -> None:
        with DuckDbWarehouse(shop):
            opened = open_warehouse(f"duckdb:///{shop}")
            assert opened.dialect == "duckdb"
            opened.close()
