from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.book import FIRST, LAST, add_months, happens, shares, simulate, stream
from demo.constants import CAUSES, CHANNELS, DIRECT_AGENT, GRADE_MAX, NAMED_AGENTS, PRODUCTS
from demo.names import GIVEN_NAMES, SURNAMES
from demo.prefectures import PREFECTURES, REGIONS, of_region


def test_the_same_seed_makes_the_same_book() -> None:
    one, other = simulate(60, 5), simulate(60, 5)
    for part in ("agents", "customers", "vehicles", "policies", "accidents"):
        for name, values in getattr(one, part).items():
            assert np.array_equal(values, getattr(other, part)[name]), f"{part}.{name}"


def test_another_seed_makes_another_book() -> None:
    assert not np.array_equal(simulate(60, 5).customers["birth"], simulate(60, 6).customers["birth"])


@pytest.mark.parametrize("customers", [1, 2, 7])
def test_the_smallest_insurers_can_be_made(customers: int) -> None:
    book = simulate(customers, 1)
    assert len(book.customers["birth"]) == customers
    assert set(book.vehicles["customer"]) == set(range(customers))


def test_staging_tables_are_rectangular() -> None:
    book = simulate(40, 2)
    for part in ("agents", "customers", "vehicles", "policies", "accidents"):
        sizes = {len(values) for values in getattr(book, part).values()}
        assert len(sizes) == 1, part


def test_nothing_starts_after_the_last_day_and_accidents_lie_inside_the_cover() -> None:
    book = simulate(400, 3)
    policies, accidents = book.policies, book.accidents
    assert (policies["start"] <= LAST).all()
    mine = accidents["policy"]
    assert (accidents["day"] >= policies["start"][mine]).all()
    assert (accidents["day"] < policies["until"][mine]).all()
    assert (accidents["day"] >= FIRST).all()
    assert (accidents["day"] <= LAST).all()


def test_a_renewal_follows_its_policy_without_a_gap() -> None:
    policies = simulate(300, 4).policies
    renewals = np.flatnonzero(policies["previous"] >= 0)
    before = policies["previous"][renewals]
    assert len(renewals) > 100
    assert (policies["end"][before] == policies["start"][renewals]).all()
    assert (policies["vehicle"][before] == policies["vehicle"][renewals]).all()
    assert (policies["term"][before] + 1 == policies["term"][renewals]).all()
    assert not policies["cancelled"][before].any()


def test_the_grade_moves_as_the_rules_say() -> None:
    book = simulate(600, 4)
    policies = book.policies
    drops = np.zeros(len(policies["start"]), dtype=int)
    counted = ~book.accidents["rejected"]
    drops[book.accidents["policy"][counted]] = [
        CAUSES[c].grade_drop for c in book.accidents["cause"][counted]
    ]
    renewals = np.flatnonzero(policies["previous"] >= 0)
    before = policies["previous"][renewals]
    expected = np.where(
        drops[before] > 0, policies["grade"][before] - drops[before], policies["grade"][before] + 1
    )
    assert (policies["grade"][renewals] == np.clip(expected, 1, GRADE_MAX)).all()
    assert drops.any()


@given(st.dates(date(2020, 1, 1), date(2030, 12, 28)).filter(lambda d: d.day <= 28), st.integers(0, 60))
def test_adding_months_keeps_the_day(start: date, months: int) -> None:
    moved = add_months(np.array([start], dtype="datetime64[D]"), months)[0].item()
    assert moved.day == start.day
    assert (moved.year * 12 + moved.month) - (start.year * 12 + start.month) == months


@given(st.lists(st.floats(0, 0.9), min_size=1, max_size=200), st.integers(0, 1000))
def test_events_happen_about_as_often_as_expected(chances: list[float], seed: int) -> None:
    expected = np.array(chances)
    strata = np.arange(len(chances)) % 3
    hit = happens(expected, (strata, np.zeros_like(strata)), stream(seed, 1))
    assert abs(hit.sum() - expected.sum()) <= 1
    for stratum in range(3):
        mine = strata == stratum
        assert abs(hit[mine].sum() - expected[mine].sum()) <= 2
    assert not hit[expected == 0].any()


def test_agents_a_user_stands_for_sit_in_tokyo_and_osaka_at_every_size() -> None:
    for customers in (1, 1000, 5000):
        agents = simulate(customers, 9).agents
        places = [PREFECTURES[agents["prefecture"][number]].name for number in NAMED_AGENTS]
        assert places == ["Tokyo", "Osaka"]
        for number, (surname, given_name) in NAMED_AGENTS.items():
            assert SURNAMES[agents["surname"][number]][0] == surname
            assert GIVEN_NAMES[agents["given"][number]][0] == given_name


def test_online_business_is_direct_and_nothing_else_is() -> None:
    book = simulate(500, 9)
    online = [c.name for c in CHANNELS].index("Online")
    assert DIRECT_AGENT == "A0000"
    assert ((book.customers["agent"] == 0) == (book.customers["channel"] == online)).all()


def test_customers_are_adults_when_their_first_policy_starts() -> None:
    book = simulate(500, 9)
    birth = book.customers["birth"][book.vehicles["customer"]]
    assert ((book.vehicles["start"] - birth).astype(int) / 365.25 >= 18).all()


def test_shares_are_probabilities() -> None:
    for items in (PRODUCTS, CHANNELS, CAUSES, PREFECTURES):
        assert shares(items).sum() == pytest.approx(1)
        assert (shares(items) > 0).all()


def test_there_are_47_prefectures_in_eight_regions() -> None:
    assert len({p.name for p in PREFECTURES}) == 47
    assert len({p.name_ja for p in PREFECTURES}) == 47
    assert {p.region for p in PREFECTURES} == set(REGIONS)
    assert sum(len(of_region(region)) for region in REGIONS) == 47
    assert of_region("Kansai") == ("Shiga", "Kyoto", "Osaka", "Hyogo", "Nara", "Wakayama")


def test_names_are_unique_in_romaji_so_that_the_japanese_can_be_found_again() -> None:
    for names in (SURNAMES, GIVEN_NAMES):
        assert len({romaji for romaji, _ in names}) == len(names)
        assert all(romaji.isascii() and not written.isascii() for romaji, written in names)
