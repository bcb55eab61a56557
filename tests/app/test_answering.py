from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering import MOST_QUOTES, SURE_ENOUGH, answer_from_documents
from app.messages import text
from retrieval.types import Fact
from tests.app.making import DATED, context, passage

RETURNS = passage(
    "Members may return goods within 30 days. Others have 14 days. The shop opens at nine.",
    key="returns", title="Returns", start=200, page=3,
)  # fmt: skip
WARRANTY = passage(
    "The warranty covers motors for five years.\nBatteries are covered for one year.",
    key="warranty",
    title="Warranty",
)
POINTS = passage(
    "ポイントは1年間有効です。会員は100円につき1ポイントを受け取ります。", key="points", title="ポイント規約"
)
FAQ = passage(
    "Q: How do I cancel an order?\nA: Write to the desk before noon.\nQ: Is gift wrapping free?\nA: Yes.",
    key="faq",
    title="FAQ",
)
SHELF = (RETURNS, WARRANTY, POINTS, FAQ)


def ask(question, *passages, facts=(), language=None):
    found = context(question, *(passages or SHELF), facts=facts)
    return answer_from_documents(question, found, language or found.language)


def whole_text(chunk):
    return " " * chunk.start + chunk.text


@pytest.mark.parametrize(
    ("question", "quoted", "title"),
    [
        ("How long may members return goods?", "Members may return goods within 30 days.", "Returns"),
        ("How long does the warranty cover batteries?", "Batteries are covered for one year.", "Warranty"),
        ("ポイントは何年間有効ですか？", "ポイントは1年間有効です。", "ポイント規約"),
        ("How do I cancel an order?", "Write to the desk before noon.", "FAQ"),
    ],
)
def test_the_best_sentence_is_quoted_first(question, quoted, title):
    answer = ask(question)
    assert answer.found
    assert answer.confidence >= SURE_ENOUGH
    assert answer.citations[0].quote.startswith(quoted)
    assert answer.citations[0].title == title
    assert quoted in answer.text
    assert "[1]" in answer.text


def test_a_citation_is_the_text_of_its_document_at_its_offsets():
    citation = ask("How long may members return goods?").citations[0]
    assert whole_text(RETURNS.chunk)[citation.start : citation.end] == citation.quote
    assert (citation.page, citation.version, citation.chunk_id) == (3, "v-returns", "returns#200")
    assert citation.as_of == DATED


@given(
    st.lists(
        st.sampled_from(
            ["return", "goods", "30 days", "。", ".", "\n", "- ", "会員", "ポイント", "?", "# ", " "]
        ),
        max_size=30,
    )
)
def test_whatever_the_text_citations_are_exact(parts):
    found = passage("".join(parts), start=17)
    answer = ask("return goods 会員 ポイント 30 days", found)
    for number, citation in enumerate(answer.citations, start=1):
        assert whole_text(found.chunk)[citation.start : citation.end] == citation.quote
        assert citation.marker == number
    assert len(answer.citations) <= MOST_QUOTES


@pytest.mark.parametrize(
    "question", ["Who founded the museum of glass?", "本社の所在地を教えてください。", "zzz?", "？？？"]
)
def test_what_the_documents_do_not_say_is_not_answered(question):
    answer = ask(question)
    assert not answer.found
    assert answer.confidence < SURE_ENOUGH
    assert answer.text == text("outcome.not_in_documents", answer_language(question))


def answer_language(question):
    return context(question).language


def test_without_any_document_that_is_what_is_said():
    assert ask("Anything?", passage("sales by day", kind="metric")).text == text("outcome.no_documents", "en")


def test_neighbours_become_one_quote():
    found = passage(
        "Lost cards are blocked at once. Lost cards are replaced within a week. The desk is closed."
    )
    answer = ask("What happens with lost cards, are they blocked and replaced?", found)
    assert (
        answer.citations[0].quote == "Lost cards are blocked at once. Lost cards are replaced within a week."
    )


