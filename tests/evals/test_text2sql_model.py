"""Drafts of a chat model, replayed: recorded from one that answers by the question, through the command's own way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field
from typer.testing import CliRunner

from app.settings import ModelSettings
from evals.cli import command as cli
from evals.drafting import building
from evals.drafting.asking import Asking, ask
from evals.drafting.opened import close_all
from evals.drafting.places import places
from evals.suites.databases import load
from prompts.replaying import RecordingChatModel
from tests.evals import sets

TODAY = "2026-11-20"
REPLIES = {
    "How many bakers are there?": [{"action": "query", "sql": "SELECT count(*) AS bakers FROM baker"}],
    # Refused by the guard, then mended.
    "What is the average wage of bakers?": [
        {"action": "query", "sql": "SELECT avg(salary) AS a FROM baker"},
        {"action": "query", "sql": "SELECT avg(wage) AS a FROM baker"},
    ],
    "How many branches are in Oslo?": [{"action": "query", "sql": "SELECT count(*) AS n FROM branch"}],
    "How many books are there?": [{"action": "decline", "lacking": ["books"]}],
}


class Answering(BaseChatModel):
    """Answers the question that a prompt ends with; a second time with what it says the second time."""

    asked: dict[str, int] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "answering"

    def _reply(self, messages: list[BaseMessage]) -> str:
        text = str(messages[-1].text)
        question = next(q for q in REPLIES if q in text)
        at = self.asked[question] = self.asked.get(question, -1) + 1
        replies = REPLIES[question]
        return json.dumps({"reading": ["as asked"], **replies[min(at, len(replies) - 1)]})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self._reply(messages)))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(self._reply(messages)))


def test_a_recorded_model_is_measured_like_any_drafter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sets.sqlite_set(tmp_path / "set")
    asked = [row for row in sets.rows() if row["question"] in REPLIES]
    questions = sets.write_lines(tmp_path / "asked.jsonl", asked)
    suite = load(folder, questions)
    recording = tmp_path / "recording.jsonl"
    recorder = RecordingChatModel(model=Answering(), path=recording)
    with places(suite, ["bakery", "library"]) as at, monkeypatch.context() as patch:
        patch.setattr(building, "_chat", lambda _: recorder)
        asking = Asking(at, datetime.fromisoformat(TODAY), "model", ModelSettings(name="openai:any"))
        live = [ask(asking, case) for case in suite.cases]
        close_all()
    assert [row["status"] for row in live] == ["correct", "correct", "wrong", "declined"]

    out = tmp_path / "out.json"
    arguments = [
        "text2sql",
        folder,
        "--questions",
        questions,
        "--drafter",
        "model",
        "--today",
        TODAY,
        "--out",
        out,
    ]
    result = CliRunner().invoke(cli, [*map(str, arguments), "--model", f"replay:{recording}", "--jobs", "2"])
    assert result.exit_code == 0, (result.output, result.exception)
    report = json.loads(out.read_text(encoding="utf-8"))
    rows = report["rows"]
    assert [row["status"] for row in rows] == ["correct", "correct", "wrong", "declined"]
    assert [row["sql"] for row in rows] == [row["sql"] for row in live]
    assert [row["calls"] for row in rows] == [1, 2, 1, 1]
    assert (report["execution_accuracy"], report["answered"]) == (0.5, 0.75)
    assert report["options"]["model"] == "replay:recording.jsonl"
    assert not any("model_failure" in row for row in rows)
