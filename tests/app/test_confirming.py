"""A person's word before a query that reads much, and a day's budget: through the assistant, over a real store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from app.confirming import agreed_to
from app.costs import about, confirm_label
from app.settings import DailyBudget
from app.spending import StoredBudget, purse_of
from app.walk import Given, Scope, Warehousing
from retrieval.postgres.database import Database
from retrieval.types import Principal
from tests.app.test_assistant import ANA, POLICY, SAM, FixedDrafter, Made, shop
from text2sql.attempting import ANYTHING
from text2sql.cost import Daily, DailyLimits, Paid, Purse, Spent
from text2sql.guard import SqlGuard
from text2sql.policy import Policy, parse
from text2sql.semantics import SemanticModel
from text2sql.types import Estimate, Limits

__all__ = ["shop"]
TOTAL = "SELECT sum(amount) AS total FROM sale"
CROSSED = "SELECT count(*) AS n FROM sale a CROSS JOIN sale b"
NOW = datetime(2026, 11, 20, 16, tzinfo=UTC)


class Costly(Made):
    """The shop's assistant with limits of its own."""

    def __init__(
        self,
        database: Database,
        shop: Path,
        limits: Limits,
        daily: DailyBudget | None = None,
        policy: Policy | None = POLICY,
    ) -> None:
        super().__init__(database, shop, policy, limits)
        purse = purse_of(daily, database, lambda: NOW) if daily else None
        self.side(replace(self.assistant._warehousing, purse=purse))  # type: ignore[type-var]

    def side(self, side: Warehousing) -> None:
        self.assistant._warehousing = side

    def under(self, policy: Policy) -> None:
        """The policy changes."""
        self.side(
            Warehousing(
                self.warehouse, SqlGuard(), policy, SemanticModel(),
                lambda _: Scope(self.warehouse.catalog(), self.drafter), Limits(confirm_rows=5),
            )
        )  # fmt: skip


@pytest.fixture
def made(database: Database, shop: Path) -> Iterator[Costly]:
    found = Costly(database, shop, Limits(confirm_rows=5))
    yield found
    found.warehouse.close()


def test_what_reads_little_runs_and_what_reads_much_waits(made: Costly) -> None:
    assert made.ask(TOTAL).outcome == "answered"
    record = made.ask(CROSSED)
    assert (record.outcome, record.sql, record.result) == ("confirm", "", None)
    assert "about 9 rows" in record.text
    assert record.attempts[-1].estimate.work == 9
    assert len(record.confirm) == 64
    assert confirm_label(record.to_json(), "cost.confirm", "ja") == "実行する（約9行を読み取ります）"


def test_agreeing_runs_that_statement_once_and_the_record_says_so(made: Costly) -> None:
    waiting = made.ask(CROSSED)
    kept = made.records.get(ANA, waiting.id)
    given = agreed_to(kept)
    assert given is not None
    record = made.assistant.answer("total amount", ANA, given=given)
    assert (record.outcome, record.rows, record.agreed) == ("answered", ({"n": 9},), waiting.confirm)
    assert record.sql == waiting.attempts[-1].verdict.sql
    assert agreed_to(record.to_json()) is None
    assert made.ask(CROSSED).outcome == "confirm"


def test_agreed_beforehand_nobody_is_asked(made: Costly) -> None:
    record = made.ask(CROSSED, given=Given(agreed=ANYTHING))
    assert (record.outcome, record.agreed) == ("answered", ANYTHING)


def test_an_agreement_is_good_for_nobody_else(made: Costly) -> None:
    waiting = made.ask(CROSSED)
    assert made.records.get(SAM, waiting.id) is None
    given = agreed_to(waiting.to_json())
    record = made.assistant.answer("total amount", SAM, given=given)
    assert (record.outcome, record.result) == ("refused", None)
    assert record.attempts[-1].error == "changed"
    twin = Principal("bea", roles=ANA.roles)
    assert made.assistant.answer("total amount", twin, given=given).attempts[-1].error == "changed"


def test_a_policy_that_changed_meanwhile_is_not_agreed_to(made: Costly) -> None:
    given = agreed_to(made.ask(CROSSED).to_json())
    narrower = "version: 1\nname: shop\ntables:\n  sale: {grants: [{roles: [analyst], rows: \"region = 'North'\"}]}\n"
    made.under(parse(narrower))
    record = made.assistant.answer("total amount", ANA, given=given)
    assert (record.outcome, record.attempts[-1].error, record.result) == ("refused", "changed", None)


