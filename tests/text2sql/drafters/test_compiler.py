"""Plans to SQL: what is joined, what is never added up twice, and each dialect's own dates."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
import sqlglot

from tests.text2sql.drafters.conftest import Shop
from text2sql.drafters.planning.compiler import compile_plan
from text2sql.drafters.planning.joins import JoinGraph
from text2sql.drafters.planning.plan import (
    AgainstAggregate,
    AnyOf,
    Bucket,
    CannotPlan,
    Condition,
    During,
    Field,
    Having,
    Measure,
    Order,
    QueryPlan,
    Related,
)
from text2sql.drafters.planning.scope import Names
from text2sql.drafters.reading import calendar
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog, Column, Dialect, Table

REVENUE = Measure("metric", metric="revenue")
REGION = Field("stores", "region")
FISCAL = During(calendar.fiscal_year(2024, 4))


def run(shop: Shop, plan: QueryPlan) -> list[tuple[object, ...]]:
    tree = compile_plan(plan, Names(shop.catalog, shop.model))
    return shop.run(tree.sql(dialect=shop.catalog.dialect))


def same(shop: Shop, plan: QueryPlan, sql: str) -> bool:
    return Counter(run(shop, plan)) == Counter(shop.run(sql))


def test_a_metric_by_a_dimension_of_another_table(shop: Shop) -> None:
    plan = QueryPlan("sales", keys=(REGION,), measures=(REVENUE,), filters=(FISCAL,))
    assert same(
        shop,
        plan,
        "SELECT region, SUM(amount) FROM sales JOIN stores ON stores.id = store_id"
        " WHERE sold_on >= '2024-04-01' AND sold_on < '2025-04-01' GROUP BY region",
    )


def test_two_fact_tables_are_aggregated_before_they_meet(shop: Shop) -> None:
    plan = QueryPlan("sales", keys=(REGION,), measures=(REVENUE, Measure("metric", metric="refunds")))
    joined = "SELECT region, {} FROM {} JOIN stores ON stores.id = store_id GROUP BY region"
    revenue = dict(shop.run(joined.format("SUM(amount)", "sales")))
    refunds = dict(shop.run(joined.format("SUM(amount)", "returns")))
    assert {row[0]: row[1:] for row in run(shop, plan)} == {r: (revenue[r], refunds[r]) for r in revenue}


def test_a_join_that_repeats_rows_is_never_summed(shop: Shop) -> None:
    plan = QueryPlan(
        "stores",
        keys=(Field("sales", "channel"),),
        measures=(Measure("sum", field=Field("stores", "floor_area")),),
    )
    with pytest.raises(CannotPlan) as caught:
        run(shop, plan)
    assert caught.value.note.key == "cannot_repeated"


def test_rows_repeated_by_a_join_are_counted_once(shop: Shop) -> None:
    plan = QueryPlan(
        "stores", keys=(Field("sales", "channel"),), measures=(Measure("count", entity="stores"),)
    )
    assert same(shop, plan, "SELECT channel, COUNT(DISTINCT store_id) FROM sales GROUP BY channel")


def test_a_filter_on_many_rows_does_not_repeat_the_one(shop: Shop) -> None:
    plan = QueryPlan(
        "stores",
        keys=(Field("stores", "name"),),
        filters=(Condition(Field("sales", "channel"), "=", ("web",)),),
    )
    assert same(
        shop, plan, "SELECT name FROM stores WHERE id IN (SELECT store_id FROM sales WHERE channel = 'web')"
    )


def test_several_filters_on_related_rows_hold_for_one_row(shop: Shop) -> None:
    one = Condition(Field("sales", "channel"), "=", ("web",))
    other = Condition(Field("sales", "quantity"), ">", ("7",), numeric=True)
    plan = QueryPlan("stores", keys=(Field("stores", "name"),), filters=(one, other))
    assert same(
        shop,
        plan,
        "SELECT name FROM stores WHERE id IN (SELECT store_id FROM sales WHERE channel = 'web' AND quantity > 7)",
    )


def test_not_equal_over_related_rows_means_none_of_them(shop: Shop) -> None:
    plan = QueryPlan(
        "stores",
        keys=(Field("stores", "name"),),
        filters=(Condition(Field("sales", "quantity"), "!=", ("8",), numeric=True),),
    )
    assert same(
        shop, plan, "SELECT name FROM stores WHERE id NOT IN (SELECT store_id FROM sales WHERE quantity = 8)"
    )


@pytest.mark.parametrize("exists", [True, False])
def test_related_rows_must_or_must_not_be_there(shop: Shop, exists: bool) -> None:
    plan = QueryPlan(
        "stores", keys=(Field("stores", "name"),), filters=(Related("returns", (), exists=exists),)
    )
    word = "IN" if exists else "NOT IN"
    assert same(shop, plan, f"SELECT name FROM stores WHERE id {word} (SELECT store_id FROM returns)")


def test_either_of_two_periods(shop: Shop) -> None:
    periods = AnyOf((During(calendar.year(2024)), During(calendar.year(2026))))
    plan = QueryPlan("sales", keys=(Bucket("year"),), measures=(REVENUE,), filters=(periods,))
    assert sorted(row[0] for row in run(shop, plan)) == [2024, 2026]


def test_above_the_average(shop: Shop) -> None:
    plan = QueryPlan(
        "staff",
        keys=(Field("staff", "name"),),
        filters=(AgainstAggregate(Field("staff", "age"), ">", "avg"),),
    )
    assert same(shop, plan, "SELECT name FROM staff WHERE age > (SELECT AVG(age) FROM staff)")


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year", "fiscal_year"])
def test_buckets_hold_every_row_once(shop: Shop, unit: calendar.Unit) -> None:
    plan = QueryPlan("sales", keys=(Bucket(unit),), measures=(Measure("count", entity="sales"),))
    rows = run(shop, plan)
    assert sum(float(str(row[1])) for row in rows) == 800
    assert len({row[0] for row in rows}) == len(rows)


def test_both_engines_cut_time_the_same_way(open_shop: object, shops: object, clock: object) -> None:
    counts = []
    for engine in ("sqlite", "duckdb"):
        shop = open_shop(engine, clock)  # type: ignore[operator]
        plan = QueryPlan("sales", keys=(Bucket("quarter"),), measures=(REVENUE,))
        counts.append(sorted(row[1] for row in run(shop, plan)))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("unit", ["month", "quarter", "year", "fiscal_year"])
def test_last_years_rows_fall_into_this_years_buckets(shop: Shop, unit: calendar.Unit) -> None:
    plan = QueryPlan("sales", keys=(Bucket(unit),), measures=(REVENUE,), versus=12)
    rows = {row[0]: row[1:] for row in run(shop, plan)}
    plain = dict(run(shop, replace(plan, versus=0)))
    compared = {key: values for key, values in rows.items() if values[1] is not None}
    assert compared
    for key, (now, before, change, rate) in compared.items():
        assert now == plain[key]
        assert change == pytest.approx(now - before)
        assert rate == pytest.approx((now - before) / before, abs=1e-6)
    assert {before for _, before, _, _ in compared.values()} <= set(plain.values())


def test_a_ratio_is_of_sums_and_nothing_over_nothing_is_empty(shop: Shop) -> None:
    plan = QueryPlan(
        "sales",
        keys=(Field("stores", "name"),),
        measures=(Measure("metric", metric="refund_rate"),),
        grouped="stores",
    )
    rates = dict(run(shop, plan))
    assert rates["Namba"] is None
    never = replace(plan, keys=(), grouped="", filters=(During(calendar.year(1999)),))
    assert run(shop, never) == [(None,)]


def test_groups_of_rows_are_told_apart_by_key_not_by_name(shop: Shop) -> None:
    plan = QueryPlan(
        "staff",
        keys=(Field("stores", "city"),),
        measures=(Measure("count", entity="staff"),),
        grouped="stores",
    )
    assert len(run(shop, plan)) == 5
    assert len(run(shop, replace(plan, grouped=""))) == 4


def test_having_and_order_by_an_aggregate(shop: Shop) -> None:
    count = Measure("count", entity="staff")
    plan = QueryPlan(
        "staff", keys=(Field("stores", "name"),), having=(Having(count, ">", "4"),), order=(Order(count, descending=True),), grouped="stores"
    )  # fmt: skip
    assert same(
        shop,
        plan,
        "SELECT s.name FROM staff JOIN stores s ON s.id = store_id GROUP BY s.id, s.name HAVING COUNT(*) > 4",
    )


def test_values_are_literals_and_cannot_be_sql(shop: Shop) -> None:
    hostile = "x' OR '1'='1"
    plan = QueryPlan(
        "stores",
        keys=(Field("stores", "name"),),
        filters=(Condition(Field("stores", "city"), "=", (hostile,)),),
    )
    assert run(shop, plan) == []


def test_unknown_objects_cannot_be_planned(shop: Shop) -> None:
    for plan in (
        QueryPlan("nowhere", all_columns=True),
        QueryPlan("stores", keys=(Field("stores", "colour"),)),
        QueryPlan("sales", measures=(Measure("metric", metric="happiness"),)),
        QueryPlan(
            "products",
            keys=(Field("products", "name"), Field("staff", "name")),
            filters=(Related("nothing"),),
        ),
    ):
        with pytest.raises(CannotPlan):
            run(shop, plan)


# -- dialects ------------------------------------------------------------------------------------------------------


def _catalog(dialect: Dialect, family: str = "date") -> Catalog:
    columns = (
        Column("day", family.upper(), family),
        Column("amount", "INT", "integer"),
        Column("order", "INT", "integer"),
    )  # type: ignore[arg-type]
    return Catalog(dialect, (Table("sales", columns),))


MODEL = SemanticModel.model_validate(
    {
        "tables": [
            {
                "name": "sales",
                "time": "day",
                "dimensions": [{"name": "day", "type": "date"}, {"name": "order", "type": "number"}],
            }
        ],
        "metrics": [{"name": "revenue", "table": "sales", "agg": "sum", "expr": "amount"}],
    }
)


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "postgres", "athena", "redshift"])
@pytest.mark.parametrize("family", ["date", "timestamp", "text", "integer"])
@pytest.mark.parametrize("unit", ["month", "year", "fiscal_year"])
def test_every_dialect_gets_text_that_it_parses(dialect: Dialect, family: str, unit: calendar.Unit) -> None:
    names = Names(_catalog(dialect, family), MODEL)
    plan = QueryPlan(
        "sales",
        keys=(Bucket(unit), Field("sales", "order")),
        measures=(REVENUE,),
        filters=(During(calendar.month(2024, 4)),),
        versus=12,
    )
    text = compile_plan(plan, names).sql(dialect=dialect)
    again = sqlglot.parse_one(text, dialect=dialect).sql(dialect=dialect)
    assert sqlglot.parse_one(again, dialect=dialect).sql(dialect=dialect) == again
    assert '"order"' in text or "`order`" in text


def test_a_number_that_is_a_day_is_compared_as_a_number() -> None:
    names = Names(_catalog("duckdb", "integer"), MODEL)
    text = compile_plan(
        QueryPlan("sales", measures=(REVENUE,), filters=(During(calendar.month(2024, 4)),)), names
    ).sql("duckdb")
    assert "sales.day >= 20240401" in text
    assert "sales.day < 20240501" in text


def test_a_column_of_years_knows_whole_years_only() -> None:
    model = SemanticModel.model_validate(
        {"tables": [{"name": "sales", "dimensions": [{"name": "open_year", "type": "number"}]}]}
    )
    catalog = Catalog("sqlite", (Table("sales", (Column("open_year", "INT", "integer"),)),))
    names = Names(catalog, model)
    field = Field("sales", "open_year")

    def text(period: calendar.Period) -> str:
        plan = QueryPlan(
            "sales", measures=(Measure("count", entity="sales"),), filters=(During(period, field),)
        )
        return compile_plan(plan, names).sql("sqlite")

    assert "sales.open_year = 2014" in text(calendar.year(2014))
    assert "sales.open_year >= 2011" in text(calendar.Period(date(2011, 1, 1), None, "year"))
    with pytest.raises(CannotPlan):
        text(calendar.month(2014, 3))


@pytest.mark.parametrize("period", [calendar.month(2014, 3), calendar.fiscal_year(2014, 4)])
def test_a_year_written_as_its_first_day_knows_whole_years_only(period: calendar.Period) -> None:
    dimension = {"name": "y", "type": "date", "expr": "DATE(open_year || '-01-01')"}
    model = SemanticModel.model_validate(
        {"tables": [{"name": "sales", "time": "y", "dimensions": [dimension]}]}
    )
    names = Names(Catalog("sqlite", (Table("sales", (Column("open_year", "INT", "integer"),)),)), model)
    plan = QueryPlan(
        "sales", measures=(Measure("count", entity="sales"),), filters=(During(calendar.year(2014)),)
    )
    assert "2014-01-01" in compile_plan(plan, names).sql("sqlite")
    with pytest.raises(CannotPlan):
        compile_plan(replace(plan, filters=(During(period),)), names)
    with pytest.raises(CannotPlan):
        compile_plan(replace(plan, keys=(Bucket("month"),)), names)


# -- joins ---------------------------------------------------------------------------------------------------------


def graph(*joins: tuple[str, str]) -> JoinGraph:
    names = sorted({name for join in joins for name in join})
    parts = [{"from": a, "to": b, "on": {f"{b}_id": "id"}} for a, b in joins]
    return JoinGraph(SemanticModel.model_validate({"tables": [{"name": n} for n in names], "joins": parts}))


def test_the_shortest_way_is_taken_and_its_direction_known() -> None:
    ways = graph(("sales", "stores"), ("stores", "regions"), ("sales", "regions"))
    path = ways.path("sales", "regions")
    assert path is not None
    assert [step.target for step in path] == ["regions"]
    assert path[0].single
    back = ways.path("regions", "sales")
    assert back is not None
    assert not back[0].single


def test_no_way_is_none_and_no_step_is_the_entity_itself() -> None:
    ways = graph(("a", "b"), ("c", "d"))
    assert ways.path("a", "c") is None
    assert ways.path("a", "a") == ()


def test_of_equal_ways_the_one_that_repeats_fewer_rows_comes_first() -> None:
    ways = graph(
        ("visits", "people"), ("visits", "places"), ("people", "towns"), ("places", "towns"), ("towns", "x")
    )
    paths = ways.paths("visits", "towns")
    assert len(paths) == 2
    assert all(step.single for step in paths[0])


def test_circles_end() -> None:
    ways = graph(("a", "b"), ("b", "c"), ("c", "a"))
    assert ways.path("a", "c") is not None
    assert ways.path("a", "nowhere") is None
