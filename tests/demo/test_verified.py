"""Every verified query runs, answers something, and is right by another way of computing it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from demo import building
from demo.constants import LAST_DAY
from text2sql.glossary import load as load_glossary
from text2sql.semantics import SemanticModel
from text2sql.verified import VerifiedQuery, load

Query = Callable[..., list[tuple[Any, ...]]]
FILES = Path(building.__file__).with_name("files")
QUERIES = load(FILES / "verified.yaml").queries


def sql_of(words: str) -> str:
    (found,) = [q.sql for q in QUERIES if words in q.question.en]
    return found


@pytest.mark.parametrize("verified", QUERIES, ids=lambda q: q.question.en)
def test_it_runs_and_answers_something(verified: VerifiedQuery, query: Query) -> None:
    assert query(verified.sql)
    assert verified.question.en
    assert not verified.question.ja.isascii()
    assert verified.owner.endswith("@kazahaya.example")
    assert verified.verified_on is not None
    assert date(2026, 10, 1) < verified.verified_on


def test_questions_are_different() -> None:
    questions = [question for verified in QUERIES for question in verified.questions]
    assert len(set(questions)) == len(questions) == 2 * len(QUERIES)


def test_loss_ratio_by_plan(query: Query) -> None:
    premiums = query("SELECT product, earned_yen, month FROM premiums")
    claims = query("SELECT product, incurred_yen, occurred_on FROM claims")
    start, end = date(2025, 4, 1), date(2026, 4, 1)
    rows = dict(query(sql_of("loss ratio by plan")))
    assert rows.keys() == {"Basic", "Standard", "Premier"}
    for plan, ratio in rows.items():
        earned = sum(yen for product, yen, month in premiums if product == plan and start <= month < end)
        incurred = sum(yen for product, yen, day in claims if product == plan and start <= day < end)
        assert ratio == pytest.approx(incurred / earned)


def test_customers_with_more_than_one_claim(query: Query) -> None:
    owner = dict(query("SELECT policy_id, customer_id FROM policies"))
    counts: dict[str, int] = {}
    for (policy,) in query("SELECT policy_id FROM claims WHERE status <> 'Rejected'"):
        counts[owner[policy]] = counts.get(owner[policy], 0) + 1
    found = {row[0]: row[1] for row in query(sql_of("more than one claim"))}
    assert found == {customer: count for customer, count in counts.items() if count > 1}


def test_open_for_more_than_60_days(query: Query) -> None:
    claims = query("SELECT claim_id, reported_on FROM claims WHERE status = 'Open'")
    expected = {claim for claim, day in claims if (LAST_DAY - day).days > 60}
    assert {row[0] for row in query(sql_of("more than 60 days"))} == expected


def test_expiring_policies(query: Query) -> None:
    total = query(
        "SELECT count(*) FROM policies WHERE end_date::VARCHAR LIKE '2026-12-%' AND status = 'Active'"
    )
    assert sum(row[1] for row in query(sql_of("expire in December"))) == total[0][0]


def test_retention_falls_after_a_claim(query: Query) -> None:
    rows = {row[0]: row for row in query(sql_of("after a claim"))}
    assert rows[False][2] > rows[True][2]
    due = query("SELECT count(*) FROM policies WHERE renewal_outcome IN ('Renewed', 'Lapsed')")[0][0]
    assert rows[False][1] + rows[True][1] == due


def test_weekdays(query: Query) -> None:
    rows = query(sql_of("weekday"))
    assert rows[0][0] == "Monday"
    assert sum(count for _, count in rows) == query("SELECT count(*) FROM calls")[0][0]


def test_frequency_and_severity_by_region(query: Query) -> None:
    rows = query(sql_of("by region"))
    assert len(rows) == 8
    claims = query(
        "SELECT count(*), sum(incurred_yen) FROM claims WHERE status <> 'Rejected'"
        " AND occurred_on BETWEEN '2025-04-01' AND '2026-03-31'"
    )[0]
    years = query(
        "SELECT sum(exposure_days) / 365 FROM premiums WHERE month BETWEEN '2025-04-01' AND '2026-03-01'"
    )
    by_region = dict(
        query(
            "SELECT region, sum(exposure_days) / 365 FROM premiums JOIN prefectures USING (prefecture)"
            " WHERE month BETWEEN '2025-04-01' AND '2026-03-01' GROUP BY 1"
        )
    )
    assert sum(row[1] * by_region[row[0]] for row in rows) == pytest.approx(claims[0])
    assert sum(by_region.values()) == pytest.approx(years[0][0])


def test_the_glossary_loads_and_defines_the_metrics_in_both_languages(model: SemanticModel) -> None:
    terms = load_glossary(FILES / "glossary.yaml").terms
    assert len(terms) >= 12
    for term in terms:
        assert term.term.en
        assert term.term.ja
        assert term.definition.en.endswith(".")
        assert term.definition.ja.endswith("。")
    names = {term.term.en for term in terms}
    for name in ("earned_premium", "loss_ratio", "claim_frequency", "severity", "retention"):
        metric = model.metric(name)
        assert metric is not None
        assert metric.label.en in names
