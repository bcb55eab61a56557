"""Judging: right or wrong, and the part of the way that lost the answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.record import AnswerRecord, Attempt, ResultSummary, Retrieved
from evals.asking import same
from evals.judging import Gold, judge
from evals.suites.house import HouseCase
from retrieval.types import Citation, Principal
from text2sql.types import Draft, Verdict, Violation

AT = datetime(2026, 11, 20, tzinfo=UTC)
DRAFT = Draft("SELECT 1", "offline", 0.9)
ALLOWED = Verdict(True, "SELECT 1", tables=("main.sales",))
REFUSED = Verdict(False, violations=(Violation("unknown_column", "no such column"),))
NONE = Gold()
GOLD = Gold((({"n": 1200},),), frozenset({"main.sales"}))


def record(**fields: Any) -> AnswerRecord:
    base: dict[str, Any] = {
        "id": "r", "at": AT, "principal": Principal("kim"), "conversation_id": "c", "question": "Q?",
        "language": "en", "route": "query", "why": "", "outcome": "answered", "text": "",
    }  # fmt: skip
    return AnswerRecord(**{**base, **fields})


def rows(*found: dict[str, Any], verdict: Verdict = ALLOWED, **fields: Any) -> AnswerRecord:
    result = ResultSummary(("n",), len(found), False, "", 0.0, 0)
    return record(
        result=result, rows=found, attempts=(Attempt(DRAFT, verdict),), linked=("table.sales",), **fields
    )


def case(**fields: Any) -> HouseCase:
    return HouseCase(**{"id": "x", "question": "Q?", "language": "en", "where": "", **fields})


def judged(one: HouseCase, answer: AnswerRecord, gold: Gold = NONE) -> tuple[bool, str]:
    found = judge(one, answer, gold, lambda a, b: same(a, b, ordered=one.ordered))
    assert found.passed == (found.failed_part == "") == (not found.details)
    return found.passed, found.failed_part


FIGURE = case(sql=("SELECT 1",))


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (rows({"n": 1200}), ""),
        (rows({"label": "all", "total": 1200.0}), ""),
        (rows({"n": 1300}), "drafting"),
        (rows({"n": 1200}, {"n": 1}), "drafting"),
        (rows({"n": 7}, verdict=replace(ALLOWED, tables=("main.stores",))), "linking"),
        (record(outcome="declined", lacking=("revenue",)), "linking"),
        (record(outcome="declined", linked=("table.sales",)), "drafting"),
        (record(outcome="refused", attempts=(Attempt(DRAFT, REFUSED),)), "guard"),
        (
            record(outcome="failed", attempts=(Attempt(DRAFT, ALLOWED, error="QueryTimeout: 30 s"),)),
            "execution",
        ),
        (record(outcome="withheld"), "policy"),
    ],
)
def test_figures(answer: AnswerRecord, part: str) -> None:
    assert judged(FIGURE, answer, GOLD) == (part == "", part)


def test_alternatives_and_literal_rows_are_as_right_as_the_gold() -> None:
    gold = Gold((({"n": 1},), ({"n": 2},)))
    assert judged(FIGURE, rows({"n": 2}), gold)[0]
    assert judged(case(result=({"n": 3},)), rows({"n": 3}))[0]
    assert judged(case(result=({"n": 3},)), rows({"n": 4})) == (False, "drafting")


def test_order_counts_where_it_is_asked_for() -> None:
    gold = Gold((({"n": 1}, {"n": 2}),))
    answer = rows({"n": 2}, {"n": 1})
    assert judged(FIGURE, answer, gold)[0]
    assert not judged(replace(FIGURE, ordered=True), answer, gold)[0]


CITED = Citation(1, "d1#0", "d1", "1", "file:shop/rules/returns.en.html", "Returns", "…", 0, 1)
FOUND = Retrieved("document", "file:shop/rules/returns.en.html", "", 1)


@pytest.mark.parametrize(
    "name", ["returns.en", "RETURNS.EN.HTML", "Returns", "file:shop/rules/returns.en.html"]
)
def test_documents_are_named_by_title_uri_or_file(name: str) -> None:
    assert judged(case(documents=(("other", name),)), record(citations=(CITED,)))[0]


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (record(retrieved=(FOUND,)), "wording"),
        (record(), "retrieval"),
        (record(outcome="withheld"), "policy"),
        (record(citations=(replace(CITED, uri="file:a/xreturns.en.html", title="R"),)), "retrieval"),
    ],
)
def test_documents_that_are_not_cited(answer: AnswerRecord, part: str) -> None:
    assert judged(case(documents=(("returns.en",),)), answer) == (False, part)


def test_facts_stand_in_the_text_or_in_the_table() -> None:
    one = case(facts=(("14 days", "two weeks"), ("1,200",)))
    assert judged(one, record(text="Within two weeks; 1200 yen.", citations=(CITED,)))[0]
    assert judged(one, rows({"n": 1200}, text="Within 14 days."))[0]
    assert judged(one, record(text="Within 114 days.", citations=(CITED,))) == (False, "wording")
    assert judged(one, record(text="Nothing.")) == (False, "retrieval")
    assert judged(one, record(text="Ask Ana.", outcome="withheld")) == (False, "policy")


@pytest.mark.parametrize(
    ("outcome", "passed"), [("withheld", True), ("declined", True), ("refused", True), ("no_rows", True), ("answered", False), ("clarify", False)]
)  # fmt: skip
def test_withholding(outcome: str, passed: bool) -> None:
    assert judged(case(kind="withhold"), record(outcome=outcome)) == (passed, "" if passed else "policy")


def test_declining() -> None:
    one = case(kind="decline")
    assert judged(one, record(outcome="declined"))[0]
    assert judged(one, rows({"n": 1})) == (False, "drafting")
    assert judged(one, record(citations=(CITED,))) == (False, "retrieval")


def test_a_leak_comes_before_everything_else() -> None:
    told = rows({"n": 1200}, {"n": 5000}, text="5,000 in all")
    found = judge(FIGURE, told, replace(GOLD, secrets=(5000, 1200)), lambda a, b: True)
    assert (found.passed, found.failed_part, found.leaks) == (False, "policy", ("rows", "text"))
    assert "5000" not in "".join(found.details)
    withheld = record(outcome="withheld", text="Ask Ada.")
    assert judged(case(kind="withhold", secrets=("Ada",)), withheld) == (False, "policy")


def test_what_the_asker_may_know_is_no_leak() -> None:
    assert judged(FIGURE, rows({"n": 1200}), replace(GOLD, secrets=(1200,)))[0]


def test_the_route_counts_where_it_is_named() -> None:
    assert judged(case(facts=(("x",),), route="documents"), record(text="x")) == (False, "retrieval")
    assert judged(case(facts=(("x",),), route="both"), record(text="x")) == (False, "drafting")
    assert judged(case(facts=(("x",),), route="query"), record(text="x"))[0]