def test_a_question_or_heading_is_no_answer():
    answer = ask("How do I cancel an order?")
    assert all(not citation.quote.rstrip().endswith("?") for citation in answer.citations)


def test_the_passage_of_the_other_language_is_announced_and_still_quoted():
    found = passage("The loyalty program SAKURA gives Gold members 3 points.", key="sakura", title="SAKURA")
    answer = ask("SAKURAのGold会員は何ポイントもらえますか？", found)
    assert answer.text.startswith(text("documents.passage_english", "ja"))
    assert "“The loyalty program SAKURA gives Gold members 3 points.” [1]" in answer.text


PLAN = Fact(
    "customer.plan",
    "Gold",
    "shop.customers",
    DATED,
    "customer:C-00123",
    {"en": ("plan",), "ja": ("プラン", "契約")},
)
CITY = Fact(
    "customer.city", "大阪市", "shop.customers", None, "customer:C-00123", {"en": ("city",), "ja": ("市",)}
)
ROLE = Fact("user.roles", ["seller"], "profile", DATED, "user", {"en": ("roles", "role"), "ja": ("役割",)})
FACTS = (PLAN, CITY, ROLE)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Which plan does C-00123 have?", "Plan of C-00123: Gold (from shop.customers, as of 2026-10-01)."),
        ("C-00123のプランは？", "C-00123 のプラン：Gold（出典：shop.customers、2026年10月1日 時点）。"),
        ("In which city is C-00123?", "City of C-00123: 大阪市 (from shop.customers)."),
        ("What is my role?", "Your roles: seller (from profile, as of 2026-10-01)."),
    ],
)
def test_a_fact_that_is_asked_for_is_told_with_its_origin_and_date(question, said):
    answer = ask(question, facts=FACTS)
    assert answer.text.splitlines()[0] == said
    assert len(answer.facts) == 1
    assert answer.found


def test_the_thing_alone_is_told_whole_and_the_asker_is_not():
    answer = ask("C-00123?", facts=FACTS)
    assert [fact.name for fact in answer.facts] == ["customer.plan", "customer.city"]


def test_several_facts_of_one_thing_are_one_sentence():
    both = (PLAN, replace(CITY, as_of=DATED), ROLE)
    assert ask("Plan and city of C-00123?", facts=both).text == (
        "C-00123: plan Gold and city 大阪市 (from shop.customers, as of 2026-10-01)."
    )
    assert ask("C-00123のプランと市は？", facts=both).text == (
        "C-00123：プラン Gold、市 大阪市（出典：shop.customers、2026年10月1日 時点）。"
    )


def test_facts_stay_out_of_other_questions():
    assert ask("How long may members return goods?", facts=FACTS).facts == ()
    assert not ask("Who founded the museum of glass?", facts=FACTS).found


BASKET = passage(
    "basket size\n客単価\naverage ticket\nRevenue divided by the number of receipts.\n売上高を会計数で割った値。",
    key="term", title="basket size / 客単価", kind="term",
)  # fmt: skip


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("What does basket size mean?", "Revenue divided by the number of receipts."),
        ("客単価とは何ですか？", "売上高を会計数で割った値。"),
    ],
)
def test_the_glossary_is_quoted_in_the_language_of_the_question(question, quoted):
    answer = ask(question, RETURNS, POINTS, BASKET)
    assert [citation.quote for citation in answer.citations] == [quoted]


def test_the_glossary_leads_to_passages_of_the_other_language():
    english = passage("The average ticket rose in every store last spring.", key="report", title="Report")
    names = passage("basket_size\nbasket size\n客単価\naverage ticket", key="names", kind="dimension")
    assert not ask("客単価は春に上がりましたか", english).found
    answer = ask("客単価は春に上がりましたか", english, names)
    assert any("average ticket rose" in citation.quote for citation in answer.citations)


