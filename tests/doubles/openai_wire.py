"""OpenAI's chat completions on the wire: what the service refuses and how it answers.

Requests are held against the openai package's own parameter types, strictly: an unknown field is refused at
every depth, as the service does. Replies and chunks are held against its response types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)

from tests.doubles.behaviours import Asked, Refused, Say, Trouble, cut, tokens
from tests.doubles.strict_types import problems

PATH = "/v1/chat/completions"
API_KEY = "sk-example-0123456789abcdef"
MODELS = ("gpt-4o-mini", "gpt-4.1")
_ERRORS: dict[Trouble, tuple[int, str, str | None, str]] = {
    "throttled": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests. Please try again in 20s.",
    ),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "timeout": (504, "server_error", None, "The server timed out."),
    "unavailable": (503, "server_error", None, "The server is currently overloaded. Please try again later."),
    "internal": (500, "server_error", None, "The server had an error while processing your request."),
    "denied": (
        403,
        "invalid_request_error",
        "model_not_available",
        "Project does not have access to this model.",
    ),
    "not_ready": (503, "server_error", None, "That model is currently overloaded with other requests."),
    "overflow": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens.",
    ),
}
_STOPS = {"end": "stop", "length": "length", "filtered": "content_filter"}
_RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "n": (1, 128),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
_HEAD = {"id": "chatcmpl-1", "created": 1_700_000_000}


def error(status: int, kind: str, code: str | None, message: str, param: str | None = None) -> Refused:
    """An error as the service writes it."""
    return Refused(status, {"error": {"message": message, "type": kind, "param": param, "code": code}})


def trouble(kind: Trouble) -> Refused:
    """The error of a scripted trouble."""
    return error(*_ERRORS[kind])


def _invalid(message: str, param: str | None = None, code: str | None = None) -> Refused:
    return error(400, "invalid_request_error", code, message, param)


def understand(headers: dict[str, str], raw: bytes) -> Asked:
    """The request, or `Refused` as the real service would refuse it."""
    _authenticate(headers)
    try:
        body = json.loads(raw)
    except ValueError:
        raise _invalid("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise _invalid("The body of your request is not a JSON object.")
    streamed = body.get("stream") is True
    shape = CompletionCreateParamsStreaming if streamed else CompletionCreateParamsNonStreaming
    for param, problem in problems(body, shape):
        raise _invalid(f"{problem}: '{param}'.", param)
    _check(body, streamed)
    if body["model"] not in MODELS:
        message = f"The model `{body['model']}` does not exist or you do not have access to it."
        raise error(404, "invalid_request_error", "model_not_found", message)
    said = tuple((message["role"], _text(message.get("content"))) for message in body["messages"])
    return Asked("openai", body["model"], said, streamed, body)


def _authenticate(headers: dict[str, str]) -> None:
    given = headers.get("authorization", "")
    if not given.startswith("Bearer ") or given == "Bearer ":
        raise error(401, "invalid_request_error", None, "You didn't provide an API key.")
    key = given.removeprefix("Bearer ")
    if key != API_KEY:
        message = f"Incorrect API key provided: {key[:8]}***{key[-4:]}."
        raise error(401, "invalid_request_error", "invalid_api_key", message)


def _check(body: dict[str, Any], streamed: bool) -> None:
    """The rules that the types do not state."""
    if not body["messages"]:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead."
        raise _invalid(message, "messages", "empty_array")
    if body.get("stream_options") is not None and not streamed:
        raise _invalid(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options"
        )
    for name, (low, high) in _RANGES.items():
        value = body.get(name)
        if value is not None and not low <= value <= high:
            raise _invalid(
                f"Invalid '{name}': expected a value between {low} and {high}, but got {value}.", name
            )
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise _invalid(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
        )


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content)
    return content or ""


def whole(asked: Asked, say: Say) -> bytes:
    """The body of a reply that is not streamed."""
    message = {"role": "assistant", "content": say.text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": _STOPS[say.stop], "logprobs": None}
    body = {
        **_HEAD,
        "object": "chat.completion",
        "model": asked.model,
        "choices": [choice],
        "usage": _usage(asked, say.text),
    }
    ChatCompletion.model_validate(body, strict=True)
    return json.dumps(body, ensure_ascii=False).encode()


def opening(asked: Asked) -> Iterator[bytes]:
    """The event before any text."""
    yield _chunk(asked, [_choice({"role": "assistant", "content": "", "refusal": None})])


def texts(asked: Asked, text: str, pieces: int) -> Iterator[bytes]:
    """An event for each piece of text."""
    for piece in cut(text, pieces):
        yield _chunk(asked, [_choice({"content": piece})])


def closing(asked: Asked, say: Say) -> Iterator[bytes]:
    """The events after the text: the reason, the usage where it was asked for, the end."""
    yield _chunk(asked, [_choice({}, _STOPS[say.stop])])
    if (asked.body.get("stream_options") or {}).get("include_usage"):
        yield _chunk(asked, [], _usage(asked, say.text))
    yield b"data: [DONE]\n\n"


def failing(kind: Trouble) -> bytes:
    """An error inside the stream."""
    return _event(trouble(kind).body)


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _chunk(asked: Asked, choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
    body = {
        **_HEAD,
        "object": "chat.completion.chunk",
        "model": asked.model,
        "choices": choices,
        "usage": usage,
    }
    ChatCompletionChunk.model_validate(body, strict=True)
    return _event(body)


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


def _usage(asked: Asked, text: str) -> dict[str, int]:
    read, written = tokens(asked.text), tokens(text)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
