"""Recording and replaying: the same reply every time, and never a reply to something else."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage, SystemMessage

from prompts.calling import call
from prompts.errors import ModelFailed, PromptError
from prompts.loading import Rendered, load
from prompts.replaying import RecordingChatModel, ReplayedChatModel, read_recording, request_hash
from tests.doubles.behaviours import Break, Say
from tests.doubles.model_server import ModelServer

KEYS = ["request", "model", "prompt_version", "reply", "input_tokens", "output_tokens", "stop"]


def prompt(question: str) -> Rendered:
    variables = load("answer", "en").variables
    return load("answer", "en").render(**{name: question if name == "question" else "" for name in variables})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.jsonl"


def test_what_was_recorded_is_replayed(model_server: ModelServer, path: Path) -> None:
    model_server.then(Say("売上は 342 件です。" * 5), Say("cut", stop="length"))
    recording = RecordingChatModel(model=model_server.bedrock(), path=path)
    first, second = (call(recording, prompt(q), seconds=5) for q in ("one?", "two?"))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [list(line) for line in lines] == [KEYS, KEYS]
    assert lines[0]["prompt_version"] == load("answer", "en").version
    assert "売上" in path.read_text(encoding="utf-8")

    replayed = ReplayedChatModel(path=path)
    for _ in range(2):
        for recorded, question in ((first, "one?"), (second, "two?")):
            reply = call(replayed, prompt(question), seconds=5)
            assert reply.text == recorded.text
            assert reply.complete == recorded.complete
            assert reply.model == recorded.model == "anthropic.claude-3-5-sonnet-20240620-v1:0"
            assert (reply.input_tokens, reply.output_tokens) == (
                recorded.input_tokens,
                recorded.output_tokens,
            )
            assert reply.output_tokens > 0
    assert len(model_server.requests) == 2


def test_a_replay_streams_in_pieces_and_answers_invoke(path: Path) -> None:
    call(
        RecordingChatModel(model=FakeListChatModel(responses=["a" * 100]), path=path), prompt("q"), seconds=5
    )
    replayed = ReplayedChatModel(path=path)
    pieces = [chunk.text for chunk in replayed.stream(list(prompt("q").messages))]
    assert len([piece for piece in pieces if piece]) == 7
    assert "".join(pieces) == "a" * 100 == replayed.invoke(list(prompt("q").messages)).text


def test_a_request_nobody_recorded_names_the_prompt(path: Path) -> None:
    call(RecordingChatModel(model=FakeListChatModel(responses=["a"]), path=path), prompt("q"), seconds=5)
    replayed = ReplayedChatModel(path=path)
    with pytest.raises(ModelFailed) as raised:
        call(replayed, prompt("another"), seconds=5)
    assert raised.value.kind == "misconfigured"
    assert "stale" in raised.value.what
    assert f"answer.en, version {load('answer', 'en').version}" in raised.value.what
    assert "the same prompt version" in raised.value.what
    with pytest.raises(ModelFailed, match="none of this prompt version"):
        call(replayed, load("correct", "en").render(problem="x"), seconds=5)


def test_without_a_prompt_a_stale_recording_is_told_all_the_same(path: Path) -> None:
    path.write_text("", encoding="utf-8")
    with pytest.raises(ModelFailed, match="stale"):
        ReplayedChatModel(path=path).invoke("hello")


def test_half_a_reply_is_never_recorded(model_server: ModelServer, path: Path) -> None:
    model_server.then(Break("half of a reply"))
    recording = RecordingChatModel(model=model_server.openai(), path=path)
    with pytest.raises(ModelFailed):
        call(recording, prompt("q"), seconds=5, retries=0)
    assert not path.exists()


def test_the_later_line_counts(path: Path) -> None:
    for text in ("old", "new"):
        call(RecordingChatModel(model=FakeListChatModel(responses=[text]), path=path), prompt("q"), seconds=5)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2
    assert call(ReplayedChatModel(path=path), prompt("q"), seconds=5).text == "new"


def test_many_threads_write_whole_lines(path: Path) -> None:
    recording = RecordingChatModel(model=FakeListChatModel(responses=["x" * 200]), path=path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: call(recording, prompt(f"q{n}"), seconds=20), range(24)))
    assert len(read_recording(path)) == 24


def test_the_hash_is_of_roles_and_texts() -> None:
    one = request_hash([SystemMessage("a"), HumanMessage("b")])
    assert one == request_hash([SystemMessage("a", id="1"), HumanMessage("b", name="x")])
    different = [
        request_hash([HumanMessage("a"), HumanMessage("b")]),
        request_hash([SystemMessage("ab"), HumanMessage("")]),
        request_hash([SystemMessage("a"), HumanMessage("b ")]),
        request_hash([HumanMessage("b"), SystemMessage("a")]),
    ]
    assert len({one, *different}) == 5
    assert request_hash([HumanMessage("\ud800")])


GOOD = {"request": "0" * 64, "model": "m", "prompt_version": "v", "reply": "r"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{not json", "line 2"),
        ("[]", "line 2"),
        (json.dumps({**GOOD, "request": "short"}), "request"),
        (json.dumps({**GOOD, "extra": 1}), "extra"),
        (json.dumps({**GOOD, "input_tokens": -1}), "input_tokens"),
        (json.dumps({key: GOOD[key] for key in ("request", "model", "prompt_version")}), "reply"),
    ],
)
def test_a_broken_recording_is_found_when_it_is_opened(path: Path, line: str, said: str) -> None:
    path.write_text(f"{json.dumps(GOOD)}\n{line}\n", encoding="utf-8")
    with pytest.raises(PromptError) as raised:
        ReplayedChatModel(path=path)
    assert said in str(raised.value)
    assert "line 2" in raised.value.where


def test_a_missing_recording_says_where_it_should_be(path: Path) -> None:
    with pytest.raises(PromptError) as raised:
        ReplayedChatModel(path=path)
    assert str(path) in raised.value.where


def test_names(path: Path, model_server: ModelServer) -> None:
    path.write_text("\n\n", encoding="utf-8")
    assert ReplayedChatModel(path=path).model_name == "replay:replies.jsonl"
    assert RecordingChatModel(model=model_server.bedrock(), path=path).model_name.startswith("anthropic.")


def test_bytes_that_are_no_text_are_no_recording(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(b"\n\xff\xfe\x00\n")
    with pytest.raises(PromptError, match="Not a recorded reply") as raised:
        ReplayedChatModel(path=tmp_path / "r.jsonl")
    assert raised.value.where.endswith("line 2")
