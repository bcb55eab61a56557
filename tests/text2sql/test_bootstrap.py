from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from retrieval.types import Principal
from text2sql.bootstrap import OWNER, first_model, first_policy, label_of
from text2sql.column_roles import measure_kind, title_column
from text2sql.column_times import time_column
from text2sql.families import family
from text2sql.policy import parse
from text2sql.semantics import Entity, Label, check, dump, load
from text2sql.types import Catalog, Column, Dialect, ForeignKey, Limits, Profile, Table
from text2sql.warehouses.duckdb import DuckDbWarehouse
from text2sql.warehouses.sqlite import SqliteWarehouse


def column(name: str, kind: str = "INTEGER", *values: str, comment: str = "") -> Column:
    profile = Profile(nulls=0, distinct=len(values), values=values) if values else None
    return Column(name, kind, family(kind), comment=comment, profile=profile)


STORES = Table(
    "stores",
    (column("id"), column("store_name", "VARCHAR"), column("floor_area", "DOUBLE")),
    schema="main",
    primary_key=("id",),
    rows=3,
)
SALES = Table(
    "Sales",
    (
        column("sale_id"),
        column("store_id"),
        column("soldOn", "DATE"),
        column("updated_at", "TIMESTAMP"),
        column("amount", "DECIMAL(12,2)"),
        column("unit_price", "DOUBLE"),
        column("units"),
        column("is_return", "BOOLEAN"),
        column("receipt", "BLOB"),
    ),
    schema="main",
    primary_key=("sale_id",),
    foreign_keys=(ForeignKey(("store_id",), "main.stores", ("id",)),),
)
SHOP = Catalog("duckdb", (STORES, SALES), default_schema="main")


def entity(catalog: Catalog, name: str) -> Entity:
    found = first_model(catalog, "shop").entity(name)
    assert found is not None
    return found


class TestModel:
    def test_it_is_valid_for_its_catalogue_and_survives_its_file(self, tmp_path: Path) -> None:
        model = first_model(SHOP, "shop")
        assert check(model, SHOP) == []
        path = tmp_path / "semantic.yaml"
        path.write_text(dump(model), encoding="utf-8")
        assert load(path) == model

    def test_entities_have_a_key_a_title_a_time_and_words(self) -> None:
        stores, sales = entity(SHOP, "stores"), entity(SHOP, "Sales")
        assert (stores.table, stores.key, stores.title, stores.time) == (
            "main.stores",
            ("id",),
            "store_name",
            "",
        )
        assert (sales.key, sales.title, sales.time) == (("sale_id",), "", "soldOn")
        assert sales.label == Label(en="sales")
        assert sales.dimension("soldOn") is not None
        types = {d.name: (d.type, d.label.en) for d in sales.dimensions}
        assert types == {
            "sale_id": ("number", "sale id"), "store_id": ("number", "store id"), "soldOn": ("date", "sold on"),
            "updated_at": ("timestamp", "updated at"), "amount": ("number", "amount"),
            "unit_price": ("number", "unit price"), "units": ("number", "units"), "is_return": ("boolean", "is return"),
        }  # fmt: skip

    def test_metrics_count_rows_sum_amounts_and_only_average_prices(self) -> None:
        found = {
            (m.table, m.agg, m.expr): (m.label.en, m.additivity) for m in first_model(SHOP, "shop").metrics
        }
        assert found == {
            ("stores", "count", ""): ("number of stores", "additive"),
            ("stores", "sum", "floor_area"): ("total floor area", "additive"),
            ("stores", "avg", "floor_area"): ("average floor area", "non_additive"),
            ("Sales", "count", ""): ("number of sales", "additive"),
            ("Sales", "sum", "amount"): ("total amount", "additive"),
            ("Sales", "avg", "amount"): ("average amount", "non_additive"),
            ("Sales", "avg", "unit_price"): ("average unit price", "non_additive"),
            ("Sales", "sum", "units"): ("total units", "additive"),
            ("Sales", "avg", "units"): ("average units", "non_additive"),
        }

    def test_joins_follow_keys_with_their_cardinality(self) -> None:
        details = Table(
            "store_details", (column("store_id"),), schema="main", primary_key=("store_id",),
            foreign_keys=(ForeignKey(("store_id",), "main.stores", ("id",), inferred=True),),
        )  # fmt: skip
        itself = Table(
            "areas", (column("id"), column("parent_id")), schema="main", primary_key=("id",),
            foreign_keys=(ForeignKey(("parent_id",), "main.areas", ("id",)),),
        )  # fmt: skip
        catalog = Catalog("duckdb", (STORES, SALES, details, itself), default_schema="main")
        joins = {(j.from_, j.to, j.cardinality): dict(j.on) for j in first_model(catalog, "shop").joins}
        assert joins == {
            ("Sales", "stores", "many_to_one"): {"store_id": "id"},
            ("store_details", "stores", "one_to_one"): {"store_id": "id"},
        }

    def test_tables_of_two_schemas_with_one_name(self) -> None:
        other = Table("stores", (column("id"),), schema="archive", primary_key=("id",))
        catalog = Catalog("duckdb", (STORES, other), default_schema="main")
        model = first_model(catalog, "shop")
        assert [e.name for e in model.tables] == ["main_stores", "archive_stores"]
        assert check(model, catalog) == []

    def test_names_that_need_quotes(self) -> None:
        table = Table(
            "odd one",
            (column("unit count"), column('5"x', "DOUBLE"), column("sold on", "VARCHAR", "2024/01/05")),
        )
        catalog = Catalog("duckdb", (table,))
        assert check(first_model(catalog, "odd"), catalog) == []

    def test_an_empty_catalogue_is_a_model_too(self) -> None:
        assert first_model(Catalog("sqlite", ()), "nothing").tables == ()

    def test_views_and_tables_without_usable_columns(self) -> None:
        view = Table("v", (column("payload", "BLOB"),), kind="view")
        catalog = Catalog("duckdb", (view,))
        model = first_model(catalog, "v")
        assert model.tables[0].dimensions == ()
        assert [m.agg for m in model.metrics] == ["count"]


