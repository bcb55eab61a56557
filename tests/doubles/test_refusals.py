"""Requests made by hand: what the real services refuse is refused, in their words, with their status."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import openai
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.doubles import bedrock_wire, openai_wire
from tests.doubles.behaviours import Fail, Trouble
from tests.doubles.model_server import ModelServer

MODEL = bedrock_wire.MODELS[0]
HELLO = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}
TROUBLES: list[Trouble] = [
    "throttled", "timeout", "unavailable", "internal", "denied", "quota", "not_ready", "overflow",
]  # fmt: skip


def signed(
    url: str, raw: bytes, key: str = bedrock_wire.ACCESS_KEY, secret: str = bedrock_wire.SECRET_KEY
) -> dict[str, str]:
    request = AWSRequest("POST", url, headers={"content-type": "application/json"}, data=raw)
    SigV4Auth(Credentials(key, secret), "bedrock", bedrock_wire.REGION).add_auth(request)
    return dict(request.headers)


def converse(
    server: ModelServer, body: Any, model: str = MODEL, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{server.url}/model/{quote(model, safe='')}/converse"
    return httpx.post(url, content=raw, headers=signed(url, raw) if headers is None else headers)


def chat(server: ModelServer, body: Any, key: str | None = openai_wire.API_KEY) -> httpx.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    return httpx.post(f"{server.url}/v1/chat/completions", content=raw, headers=headers)


def code(response: httpx.Response) -> str:
    return response.headers["x-amzn-errortype"].split(":")[0]


def user(*texts: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text} for text in texts]}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"text": text}]}


def test_a_good_request_is_answered_in_the_output_shape(model_server: ModelServer) -> None:
    body = {
        **HELLO,
        "system": [{"text": "Be brief."}],
        "inferenceConfig": {"temperature": 0.0, "maxTokens": 10},
    }
    response = converse(model_server, body)
    assert response.status_code == 200
    assert response.json()["output"]["message"] == assistant("ok")
    assert model_server.requests[0].messages == (("system", "Be brief."), ("user", "hello"))


def test_a_model_of_amazon_and_an_api_key_will_do(model_server: ModelServer) -> None:
    headers = {"authorization": f"Bearer {bedrock_wire.API_KEY}"}
    assert converse(model_server, HELLO, "amazon.nova-lite-v1:0", headers).status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{not json", "Malformed"),
        ([], "Malformed"),
        ({}, "must start with a user message"),
        ({"messages": []}, "must start with a user message"),
        ({"messages": [assistant("hi")]}, "must start with a user message"),
        ({"messages": [user("a"), user("b")]}, "must alternate"),
        ({"messages": [user("a"), assistant("b"), assistant("c")]}, "must alternate"),
        ({"messages": [user("")]}, "messages.0.content.0 is blank"),
        ({"messages": [user("a", " \n")]}, "messages.0.content.1 is blank"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0 is empty"),
        ({**HELLO, "system": [{"text": " "}]}, "system.0 is blank"),
        ({**HELLO, "modelId": MODEL}, "extraneous key [modelId]"),
        ({**HELLO, "temperature": 0}, "temperature"),
        ({**HELLO, "inferenceConfig": {"temperature": 1.5}}, "temperature"),
        ({**HELLO, "inferenceConfig": {"temperature": "0"}}, "temperature"),
        ({**HELLO, "inferenceConfig": {"maxTokens": 0}}, "maxTokens"),
        ({**HELLO, "inferenceConfig": {"max_tokens": 5}}, "max_tokens"),
        ({"messages": [{"role": "king", "content": [{"text": "x"}]}]}, "enum value set"),
        ({"messages": [{"role": "user", "content": "hello"}]}, "content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "type"),
        ({"messages": [{"role": "user"}]}, "content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "content.0"),
    ],
)
def test_what_bedrock_refuses(model_server: ModelServer, body: Any, said: str) -> None:
    response = converse(model_server, body)
    assert (response.status_code, code(response)) == (400, "ValidationException")
    assert said in response.json()["message"]
    assert model_server.requests == []
    assert len(model_server.refused) == 1


@pytest.mark.parametrize(
    ("model", "said"),
    [("anthropic.unknown-v1:0", "identifier is invalid"), ("so/me thing", "pattern"), ("x" * 3000, "2048")],
)
def test_wrong_model_ids(model_server: ModelServer, model: str, said: str) -> None:
    response = converse(model_server, HELLO, model)
    assert (response.status_code, code(response)) == (400, "ValidationException")
    assert said in response.json()["message"]


def test_what_is_not_signed_is_refused(model_server: ModelServer) -> None:
    raw = json.dumps(HELLO).encode()
    url = f"{model_server.url}/model/{quote(MODEL, safe='')}/converse"
    cases = [
        ({}, "MissingAuthenticationTokenException"),
        ({"authorization": "AWS4-HMAC-SHA256 nonsense"}, "MissingAuthenticationTokenException"),
        ({"authorization": "Bearer wrong"}, "UnrecognizedClientException"),
        (signed(url, raw, key="AKIAWRONG"), "UnrecognizedClientException"),
        (signed(url, raw, secret="wrong"), "InvalidSignatureException"),
        (signed(url, b"another body"), "InvalidSignatureException"),
        (signed(url + "-stream", raw), "InvalidSignatureException"),
    ]
    for headers, expected in cases:
        response = converse(model_server, HELLO, headers=headers)
        assert (response.status_code, code(response)) == (403, expected)
    assert converse(model_server, HELLO).status_code == 200


@pytest.mark.parametrize("trouble", TROUBLES)
def test_boto3_raises_the_declared_error(model_server: ModelServer, trouble: Trouble) -> None:
    options = {
        key: value
        for key, value in model_server.bedrock_options().items()
        if key not in {"timeout", "max_retries"}
    }
    client = boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}), **options)
    model_server.then(Fail(trouble))
    with pytest.raises(ClientError) as raised:
        client.converse(modelId=MODEL, **HELLO)
    name = raised.value.response["Error"]["Code"]
    assert type(raised.value) is getattr(client.exceptions, name)
    declared = bedrock_wire.service().shape_for(name).metadata["error"]["httpStatusCode"]
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == declared
    client.close()


def test_openai_answers_a_good_request(model_server: ModelServer) -> None:
    response = chat(model_server, {**CHAT, "temperature": 0, "response_format": {"type": "json_object"}})
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == "ok"
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert chat(model_server, {**CHAT, "messages": [{"role": "user", "content": parts}]}).status_code == 200
    assert model_server.requests[1].messages == (("user", "ab"),)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"{not json", None),
        ([], None),
        ({"messages": CHAT["messages"]}, "model"),
        ({"model": "gpt-4o-mini"}, "messages"),
        ({**CHAT, "messages": []}, "messages"),
        ({**CHAT, "foo": 1}, "foo"),
        ({**CHAT, "maxTokens": 1}, "maxTokens"),
        ({**CHAT, "temperature": "hot"}, "temperature"),
        ({**CHAT, "temperature": 3}, "temperature"),
        ({**CHAT, "top_p": -1}, "top_p"),
        ({**CHAT, "n": 0}, "n"),
        ({**CHAT, "max_tokens": 1, "max_completion_tokens": 1}, "max_tokens"),
        ({**CHAT, "stream_options": {"include_usage": True}}, "stream_options"),
        ({**CHAT, "messages": [{"role": "king", "content": "x"}]}, "messages[0].role"),
        ({**CHAT, "messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({**CHAT, "messages": [{"role": "user"}]}, "messages[0].content"),
        ({**CHAT, "messages": "hello"}, "messages"),
        ({**CHAT, "messages": [{"role": "user", "content": "x", "extra": 1}]}, "messages[0].extra"),
        ({**CHAT, "response_format": {"type": "yaml"}}, "response_format.type"),
    ],
)
def test_what_openai_refuses(model_server: ModelServer, body: Any, param: str | None) -> None:
    response = chat(model_server, body)
    error = response.json()["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error")
    assert error["param"] == param
    assert set(error) == {"message", "type", "param", "code"}
    assert model_server.requests == []


def test_openai_keys_models_and_paths(model_server: ModelServer) -> None:
    wrong = chat(model_server, CHAT, key="sk-wrong")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "invalid_api_key")
    assert chat(model_server, CHAT, key=None).status_code == 401
    unknown = chat(model_server, {**CHAT, "model": "gpt-0"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    assert httpx.post(f"{model_server.url}/v2/other").status_code == 404


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_openai_package_raises_its_own_error(model_server: ModelServer, trouble: Trouble) -> None:
    model_server.then(Fail(trouble))
    options = {"base_url": f"{model_server.url}/v1", "api_key": openai_wire.API_KEY, "max_retries": 0}
    with openai.OpenAI(**options) as client, pytest.raises(openai.APIStatusError) as raised:  # type: ignore[arg-type]  # options of several types
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}])
    expected = {400: openai.BadRequestError, 403: openai.PermissionDeniedError, 429: openai.RateLimitError}
    status = raised.value.status_code
    assert type(raised.value) is expected.get(status, openai.InternalServerError)
    assert raised.value.body
