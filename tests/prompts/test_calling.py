"""Calling a model: one deadline, retries inside it, one JSON object. Against the server of tests/doubles."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from time import perf_counter
from typing import Any, Literal

import pydantic
import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from prompts.calling import Reply, call, call_json, model_name
from prompts.errors import ModelFailed
from prompts.loading import Rendered
from tests.doubles.behaviours import Asked, Break, Fail, FailInside, Hang, Say
from tests.doubles.model_server import ModelServer

PROMPT = Rendered((("system", "Be brief."), ("user", "How many?")), "abcdef012345", "draft", "en")


class Form(pydantic.BaseModel, extra="forbid"):
    action: Literal["query", "decline"]
    sql: str = ""


@pytest.fixture(params=["bedrock", "openai"])
def model(request: pytest.FixtureRequest, model_server: ModelServer) -> Any:
    return getattr(model_server, request.param)()


def failure(model: Any, **options: Any) -> ModelFailed:
    with pytest.raises(ModelFailed) as raised:
        call(model, PROMPT, **{"seconds": 5, "sleep": lambda _: None, **options})
    return raised.value


def test_a_reply_is_gathered_with_its_cost(model: Any, model_server: ModelServer) -> None:
    model_server.then(Say("三百四十二 is the answer", pieces=7))
    reply = call(model, PROMPT, seconds=5)
    assert reply.text == "三百四十二 is the answer"
    assert (reply.input_tokens, reply.output_tokens) == (5, 5)
    assert reply.model == model_server.requests[0].model
    assert (reply.prompt_version, reply.complete) == ("abcdef012345", True)
    assert 0 < reply.seconds < 5
    assert model_server.requests[0].streamed
    assert model_server.requests[0].messages == PROMPT.messages


@pytest.mark.parametrize("trouble", ["throttled", "unavailable", "internal", "not_ready", "timeout"])
def test_passing_trouble_is_tried_again(model: Any, model_server: ModelServer, trouble: Any) -> None:
    model_server.then(Fail(trouble), Fail(trouble), "fine")
    pauses: list[float] = []
    assert call(model, PROMPT, seconds=30, sleep=pauses.append).text == "fine"
    assert pauses == [0.5, 1.0]


@pytest.mark.parametrize(
    "broken", [Break("half of it"), Break("half of it", clean=True), FailInside("half of it")], ids=str
)
def test_a_stream_that_breaks_is_begun_again_and_its_half_forgotten(
    model: Any, model_server: ModelServer, broken: Any
) -> None:
    model_server.then(broken, "whole")
    assert call(model, PROMPT, seconds=30, sleep=lambda _: None).text == "whole"
    assert len(model_server.requests) == 2


def test_trouble_that_stays_is_told_after_the_last_try(model: Any, model_server: ModelServer) -> None:
    model_server.otherwise(Fail("throttled"))
    assert failure(model, retries=2).kind == "throttled"
    assert len(model_server.requests) == 3


@pytest.mark.parametrize("trouble", ["denied", "overflow"])
def test_what_cannot_get_better_is_not_tried_again(
    model: Any, model_server: ModelServer, trouble: Any
) -> None:
    model_server.otherwise(Fail(trouble))
    assert failure(model).kind == "misconfigured"
    assert len(model_server.requests) == 1


@pytest.mark.parametrize("hanging", [Hang(), Hang("some text, and then")], ids=["at once", "mid-stream"])
def test_a_server_that_hangs_ends_at_the_deadline(
    model: Any, model_server: ModelServer, hanging: Any
) -> None:
    model_server.otherwise(hanging)
    began = perf_counter()
    assert failure(model, seconds=0.6).kind == "timeout"
    assert 0.5 < perf_counter() - began < 1.6


def test_a_server_that_drips_for_ever_ends_at_the_deadline(model: Any, model_server: ModelServer) -> None:
    model_server.otherwise(Say("x" * 400, pieces=400, pause=0.05))
    began = perf_counter()
    assert failure(model, seconds=0.6).kind == "timeout"
    assert perf_counter() - began < 1.6


def test_no_pause_is_slept_that_the_deadline_would_cut(model: Any, model_server: ModelServer) -> None:
    model_server.otherwise(Fail("throttled"))
    pauses: list[float] = []
    assert failure(model, seconds=0.4, sleep=pauses.append).kind == "throttled"
    assert pauses == []


def test_what_is_left_behind_ends(model: Any, model_server: ModelServer) -> None:
    model_server.otherwise(Say("x" * 100, pieces=100, pause=0.05))
    assert failure(model, seconds=0.3).kind == "timeout"
    left = [thread for thread in threading.enumerate() if thread.name == "model-stream"]
    for thread in left:
        thread.join(2)
    assert not any(thread.is_alive() for thread in left)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Say(""), "nonsense"),
        (Say(" \n "), "nonsense"),
        (Say("x" * 250_000), "nonsense"),
        (Say("I will not", stop="filtered"), "refused"),
    ],
    ids=["empty", "blank", "huge", "filtered"],
)
def test_replies_that_are_none(model: Any, model_server: ModelServer, said: Any, kind: str) -> None:
    model_server.otherwise(said)
    assert failure(model).kind == kind
    assert len(model_server.requests) == 1


def test_a_reply_cut_for_want_of_tokens_says_so(model: Any, model_server: ModelServer) -> None:
    model_server.then(Say("and then", stop="length"))
    assert not call(model, PROMPT, seconds=5).complete


def test_a_failure_names_model_and_prompt_and_no_key(model_server: ModelServer) -> None:
    said = str(failure(model_server.openai(api_key="sk-wrong-0123456789abcdef")))
    assert "gpt-4o-mini, prompt draft.en" in said
    assert "sk-" not in said
    raised = failure(model_server.bedrock(aws_secret_access_key="wrong/0123456789"))
    assert raised.kind == "misconfigured"
    assert "0123456789" not in str(raised)
    # The library's own error may quote a key: it does not hang on to ours.
    assert raised.__cause__ is None


def json_of(model: Any, **options: Any) -> tuple[Form, Reply]:
    return call_json(model, PROMPT, Form, **{"seconds": 5, **options})


@pytest.mark.parametrize(
    "text",
    [
        '{"action": "query", "sql": "SELECT 1"}',
        '```json\n{"action": "query", "sql": "SELECT 1"}\n```',
        'Here it is:\n{"action": "query", "sql": "SELECT 1"}\nHope it {helps}!',
        'The set {1, 2} and {"example": 1} aside: {"action": "query", "sql": "SELECT 1"}',
        '{"action": "query", "sql": "SELECT 1"} {"action": "query", "sql": "SELECT 1"}',
        '\ufeff {"sql": "SELECT 1", "action": "query"}',
    ],
)
def test_one_object_is_found_whatever_stands_around_it(text: str) -> None:
    form, reply = json_of(FakeListChatModel(responses=[text]))
    assert form == Form(action="query", sql="SELECT 1")
    assert reply.text == text


def test_a_line_break_inside_a_string_is_forgiven() -> None:
    form, _ = json_of(FakeListChatModel(responses=['{"action": "query", "sql": "SELECT 1\nFROM t"}']))
    assert form.sql == "SELECT 1\nFROM t"


NONSENSE = [
    ("I am sorry, I cannot.", "no JSON object"),
    ('{"action": "query", "sql": "SELECT', "no JSON object"),
    ('["query"]', "no JSON object"),
    ('{"action": "drop everything"}', "`action`"),
    ('{"sql": "SELECT 1"}', "`action`"),
    ('{"action": "query", "tool": 1}', "`tool`"),
    ('{"action": "query"} {"action": "decline"}', "2 different JSON objects"),
    ("{" * 5_000, "no JSON object"),
    ('{"a":' * 5_000, "no JSON object"),
]


@pytest.mark.parametrize(("text", "problem"), NONSENSE, ids=[text[:24] for text, _ in NONSENSE])
def test_nonsense_is_told_to_the_model_once(
    model: Any, model_server: ModelServer, text: str, problem: str
) -> None:
    model_server.then(text, '{"action": "decline"}')
    form, reply = json_of(model)
    assert form.action == "decline"
    again = model_server.requests[1]
    assert [role for role, _ in again.messages] == ["system", "user", "assistant", "user"]
    assert again.messages[2][1] == text[:4_000]
    assert problem in again.messages[3][1]
    assert reply.text == '{"action": "decline"}'
    # Both tries are paid for.
    assert reply.input_tokens > 5
    assert reply.output_tokens == len(text) // 4 + 1 + 6


def test_nonsense_twice_is_a_failure(model: Any, model_server: ModelServer) -> None:
    model_server.otherwise("no idea")
    with pytest.raises(ModelFailed) as raised:
        json_of(model)
    assert raised.value.kind == "nonsense"
    assert "no JSON object" in raised.value.what
    assert len(model_server.requests) == 2


def test_an_empty_reply_is_asked_again_in_turns_the_service_accepts(
    model: Any, model_server: ModelServer
) -> None:
    model_server.then("", '{"action": "decline"}')
    assert json_of(model)[0].action == "decline"
    assert model_server.refused == []
    assert [role for role, _ in model_server.requests[1].messages] == ["system", "user"]


def test_both_tries_share_the_deadline(model: Any, model_server: ModelServer) -> None:
    model_server.then("no idea", Hang())
    began = perf_counter()
    with pytest.raises(ModelFailed) as raised:
        json_of(model, seconds=0.8)
    assert raised.value.kind == "timeout"
    assert perf_counter() - began < 1.8


def test_a_failure_that_is_no_nonsense_is_not_asked_again(model: Any, model_server: ModelServer) -> None:
    model_server.otherwise(Fail("denied"))
    with pytest.raises(ModelFailed):
        json_of(model)
    assert len(model_server.requests) == 1


def test_the_correction_is_in_the_prompts_language(model_server: ModelServer) -> None:
    seen: list[Asked] = []

    def rule(asked: Asked) -> str:
        seen.append(asked)
        return "nonsense" if len(seen) == 1 else '{"action": "query"}'

    model_server.when(rule)
    prompt = Rendered((("user", "いくつ？"),), "v", "draft", "ja")
    call_json(model_server.bedrock(), prompt, Form, seconds=5)
    assert "改めて返してください" in seen[1].messages[-1][1]


def test_any_model_of_langchain_will_do() -> None:
    def replies() -> Iterator[AIMessage]:
        yield AIMessage(content="a b c")

    reply = call(GenericFakeChatModel(messages=replies()), PROMPT, seconds=5)
    assert (reply.text, reply.model, reply.input_tokens) == ("a b c", "GenericFakeChatModel", 0)


def test_names(model_server: ModelServer) -> None:
    assert model_name(model_server.bedrock()) == "anthropic.claude-3-5-sonnet-20240620-v1:0"
    assert model_name(model_server.openai()) == "gpt-4o-mini"
    assert model_name(FakeListChatModel(responses=["x"])) == "FakeListChatModel"


class Endless(GenericFakeChatModel):
    """Streams chunks without text, faster than anyone can read them."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        while True:
            yield ChatGenerationChunk(message=AIMessageChunk(content=""))