class TestWords:
    @pytest.mark.parametrize(
        ("name", "comment", "label"),
        [
            ("customer_id", "", Label(en="customer id")),
            ("CustomerName", "", Label(en="customer name")),
            ("t_sales", "", Label(en="sales")),
            ("dim_store", "", Label(en="store")),
            ("store_cd", "店舗コード", Label(en="store cd", ja="店舗コード")),
            ("store_cd", "店舗コード（3桁）。前ゼロあり", Label(en="store cd", ja="店舗コード")),
            ("store_cd", "the code of a store", Label(en="store cd")),
            ("店舗名", "", Label(ja="店舗名")),
            ("売上_金額", "", Label(ja="売上金額")),
        ],
    )
    def test_labels(self, name: str, comment: str, label: Label) -> None:
        assert label_of(name, comment) == label

    def test_comments_become_descriptions(self) -> None:
        table = Table(
            "sales",
            (column("net", "DOUBLE", comment="Net of returns."), column("gross", "DOUBLE", comment="総額")),
            comment="レジで記録された売上の明細。返品は負の数量として入る。",
        )
        found = entity(Catalog("duckdb", (table,)), "sales")
        assert found.description.ja.startswith("レジで")
        assert [d.description.en for d in found.dimensions] == ["Net of returns.", ""]
        assert found.dimensions[1].label.ja == "総額"

    def test_metrics_have_japanese_words_where_columns_do(self) -> None:
        table = Table("売上", (column("金額", "DOUBLE"),))
        labels = [m.label.ja for m in first_model(Catalog("duckdb", (table,)), "x").metrics]
        assert labels == ["売上の件数", "金額の合計", "平均金額"]


