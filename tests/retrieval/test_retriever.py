import threading
import time

import pytest

from retrieval.conversations import build as build_conversations
from retrieval.embeddings import build_embeddings
from retrieval.errors import RetrievalError, SourceFailed, StoreUnavailable
from retrieval.indexing import index
from retrieval.retriever import PASSAGES, Retriever
from retrieval.situational import load_sources
from retrieval.stores import build as build_store
from retrieval.types import Chunk, Document, Fact, Principal, SearchResult, Turn
from tests.conftest import NOW

MEI = Principal("mei", roles=("seller",), name="Mei")


def chunk(text, key, kind="document", language="en", **more):
    document = Document(key, "v1", f"file:///{key}", key, kind=kind, language=language, as_of=NOW, **more)
    return Chunk(f"{key}#0", document, 0, text, 0, len(text))


SHELF = [
    chunk("Members may return goods within 30 days.", "returns"),
    chunk("ポイントは1年間有効です。", "points", language="ja"),
    chunk(
        "Salaries of sellers are paid on the 25th.",
        "salaries",
        labels=frozenset({"role:manager"}),
        discoverable=True,
    ),
    chunk("Salaries of directors.", "directors", labels=frozenset({"role:director"})),
    chunk("return rate: returned goods over sold goods", "metric:return_rate", "metric"),
    *(chunk(f"table number {n} of returns of goods by members", f"table:{n}", "table") for n in range(30)),
]


@pytest.fixture
def store(database):
    made = build_store("pgvector", {"database": database, "model": None})
    index(SHELF, None, made)
    return made


class Source:
    """A situational source that waits, fails or answers, as told."""

    def __init__(self, name, outcome=(), wait=0.0):
        self.name, self._outcome, self._wait = name, outcome, wait
        self.asked = []

    def fetch(self, principal, question):
        self.asked.append(question)
        time.sleep(self._wait)
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return list(self._outcome)


def plan(origin):
    return Fact("customer.plan", "Gold", origin, NOW, "customer:C-1")


def test_documents_objects_and_facts_in_one_context(store, database):
    retriever = Retriever(store, None, load_sources(None, database, lambda: NOW), lambda: NOW)
    context = retriever.retrieve("How long may members return goods?", MEI)
    assert context.passages("document")[0].chunk.document.id == "returns"
    assert context.passages("metric")[0].chunk.document.id == "metric:return_rate"
    assert len(context.passages("table")) <= PASSAGES, "30 tables matched, and the document is still there"
    assert [fact.name for fact in context.facts()] == [
        "user.name",
        "user.roles",
        "user.language",
        "user.today",
    ]
    assert (context.language, context.question, context.principal) == (
        "en",
        "How long may members return goods?",
        MEI,
    )
    assert context.left_out == ()


def test_japanese_without_a_dictionary(store):
    context = Retriever(store, None).retrieve("ポイントの有効期間は？", MEI)
    assert context.language == "ja"
    assert context.passages("document")[0].chunk.document.id == "points"


def test_what_the_caller_may_not_read_is_counted_where_it_may_be_known_of(store):
    context = Retriever(store, None).retrieve("When are salaries of sellers paid?", MEI)
    assert "salaries" not in {p.chunk.document.id for p in context.passages()}
    assert context.withheld == 1
    boss = Principal("boss", roles=("manager",))
    assert "salaries" in {
        p.chunk.document.id for p in Retriever(store, None).retrieve("salaries of sellers", boss).passages()
    }


def test_with_an_embedder_meaning_counts_too(database):
    model = build_embeddings("minilm")
    made = build_store("pgvector", {"database": database, "model": model})
    index(SHELF, model, made)
    passages = (
        Retriever(made, model)
        .retrieve("Until when can a club fellow bring purchases back?", MEI)
        .passages("document")
    )
    assert passages[0].chunk.document.id == "returns"
    assert passages[0].dense > 0


def test_slow_and_broken_sources_are_left_out_and_named(store):
    sources = [
        Source("slow", [plan("slow")], wait=3),
        Source("broken", SourceFailed("The book is closed")),
        Source("surprising", ZeroDivisionError("secret value 42")),
        Source("good", [plan("good")], wait=0.05),
    ]
    started = time.perf_counter()
    context = Retriever(store, None, sources).retrieve("goods", MEI, deadline=0.5)
    assert time.perf_counter() - started < 2
    assert [fact.origin for fact in context.facts()] == ["good"]
    assert context.left_out == (
        "slow: no answer in time",
        "broken: The book is closed",
        "surprising: ZeroDivisionError",
    )


def test_sources_run_side_by_side(store):
    together = threading.Barrier(3, timeout=5)

    class Meeting(Source):
        def fetch(self, principal, question):
            together.wait()
            return [plan(self.name)]

    context = Retriever(store, None, [Meeting(f"s{n}") for n in range(3)]).retrieve("goods", MEI, deadline=5)
    assert [fact.origin for fact in context.facts()] == ["s0", "s1", "s2"], "in the order they were given"


def test_a_source_that_hangs_holds_nothing_up_at_the_end(store):
    Retriever(store, None, [Source("hanging", wait=60)]).retrieve("goods", MEI, deadline=0.1)
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "retrieve-hanging")


def test_a_follow_up_is_looked_for_with_the_question_before(store, database):
    turns = build_conversations("postgres", {"database": database})
    turns.append(Turn("c", "mei", "How long may members return goods?", "30 days", "r1", NOW))
    source = Source("customers")
    retriever = Retriever(store, None, [source], conversations=turns)
    context = retriever.retrieve("And why?", MEI, conversation_id="c")
    assert source.asked == ["How long may members return goods?\nAnd why?"]
    assert context.question == "And why?"
    assert context.passages("document")[0].chunk.document.id == "returns"
    assert [piece.text for piece in context.pieces if piece.kind == "turn"] == [
        "Q: How long may members return goods?\nA: 30 days"
    ]


@pytest.mark.parametrize(("who", "conversation"), [(MEI, None), (MEI, "other"), (Principal("ken"), "c")])
def test_turns_of_another_conversation_or_caller_are_not_there(store, database, who, conversation):
    turns = build_conversations("postgres", {"database": database})
    turns.append(Turn("c", "mei", "Secret?", "yes", "r1", NOW))
    context = Retriever(store, None, conversations=turns).retrieve(
        "goods?", who, conversation_id=conversation
    )
    assert not [piece for piece in context.pieces if piece.kind == "turn"]


def test_a_conversation_store_that_fails_is_left_out_and_named(store):
    class Broken:
        def recent(self, principal, conversation_id, n):
            raise RetrievalError("The turns are gone")

    context = Retriever(store, None, conversations=Broken()).retrieve("goods", MEI, conversation_id="c")
    assert context.left_out == ("conversation: The turns are gone",)
    assert context.passages("document")


@pytest.mark.parametrize("kinds", ["document", "metric"])
def test_a_search_that_fails_is_an_error_and_never_an_empty_answer(store, kinds):
    class Failing:
        def search(self, query, vector=None):
            if kinds in query.kinds:
                raise StoreUnavailable("gone")
            return SearchResult(())

    with pytest.raises(StoreUnavailable):
        Retriever(Failing(), None).retrieve("goods", MEI)


def test_the_budget_holds(store):
    context = Retriever(store, None).retrieve("returns of goods by members", MEI, budget=50)
    assert context.tokens <= 50
    assert context.left_out
