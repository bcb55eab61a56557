"""Recorded replies replayed through the whole way: no network, the same answer every time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.models import open_model
from retrieval.postgres.database import Database
from tests.app.modelling import RETURNS, Modelled, fill_shop
from tests.app.recording import FILE, record

STALE = "run `python -m tests.app.recording`: prompts or context changed since it was recorded"


@pytest.fixture
def replayed(database: Database, tmp_path: Path) -> Modelled:
    return Modelled(database, fill_shop(tmp_path / "shop.db"), open_model(f"replay:{FILE.name}", FILE.parent))


def test_the_recording_answers_as_the_model_did(replayed: Modelled) -> None:
    figures = replayed.ask("revenue by region")
    assert not any(call.failure for call in figures.model_calls), STALE
    assert [one.verdict.allowed for one in figures.attempts] == [False, True]
    assert figures.text == "South comes first with 550, North has 110."
    rules = replayed.ask(RETURNS)
    assert rules.text == "Unused goods go back within 30 days with the receipt [1]."
    japanese = replayed.ask("地域別の売上高は？")
    assert japanese.text == "売上高は South が550円、North が110円です。"
    assert [call.task for call in japanese.model_calls] == ["draft", "answer", "answer"]
    assert replayed.ask("地域別の売上高は？").text == japanese.text, "a repeated question is the same request"
    replayed.warehouse.close()


def test_a_request_nobody_recorded_is_told_as_a_model_that_cannot_be_used(replayed: Modelled) -> None:
    record = replayed.ask("revenue by region in April 2026")
    assert [call.failure for call in record.model_calls] == ["misconfigured"]
    assert "could not be reached" in record.text
    assert record.outcome == "answered"
    replayed.warehouse.close()


def test_recording_again_writes_the_same_requests(database: Database, tmp_path: Path) -> None:
    record(database, tmp_path, tmp_path / "again.jsonl")
    old, new = FILE.read_text(encoding="utf-8"), (tmp_path / "again.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in new.splitlines()] == [
        json.loads(line) for line in old.splitlines()
    ], STALE