class TestTimes:
    @pytest.mark.parametrize(
        ("name", "kind", "values", "form"),
        [
            ("sold_on", "DATE", (), "date"),
            ("sold_on", "DATE", ("2024-01-05",), "date"),
            ("sold_on", "DATE", ("Jan 5, 2024",), None),
            ("seen", "DATETIME", ("2024-01-05 10:00:00",), "timestamp"),
            ("whenever", "TEXT", ("2024-01-05", "2024-02-01"), "date"),
            ("whenever", "TEXT", ("2024/01/05",), "slashed"),
            ("sales_ymd", "INTEGER", ("20190101", "20191231"), "yyyymmdd"),
            ("order_date", "TEXT", ("20190101",), "yyyymmdd"),
            ("quantity", "INTEGER", ("20190101",), None),
            ("sales_ymd", "INTEGER", ("20190199",), None),
            ("year_month", "INTEGER", ("201901", "201912"), "yyyymm"),
            ("Year", "INTEGER", ("1999", "2024"), "year"),
            ("release_year", "TEXT", ("1999",), "year"),
            ("capacity", "INTEGER", ("1999",), None),
            ("year", "INTEGER", ("3", "4"), None),
            ("売上日", "INTEGER", ("20190101",), "yyyymmdd"),
            ("年度", "INTEGER", ("2019",), "year"),
            ("sales_epoch", "INTEGER", ("1483228800",), "epoch"),
            ("amount", "INTEGER", ("1483228800",), None),
        ],
    )  # fmt: skip
    def test_which_columns_hold_a_time(
        self, name: str, kind: str, values: tuple[str, ...], form: str | None
    ) -> None:
        found = time_column(column(name, kind, *values), "sqlite")
        assert (found.form if found else None) == form

    STORED: tuple[tuple[str, str, Any, dt.date], ...] = (
        ("sales_ymd", "INTEGER", 20190105, dt.date(2019, 1, 5)),
        ("sales_ym", "INTEGER", 201901, dt.date(2019, 1, 1)),
        ("year", "INTEGER", 2019, dt.date(2019, 1, 1)),
        ("slashed_date", "VARCHAR", "2019/01/05", dt.date(2019, 1, 5)),
        ("text_date", "VARCHAR", "20190105", dt.date(2019, 1, 5)),
        ("iso", "VARCHAR", "2019-01-05", dt.date(2019, 1, 5)),
        ("sales_epoch", "INTEGER", 1546646400, dt.date(2019, 1, 5)),
    )

    @pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
    @pytest.mark.parametrize(("name", "kind", "value", "wanted"), STORED)
    def test_expressions_give_the_date_in_the_real_engine(
        self, dialect: Dialect, name: str, kind: str, value: Any, wanted: dt.date
    ) -> None:
        found = time_column(column(name, kind, str(value)), dialect)
        assert found is not None
        sql = f"SELECT {found.expr or name} FROM (SELECT {value!r} AS {name}) AS t"
        connect = duckdb.connect if dialect == "duckdb" else sqlite3.connect
        with closing(connect(":memory:")) as connection:
            answer = str(connection.execute(sql).fetchall()[0][0])
        assert answer.startswith(wanted.isoformat())

    @pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
    def test_a_number_that_is_no_date_becomes_null(self, dialect: Dialect) -> None:
        values = (
            *(f"201901{day:02}" for day in range(1, 31)),
            *(f"201903{day:02}" for day in range(1, 31)),
            "99999999",
        )
        found = time_column(column("sales_ymd", "INTEGER", *values), dialect)
        assert found is not None
        connect = duckdb.connect if dialect == "duckdb" else sqlite3.connect
        with closing(connect(":memory:")) as connection:
            rows = connection.execute(
                f"SELECT {found.expr} FROM (SELECT 99999999 AS sales_ymd) AS t"
            ).fetchall()
        assert rows == [(None,)]

    def test_periods_mean_the_event_not_the_birthday_or_the_update(self) -> None:
        table = Table(
            "customers",
            (column("birth_date", "DATE"), column("updated_at", "TIMESTAMP"), column("joined_on", "DATE")),
        )
        assert entity(Catalog("duckdb", (table,)), "customers").time == "joined_on"
        only = Table("people", (column("birth_date", "DATE"), column("built_year", "INTEGER", "1999")))
        people = entity(Catalog("duckdb", (only,)), "people")
        assert people.time == ""
        assert [d.name for d in people.dimensions] == ["birth_date", "built_year"]

    def test_a_year_is_a_number_to_show_and_a_date_for_periods(self) -> None:
        table = Table(
            "concerts", (column("id"), column("Year", "INTEGER", "2014", "2015")), primary_key=("id",)
        )
        concerts = entity(Catalog("sqlite", (table,)), "concerts")
        assert concerts.time == "Year_as_date"
        assert [(d.name, d.type, d.expr) for d in concerts.dimensions[1:]] == [
            ("Year", "number", ""),
            ("Year_as_date", "date", "DATE(Year || '-01-01')"),
        ]


