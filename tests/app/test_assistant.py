"""The one way a question goes: a real guard, warehouse and record store; the context is handed in."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from app.assistant import Assistant, checked_question
from app.errors import GivenInvalid, QuestionInvalid
from app.events import Answered, Drafted, Guarded, Ran, Retrieved, Routed
from app.record import AnswerRecord, RecordStore
from app.routing import Route
from app.walk import Given, Scope, Warehousing
from retrieval import conversations
from retrieval.postgres.database import Database
from retrieval.retriever import Retriever
from retrieval.stores import build as build_store
from retrieval.types import Chunk, Document, Principal
from text2sql.guard import SqlGuard
from text2sql.policy import Policy, parse
from text2sql.semantics import SemanticModel
from text2sql.types import Decline, Draft, Drafting, Limits, ResultSet, Verdict
from text2sql.warehouses import open_warehouse

ANA = Principal("ana", roles=("analyst",))
SAM = Principal("sam", roles=("seller",), attributes={"regions": ("North",)})
QUERY = Route("query", "because")
POLICY = parse(
    """
version: 1
name: shop
attributes: {regions: {type: text, list: true}}
tables:
  sale: {grants: [{roles: [analyst], rows: all}, {roles: [seller], rows: "region IN (:regions)"}]}
  wages: {discoverable: true, owner: hr, grants: [{roles: [boss], rows: all}]}
