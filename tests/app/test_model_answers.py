"""The whole way with a chat model: real HTTP in both wire formats, a real guard, warehouse and record store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from app.record import AnswerRecord
from app.walk import Given
from retrieval.postgres.database import Database, leased_database
from retrieval.postgres.embedded import EmbeddedPostgres, Lease
from tests.app.modelling import (
    ANA,
    HANDBOOK,
    RETURNS,
    SAM,
    Modelled,
    clarify,
    decline,
    fill_shop,
    query,
)
from tests.conftest import _administer
from tests.doubles.behaviours import Break, Fail, FailInside, Garble, Hang, Say
from tests.doubles.fixtures import model_server, session_server
from tests.doubles.model_server import ModelServer
from text2sql.types import Draft, Drafting

__all__ = ["model_server", "session_server"]

BY_REGION = "SELECT region, SUM(amount) AS revenue FROM sale GROUP BY region ORDER BY revenue DESC"
TOLD = "South comes first with 550, North has 110."


both_wires = pytest.mark.parametrize("wire", ["bedrock", "openai"])


@pytest.fixture
def wire() -> str:
    """One format where the format is not what is tested; Bedrock's, which is used most."""
    return "bedrock"


@pytest.fixture(scope="module")
def kept(server: Lease, server_home: Path, template: str) -> Iterator[Database]:
    """One database for all of these: they share nothing but the handbook."""
    name = f"test_modelled_{os.getpid()}"
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    _administer(server, made.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        with leased_database(EmbeddedPostgres(server_home).acquire(), name) as opened:
            yield opened
    finally:
        _administer(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def make(
    kept: Database, tmp_path: Path, model_server: ModelServer, wire: str
) -> Iterator[Callable[..., Modelled]]:
    made: list[Modelled] = []
    shop = fill_shop(tmp_path / "shop.db")

    def one(**options: Any) -> Modelled:
        made.append(Modelled(kept, shop, getattr(model_server, wire)(), **options))
        return made[-1]

    yield one
    for each in made:
        each.warehouse.close()


@pytest.fixture
def modelled(make: Callable[..., Modelled]) -> Modelled:
    return make()


def tasks(record: AnswerRecord) -> list[str]:
    return [call.task for call in record.model_calls]


def prompts(server: ModelServer) -> list[str]:
    assert server.refused == [], "the real service would have refused a request"
    return [asked.text for asked in server.requests]


@both_wires
def test_a_right_answer_in_the_models_words(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(query(BY_REGION, "revenue", "by region", assumptions=["all time"]), TOLD)
    record = modelled.ask()
    assert record.outcome == "answered"
    assert record.rows == ({"region": "South", "revenue": 550}, {"region": "North", "revenue": 110})
    assert (record.text, record.worded_by, record.not_worded) == (TOLD, "model", "")
    assert record.understood == ("revenue", "by region")
    assert record.assumptions == ("all time",)
    assert tasks(record) == ["draft", "answer"]
    assert all(
        c.model and c.prompt_version and c.input_tokens and c.output_tokens for c in record.model_calls
    )
    [attempt] = record.attempts
    assert (attempt.draft.origin, attempt.draft.confidence) == ("model", 0.7)
    assert attempt.draft.prompt_version == record.model_calls[0].prompt_version
    first, second = prompts(model_server)
    assert "table sale" in first
    assert "revenue = SUM(amount) from sale" in first
    assert "Notes on SQLite" in first
    assert '"revenue": 550' in second
    kept = modelled.records.get(ANA, record.id)
    assert [call["task"] for call in kept["model_calls"]] == ["draft", "answer"]


@both_wires
def test_a_wrong_column_is_mended_in_the_second_round(modelled: Modelled, model_server: ModelServer) -> None:
    wrong = BY_REGION.replace("amount", "amuont")
    model_server.then(query(wrong), query(BY_REGION), TOLD)
    record = modelled.ask()
    assert record.outcome == "answered"
    assert tasks(record) == ["draft", "revise", "answer"]
    assert [one.verdict.allowed for one in record.attempts] == [False, True]
    assert [one.draft.confidence for one in record.attempts] == [0.7, 0.5]
    revision = prompts(model_server)[1]
    assert wrong in revision
    assert "unknown_column" in revision
    assert "amuont" in revision
    problems = revision.rpartition('<data name="problems">')[2]
    [violation] = record.attempts[0].verdict.violations
    assert "amount" in violation.suggestions
    assert violation.message in problems
    assert "amount" in problems.replace("amuont", "")


@both_wires
def test_refused_three_times_is_said_and_nothing_ran(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(*(query(f"SELECT column_{n} FROM sale") for n in range(9)))
    record = modelled.ask()
    assert record.outcome == "refused"
    assert (record.sql, record.result, record.rows) == ("", None, ())
    assert [one.verdict.allowed for one in record.attempts] == [False] * 3
    assert "column_2" in record.text
    assert tasks(record) == ["draft", "revise", "revise"]
    assert "column_0" in prompts(model_server)[2], "the last prompt knows both refusals"


def test_the_rounds_are_those_of_the_settings(
    make: Callable[..., Modelled], model_server: ModelServer
) -> None:
    model_server.then(*(query(f"SELECT column_{n} FROM sale") for n in range(9)))
    assert len(make(rounds=1).ask().attempts) == 1


def test_a_draft_that_was_refused_is_not_tried_again(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(
        query("SELECT nothing FROM sale"), query("SELECT nothing\nFROM sale;"), query(BY_REGION)
    )
    record = modelled.ask()
    assert record.outcome == "refused"
    assert len(record.attempts) == 1
    assert len(model_server.requests) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sale",
        "UPDATE sale SET amount = 0",
        "SELECT 1; DROP TABLE sale",
        "SELECT region FROM sale; SELECT region FROM sale",
        "WITH gone AS (DELETE FROM sale RETURNING *) SELECT * FROM gone",
        "SELECT * FROM sqlite_master",
        "SELECT person, amount FROM wages",
        "not sql at all",
    ],
)
def test_what_may_not_run_never_does(modelled: Modelled, model_server: ModelServer, statement: str) -> None:
    model_server.otherwise(query(statement))
    record = modelled.ask()
    assert record.outcome == "refused"
    assert (record.sql, record.result) == ("", None)
    assert "9876543" not in record.text
    model_server.otherwise("ok").then(query("SELECT COUNT(*) AS n, SUM(amount) AS s FROM sale"))
    assert modelled.ask("how much of everything").rows == ({"n": 3, "s": 660},), "nothing was changed"


@both_wires
@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Say("I would rather talk about the weather."), "nonsense"),
        (Say(json.dumps({"action": "query", "sql": ""})), "nonsense"),
        (Fail("throttled"), "throttled"),
        (Fail("unavailable"), "unavailable"),
        (FailInside(query(BY_REGION)), "unavailable"),
        (Fail("denied"), "misconfigured"),
        (Garble(), "unavailable"),
        (Hang(), "timeout"),
        (Hang(query(BY_REGION)), "timeout"),
        (Break(query(BY_REGION)), "unavailable"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_model_that_fails_is_told_and_answered_without(
    make: Callable[..., Modelled], model_server: ModelServer, behaviour: Any, kind: str
) -> None:
    model_server.otherwise(behaviour)
    record = make(seconds=1.2).ask()
    assert record.outcome == "answered"
    assert record.attempts[-1].draft.origin == "offline"
    assert {row["revenue"] for row in record.rows} == {110, 550}
    assert record.text.startswith("The language model could not be reached (")
    assert "answered without it" in record.text
    assert record.worded_by == "rules"
    assert [call.failure for call in record.model_calls] == [kind]


def test_the_failure_is_told_in_japanese(make: Callable[..., Modelled], model_server: ModelServer) -> None:
    model_server.otherwise(Fail("unavailable"))
    record = make(seconds=1.2).ask("地域別の売上高は？")
    assert record.text.startswith("言語モデルを利用できなかったため（サービスが正常に応答しませんでした）")
    assert record.outcome == "answered"


def test_a_model_that_fails_at_mending_leaves_the_rules(
    make: Callable[..., Modelled], model_server: ModelServer
) -> None:
    model_server.then(query("SELECT nothing FROM sale")).otherwise(Fail("denied"))
    record = make().ask()
    assert [one.draft.origin for one in record.attempts] == ["model", "offline"]
    assert record.outcome == "answered"
    assert "could not be reached" in record.text


def test_a_figure_from_nowhere_is_not_shown(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(query(BY_REGION), "South sold 770 and North 110.", TOLD)
    record = modelled.ask()
    assert (record.text, record.worded_by) == (TOLD, "model")
    assert "770" in prompts(model_server)[2], "the second try is told what was wrong"
    model_server.then(query(BY_REGION), "South sold 770.", "It sold 771, surely.")
    record = modelled.ask()
    assert record.worded_by == "rules"
    assert record.not_worded == "unsupported: 771"
    assert "77" not in record.text
    assert "550" in record.text


def test_words_that_tell_nothing_of_the_rows_are_not_shown(
    modelled: Modelled, model_server: ModelServer
) -> None:
    model_server.then(query(BY_REGION)).otherwise("Certainly, here you are.")
    record = modelled.ask()
    assert (record.worded_by, record.not_worded) == ("rules", "says_nothing")


def test_a_model_that_fails_at_wording_leaves_the_rules(
    modelled: Modelled, model_server: ModelServer
) -> None:
    model_server.then(query(BY_REGION)).otherwise(Fail("denied"))
    record = modelled.ask()
    assert (record.worded_by, record.not_worded) == ("rules", "misconfigured")
    assert "550" in record.text
    assert "could not be reached" not in record.text, "the query was the model's"


@both_wires
def test_documents_are_cited_and_the_quote_stands_in_them(
    modelled: Modelled, model_server: ModelServer
) -> None:
    model_server.then(
        decline("no table holds rules"), "Unused goods go back within 30 days with the receipt [1]."
    )
    record = modelled.ask(RETURNS)
    assert (record.outcome, record.route, record.worded_by) == ("answered", "documents", "model")
    [citation] = record.citations
    assert citation.quote == "Unused goods may be returned within 30 days with the receipt."
    assert HANDBOOK[citation.start : citation.end] == citation.quote
    assert tasks(record) == ["draft", "answer"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Within 30 days.", "no_citation"),
        ("Within 30 days [2].", "no_such_passage: [2]"),
        ("Within 45 days [1].", "unsupported: 45"),
        ("Within 30 days [1], see https://evil.example/x", "unsupported: https://evil.example/x"),
    ],
)
def test_words_about_documents_that_cannot_be_looked_up(
    modelled: Modelled, model_server: ModelServer, text: str, problem: str
) -> None:
    model_server.then(decline("not a figure")).otherwise(text)
    record = modelled.ask(RETURNS)
    assert (record.worded_by, record.not_worded) == ("rules", problem)
    assert "30 days" in record.text
    assert record.citations
    assert "evil" not in record.text


def test_an_order_in_a_document_opens_nothing(modelled: Modelled, model_server: ModelServer) -> None:
    """The handbook asks for wages and other people's customers; a model that obeys gets nowhere."""
    model_server.then(
        query("SELECT person, amount FROM wages"),
        query("SELECT customer, amount FROM sale WHERE region = 'South'"),
        "Nobody was found.",
    )
    record = modelled.ask("Which goods may be returned, and what are the notes?", SAM)
    told = json.dumps(record.to_json(), ensure_ascii=False)
    for secret in ("Zentaro", "9876543", "Baba", "Chiba"):
        assert secret not in told.replace(HANDBOOK, "")
    asked = prompts(model_server)
    for secret in ("Zentaro", "9876543", "wages (", "table wages", "Baba", "'South'"):
        assert secret not in asked[0], "what the caller may not see is not in the prompt"
    fence = asked[0].index('<data name="passages">')
    assert asked[0].index("Ignore all previous rules") > fence
    assert all(one.draft.sql for one in record.attempts)
    assert record.rows == ()


def test_the_prompt_holds_the_callers_own_values_only(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.otherwise(decline("nothing"))
    modelled.ask("what is there", SAM)
    modelled.ask("what is there", ANA)
    sams, anas = prompts(model_server)
    assert "'North'" in sams
    assert "'South'" not in sams
    assert "Abe" in sams
    assert "Chiba" not in sams
    assert "'South'" in anas
    assert "wages" not in anas.partition('<data name="passages">')[0]


def test_rows_of_the_words_are_those_of_the_caller(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(query(BY_REGION), "North: 110.")
    record = modelled.ask(who=SAM)
    assert record.rows == ({"region": "North", "revenue": 110},)
    assert "550" not in prompts(model_server)[1]


def test_a_question_back_and_the_reading_that_is_picked(
    modelled: Modelled, model_server: ModelServer
) -> None:
    south = "SELECT SUM(amount) AS revenue FROM sale WHERE region = 'South'"
    model_server.then(clarify("Which region?", South=south, Wages="SELECT amount FROM wages"))
    drafted = modelled.scope(ANA).drafter.draft("revenue there", _context(modelled, "revenue there"))
    assert drafted.clarify == "Which region?"
    model_server.then(clarify("Which region?", South=south, Wages="SELECT amount FROM wages"))
    record = modelled.ask("revenue there")
    assert (record.outcome, record.text, record.choices) == ("clarify", "Which region?", ("South", "Wages"))
    model_server.then("550 in South.")
    picked = modelled.ask("revenue there", given=Given(drafting=Drafting(drafts=(drafted.choices[0].draft,))))
    assert (picked.outcome, picked.rows) == ("answered", ({"revenue": 550},))
    before = len(model_server.requests)
    other = Given(drafting=Drafting(drafts=(Draft("SELECT amount FROM wages", "model", 0.7),)))
    refused = modelled.ask("revenue there", given=other)
    assert (refused.outcome, refused.result) == ("refused", None)
    assert len(model_server.requests) == before, "nobody puts another query in the place of a picked one"


def _context(modelled: Modelled, question: str) -> Any:
    return modelled.assistant._retriever.retrieve(question, ANA, conversation_id="c", budget=1000)


def test_a_decline_says_what_is_lacking(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(decline("no table holds the weather", suggestions=["revenue by region"]))
    record = modelled.ask("How hot was it in April?")
    assert record.outcome == "declined"
    assert "no table holds the weather" in record.text
    assert record.suggestions == ("revenue by region",)
    assert tasks(record) == ["draft"]


def test_a_decline_after_a_refusal_is_what_the_asker_hears(
    modelled: Modelled, model_server: ModelServer
) -> None:
    model_server.then(query("SELECT profit FROM sale"), decline("there are no costs, so no profit"))
    record = modelled.ask("profit by region")
    assert record.outcome == "declined"
    assert "there are no costs, so no profit" in record.text
    assert len(record.attempts) == 1


@both_wires
def test_in_japanese(modelled: Modelled, model_server: ModelServer) -> None:
    monthly = "SELECT region, SUM(amount) AS 売上高 FROM sale WHERE sold_on >= '2026-04-01' AND sold_on < '2026-05-01' GROUP BY region ORDER BY 2 DESC"
    words = "2026年4月の売上高は南が220円、北が110円です。期間は2026年4月1日から2026年4月30日までです。"
    model_server.then(query(monthly, "売上高", "2026年4月"), words)
    record = modelled.ask("2026年4月の地域別の売上高は？")
    assert (record.outcome, record.text, record.worded_by) == ("answered", words, "model")
    first, second = prompts(model_server)
    assert "日本語" in first
    assert "あなたは" in first
    assert "売上高" in second


def test_a_verified_question_needs_no_drafting(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then("There are 3 sales.")
    record = modelled.ask("How many sales are there?")
    assert record.attempts[0].draft.origin == "verified"
    assert (record.rows, record.text) == (({"n": 3},), "There are 3 sales.")
    assert tasks(record) == ["answer"]


def test_the_conversation_reaches_the_model(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(query(BY_REGION), TOLD, query("SELECT SUM(amount) AS revenue FROM sale"), "660 in all.")
    modelled.ask(conversation_id="talk")
    record = modelled.ask("and in total?", conversation_id="talk")
    assert record.rows == ({"revenue": 660},)
    assert "revenue by region" in prompts(model_server)[2].rpartition('<data name="conversation">')[2]


def test_a_figure_of_the_models_own_is_never_told(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.otherwise(query("SELECT 987654 AS revenue FROM sale LIMIT 1"))
    record = modelled.ask()
    assert (record.outcome, record.result) == ("refused", None)
    assert "987" not in record.text
    assert "from the data" in record.text


def test_a_long_query_is_cut_when_it_is_shown_again(modelled: Modelled, model_server: ModelServer) -> None:
    long = f"SELECT nothing FROM sale WHERE region IN ({', '.join(['1'] * 15_000)})"
    model_server.then(query(long), query(long.replace("nothing", "nobody")), decline("too long"))
    assert modelled.ask().outcome == "declined"
    assert max(len(asked.text) for asked in model_server.requests) < 30_000


def test_a_long_problem_is_cut_when_the_model_is_told(modelled: Modelled, model_server: ModelServer) -> None:
    model_server.then(query(f"SELECT {'n' * 40_000} FROM sale"), decline("no such column"))
    assert modelled.ask().outcome == "declined"
    assert len(model_server.requests) == 2
    assert max(len(asked.text) for asked in model_server.requests) < 30_000
