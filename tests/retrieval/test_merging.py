from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.merging import Found, merge
from retrieval.tokens import count_tokens
from retrieval.types import Chunk, Document, Fact, Passage, Principal, Turn
from tests.conftest import NOW

MEI = Principal("mei")
LONG = (
    "Members may return goods bought in any of our stores within thirty days when they show the receipt, the card"
    " and the unopened box at the desk near the entrance, on every day of the week except national holidays."
)


def passage(text, score=0.5, *, key=None, title="", kind="document", year=2026, lexical=0.5, dense=0.0):
    document = Document(
        key or text[:12],
        "v",
        f"file:///{key or text[:12]}",
        title,
        kind=kind,
        as_of=datetime(year, 1, 1, tzinfo=UTC),
    )
    return Passage(Chunk(f"{document.id}#0", document, 0, text, 0, len(text)), score, lexical, dense)


def fact(name, value, entity):
    return Fact(name, value, "shop.customers", NOW, entity)


def merged(budget=4000, **found):
    return merge("question?", MEI, "en", Found(**found), budget)


def texts(context):
    return [piece.text for piece in context.pieces]


def test_what_the_question_needs_first_comes_first():
    context = merged(
        passages=[
            passage("verified", kind="verified"), passage("table", kind="table"), passage("prose"),
            passage("metric", kind="metric"), passage("term", kind="term"), passage("dimension", kind="dimension"),
        ],
        facts=[fact("user.name", "Mei", "user"), fact("customer.plan", "Gold", "customer:C-1")],
        turns=[Turn("c", "mei", "old?", "a", "r1", NOW), Turn("c", "mei", "new?", "a", "r2", NOW)],
    )  # fmt: skip
    order = [
        "customer.plan = Gold (customer:C-1)",
        "term",
        "metric",
        "prose",
        "dimension",
        "table",
        "verified",
    ]
    assert texts(context) == [*order, "Q: new?\nA: a", "Q: old?\nA: a", "user.name = Mei (user)"]
    assert context.left_out == ()


def test_every_piece_says_where_from_of_when_and_why():
    context = merged(
        passages=[passage("prose", lexical=0.4, dense=0.3), passage("metric", kind="metric", lexical=0.0)],
        facts=[fact("customer.plan", "Gold", "customer:C-1")],
        turns=[Turn("c", "mei", "q", "a", "r1", NOW)],
    )
    assert all(piece.origin and piece.reason and piece.as_of for piece in context.pieces)
    assert {piece.kind: piece.reason for piece in context.pieces} == {
        "fact": "the question names customer:C-1",
        "metric": "matches the question by rank (0.50)",
        "document": "matches the question by words and meaning (0.50)",
        "turn": "a recent turn",
    }


def test_passages_keep_their_rank():
    context = merged(passages=[passage("second thing", 0.4), passage("first thing", 0.9)])
    assert texts(context) == ["first thing", "second thing"]


@pytest.mark.parametrize("other", [LONG, LONG.upper(), LONG.replace("receipt", "invoice")])
def test_passages_that_say_the_same_are_one_and_the_newer_is_kept(other):
    context = merged(
        passages=[passage(LONG, 0.9, key="old", year=2024), passage(other, 0.8, key="new", year=2026)]
    )
    assert [p.chunk.document.id for p in context.passages()] == ["new"]
    assert context.passages()[0].score == 0.9, "it stands where the better one stood"
    assert context.left_out == ("1 passages that say the same as another",)


@pytest.mark.parametrize(
    "other",
    [LONG.replace("thirty days", "30 days"), "Members may not return goods.", LONG + " " + LONG[::-1]],
)
def test_passages_that_differ_in_a_number_or_in_what_they_say_are_both_kept(other):
    one = passage(LONG.replace("thirty days", "14 days"), 0.9, key="a")
    assert len(merged(passages=[one, passage(other, 0.8, key="b")]).pieces) == 2


def test_catalogue_objects_are_never_one():
    objects = [passage(LONG, key="a", kind="metric"), passage(LONG, key="b", kind="metric")]
    assert len(merged(passages=objects).pieces) == 2


def test_of_two_documents_of_one_title_the_newer_stands_first():
    old = passage("Returns within 14 days.", 0.9, key="old", title="Return Rules", year=2024)
    other = passage("Gift wrapping is free.", 0.7, key="gift", title="Gifts")
    new = passage("Returns within 30 days.", 0.6, key="new", title="return  rules", year=2026)
    context = merged(passages=[old, other, new])
    assert [p.chunk.document.id for p in context.passages()] == ["new", "gift", "old"]
    reasons = [piece.reason for piece in context.pieces]
    assert "the newest of several versions" in reasons[0]
    assert "an older version" in reasons[2]
    assert "version" not in reasons[1]


def test_chunks_of_one_document_are_no_versions():
    first = passage("Returns within 14 days.", 0.9, key="same", title="Rules")
    second = passage("Gift wrapping is free.", 0.7, key="same", title="Rules")
    assert all("version" not in piece.reason for piece in merged(passages=[first, second]).pieces)


def test_what_does_not_fit_is_named():
    context = merged(budget=30, passages=[passage(LONG), passage("short", 0.1)])
    assert texts(context) == ["short"]
    assert context.left_out == ("1 of kind document: over the budget of 30 tokens",)


def test_no_kind_crowds_out_another_and_nothing_is_wasted():
    many = [
        passage(f"passage number {i} of the handbook, at some length", 1 - i / 100, key=f"d{i}")
        for i in range(60)
    ]
    tables = [passage(f"table {i}", key=f"t{i}", kind="table") for i in range(3)]
    context = merged(budget=300, passages=[*many, *tables])
    kinds = [piece.kind for piece in context.pieces]
    assert kinds.count("table") == 3
    assert context.tokens <= 300
    assert context.tokens > 280, "what other kinds leave unused goes to the passages"


KINDS = st.sampled_from(["document", "table", "metric", "dimension", "term", "verified"])


@given(
    sizes=st.lists(st.tuples(KINDS, st.integers(0, 60), st.floats(0, 1)), max_size=20),
    facts=st.integers(0, 5),
    budget=st.integers(0, 400),
)
def test_the_budget_holds_and_nothing_is_lost_in_silence(sizes, facts, budget):
    passages = [passage("word " * n + f"x{i}", s, key=f"k{i}", kind=k) for i, (k, n, s) in enumerate(sizes)]
    told = [fact(f"customer.f{i}", i, "customer:C-1") for i in range(facts)]
    context = merged(budget=budget, passages=passages, facts=told)
    assert context.tokens == sum(count_tokens(piece.text) for piece in context.pieces) <= budget
    named = sum(int(line.split()[0]) for line in context.left_out)
    assert named + len(context.pieces) == len(passages) + len(told)
