from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from tests.contracts.warehouse_contract import SALES, STORES, Capabilities, WarehouseContract
from text2sql.errors import WarehouseError, WarehouseUnavailable
from text2sql.types import Limits
from text2sql.warehouses import open_warehouse
from text2sql.warehouses._sqlite_wall import authorize
from text2sql.warehouses.sqlite import SqliteWarehouse

OUTSIDE = (
    "ATTACH '/tmp/other.sqlite' AS other",
    "PRAGMA query_only = OFF",
    "SELECT load_extension('evil')",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_schema",
    "SELECT * FROM pragma_table_info('stores')",
    "SELECT randomblob(1000)",
    "SELECT zeroblob(1000)",
    "SELECT sqlite_version()",
    "VACUUM INTO '/tmp/stolen.sqlite'",
    "BEGIN",
    "SAVEPOINT s",
    "ANALYZE",
    "REINDEX",
    "CREATE TEMP TABLE t (i)",
    "WITH w AS (SELECT 1) INSERT INTO stores SELECT 9, 'x', 'y' FROM w",
)
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "


def write_shop(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL, region TEXT);
            CREATE TABLE sales (
                id INTEGER PRIMARY KEY, store_id INTEGER REFERENCES stores, sold_on DATE, amount INTEGER);
            CREATE VIEW big_sales AS SELECT * FROM sales WHERE amount > 100;
            """
        )
        connection.executemany("INSERT INTO stores VALUES (?, ?, ?)", STORES)
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", SALES)
        connection.commit()
    return path


def opened(tmp_path: Path, script: str) -> SqliteWarehouse:
    path = tmp_path / "made.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return SqliteWarehouse(path)


class TestSqlite(WarehouseContract):
    capabilities = Capabilities(
        outside=OUTSIDE,
        parameter=":name",
        long_query=ENDLESS + "SELECT count(*) AS n FROM n",
        endless_rows=ENDLESS + "SELECT i AS n FROM n",
        slow_rows=ENDLESS + "SELECT i AS n FROM n",
    )

    def make(self, folder: Path) -> Path:
        return write_shop(folder / "shop.sqlite")

    def open(self, path: Path) -> SqliteWarehouse:
        return SqliteWarehouse(path)

    def test_a_long_sort_is_stopped_too(self, warehouse: SqliteWarehouse) -> None:
        sql = ENDLESS + "SELECT i FROM n WHERE i < 100000000 ORDER BY -i LIMIT 5"
        with pytest.raises(WarehouseError, match=r"stopped after 0\.3 seconds"):
            warehouse.run(sql, Limits(seconds=0.3))

    def test_values_longer_than_the_limit_are_refused_not_built(self, warehouse: SqliteWarehouse) -> None:
        with pytest.raises(WarehouseError, match="memory"):
            warehouse.run("SELECT replace(printf('%.*c', 60000000, 'x'), 'x', 'yy')", Limits())

    def test_a_writer_in_another_process_is_waited_for_and_named(self, shop: Path) -> None:
        with SqliteWarehouse(shop) as warehouse, closing(sqlite3.connect(shop)) as writer:
            writer.execute("BEGIN EXCLUSIVE")
            with pytest.raises(WarehouseUnavailable, match="writing"):
                warehouse.run("SELECT count(*) FROM stores", Limits())
            writer.rollback()
            assert self.rows(warehouse, "SELECT count(*) FROM stores") == [(3,)]

    def test_what_another_program_wrote_is_seen(self, shop: Path) -> None:
        with SqliteWarehouse(shop) as warehouse:
            assert self.rows(warehouse, "SELECT count(*) FROM stores") == [(3,)]
            with closing(sqlite3.connect(shop)) as writer:
                writer.execute("INSERT INTO stores VALUES (4, 'Tenjin', 'Kyushu')")
                writer.commit()
            assert self.rows(warehouse, "SELECT count(*) FROM stores") == [(4,)]
            stores = warehouse.refresh().table("stores")
            assert stores is not None
            assert stores.rows == 4

    def test_a_file_that_is_no_database_says_so(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.sqlite"
        path.write_text("these are notes\n" * 500)
        with pytest.raises(WarehouseUnavailable, match="not an SQLite"):
            SqliteWarehouse(path)

    def test_a_path_with_characters_of_a_uri(self, tmp_path: Path) -> None:
        path = write_shop(tmp_path / "a b?mode=rwc#%20店.sqlite")
        with SqliteWarehouse(path) as warehouse:
            assert self.rows(warehouse, "SELECT count(*) FROM stores") == [(3,)]

    def test_a_url_opens_it(self, shop: Path) -> None:
        warehouse = open_warehouse(f"sqlite:///{shop}")
        assert warehouse.dialect == "sqlite"
        warehouse.close()


def test_columns_that_mix_types_become_text_and_lose_nothing(tmp_path: Path) -> None:
    script = """
    CREATE TABLE t (a, b, c, d);
    INSERT INTO t VALUES (1, 1, x'e38182', 1), ('two', 2.5, 'い', 9223372036854775807), (NULL, NULL, NULL, 0.5);
    """
    with opened(tmp_path, script) as warehouse:
        result = warehouse.run("SELECT * FROM t", Limits()).table
    assert result.column("a").to_pylist() == ["1", "two", None]
    assert result.column("b").to_pylist() == [1.0, 2.5, None]
    assert result.column("c").to_pylist() == ["あ", "い", None]
    assert result.column("d").to_pylist() == ["1", "9223372036854775807", "0.5"]


def test_text_that_is_not_utf8_is_read_with_marks(tmp_path: Path) -> None:
    script = "CREATE TABLE t (name TEXT); INSERT INTO t VALUES (CAST(x'41ff42' AS TEXT));"
    with opened(tmp_path, script) as warehouse:
        assert warehouse.run("SELECT name FROM t", Limits()).rows() == [{"name": "A\ufffdB"}]
        table = warehouse.catalog().table("t")
        assert table is not None
        assert table.columns[0].profile is not None
        assert table.columns[0].profile.values == ("A\ufffdB",)


def test_references_are_read_as_their_tables_spell_them(tmp_path: Path) -> None:
    script = """
    CREATE TABLE Stores (ID INTEGER PRIMARY KEY);
    CREATE TABLE sales (store INTEGER REFERENCES STORES(id), ghost INTEGER REFERENCES gone(id));
    CREATE TABLE lines (order_no INTEGER, line_no INTEGER, PRIMARY KEY (line_no, order_no));
    CREATE TABLE notes (o INTEGER, l INTEGER, FOREIGN KEY (l, o) REFERENCES lines);
    """
    with opened(tmp_path, script) as warehouse:
        catalog = warehouse.catalog()
    sales, notes = catalog.table("sales"), catalog.table("notes")
    assert sales is not None
    assert notes is not None
    assert [(k.columns, k.to_table, k.to_columns) for k in sales.foreign_keys] == [
        (("store",), "Stores", ("ID",))
    ]
    assert [(k.columns, k.to_columns) for k in notes.foreign_keys] == [(("l", "o"), ("line_no", "order_no"))]


def test_odd_tables_do_not_stop_the_catalogue(tmp_path: Path) -> None:
    script = """
    CREATE TABLE "select" ("group by" INTEGER, "a""b" TEXT, "日 付" DATE);
    CREATE TABLE bare (a, b);
    CREATE TABLE keyed (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID;
    CREATE VIEW broken AS SELECT x FROM bare;
    CREATE VIRTUAL TABLE pages USING fts5(body);
    CREATE TABLE generated (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2));
    INSERT INTO bare VALUES (1.5, 'x');
    INSERT INTO pages VALUES ('hello shop');
    """
    with opened(tmp_path, script) as warehouse:
        catalog = warehouse.catalog()
        assert warehouse.run("SELECT body FROM pages WHERE pages MATCH 'shop'", Limits()).table.num_rows == 1
    odd, bare, made = catalog.table("select"), catalog.table("bare"), catalog.table("generated")
    assert odd is not None
    assert bare is not None
    assert made is not None
    assert [c.name for c in odd.columns] == ["group by", 'a"b', "日 付"]
    assert [c.family for c in bare.columns] == ["number", "text"]
    assert [c.name for c in made.columns] == ["a", "b"]
    assert catalog.table("broken") is None
    assert not [t.name for t in catalog.tables if t.name.startswith(("pages_", "sqlite_"))]


def test_the_wall_agrees_with_the_guards_list_of_functions() -> None:
    path = Path(__file__).parents[3] / "text2sql" / "allowlists" / "sqlite.yaml"
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    allowed = {n.split(":")[0] for group in listed["functions"] for n in group["names"].split()}
    excluded = {n for names in listed["excluded"].values() for n in names.split()}

    def passes(name: str) -> bool:
        return authorize(sqlite3.SQLITE_FUNCTION, None, name) == sqlite3.SQLITE_OK

    syntax = {"cast", "exists", "not"}  # no functions to SQLite
    assert [name for name in sorted(allowed - syntax) if not passes(name)] == []
    behind = {"match"}  # a full-text search only reads, whatever the guard makes of it
    assert [name for name in sorted(excluded - behind) if passes(name)] == []
