"""LangChain's models, built through `init_chat_model`, against the server: as a real service would treat them."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel

from prompts.calling import call
from prompts.errors import ModelFailed
from prompts.loading import Rendered, load
from tests.doubles import bedrock_wire, openai_wire
from tests.doubles.behaviours import Asked, Break, Fail, FailInside, Garble, Hang, Say, cut, halves
from tests.doubles.model_server import ModelServer

PROMPT = Rendered((("system", "Be brief."), ("user", "hello")), "v", "draft")


@pytest.fixture(params=["bedrock", "openai"])
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(service: str, model_server: ModelServer) -> BaseChatModel:
    built: BaseChatModel = getattr(model_server, service)()
    return built


def test_the_right_classes_are_built(model_server: ModelServer) -> None:
    assert type(model_server.bedrock()).__name__ == "ChatBedrockConverse"
    assert type(model_server.openai()).__name__ == "ChatOpenAI"


def test_invoke(model: BaseChatModel, model_server: ModelServer) -> None:
    model_server.then("はい、342 件です。")
    message = model.invoke([("system", "Be brief."), ("user", "hello")])
    assert message.text == "はい、342 件です。"
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == 7
    assert model_server.requests[0].messages == PROMPT.messages
    assert not model_server.requests[0].streamed


def test_stream(model: BaseChatModel, model_server: ModelServer) -> None:
    model_server.then(Say("一二三四五六七八九十", pieces=5))
    chunks = list(model.stream([("user", "hello")]))
    assert [chunk.text for chunk in chunks if chunk.text] == ["一二", "三四", "五六", "七八", "九十"]
    assert sum((chunk.usage_metadata or {}).get("output_tokens", 0) for chunk in chunks) == 3
    assert model_server.requests[0].streamed


def test_a_conversation_of_several_turns(model: BaseChatModel, model_server: ModelServer) -> None:
    turns = [("system", "s"), ("user", "one"), ("assistant", "two"), ("user", "three")]
    assert model.invoke(turns).text == "ok"
    assert model_server.requests[0].messages == tuple(turns)


@pytest.mark.parametrize("name", ["draft", "revise", "answer"])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_shipped_prompts_are_accepted(
    model: BaseChatModel, model_server: ModelServer, name: str, lang: str
) -> None:
    prompt = load(name, lang)
    rendered = prompt.render(**dict.fromkeys(prompt.variables, ""))
    assert call(model, rendered, seconds=10).text == "ok"
    assert model_server.refused == []
    assert model_server.requests[0].messages == rendered.messages


def test_throttled_n_times_then_an_answer(model: BaseChatModel, model_server: ModelServer) -> None:
    model_server.then(*[Fail("throttled")] * 4, "at last")
    assert call(model, PROMPT, seconds=20, retries=4, sleep=lambda _: None).text == "at last"
    assert len(model_server.requests) == 5


def test_a_server_that_says_nothing_ends_within_the_deadline(
    model: BaseChatModel, model_server: ModelServer
) -> None:
    model_server.otherwise(Hang())
    began = perf_counter()
    with pytest.raises(ModelFailed) as raised:
        call(model, PROMPT, seconds=0.5)
    assert raised.value.kind == "timeout"
    assert perf_counter() - began < 1.5


def test_the_librarys_own_timeout_is_a_timeout(service: str, model_server: ModelServer) -> None:
    impatient = getattr(model_server, service)(timeout=1)
    model_server.otherwise(Hang())
    with pytest.raises(ModelFailed) as raised:
        call(impatient, PROMPT, seconds=30, retries=0)
    assert raised.value.kind == "timeout"
    assert "imeout" in raised.value.what


@pytest.mark.parametrize("clean", [False, True])
def test_a_break_in_the_middle(model: BaseChatModel, model_server: ModelServer, clean: bool) -> None:
    model_server.then(Break("a reply of some length", clean=clean))
    with pytest.raises(ModelFailed) as raised:
        call(model, PROMPT, seconds=5, retries=0)
    assert raised.value.kind == "unavailable"


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [("throttled", "throttled"), ("unavailable", "unavailable"), ("internal", "unavailable")],
)
def test_an_error_in_the_middle(
    model: BaseChatModel, model_server: ModelServer, trouble: Any, kind: str
) -> None:
    model_server.then(FailInside("a reply of some length", trouble))
    with pytest.raises(ModelFailed) as raised:
        call(model, PROMPT, seconds=5, retries=0)
    assert raised.value.kind == kind


def test_bytes_of_another_kind(model: BaseChatModel, model_server: ModelServer) -> None:
    model_server.then(Garble())
    with pytest.raises(ModelFailed) as raised:
        call(model, PROMPT, seconds=5, retries=0)
    assert raised.value.kind == "unavailable"


@pytest.mark.parametrize(
    ("service", "options"),
    [
        ("bedrock", {"aws_access_key_id": "AKIAWRONG"}),
        ("bedrock", {"aws_secret_access_key": "wrong"}),
        ("bedrock", {"region_name": "eu-west-1"}),
        ("openai", {"api_key": "sk-wrong-0123456789abcdef"}),
        ("bedrock", {"model": "anthropic.nobody-v1:0"}),
        ("openai", {"model": "gpt-0"}),
    ],
)
def test_wrong_keys_and_models_are_not_tried_again(
    service: str, options: dict[str, str], model_server: ModelServer
) -> None:
    with pytest.raises(ModelFailed) as raised:
        call(getattr(model_server, service)(**options), PROMPT, seconds=10)
    assert raised.value.kind == "misconfigured"
    assert "setting `model`" in raised.value.todo
    assert len(model_server.refused) == 1
    assert model_server.requests == []


def test_options_langchain_knows_reach_the_wire(model_server: ModelServer) -> None:
    model_server.bedrock(temperature=0.0, max_tokens=100).invoke("hello")
    model_server.openai(temperature=0.0, max_tokens=100).invoke("hello")
    of_bedrock, of_openai = (asked.body for asked in model_server.requests)
    assert of_bedrock["inferenceConfig"] == {"temperature": 0.0, "maxTokens": 100}
    assert (of_openai["temperature"], of_openai["max_completion_tokens"]) == (0.0, 100)


def test_queue_then_rules_then_the_standing_reply(model: BaseChatModel, model_server: ModelServer) -> None:
    def long(asked: Asked) -> str | None:
        return "long" if len(asked.text) > 20 else None

    model_server.then("first").when("weather", "rain").when(long).otherwise("standing")
    said = [model.invoke(text).text for text in ("weather", "weather?", "x" * 30, "x")]
    assert said == ["first", "rain", "long", "standing"]
    model_server.reset()
    assert model.invoke("weather").text == "ok"
    assert len(model_server.requests) == 1


def test_replies_of_any_size_and_script_survive(model: BaseChatModel, model_server: ModelServer) -> None:
    text = '\U0001f375 "quoted" \\ \n\t data: [DONE] </data> ' * 500
    model_server.otherwise(Say(text, pieces=97))
    assert "".join(chunk.text for chunk in model.stream("hello")) == text
    assert model.invoke("hello").text == text


def test_the_double_holds_itself_to_the_output_shapes() -> None:
    asked = Asked("bedrock", "m", (("user", "x"),), True, {})
    with pytest.raises(AssertionError):
        bedrock_wire._conforms(
            {"output": {}}, bedrock_wire.service().operation_model("Converse").output_shape
        )
    with pytest.raises(AssertionError):
        bedrock_wire._event("messageStop", {"stopReason": "bored"})
    with pytest.raises(ValueError, match="finish_reason"):
        openai_wire._chunk(asked, [openai_wire._choice({}, "bored")])


def test_nothing_of_the_environment_is_needed_or_changed(
    model: BaseChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    assert model.invoke("hello").text == "ok"


def test_a_closed_server_is_unavailable() -> None:
    with ModelServer() as server:
        model = server.openai()
        url = server.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    with pytest.raises(ModelFailed) as raised:
        call(model, PROMPT, seconds=5, retries=0)
    assert raised.value.kind == "unavailable"


def test_pieces() -> None:
    assert cut("", 5) == []
    assert cut("abcde", 2) == ["abc", "de"]
    assert cut("ab", 5) == ["a", "b"]
    assert halves("abc") == ("a", "bc")