class TestRoles:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("amount", "additive"), ("total_price", "average"), ("units", "additive"), ("unit_cost", "average"),
            ("number_of_visits", "additive"), ("num_employees", "additive"), ("population", "additive"),
            ("age", "average"), ("rating", "average"), ("tax_rate", "average"), ("share_percent", "average"),
            ("売上金額", "additive"), ("返品率", "average"), ("anything", "additive"),
            ("store_id", None), ("zip_code", None), ("phone_number", None), ("year", None), ("latitude", None),
            ("rank", None), ("line_no", None), ("店舗番号", None), ("month", None), ("is_open", None),
        ],
    )  # fmt: skip
    def test_measures(self, name: str, kind: str | None) -> None:
        assert measure_kind(column(name), frozenset()) == kind

    def test_keys_flags_and_text_are_no_measures(self) -> None:
        assert measure_kind(column("store"), frozenset({"store"})) is None
        assert measure_kind(column("open_now", "INTEGER", "0", "1"), frozenset()) is None
        assert measure_kind(column("amount", "VARCHAR"), frozenset()) is None

    @pytest.mark.parametrize(
        ("names", "title"),
        [
            (("id", "name", "address"), "name"),
            (("store_id", "region_name", "store_name"), "store_name"),
            (("code", "店舗名", "住所"), "店舗名"),
            (("id", "first_name", "last_name"), "first_name"),
            (("id", "title"), "title"),
            (("id", "note"), ""),
        ],
    )
    def test_titles(self, names: tuple[str, ...], title: str) -> None:
        table = Table("stores", tuple(column(name, "VARCHAR") for name in names))
        assert title_column(table, frozenset({"id"})) == title

    def test_a_name_that_hardly_varies_is_that_of_a_category(self) -> None:
        few = column("kind_name", "VARCHAR", "a", "b")
        many = column("item_name", "VARCHAR", *(f"i{n}" for n in range(40)))
        assert title_column(Table("goods", (few, many), rows=40), frozenset()) == "item_name"


class TestPolicy:
    def test_it_admits_the_owner_to_every_table_and_nobody_else(self) -> None:
        policy = parse(first_policy(SHOP, "aki"))
        owner, other = Principal("aki", roles=(OWNER,)), Principal("ben", roles=("analyst",))
        for table in SHOP.tables:
            (grant,) = policy.grants(table, owner)
            assert (grant.predicate, grant.masks, grant.hide) == (None, {}, ())
            assert policy.grants(table, other) == ()
        assert policy.access_to_document("docs", "docs/handbook.md").labels == {f"role:{OWNER}"}

    def test_odd_names_are_written_so_that_they_are_read_back(self) -> None:
        tables = tuple(
            Table(name, (column("id"),)) for name in ("yes", "1", "a: b", "売上", "null", "#x", "'q'")
        )
        text = first_policy(Catalog("sqlite", tables), "aki: *ben")
        policy = parse(text)
        owner = Principal("aki", roles=(OWNER,))
        assert all(policy.grants(table, owner) for table in tables)
        assert set(yaml.safe_load(text)["tables"]) == {table.name for table in tables}


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_every_expression_of_a_real_catalogue_runs(tmp_path: Path, engine: str) -> None:
    path = tmp_path / f"shop.{engine}"
    connect = duckdb.connect if engine == "duckdb" else sqlite3.connect
    with closing(connect(str(path))) as connection:
        connection.execute(
            'CREATE TABLE sales (sale_id INTEGER, "sold day" INTEGER, year INTEGER, opened VARCHAR, amount DOUBLE, price DOUBLE)'
        )
        connection.execute(
            "INSERT INTO sales VALUES (1, 20240105, 2024, '2024/01/05', 1.5, 2), (2, 20240106, 2023, '2024/01/06', 2, 3)"
        )
        connection.commit()
    opened = DuckDbWarehouse(path) if engine == "duckdb" else SqliteWarehouse(path)
    with opened as warehouse:
        model = first_model(warehouse.catalog(), "shop")
        assert check(model, warehouse.catalog()) == []
        (sales,) = model.tables
        assert (sales.key, sales.time) == (("sale_id",), "sold day")
        for dimension in (d for d in sales.dimensions if d.expr):
            rows = warehouse.run(f"SELECT {dimension.expr} AS d FROM sales ORDER BY 1", Limits()).rows()
            assert all(row["d"] is not None for row in rows)
        for metric in (m for m in model.metrics if m.expr):
            assert warehouse.run(f"SELECT {metric.agg}({metric.expr}) AS m FROM sales", Limits()).rows()[0][
                "m"
            ]
