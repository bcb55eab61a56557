"""Catalogues from CREATE TABLE statements, whatever the dialect they were written in."""

from __future__ import annotations

import pytest

from text2sql.ddl import catalog_from_ddl
from text2sql.errors import DdlError
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Dialect, Table

# One file in the manners of several engines at once.
MIXED = """
-- a comment; with a semicolon
PRAGMA foreign_keys = ON;
DROP TABLE IF EXISTS `stores`;
CREATE TABLE IF NOT EXISTS "stores" (
  "store_id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, -- the key
  `name with space` VARCHAR ( 40 ) DEFAULT 'a, b) "c"' NOT NULL,
  [region name] TEXT COLLATE NOCASE,
  floor_area FLOAT(10,2) UNSIGNED COMMENT 'in m2, roughly',
  opened TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP,
  tags text[],
  "key" TEXT,
  UNIQUE ("name with space", [region name]),
);
INSERT INTO stores VALUES (1, 'CREATE TABLE fake (a int)', 'it''s', 2.0, NULL, NULL, NULL);
/* CREATE TABLE commented (a int); */
CREATE TEMPORARY TABLE Sales (
  sale_id bigint NOT NULL,
  store_id int REFERENCES stores,
  amount decimal(12, 2) CHECK (amount >= 0),
  sold_on date,
  state char(1),
  CONSTRAINT pk PRIMARY KEY (sale_id),
  CONSTRAINT fk FOREIGN KEY (store_id) REFERENCES "stores" (store_id) ON DELETE CASCADE,
  KEY idx_state (state)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;
CREATE INDEX i ON Sales (state);
CREATE VIEW v AS SELECT 1;
"""


def table(dialect: Dialect, text: str, name: str) -> Table:
    found = catalog_from_ddl(text, dialect).table(name)
    assert found is not None
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_manner_under_every_dialect(dialect: Dialect) -> None:
    catalog = catalog_from_ddl(MIXED, dialect)
    assert [t.name.lower() for t in catalog.tables] == ["stores", "sales"]
    stores, sales = catalog.tables
    assert [c.name for c in stores.columns] == [
        "store_id", "name with space", "region name", "floor_area", "opened", "tags", "key",
    ]  # fmt: skip
    assert stores.primary_key == ("store_id",)
    assert stores.unique == (("name with space", "region name"),)
    assert [c.family for c in stores.columns] == [
        "integer",
        "text",
        "text",
        "number",
        "timestamp",
        "other",
        "text",
    ]
    assert stores.columns[3].comment == "in m2, roughly"
    assert stores.columns[3].type == "FLOAT(10,2) UNSIGNED"
    assert not stores.columns[0].nullable
    assert stores.columns[2].nullable
    assert [c.name for c in sales.columns] == ["sale_id", "store_id", "amount", "sold_on", "state"]
    assert sales.primary_key == ("sale_id",)
    assert {(fk.columns, fk.to_table.lower(), fk.to_columns) for fk in sales.foreign_keys} == {
        (("store_id",), "stores", ("store_id",))
    }


def test_names_are_stored_as_the_engine_would() -> None:
    text = 'CREATE TABLE Sales (SaleId int, "Amount" int)'
    assert [c.name for c in table("postgres", text, "sales").columns] == ["saleid", "Amount"]
    assert [c.name for c in table("sqlite", text, "sales").columns] == ["SaleId", "Amount"]


def test_a_dump_of_postgresql() -> None:
    text = r"""
    SET statement_timeout = 0;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $_$ BEGIN CREATE TABLE no (a int); END; $_$;
    CREATE TABLE shop.stores (id bigint NOT NULL, name text);
    COPY shop.stores (id, name) FROM stdin;
1	CREATE TABLE nor (a int);
2	it's ; open
\.
    CREATE TABLE shop.sales (id integer, store_id bigint, note character varying(20));
    ALTER TABLE ONLY shop.stores ADD CONSTRAINT stores_pkey PRIMARY KEY (id);
    ALTER TABLE ONLY shop.sales ADD CONSTRAINT s FOREIGN KEY (store_id) REFERENCES shop.stores(id);
    """
    text = "\n".join(line.removeprefix("    ") for line in text.splitlines())
    catalog = catalog_from_ddl(text, "postgres")
    assert [t.qualified for t in catalog.tables] == ["shop.stores", "shop.sales"]
    assert catalog.tables[0].primary_key == ("id",)
    assert catalog.tables[1].foreign_keys[0].to_table == "shop.stores"
    assert catalog.tables[1].columns[2].type == "character varying(20)"


def test_statements_that_nobody_closed() -> None:
    catalog = catalog_from_ddl("DROP TABLE a\nCREATE TABLE a (x int)\nCREATE TABLE b (y int)\n", "sqlite")
    assert [t.name for t in catalog.tables] == ["a", "b"]


def test_a_reference_without_columns_means_the_key() -> None:
    text = "CREATE TABLE a (x int, y int, PRIMARY KEY (x, y)); CREATE TABLE b (p int, q int, FOREIGN KEY (p, q) REFERENCES a)"
    assert table("duckdb", text, "b").foreign_keys[0].to_columns == ("x", "y")


def test_names_of_many_scripts() -> None:
    text = 'CREATE TABLE 売上 (店舗 TEXT, "金額 円" INTEGER)'
    assert [c.name for c in table("duckdb", text, "売上").columns] == ["店舗", "金額 円"]


def test_the_default_schema_is_the_engine_s() -> None:
    text = "CREATE TABLE a (x int)"
    assert [catalog_from_ddl(text, d).default_schema for d in DIALECTS] == [
        "main",
        "",
        "public",
        "",
        "public",
    ]


def test_the_fingerprint_follows_the_shape_alone() -> None:
    one = catalog_from_ddl("CREATE TABLE a (x int)", "sqlite").fingerprint
    assert one == catalog_from_ddl("create table a ( x int ) -- same", "sqlite").fingerprint
    assert one != catalog_from_ddl("CREATE TABLE a (x int, y int)", "sqlite").fingerprint


@pytest.mark.parametrize(
    "text", ["", "SELECT 1", "CREATE VIEW v AS SELECT 1", "CREATE TABLE", "CREATE TABLE x AS SELECT 1"]
)
def test_nothing_to_read_is_said(text: str) -> None:
    with pytest.raises(DdlError, match="no CREATE TABLE"):
        catalog_from_ddl(text, "sqlite")