def test_a_stream_that_never_lets_the_reader_wait_ends_at_the_deadline() -> None:
    began = perf_counter()
    assert failure(Endless(messages=iter(())), seconds=0.3).kind == "timeout"
    assert perf_counter() - began < 1.3


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("All \x1b[31mred\x1b[0m and \x1b]0;owned\x07gone\x9b2J", "All red and gone2J"),
        ("one\r\ntwo\rthree\tfour", "one\ntwo\nthree\tfour"),
        ("a\x00b\ud800c", "abc".replace("c", "\ufffdc")),
        ("\ud83d\ude00", "😀"),
        ("safe \u202egnp.exe", "safe gnp.exe"),
        ("三百四十二 👩‍👩‍👧 é", "三百四十二 👩‍👩‍👧 é"),
    ],
)
def test_nothing_that_steers_a_terminal_or_cannot_be_stored_is_left(said: str, text: str) -> None:
    spoken = GenericFakeChatModel(messages=iter([AIMessage(said)]))
    assert call(spoken, PROMPT, seconds=5).text == text
    drafted = json.dumps({"action": "query", "sql": said})
    found, _ = call_json(GenericFakeChatModel(messages=iter([AIMessage(drafted)])), PROMPT, Form, seconds=5)
    assert found.sql == text


@pytest.mark.parametrize("value", ["1" * 5_000, "[" * 100_000, '{"a":' * 50_000])
def test_json_that_cannot_be_read_is_nonsense(model: Any, model_server: ModelServer, value: str) -> None:
    model_server.otherwise('{"action": "query", "sql": "x", "n": ' + value + "}")
    with pytest.raises(ModelFailed) as raised:
        call_json(model, PROMPT, Form, seconds=20)
    assert raised.value.kind == "nonsense"


def test_nothing_is_sent_when_there_is_no_time_left(model: Any, model_server: ModelServer) -> None:
    assert failure(model, seconds=0).kind == "timeout"
    assert model_server.requests == []