@pytest.mark.parametrize(
    ("question", "found"),
    [("What was revenue in 2025?", False), ("What was revenue in 2026?", True), ("What was revenue?", True)],
)
def test_a_passage_about_another_year_is_no_answer(question, found):
    report = passage("Revenue was ¥12 million in 2026.", key="report", title="Report")
    assert ask(question, report).found is found


def test_a_heading_is_not_quoted():
    found = passage(
        "Return of goods by members\nBring the receipt within 30 days.\nThe desk is open daily.",
        key="r",
        title="R",
    )
    answer = ask("How do members return goods?", found)
    assert answer.found
    assert not any("Return of goods" in citation.quote for citation in answer.citations)


@pytest.mark.parametrize(
    ("question", "quotes"),
    [
        ("What does basket size mean, and what was it in fiscal year 2025?", ["Revenue divided by the number of receipts."]),
        ("How long may members return goods, and how many orders were there in Osaka last week?",
         ["Members may return goods within 30 days."]),
        ("How long may members return goods? How do I cancel an order?",
         ["Members may return goods within 30 days.", "Write to the desk before noon."]),
        ("客単価とは何ですか。また、2025年度の客単価は？", ["売上高を会計数で割った値。"]),
    ],
)  # fmt: skip
def test_of_two_questions_in_one_the_documents_answer_what_they_know(question, quotes):
    answer = ask(question, *SHELF, BASKET)
    assert [citation.quote for citation in answer.citations] == quotes


def test_a_sentence_speaks_of_what_was_named_before_it():
    basic = passage("The Basic card is free. Delivery takes five days.", key="basic", title="Cards")
    gold = passage("The Gold card costs ¥1,200. Delivery takes one day.", key="gold", title="Cards")
    assert ask("How long is delivery with the Gold card?", basic, gold).citations[0].document_id == "gold"


TABLE = "Campaign results\n\nCampaign | Contacts | Cost\nSpring | 49 | 22,540 yen\nAutumn | 30 | 9,000 yen\nTotal | 79 | 31,540 yen"


def test_the_head_of_a_table_is_no_answer_and_its_total_only_where_it_is_asked_for():
    answer = ask("What did the Spring campaign cost?", passage(TABLE))
    assert answer.citations[0].quote.startswith("Spring |")
    assert not any(c.quote.startswith(("Campaign |", "Total |")) for c in answer.citations)
    total = ask("What is the total cost of the campaigns?", passage(TABLE))
    assert total.citations[0].quote.startswith("Total |")


def test_the_head_of_a_letter_is_no_answer():
    letter = "Re: Results of the Spring campaign\nFrom: Mei\n\nThe Spring campaign won 3 members."
    answer = ask("What were the results of the Spring campaign?", passage(letter))
    assert [citation.quote for citation in answer.citations] == ["The Spring campaign won 3 members."]


def test_what_stands_under_a_heading_stands_under_the_title_too():
    letter = (
        "# Complaint about late delivery\n\nReceived on 3 May.\n\n"
        "## Answer\n\nWe apologised on 5 May.\n\n## Costs\n\nNone arose."
    )
    answer = ask("What was the answer to the complaint about late delivery?", passage(letter))
    assert answer.citations[0].quote == "We apologised on 5 May."


@pytest.mark.parametrize(
    ("question", "text", "found"),
    [
        ("How many orders are still open?", "Reserve: kept for what is paid on open orders.", False),
        ("How many orders are still open?", "There are 12 orders open.", True),
        ("How many orders are still open?", "There are no orders open.", True),
        ("未処理の注文は何件ですか?", "引当金は、未処理の注文のために取り置く金額です。", False),
        ("未処理の注文は何件ですか?", "未処理の注文は12件です。", True),
    ],
)
def test_how_many_is_not_answered_by_a_sentence_without_a_number(question, text, found):
    assert ask(question, passage(text)).found is found
