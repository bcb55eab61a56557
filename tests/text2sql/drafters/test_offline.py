"""The offline drafter end to end: what it drafts returns what a query written by hand returns."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlglot

from retrieval.types import Clock, Context, Principal
from tests.text2sql.drafters.conftest import Shop, cases
from text2sql import drafters
from text2sql.drafters.offline import OfflineDrafter
from text2sql.errors import Text2SqlError
from text2sql.semantics import SemanticModel
from text2sql.types import Catalog
from text2sql.values import ValueIndex
from text2sql.verified import VerifiedQueries


@pytest.mark.parametrize("case", cases("answered"), ids=lambda case: case["question"])
def test_answers_like_a_query_written_by_hand(shop: Shop, case: dict[str, Any]) -> None:
    drafting = shop.ask(case["question"])
    assert drafting.drafts, drafting.decline or drafting.clarify
    draft = drafting.drafts[0]
    got, wanted = shop.run(draft.sql), shop.run(case["sql"])
    assert wanted, "a case that returns nothing proves nothing"
    if case.get("ordered"):
        assert got == wanted, draft.sql
    else:
        assert Counter(got) == Counter(wanted), draft.sql


@pytest.mark.parametrize("case", cases("declined"), ids=lambda case: repr(case["question"]))
def test_declines_what_it_is_not_sure_of_and_says_why(duck_shop: Shop, case: dict[str, Any]) -> None:
    drafting = duck_shop.ask(case["question"])
    assert not drafting.drafts
    assert not drafting.choices
    assert drafting.decline is not None
    assert any(case["lacking"] in line for line in drafting.decline.lacking), drafting.decline.lacking


def test_a_decline_names_what_was_understood_and_suggests_only_what_works(duck_shop: Shop) -> None:
    drafting = duck_shop.ask("refund rate by colour in fiscal 2025")
    assert drafting.decline is not None
    assert "refund rate: refund rate" in drafting.decline.understood
    assert any("2025-04-01 to 2026-03-31" in line for line in drafting.decline.understood)
    assert drafting.decline.suggestions
    for suggestion in drafting.decline.suggestions:
        assert duck_shop.ask(suggestion).drafts, suggestion


def test_a_decline_speaks_the_language_of_the_question(duck_shop: Shop) -> None:
    decline = duck_shop.ask("売上高を惑星別に教えて").decline
    assert decline is not None
    assert decline.lacking[0] == "「惑星」はここでは分かりません"
    assert decline.suggestions[0].startswith("地域別の") or "売上高" in decline.suggestions[0]


@pytest.mark.parametrize("case", cases("choices"), ids=lambda case: case["question"])
def test_asks_back_where_a_period_can_mean_two_things(shop: Shop, case: dict[str, Any]) -> None:
    drafting = shop.ask(case["question"])
    assert not drafting.drafts
    assert drafting.clarify
    assert len(drafting.choices) == len(case["labels"])
    for choice, wanted in zip(drafting.choices, case["labels"], strict=True):
        assert wanted in choice.label
    results = [shop.run(choice.draft.sql) for choice in drafting.choices]
    assert results[0] != results[1]


@pytest.mark.parametrize(
    "case", cases("followups"), ids=lambda case: f"{case['before']} / {case['question']}"
)
def test_follow_ups_are_read_with_the_question_before(duck_shop: Shop, case: dict[str, Any]) -> None:
    drafting = duck_shop.ask(case["question"], "an older question", case["before"])
    plain = duck_shop.ask(case["same_as"])
    assert drafting.drafts, drafting.decline
    assert plain.drafts, plain.decline
    assert Counter(duck_shop.run(drafting.drafts[0].sql)) == Counter(duck_shop.run(plain.drafts[0].sql))
    assert drafting.drafts[0].assumptions, "that it was read together is said"


def test_a_follow_up_without_a_conversation_is_declined(duck_shop: Shop) -> None:
    assert duck_shop.ask("and by region?").decline is not None
    assert duck_shop.ask("去年は？").decline is not None


def test_a_whole_question_is_not_mixed_with_the_one_before(duck_shop: Shop) -> None:
    alone = duck_shop.ask("revenue by category")
    after = duck_shop.ask("revenue by category", "refunds in Kanto last month")
    assert after == alone


def test_a_draft_says_what_it_understood_with_days(duck_shop: Shop) -> None:
    draft = duck_shop.ask("revenue by region in fiscal 2024").drafts[0]
    assert draft.understood == (
        "metric: revenue",
        "by: region",
        "period: fiscal year 2024 (2024-04-01 to 2025-03-31)",
    )
    assert draft.origin == "offline"
    assert draft.drafter == "offline"
    assert draft.metrics == ("revenue",)
    assert set(draft.tables) == {"main.sales", "main.stores"}
    assert 0.8 <= draft.confidence <= 1.0
    japanese = duck_shop.ask("2024年度の地域別売上高").drafts[0]
    assert "期間: 2024年度 (2024-04-01〜2025-03-31)" in japanese.understood


def test_charts_are_hinted_by_the_shape_of_the_result(duck_shop: Shop) -> None:
    assert duck_shop.ask("revenue by month").drafts[0].chart == {"x": "month", "y": "revenue", "kind": "line"}
    assert duck_shop.ask("revenue by region").drafts[0].chart == {
        "x": "region",
        "y": "revenue",
        "kind": "bar",
    }
    both = duck_shop.ask("monthly revenue by region").drafts[0].chart
    assert both == {"x": "month", "y": "revenue", "kind": "line", "series": "region"}
    assert duck_shop.ask("revenue in 2024").drafts[0].chart == {}


def test_chart_hints_name_columns_of_the_result(duck_shop: Shop) -> None:
    for question in ("monthly revenue by region", "top 2 stores by revenue", "年度別の売上高"):
        draft = duck_shop.ask(question).drafts[0]
        result = sqlglot.parse_one(draft.sql, dialect="duckdb").named_selects
        hinted = {draft.chart[key] for key in ("x", "y", "series") if key in draft.chart}
        assert hinted <= set(result)


def test_words_that_are_not_the_models_own_are_said(duck_shop: Shop) -> None:
    assert not duck_shop.ask("revenue by region").drafts[0].assumptions
    draft = duck_shop.ask("revenue in the last 3 months").drafts[0]
    assert any("2026-08-01 to 2026-10-31" in line for line in draft.assumptions)


def test_an_unfinished_period_is_compared_up_to_the_same_day(duck_shop: Shop) -> None:
    draft = duck_shop.ask("今年の売上高の前年比").drafts[0]
    assert any("2026-01-01〜2026-11-20" in line for line in draft.assumptions)


def test_drafting_is_deterministic(duck_shop: Shop) -> None:
    for question in ("revenue by region in fiscal 2024", "売上高の推移", "revenue of Mars"):
        assert duck_shop.ask(question) == duck_shop.ask(question)


def test_two_questions_in_one_answer_the_metric(duck_shop: Shop) -> None:
    draft = duck_shop.ask("What does revenue mean, and what was it in fiscal 2025?").drafts[0]
    alone = duck_shop.ask("revenue in fiscal 2025").drafts[0]
    assert draft.sql == alone.sql
    assert any("only this part" in line for line in draft.assumptions)
    japanese = duck_shop.ask("売上高とは何ですか。また、2025年度の売上高は？").drafts[0]
    assert japanese.sql == alone.sql


def test_n_bounds_the_drafts(duck_shop: Shop) -> None:
    context = Context("", Principal("ana"), "en", (), 0, 0)
    assert duck_shop.drafter.draft("revenue", context, n=0).drafts == ()
    assert len(duck_shop.drafter.draft("revenue", context, n=5).drafts) == 1


def test_a_long_question_ends_quickly_and_without_an_error(duck_shop: Shop) -> None:
    for text in ("revenue by region " * 600, "売上高" * 4000, "x" * 10_000, '"' * 10_000, "1" * 10_000):
        assert duck_shop.ask(text) is not None


def test_a_verified_question_is_answered_by_its_query(duck_shop: Shop, clock: Clock) -> None:
    verified = VerifiedQueries.model_validate(
        {
            "queries": [
                {
                    "question": {"en": "Where do we sell the most?", "ja": "一番売れている店は？"},
                    "sql": "SELECT name FROM stores WHERE id = 1",
                    "owner": "sales-data@shop",
                },
                {"question": {"en": "What is hidden?"}, "sql": "SELECT secret FROM vault"},
            ]
        }
    )
    drafter = OfflineDrafter(
        duck_shop.catalog, duck_shop.model, ValueIndex([]), verified=verified, clock=clock
    )
    context = Context("", Principal("ana"), "en", (), 0, 0)
    draft = drafter.draft("where do we sell the most", context).drafts[0]
    assert (draft.origin, draft.sql) == ("verified", "SELECT name FROM stores WHERE id = 1")
    assert drafter.draft("一番売れている店は?", context).drafts[0].origin == "verified"
    # A query over tables outside this caller's catalogue is not there.
    assert not drafter.draft("What is hidden?", context).drafts


def test_drafters_are_found_by_name(duck_shop: Shop, clock: Clock) -> None:
    assert "offline" in drafters.names()
    settings = {"catalog": duck_shop.catalog, "model": duck_shop.model, "clock": clock}
    drafter = drafters.build("offline", settings)
    context = Context("", Principal("ana"), "en", (), 0, 0)
    assert drafter.draft("revenue", context).drafts
    with pytest.raises(Text2SqlError, match="no drafter nobody"):
        drafters.build("nobody", settings)


def test_an_empty_model_declines_everything(clock: Clock) -> None:
    catalog = Catalog("duckdb", ())
    drafter = OfflineDrafter(catalog, SemanticModel(), ValueIndex([]), clock=clock)
    context = Context("", Principal("ana"), "en", (), 0, 0)
    for question in ("revenue by region", "How many stores are there?", "売上高は？", ""):
        assert drafter.draft(question, context).decline is not None


def test_what_a_caller_may_not_name_is_not_there(duck_shop: Shop, clock: Clock) -> None:
    stores = next(t for t in duck_shop.catalog.tables if t.name == "stores")
    narrow = Catalog("duckdb", (stores,), default_schema=duck_shop.catalog.default_schema)
    drafter = OfflineDrafter(narrow, duck_shop.model, ValueIndex.of(narrow, duck_shop.model), clock=clock)
    context = Context("", Principal("ana"), "en", (), 0, 0)
    hidden = drafter.draft("revenue by region", context).decline
    unknown = drafter.draft("xyzzy by region", context).decline
    assert hidden is not None
    assert unknown is not None
    told = " ".join((*hidden.understood, *hidden.lacking, *hidden.suggestions))
    assert told.replace("revenue", "xyzzy") == " ".join(
        (*unknown.understood, *unknown.lacking, *unknown.suggestions)
    )
    assert drafter.draft("number of stores per region", context).drafts
