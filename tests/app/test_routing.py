import pytest

from app.answering import DocumentAnswer, answer_from_documents
from app.messages import has, text
from app.routing import decide
from retrieval.types import Citation
from tests.app.making import DATED, context, passage
from text2sql.types import Choice, Decline, Draft, Drafting

DRAFT = Draft(
    "SELECT SUM(amount) AS revenue FROM sales",
    "offline",
    0.9,
    understood=("metric: revenue",),
    metrics=("revenue",),
)
DRAFTED = Drafting(drafts=(DRAFT,), linked=("sales.region", "revenue"))
DECLINED = Drafting(decline=Decline(lacking=("no metric",)))


def said(quote="Revenue is counted on the day of sale.", confidence=0.9):
    citation = Citation(1, "c", "d", "v", "u", "Handbook", quote, 0, len(quote), None, DATED)
    return DocumentAnswer(quote, (citation,), confidence)


NOTHING = DocumentAnswer("not in the documents", confidence=0.2)


@pytest.mark.parametrize(
    ("question", "drafting", "documents", "kind", "reason"),
    [
        ("What is revenue by region?", DRAFTED, NOTHING, "query", "query"),
        ("What is revenue by region?", DRAFTED, None, "query", "query"),
        ("What is revenue by region?", DRAFTED, said(), "query", "query"),
        ("When is revenue counted?", DRAFTED, said(), "documents", "documents_stronger"),
        ("The revenue of a gift card", DRAFTED, said(), "both", "both"),
        ("How is revenue defined?", DRAFTED, said(), "documents", "documents_stronger"),
        ("売上高とは何ですか", DRAFTED, said(), "documents", "documents_stronger"),
        ("How is revenue defined, and how much was it last month?", DRAFTED, said(), "both", "both"),
        ("売上高の定義と今月の合計は？", DRAFTED, said(), "both", "both"),
        ("How is revenue defined, and how much was it last month?", DRAFTED, said(confidence=0.55), "query", "query"),
        ("Revenue this year and the refund deadline for gift cards", DRAFTED,
         said("The refund deadline for gift cards is June."), "both", "both"),
        ("When do gift cards expire?", DECLINED, said(), "documents", "documents"),
        ("When do gift cards expire?", DECLINED, NOTHING, "decline", "declined"),
        ("Sales of Tokyo", Drafting(clarify="Which?", choices=(Choice("city", DRAFT),)), NOTHING, "clarify", "clarify"),
        ("Sales of Tokyo", Drafting(clarify="Which?"), said(), "documents", "documents"),
        ("by status", Drafting(choices=(Choice("city", DRAFT),)), said("Reason: status"), "clarify", "clarify"),
        ("sales of Tokyo today", Drafting(choices=(Choice("city", DRAFT),)), said(), "documents", "documents"),
        ("", Drafting(), None, "decline", "declined"),
    ],
)  # fmt: skip
def test_where_an_answer_comes_from(question, drafting, documents, kind, reason):
    found = context(question, passage("anything"))
    route = decide(question, found, drafting, documents)
    assert (route.kind, route.reason) == (kind, reason)
    assert route.why == text(f"route.{reason}", found.language)


def test_what_is_withheld_is_its_own_reason_but_never_hides_an_answer():
    hidden = context("When do gift cards expire?", withheld=2)
    assert decide("When do gift cards expire?", hidden, DECLINED, NOTHING).reason == "withheld"
    assert decide("When do gift cards expire?", hidden, DECLINED, said()).kind == "documents"
    assert decide("Revenue by region", hidden, DRAFTED, NOTHING).kind == "query"


@pytest.mark.parametrize("question", ["How many orders were there in 2025?", "2025年度の注文は何件?"])
def test_no_sentence_stands_in_for_a_figure_that_is_withheld(question):
    hidden = context(question, withheld=1)
    assert decide(question, hidden, DECLINED, said(), beyond=True).reason == "withheld"
    assert decide(question, hidden, DECLINED, said()).kind == "documents"
    assert decide("What is meant by orders?", hidden, DECLINED, said(), beyond=True).kind == "documents"


@pytest.mark.parametrize(
    ("question", "change"),
    [
        ("Delete all cancelled orders", True),
        ("please drop the table sales", True),
        ("DROP TABLE sales", True),
        ("UPDATE sales SET amount = 0", True),
        ("Insert into sales a new row", True),
        ("Could you update the prices?", True),
        ("解約済みの注文をすべて削除して", True),
        ("価格を更新してください", True),
        ("salesテーブルをdropして", True),
        ("古い行を消してほしい", True),
        ("How do I delete my account?", False),
        ("How many orders were deleted in 2025?", False),
        ("Update on sales in October", False),
        ("Drop in sales by region", False),
        ("Which rows did the update change?", False),
        ("会員登録を削除する方法は?", False),
        ("注文を削除したい場合はどうすればできますか?", False),
        ("契約を更新した人は何人?", False),
        ("契約を更新していない人は何人?", False),
        ("更新件数は?", False),
    ],
)
def test_a_wish_to_change_data_is_declined_as_one(question, change):
    found = context(question, passage("anything"))
    for drafting in (DRAFTED, DECLINED):
        assert (decide(question, found, drafting, said()).reason == "change") is change


def test_facts_alone_are_a_route_of_their_own():
    from tests.app.test_answering import FACTS

    question = "Which plan does C-00123 have?"
    found = context(question, facts=FACTS)
    route = decide(question, found, DECLINED, answer_from_documents(question, found, "en"))
    assert (route.kind, route.reason) == ("documents", "facts")


def test_every_reason_has_its_sentence():
    reasons = (
        "documents",
        "documents_stronger",
        "facts",
        "query",
        "both",
        "clarify",
        "declined",
        "withheld",
        "change",
    )
    assert all(has(f"route.{reason}") for reason in reasons)