"""
)


class FixedDrafter:
    """Drafts what it was told to: what is tested here is what happens to a draft."""

    def __init__(self, *drafts: str) -> None:
        self.drafting = Drafting(tuple(Draft(sql, "offline", 0.9) for sql in drafts))

    def draft(self, question: str, context: object, n: int = 1) -> Drafting:
        return self.drafting


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE sale (id INTEGER PRIMARY KEY, region TEXT, amount INTEGER);"
            "INSERT INTO sale VALUES (1, 'North', 10), (2, 'South', 20), (3, 'South', 30);"
            "CREATE TABLE wages (id INTEGER, amount INTEGER); INSERT INTO wages VALUES (1, 1);"
        )
    return path


class Made:
    """An assistant over the shop, with a drafter that can be swapped."""

    def __init__(
        self, database: Database, shop: Path, policy: Policy | None = POLICY, limits: Limits | None = None
    ) -> None:
        self.warehouse = open_warehouse(shop)
        self.drafter = FixedDrafter()
        self.store = build_store("pgvector", {"database": database, "model": None})
        self.records = RecordStore(database)
        self.turns = conversations.build("postgres", {"database": database})
        clock = lambda: datetime(2026, 11, 20, tzinfo=UTC)  # noqa: E731
        side = Warehousing(
            self.warehouse,
            SqlGuard(),
            policy,
            SemanticModel(),
            lambda _: Scope(self.warehouse.catalog(), self.drafter),
            limits or Limits(),
        )
        self.assistant = Assistant(
            retriever=Retriever(self.store, None, (), clock, conversations=self.turns),
            records=self.records,
            conversations=self.turns,
            clock=clock,
            warehousing=side,
        )

    def ask(
        self, *drafts: str, who: Principal = ANA, question: str = "total amount", **options: object
    ) -> AnswerRecord:
        self.drafter = FixedDrafter(*drafts)
        return self.assistant.answer(question, who, **options)  # type: ignore[arg-type]


@pytest.fixture
def made(database: Database, shop: Path) -> Iterator[Made]:
    found = Made(database, shop)
    yield found
    found.warehouse.close()


def test_every_step_is_an_event_and_the_record_is_kept(made: Made) -> None:
    made.drafter = FixedDrafter("SELECT sum(amount) AS total FROM sale")
    events = list(made.assistant.ask("total amount", ANA, conversation_id="c1"))
    assert [type(event) for event in events] == [Retrieved, Drafted, Routed, Guarded, Ran, Answered]
    record = events[-1].record
    assert (record.outcome, record.rows) == ("answered", ({"total": 60},))
    assert "60" in record.text
    assert record.result.rows == 1
    assert record.policy == "shop v1"
    assert {"retrieve", "draft", "guard", "run", "total"} <= record.timings.keys()
    kept = made.records.get(ANA, record.id)
    assert kept["rows"] == [{"total": 60}]
    assert kept["attempts"][0]["verdict"]["allowed"]
    assert [turn.record_id for turn in made.turns.recent(ANA, "c1", 5)] == [record.id]


def test_rows_are_those_of_the_caller(made: Made) -> None:
    assert made.ask("SELECT sum(amount) AS total FROM sale", who=SAM).rows == ({"total": 10},)


@pytest.mark.parametrize(
    "sql", ["DROP TABLE sale", "SELECT * FROM sqlite_master", "SELECT 1; SELECT 2", "not sql", ""]
)
def test_what_the_guard_refuses_does_not_run(made: Made, sql: str) -> None:
    record = made.ask(sql)
    assert record.outcome == "refused"
    assert (record.sql, record.rows, record.result) == ("", (), None)
    assert made.ask("SELECT count(*) AS n FROM sale").rows == ({"n": 3},)


def test_the_next_draft_is_tried_when_one_is_refused(made: Made) -> None:
    record = made.ask("SELECT nothing FROM sale", "SELECT count(*) AS n FROM sale")
    assert record.rows == ({"n": 3},)
    assert [attempt.verdict.allowed for attempt in record.attempts] == [False, True]


def test_a_table_that_may_be_known_of_is_withheld(made: Made) -> None:
    record = made.ask("SELECT amount FROM wages", "SELECT count(*) AS n FROM sale")
    assert record.outcome == "withheld"
    assert record.rows == ()


def test_a_query_too_expensive_is_not_run(database: Database, shop: Path) -> None:
    made = Made(database, shop, limits=Limits(estimated_rows=2))
    record = made.ask("SELECT a.id FROM sale a, sale b, sale c")
    assert record.outcome == "refused"
    assert "did not run it: it would read more than you may at once" in record.text
    assert record.attempts[-1].error == "too_expensive"
    made.warehouse.close()


def test_no_rows_is_its_own_outcome(made: Made) -> None:
    assert made.ask("SELECT amount FROM sale WHERE amount > 1000").outcome == "no_rows"


def test_a_total_over_nothing_is_no_rows_and_an_empty_cell_is_an_answer(made: Made) -> None:
    total = made.ask("SELECT sum(amount) AS total, max(amount) AS most FROM sale WHERE amount > 1000")
    assert total.outcome == "no_rows"
    assert made.ask("SELECT count(*) AS n FROM sale WHERE amount > 1000").outcome == "answered"
    assert made.ask("SELECT nullif(amount, amount) AS a FROM sale WHERE id = 1").outcome == "answered"


def test_a_figure_over_the_rows_one_may_see_does_not_read_as_one_over_all(made: Made) -> None:
    part = "Only the rows of sale that you may see are in it."
    none = "Only the rows of sale that you may see were searched; there may be others."
    assert part in made.ask("SELECT sum(amount) AS total FROM sale", who=SAM).text
    assert part not in made.ask("SELECT sum(amount) AS total FROM sale", who=ANA).text
    for nothing in (
        "SELECT amount FROM sale WHERE region = 'South'",
        "SELECT sum(amount) AS s FROM sale WHERE id = 9",
    ):
        record = made.ask(nothing, who=SAM)
        assert record.outcome == "no_rows"
        assert none in record.text
    assert (
        "閲覧できる行だけ" in made.ask("SELECT sum(amount) AS 合計 FROM sale", who=SAM, question="合計").text
    )


@pytest.mark.parametrize("question", ["amounts of the South", "南の金額"])
def test_nothing_found_in_rows_that_one_may_know_of_is_withheld_by_their_owner(
    database: Database, shop: Path, question: str
) -> None:
    """Whether there are such rows or none at all, the answer is the same: hidden rows stay indistinguishable."""
    policy = parse(
        "version: 1\nname: shop\nattributes: {regions: {type: text, list: true}}\ntables:\n"
        "  sale: {discoverable: true, owner: sales@shop, grants: [{roles: [analyst], rows: all},"
        ' {roles: [seller], rows: "region IN (:regions)"}]}'
    )
    made = Made(database, shop, policy)
    hidden, absent = (
        made.ask(f"SELECT amount FROM sale WHERE region = '{region}'", who=SAM, question=question)
        for region in ("South", "Atlantis")
    )
    assert hidden.outcome == "withheld"
    assert "sales@shop" in hidden.text
    assert (hidden.outcome, hidden.text, hidden.why) == (absent.outcome, absent.text, absent.why)
    found = made.ask("SELECT sum(amount) AS total FROM sale", who=SAM, question=question)
    assert found.outcome == "answered"
    everything = made.ask("SELECT amount FROM sale WHERE region = 'Atlantis'", who=ANA, question=question)
    assert everything.outcome == "no_rows"
    assert "sales@shop" not in everything.text


def test_nothing_drafted_and_nothing_found_is_declined_with_the_reason(made: Made) -> None:
    made.drafter = FixedDrafter()
    made.drafter.drafting = Drafting(decline=Decline(("amount",), ("what a flurb is",), ("total amount",)))
    record = made.assistant.answer("how many flurbs?", ANA)
    assert record.outcome == "declined"
    assert "what a flurb is" in record.text
    assert record.suggestions == ("total amount",)


def test_documents_answer_and_only_those_the_caller_may_read(made: Made) -> None:
    text = "Unused goods may be returned within 30 days."
    document = Document("d", "v1", "file:x", "Returns", labels=frozenset({"role:analyst"}))
    made.store.upsert([Chunk("d#0", document, 0, text, 0, len(text))], [])
    made.drafter = FixedDrafter()
    record = made.assistant.answer("Within how many days may goods be returned?", ANA)
    assert (record.outcome, record.route) == ("answered", "documents")
    assert "30 days" in record.citations[0].quote
    assert made.assistant.answer("Within how many days may goods be returned?", SAM).outcome == "declined"


def test_no_half_of_a_double_question_is_dropped_without_a_word(made: Made) -> None:
    record = made.ask(
        "SELECT count(*) AS n FROM sale",
        question="How many sales were there, and how many returns were there?",
    )
    assert record.rows == ({"n": 3},)
    assert record.suggestions == ("how many returns were there?",)
    assert "how many returns were there?" in record.text


def test_a_supplied_draft_is_guarded_like_any_other(made: Made) -> None:
    given = Given(drafting=Drafting((Draft("DELETE FROM sale", "person", 1.0),)), route=QUERY)
    assert made.ask(given=given).outcome == "refused"
    given = Given(drafting=Drafting((Draft("SELECT count(*) AS n FROM sale", "person", 1.0),)), route=QUERY)
    assert made.ask(given=given).rows == ({"n": 3},)


def test_nothing_runs_on_a_supplied_verdict(made: Made) -> None:
    with pytest.raises(GivenInvalid):
        Given(verdict=Verdict(allowed=True, sql="DELETE FROM sale"))
    result = ResultSet(pa.table({"n": [7]}), 0.0)
    drafting = Drafting((Draft("SELECT 7 AS n", "offline", 0.9),))
    given = Given(
        drafting=drafting, route=QUERY, verdict=Verdict(allowed=True, sql="SELECT 7 AS n"), result=result
    )
    assert made.ask(given=given).rows == ({"n": 7},)


def test_without_a_policy_every_answer_says_so(database: Database, shop: Path) -> None:
    made = Made(database, shop, policy=None)
    record = made.ask("SELECT sum(amount) AS total FROM sale", who=dataclasses.replace(ANA, roles=()))
    assert (record.policy, record.rows) == (None, ({"total": 60},))
    made.warehouse.close()


@pytest.mark.parametrize("question", ["", " \n ", "x" * 4_001, "\x00\x01\x02", "caf\ufffd", "\ud800"])
def test_bad_questions_are_refused_before_anything_is_done(made: Made, question: str) -> None:
    with pytest.raises(QuestionInvalid):
        made.assistant.ask(question, ANA)


def test_a_question_keeps_its_words() -> None:
    assert checked_question("  売上は?\n") == "売上は?"
