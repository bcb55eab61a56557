"""What the demo's users may know of and not read: withheld, with whom to ask and without a word of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.commands.exits import OUTCOMES
from app.ingesting import folders_of, ingest_folders
from app.settings import load as load_settings
from app.walk import Given
from app.wiring import Application, open_application
from demo.building import build_home
from demo.questions import SPREAD, read_questions
from retrieval.postgres.database import open_database
from text2sql.types import Draft, Drafting

QUESTION = "How will the base premium of the Premier plan change in April 2027?"
FOREIGN = "2027年4月にプレミアプランの基準保険料はどう変わりますか?"
OWNER = "underwriting@kazahaya.example"


@pytest.fixture(scope="module")
def insurer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    home = tmp_path_factory.mktemp("insurer") / "home"
    database = open_database(home)
    try:
        build_home(home, database, 300)
        settings = load_settings(home, environment={})
        today = datetime(2026, 11, 20, tzinfo=UTC)
        with open_application(settings, clock=lambda: today) as application:
            ingest_folders(application.stores, folders_of(settings, []))
            yield application
    finally:
        database.close()


def ask(insurer: Application, user: str, question: str = QUESTION) -> dict[str, Any]:
    record = insurer.assistant.answer(question, insurer.principal(user))
    return {**record.to_json(), "exit": OUTCOMES[record.outcome].value}


def test_the_memo_is_withheld_from_those_who_may_not_read_it(insurer: Application) -> None:
    said = ask(insurer, "emma")
    assert (said["outcome"], said["exit"], said["withheld"]) == ("answered", 0, 0)
    assert "4 percent" in said["text"]
    memo = next(c for c in said["citations"] if "underwriting-memo" in c["uri"])
    text = (insurer.stores.settings.home / "documents/internal/underwriting-memo.en.md").read_text(
        encoding="utf-8"
    )
    for user in ("guest", "ren", "ana"):
        for question in (QUESTION, FOREIGN):
            record = ask(insurer, user, question)
            assert (record["outcome"], record["exit"]) == ("withheld", 4), (user, question)
            assert OWNER in record["text"]
            whole = json.dumps(record, ensure_ascii=False)
            for secret in (
                memo["title"],
                memo["uri"],
                memo["chunk_id"],
                memo["document_id"],
                memo["version"],
            ):
                assert secret not in whole, secret
            assert not _threes(text) & _threes(whole) - _threes(question)
            assert not re.search(r"internal|memo|91,520|4 ?(?:percent|パーセント)", whole)


def test_what_matches_nothing_is_still_declined(insurer: Application) -> None:
    for question in ("What is the recipe for miso soup?", "How many flights were late?", "今日の天気は?"):
        record = ask(insurer, "guest", question)
        assert (record["outcome"], record["exit"], record["withheld"]) == ("declined", 3, 0), question


def test_tables_that_may_be_known_of_are_withheld_and_others_are_not_there(insurer: Application) -> None:
    for question, owner in [
        ("How many claims were reported in FY2025?", "claims@kazahaya.example"),
        ("Earned premium by plan in FY2024", "finance@kazahaya.example"),
        ("令和6年度の解約件数", "sales@kazahaya.example"),
    ]:
        record = ask(insurer, "guest", question)
        assert (record["outcome"], record["sql"], record["attempts"]) == ("withheld", "", []), question
        assert owner in record["text"]
    # Calls and payments are not discoverable.
    for question in ("Number of calls by reason last month", "今年度の支払種別ごとの支払保険金"):
        record = ask(insurer, "guest", question)
        assert (record["outcome"], record["withheld"]) == ("declined", 0), question
        assert "@kazahaya" not in json.dumps(record)


def test_a_draft_that_names_such_a_table_is_withheld_with_its_owner(insurer: Application) -> None:
    for table, outcome in [("claims", "withheld"), ("calls", "refused"), ("no_such_table", "refused")]:
        draft = Draft(f"SELECT count(*) FROM {table}", "offline", 0.9, tables=(table,))
        record = insurer.assistant.answer(
            "How many?", insurer.principal("guest"), given=Given(drafting=Drafting((draft,)))
        )
        assert record.outcome == outcome, table
        assert ("claims@kazahaya.example" in record.text) is (table == "claims")


@pytest.mark.parametrize("user", ["ana", "ren"])
def test_nothing_that_they_can_be_answered_is_withheld(insurer: Application, user: str) -> None:
    """They may read every table, so of the whole spread only the question about the memo can be."""
    outcomes = {
        asked.question: ask(insurer, user, asked.question)["outcome"] for asked in read_questions(SPREAD)
    }
    assert [question for question, outcome in outcomes.items() if outcome == "withheld"] == [QUESTION]


def _threes(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9,]+", text.lower())
    return set(zip(words, words[1:], words[2:], strict=False))
