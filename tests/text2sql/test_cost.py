"""Budgets, bands and agreements: what a caller may spend a day, and what may be told of an estimate."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest

from retrieval.types import Principal
from text2sql.cost import (
    BudgetState,
    Daily,
    DailyLimits,
    MemoryBudget,
    Paid,
    Purse,
    Spent,
    remaining,
    shown,
    statement_hash,
)
from text2sql.types import Catalog, Column, Estimate, Limits, Table, Verdict, Warn

ANA = Principal("ana", roles=("analyst",))
BOB = Principal("bob", roles=("seller",))
DAY = date(2026, 11, 20)
CATALOG = Catalog("duckdb", (Table("sale", (Column("id", "BIGINT"),), rows=12_345_678),))


def purse(limits: DailyLimits, *, zone: str = "UTC", hour: int = 12) -> Purse:
    return Purse(MemoryBudget(limits), limits, lambda: datetime(2026, 11, 20, hour, tzinfo=UTC), zone)


def test_a_reservation_is_all_or_nothing_and_what_is_left_shrinks() -> None:
    budget = MemoryBudget(DailyLimits(Daily(queries=2, rows=100)))
    assert budget.reserve(ANA, DAY, Spent(1, 1.0, 60))
    assert not budget.reserve(ANA, DAY, Spent(1, 1.0, 60))
    assert budget.left(ANA, DAY) == Daily(queries=1, rows=40)
    assert budget.reserve(ANA, DAY, Spent(1, 1.0, 40))
    assert budget.left(BOB, DAY) == Daily(queries=2, rows=100)
    assert budget.left(ANA, date(2026, 11, 21)) == Daily(queries=2, rows=100)


def test_the_last_of_a_budget_goes_to_one_of_many_who_ask_at_once() -> None:
    limits = DailyLimits(Daily(queries=3))
    ours, barrier = purse(limits), threading.Barrier(12)
    paid: list[Any] = []

    def ask() -> None:
        barrier.wait()
        paid.append(ours.pay(ANA, Estimate(rows=1), Limits()))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Paid) for one in paid) == 3
    refused = [one for one in paid if isinstance(one, BudgetState)]
    assert {(one.kind, one.left) for one in refused} == {("queries", 0)}


def test_what_is_reserved_and_not_used_is_given_back() -> None:
    ours = purse(DailyLimits(Daily(queries=5, seconds=40.0, rows=1000)))
    paid = ours.pay(ANA, Estimate(rows=10, scanned=300), Limits(seconds=30))
    assert isinstance(paid, Paid)
    assert ours.budget.left(ANA, DAY) == Daily(4, 10.0, 700)
    paid.settle(2.5)
    assert ours.budget.left(ANA, DAY) == Daily(4, 37.5, 700)
    paid = ours.pay(ANA, Estimate(rows=10), Limits(seconds=30))
    assert isinstance(paid, Paid)
    paid.settle(0.0, ran=False)
    assert ours.budget.left(ANA, DAY) == Daily(4, 37.5, 700)


def test_a_query_may_run_no_longer_than_the_seconds_that_are_left() -> None:
    ours = purse(DailyLimits(Daily(seconds=20.0)))
    first = ours.pay(ANA, Estimate(), Limits(seconds=30))
    assert isinstance(first, Paid)
    assert first.limits.seconds == 20.0
    second = ours.pay(ANA, Estimate(), Limits(seconds=30))
    assert isinstance(second, BudgetState)
    assert (second.kind, second.left, second.limit) == ("seconds", 0, 20.0)


def test_a_query_that_reads_more_than_is_left_is_refused_with_both_figures() -> None:
    state = purse(DailyLimits(Daily(rows=1000))).pay(ANA, Estimate(rows=5, scanned=2000), Limits())
    assert isinstance(state, BudgetState)
    assert (state.kind, state.limit, state.left, state.wanted) == ("rows", 1000, 1000, 2000)


@pytest.mark.parametrize(
    ("zone", "hour", "day", "renews"),
    [
        ("UTC", 12, DAY, "2026-11-21T00:00:00+00:00"),
        ("Asia/Tokyo", 12, DAY, "2026-11-21T00:00:00+09:00"),
        ("Asia/Tokyo", 16, date(2026, 11, 21), "2026-11-22T00:00:00+09:00"),
    ],
)
def test_a_day_is_that_of_the_time_zone(zone: str, hour: int, day: date, renews: str) -> None:
    ours = purse(DailyLimits(Daily(queries=1)), zone=zone, hour=hour)
    assert ours.day() == day
    assert ours.renews(day).isoformat() == renews


def test_of_several_roles_the_most_generous_counts_for_each_kind() -> None:
    limits = DailyLimits(
        Daily(queries=1),
        {"analyst": Daily(queries=10, rows=5), "lead": Daily(queries=3, rows=50), "root": Daily()},
    )
    assert limits.of(BOB) == Daily(queries=1)
    assert limits.of(Principal("x", roles=("analyst", "lead"))) == Daily(queries=10, rows=50)
    assert limits.of(Principal("x", roles=("analyst", "root"))) == Daily()
    assert purse(limits).pay(Principal("x", roles=("root",)), Estimate(rows=10**20), Limits()) is None
    assert remaining(Daily(queries=1), Spent(5)) == Daily(queries=0)


def test_where_rows_are_limited_an_estimate_tells_bands_that_no_value_can_move() -> None:
    plain = Verdict(True, "SELECT 1", tables=("sale",))
    narrowed = Verdict(True, "SELECT 1", tables=("sale",), row_rules={"sale": "region = $r"})
    none, some = Estimate(rows=0, scanned=0, detail="EMPTY_RESULT"), Estimate(rows=17, scanned=12_345_678)
    assert shown(some, plain, CATALOG) is some
    assert shown(none, narrowed, CATALOG) == shown(some, narrowed, CATALOG)
    assert shown(none, narrowed, CATALOG) == Estimate(rows=20_000_000, scanned=20_000_000, rounded=True)
    assert shown(Estimate(rows=10**12), narrowed, CATALOG) == shown(none, narrowed, CATALOG)


def test_nor_does_joining_a_large_table_tell_of_one_row_of_others() -> None:
    catalog = Catalog(
        "duckdb",
        (
            Table("sale", (Column("id", "BIGINT"),), rows=900),
            Table("big", (Column("id", "BIGINT"),), rows=2_000),
        ),
    )
    crossed = Verdict(
        True, "SELECT count(*) AS n FROM sale AS a, big AS b WHERE a.note = 'guess'", tables=("sale", "big"),
        row_rules={"sale": "region = $r"}, warnings=(Warn("cartesian", "", None),),
    )  # fmt: skip
    seen = {shown(Estimate(rows=rows, scanned=2_900), crossed, catalog) for rows in (0, 2_000, 200_000)}
    assert seen == {Estimate(rows=2_000_000, scanned=5_000, rounded=True)}


def test_an_agreement_is_to_one_text_with_its_values_for_one_caller() -> None:
    verdict = Verdict(True, "SELECT 1", {"a": 1})
    mine = statement_hash(verdict, ANA)
    assert mine == statement_hash(verdict, Principal("ana", roles=("other",)))
    assert len({
        mine, statement_hash(verdict, BOB), statement_hash(verdict, Principal("ana", tenant="t")),
        statement_hash(Verdict(True, "SELECT 2", {"a": 1}), ANA), statement_hash(Verdict(True, "SELECT 1", {"a": 2}), ANA),
    }) == 5  # fmt: skip
