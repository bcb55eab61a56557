import pytest

from retrieval.situational.conversation import RecentTurns, leans_on_before, with_before
from retrieval.types import Principal, Turn
from tests.conftest import NOW


@pytest.mark.parametrize(
    "question",
    ["And by region?", "What about last year?", "Why?", "How many of them?", "Is it still valid?",
     "大阪はどう？", "その顧客の住所は？", "では先月は？", "それはなぜですか？", "同じ期間の返品率は？"],
)  # fmt: skip
def test_what_leans_on_the_question_before(question):
    assert leans_on_before(question)


@pytest.mark.parametrize(
    "question",
    ["What was revenue by region in 2025?", "How long may members return goods?", "List the ten largest stores",
     "2025年度の地域別売上高は？", "返品の期限を教えてください", "ポイントの有効期限は？",
     "これまでの売上高を月別に並べて、前年と比べたときの増減率も教えてください"],
)  # fmt: skip
def test_what_stands_alone(question):
    assert not leans_on_before(question)


def turn(question):
    return Turn("c", "mei", question, "…", "r", NOW)


def test_a_chain_of_follow_ups_reaches_back_to_what_stood_alone():
    turns = [turn("Opening hours?"), turn("Which plan has C-00123?"), turn("And its city?")]
    assert with_before("And since when?", turns) == "Which plan has C-00123?\nAnd its city?\nAnd since when?"


def test_a_question_that_stands_alone_is_left_alone():
    assert (
        with_before("How long may members return goods?", [turn("Which plan has C-00123?")]).count("\n") == 0
    )
    assert with_before("And since when?", []) == "And since when?"


def test_recent_turns_are_those_of_the_store():
    class Store:
        def recent(self, principal, conversation_id, n):
            assert (principal.id, conversation_id, n) == ("mei", "c", 2)
            return [turn("one")]

    assert RecentTurns(Store(), 2).turns(Principal("mei"), "c") == [turn("one")]