def test_a_draft_put_in_the_place_of_the_agreed_one_does_not_run(made: Costly) -> None:
    given = agreed_to(made.ask(CROSSED).to_json())
    assert given is not None
    other = replace(given.drafting.drafts[0], sql=CROSSED.replace("count(*)", "sum(a.amount)"))
    swapped = replace(given, drafting=replace(given.drafting, drafts=(other,)))
    assert made.assistant.answer("total amount", ANA, given=swapped).attempts[-1].error == "changed"


def test_where_rows_are_limited_the_estimate_is_a_band(made: Costly) -> None:
    record = made.ask(CROSSED, who=SAM)
    assert record.outcome == "confirm"
    estimate = record.attempts[-1].estimate
    assert (estimate.work, estimate.rounded, estimate.detail) == (1000, True, "")


def test_evaluation_is_asked_nothing_and_pays_nothing(database: Database, shop: Path) -> None:
    made = Costly(database, shop, Limits(confirm_rows=5), DailyBudget(queries=1))
    with made.warehouse:
        silent = made.assistant.unrecorded()
        for _ in range(2):
            made.drafter = FixedDrafter(CROSSED)
            assert silent.answer("total amount", ANA).outcome == "answered"
        assert made.ask(TOTAL).outcome == "answered"


def test_a_spent_budget_refuses_and_says_how_much_and_until_when(database: Database, shop: Path) -> None:
    daily = DailyBudget(queries=2, time_zone="Asia/Tokyo", roles={"seller": {"queries": 5}})
    made = Costly(database, shop, Limits(), daily)
    with made.warehouse:
        assert [made.ask(TOTAL).outcome for _ in range(3)] == ["answered", "answered", "refused"]
        record = made.ask(TOTAL, question="合計金額は？")
        assert record.attempts[-1].error == "budget_spent"
        assert "残りは0件（上限2件）" in record.text
        assert "2026-11-22 00:00 (Asia/Tokyo)" in record.text
        assert made.ask(TOTAL, who=SAM).outcome == "answered"


def test_the_stored_budget_is_atomic_between_threads(database: Database) -> None:
    budget = StoredBudget(database, DailyLimits(Daily(queries=3, rows=10**12)), lambda: NOW)
    barrier, won = threading.Barrier(8), []

    def ask() -> None:
        barrier.wait()
        won.append(budget.reserve(ANA, date(2026, 11, 20), Spent(1, 1.5, 10)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True] * 3
    day = date(2026, 11, 20)
    assert budget.left(ANA, day) == Daily(queries=0, rows=10**12 - 30)
    budget.spend(ANA, day, Spent(-1, -1.5, -10))
    assert budget.left(ANA, day) == Daily(queries=1, rows=10**12 - 20)
    assert budget.left(SAM, day).queries == 3
    assert not budget.reserve(SAM, day, Spent(4))


def test_a_process_that_is_gone_gives_its_seconds_back_when_its_query_must_have_ended(
    database: Database,
) -> None:
    now = [NOW]
    limits = DailyLimits(Daily(queries=5, seconds=60.0))
    purse = Purse(StoredBudget(database, limits, lambda: now[0]), limits, lambda: now[0])
    day = purse.day()
    killed, slept, alive = (purse.pay(ANA, Estimate(rows=1), Limits(seconds=20)) for _ in range(3))
    assert isinstance(killed, Paid)
    assert isinstance(slept, Paid)
    assert isinstance(alive, Paid)
    alive.settle(1.0)
    assert purse.budget.left(ANA, day) == Daily(queries=2, seconds=19.0)
    now[0] += timedelta(seconds=79)
    assert purse.budget.left(ANA, day) == Daily(queries=2, seconds=19.0)
    now[0] += timedelta(seconds=2)
    assert purse.budget.left(ANA, day) == Daily(queries=2, seconds=59.0)
    assert purse.budget.left(ANA, day) == Daily(queries=2, seconds=59.0)
    slept.settle(3.0)  # it went on after all, on a machine that slept
    assert purse.budget.left(ANA, day) == Daily(queries=2, seconds=56.0)
    assert purse.budget.left(SAM, day) == Daily(queries=5, seconds=60.0)


def test_without_a_limit_nobody_counts(database: Database) -> None:
    assert purse_of(DailyBudget(), database, lambda: NOW) is None


@pytest.mark.parametrize(
    ("number", "english", "japanese"),
    [
        (999, "999", "999"), (80_000_000, "80 million", "8,000万"), (1_500_000, "1.5 million", "150万"),
        (2 * 10**9, "2 billion", "20億"), (10**12, "1 trillion", "1兆"), (10**18, "more than 10,000 trillion", "1京以上"),
    ],
)  # fmt: skip
def test_figures_that_a_person_can_take_in(number: int, english: str, japanese: str) -> None:
    assert (about(number, "en"), about(number, "ja")) == (english, japanese)
