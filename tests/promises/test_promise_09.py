"""Promise 9: withheld is an outcome of its own; what is not discoverable is as if it were not there; nothing leaks beside."""

from __future__ import annotations

import pytest

from tests.promises.shop import CLERK, DIALECTS, ENGINES, POLICY, ROWS, catalog, place, policy
from text2sql.errors import WarehouseError
from text2sql.guard import SqlGuard
from text2sql.policy import known_catalog, parse, visible_catalog
from text2sql.types import Limits

SECRETS = {str(value) for row in ROWS["sales"] if row[2] != "Kanto" for value in (row[3], row[6])} | {
    "Sato",
    "Ito",
}

FAILS = {
    "duckdb": "SELECT CAST(buyer AS INTEGER) FROM sales",
    "sqlite": "SELECT JSON_TYPE(buyer) FROM sales",
    "postgres": "SELECT CAST(buyer AS INTEGER) FROM public.sales",
}


def test_a_discoverable_table_is_withheld() -> None:
    for dialect in DIALECTS:
        verdict = SqlGuard().check("SELECT person FROM wages", catalog(dialect), CLERK, policy())
        assert not verdict.allowed
        assert verdict.withheld == ("wages",)


def test_a_hidden_one_is_like_one_that_is_not_there() -> None:
    for dialect in DIALECTS:
        told = []
        for name in ("bonuses", "bonusez"):
            sql = f"SELECT person FROM {name} WHERE person = 'Sato'"
            verdict = SqlGuard().check(sql, catalog(dialect), CLERK, policy())
            assert not verdict.withheld
            told.append(repr(verdict).replace(name, "?"))
        assert told[0] == told[1]


def test_a_hidden_column_is_like_one_that_is_not_there() -> None:
    for dialect in DIALECTS:
        told = []
        for name in ("note", "nota"):
            verdict = SqlGuard().check(f"SELECT s.{name} FROM sales AS s", catalog(dialect), CLERK, policy())
            told.append(repr(verdict).replace(name, "?"))
        assert told[0] == told[1]


def test_what_was_measured_over_rows_of_others_is_not_handed_out() -> None:
    for engine in ENGINES:
        whole = place(engine).warehouse.catalog()
        assert any(column.profile for table in whole.tables for column in table.columns)
        for narrowed in (visible_catalog(policy(), whole, CLERK), known_catalog(policy(), whole, CLERK)):
            sales = narrowed.table("sales")
            assert sales is not None
            assert sales.rows is None
            assert not any(column.profile for column in sales.columns)
            assert "bonuses" not in repr(narrowed)
            assert not [secret for secret in SECRETS if secret in repr(narrowed)]


def test_no_verdict_holds_a_value_of_others() -> None:
    drafts = (
        "SELECT amount FROM sales WHERE buyer = 'Buyer 1'",
        "SELECT amount FROM sales WHERE region = 'Kansa'",
        "SELECT amount FROM sales WHERE note = 'note'",
        "SELECT monthly FROM wages WHERE person = 'Sat'",
        "SELECT COUNT(*) FROM sales AS a, sales AS b WHERE a.buyer = b.region",
    )
    for engine in ENGINES:
        for sql in drafts:
            told = repr(place(engine).check(sql))
            assert not [secret for secret in SECRETS if secret in told], f"{engine}: {sql}"
            assert "Kansai" not in told


def test_a_row_of_others_cannot_make_a_query_fail() -> None:
    """The codes of others are no numbers: a conversion that met them would fail, and so tell that they are there.

    A rule that costs more than the query's own condition is what engines would rather test last.
    """
    costly = parse(POLICY.replace("region IN (:regions)", "UPPER(LOWER(region)) IN ('KANTO')"))
    for engine in ENGINES:
        at = place(engine)
        for sql in (
            "SELECT COUNT(*) FROM sales WHERE CAST(code AS INTEGER) > 0",
            "SELECT COUNT(*) FROM stores AS s WHERE store_id IN (SELECT store_id FROM sales WHERE CAST(code AS INTEGER) > 0)",
            "SELECT COUNT(*) FROM stores AS s LEFT JOIN sales AS x ON CAST(x.code AS INTEGER) = s.store_id",
        ):
            verdict = at.check(sql, CLERK, costly)
            assert verdict.allowed, verdict.violations
            assert at.warehouse.run(verdict.sql, Limits(), verdict.parameters).table.num_rows, (
                f"{engine}: {sql}"
            )


def test_what_an_engine_says_holds_no_stored_value() -> None:
    for engine in ENGINES:
        for sql in (FAILS[engine], "SELECT no_such FROM sales"):
            with pytest.raises(WarehouseError) as said:
                place(engine).warehouse.run(sql, Limits())
            assert not [secret for secret in SECRETS if secret in str(said.value)], f"{engine}: {said.value}"
