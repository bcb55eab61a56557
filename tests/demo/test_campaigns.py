"""Campaigns: conversions are policies of the book, costs add up, and the papers say what the rows say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.book import simulate
from demo.campaigns import CAMPAIGNS, GOALS, MEDIA, contacts_of
from demo.further_facts import BRIEFED, further_facts
from demo.wording import percent, yen
from ingest.reading import read

Query = Callable[..., list[tuple[Any, ...]]]


def test_campaigns_are_named_and_of_known_kinds() -> None:
    assert len({c.name for c in CAMPAIGNS}) == len({c.name_ja for c in CAMPAIGNS}) == len(CAMPAIGNS)
    for campaign in CAMPAIGNS:
        assert campaign.goal in GOALS
        assert campaign.medium in MEDIA
        assert campaign.first < campaign.last
        assert (campaign.rate > 0) == (campaign.goal == "Acquisition")


def test_the_same_seed_reaches_the_same_people() -> None:
    book = simulate(80, 5)
    one, other = contacts_of(book, 5), contacts_of(book, 5)
    assert all(np.array_equal(values, other[name]) for name, values in one.items())
    assert not np.array_equal(one["day"], contacts_of(book, 6)["day"])


@pytest.mark.parametrize("customers", [1, 3])
def test_the_smallest_insurer_runs_campaigns(customers: int) -> None:
    contacts = contacts_of(simulate(customers, 1), 1)
    assert len({len(values) for values in contacts.values()}) == 1
    acquisition = {n for n, c in enumerate(CAMPAIGNS) if c.goal == "Acquisition"}
    assert acquisition <= set(contacts["campaign"].tolist())


def test_who_was_won_holds_a_new_policy_and_who_was_kept_renewed(query: Query) -> None:
    wrong = """SELECT contact_id FROM campaign_contacts AS c LEFT JOIN policies AS p USING (policy_id) WHERE
        (goal = 'Acquisition' AND converted AND NOT (p.term_number = 1 AND p.previous_policy_id IS NULL
            AND p.start_date = converted_on))
        OR (goal = 'Acquisition' AND NOT converted AND (c.policy_id IS NOT NULL OR c.customer_id IS NOT NULL))
        OR (goal = 'Renewal' AND converted <> (p.renewal_outcome = 'Renewed'))
        OR (goal = 'Renewal' AND p.renewal_outcome NOT IN ('Renewed', 'Lapsed'))
        OR converted <> (converted_on IS NOT NULL) OR converted_on < contacted_on
        OR (c.policy_id IS NOT NULL AND c.customer_id <> p.customer_id)"""
    assert query(wrong) == []
    assert query("SELECT count(DISTINCT (goal, converted)) FROM campaign_contacts") == [(4,)]


def test_a_new_policy_is_won_once_and_contacts_lie_in_the_campaigns_time(query: Query) -> None:
    assert query("SELECT count(policy_id) - count(DISTINCT policy_id) FROM campaign_contacts WHERE goal = 'Acquisition'") == [(0,)]  # fmt: skip
    outside = """SELECT count(*) FROM campaign_contacts JOIN campaigns USING (campaign_id, goal)
        WHERE contacted_on NOT BETWEEN first_day AND last_day OR cost_yen <> contact_cost_yen
        OR coalesce(offered_product, product) <> product"""
    assert query(outside) == [(0,)]
    assert query("SELECT count(*) FROM campaign_contacts ANTI JOIN campaigns USING (campaign_id)") == [(0,)]


def test_rates_are_plausible(query: Query) -> None:
    rows = query("SELECT campaign, avg(converted::INTEGER) FROM campaign_contacts JOIN campaigns USING (campaign_id) GROUP BY 1")  # fmt: skip
    assert len(rows) == len(CAMPAIGNS)
    for name, rate in rows:
        campaign = next(c for c in CAMPAIGNS if c.name == name)
        low, high = (0.75, 1.0) if campaign.goal == "Renewal" else (0.7 * campaign.rate, 1.4 * campaign.rate)
        assert low <= rate <= high, name


def text_of(papers: Path, name: str) -> str:
    (path,) = papers.glob(name)
    return read(path.read_bytes(), path.name).text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_report_says_what_the_rows_say(papers: Path, query: Query, language: Any) -> None:
    text = "".join(text_of(papers, f"reports/campaign-report.{language}.*").split())
    for campaign in CAMPAIGNS:
        rows = query(
            "SELECT converted, cost_yen FROM campaign_contacts JOIN campaigns USING (campaign_id) WHERE campaign = $1",
            campaign.name,
        )
        won, cost = sum(converted for converted, _ in rows), sum(yen_ for _, yen_ in rows)
        name = campaign.name if language == "en" else campaign.name_ja
        assert name.replace(" ", "") in text
        for figure in (percent(won / len(rows), language), yen(cost, language)):
            assert figure.replace(" ", "") in text, (name, figure)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_mail_about_the_spring_campaign_says_what_the_rows_say(
    papers: Path, query: Query, language: Any
) -> None:
    text = text_of(papers, f"mail/spring-start-results.{language}.*")
    rows = query(
        "SELECT converted, cost_yen FROM campaign_contacts WHERE campaign_id ="
        " (SELECT campaign_id FROM campaigns WHERE campaign = $1)",
        BRIEFED,
    )
    won, cost = sum(converted for converted, _ in rows), sum(yen_ for _, yen_ in rows)
    assert won
    for figure in (f"{len(rows):,}", percent(won / len(rows), language), yen(cost, language), yen(round(cost / won), language)):  # fmt: skip
        assert figure in text


def test_the_cheapest_campaign_is_the_cheapest(warehouse_file: Path, query: Query) -> None:
    import duckdb

    with duckdb.connect(str(warehouse_file), read_only=True) as connection:
        said = further_facts(connection, "en")
    costs: dict[str, list[int]] = {}
    for name, converted, cost in query(
        "SELECT campaign, converted, cost_yen FROM campaign_contacts JOIN campaigns USING (campaign_id)"
        " WHERE campaigns.goal = 'Acquisition'"
    ):
        spent = costs.setdefault(name, [0, 0])
        spent[0], spent[1] = spent[0] + cost, spent[1] + converted
    best = min((cost / won, name) for name, (cost, won) in costs.items() if won)
    assert (said["cheapest_campaign"], said["cheapest_cpa"]) == (best[1], yen(round(best[0]), "en"))
