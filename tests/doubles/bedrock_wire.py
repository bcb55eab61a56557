"""Bedrock Runtime's Converse on the wire: what it refuses and how it answers.

Requests are held against botocore's own service model (names, types, required members, ranges, enumerations,
patterns), against the rules that only the documentation states, and against their signature.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from tests.doubles.behaviours import Asked, Refused, Say, Trouble, cut, tokens
from tests.doubles.event_stream import event, exception

REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY, API_KEY = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "ABSKexample",
)
MODELS = ("anthropic.claude-3-5-sonnet-20240620-v1:0", "amazon.nova-lite-v1:0")
PATH = re.compile(r"/model/(?P<model>[^/]+)/(?P<verb>converse|converse-stream)")
_ERRORS: dict[Trouble, tuple[str, str]] = {
    "throttled": ("ThrottlingException", "Too many requests, please wait before trying again."),
    "quota": ("ThrottlingException", "Too many tokens per day, please wait before trying again."),
    "timeout": ("ModelTimeoutException", "The model took too long to respond."),
    "unavailable": ("ServiceUnavailableException", "Bedrock is unable to process your request."),
    "internal": ("InternalServerException", "The system encountered an unexpected error."),
    "denied": ("AccessDeniedException", "You don't have access to the model with the specified model ID."),
    "not_ready": ("ModelNotReadyException", "The model is not ready for inference."),
    "overflow": ("ValidationException", "Input is too long for requested model."),
}
# What the service itself does not declare, since every service has it.
_COMMON = {
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "InvalidSignatureException": 403,
}
_INSIDE: dict[Trouble, str] = {
    "throttled": "throttlingException",
    "unavailable": "serviceUnavailableException",
    "internal": "internalServerException",
    "timeout": "modelStreamErrorException",
    "overflow": "validationException",
}
_STOPS = {"end": "end_turn", "length": "max_tokens", "filtered": "content_filtered"}


@lru_cache(maxsize=1)
def service() -> ServiceModel:
    """botocore's model of Bedrock Runtime."""
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")


def error(code: str, message: str) -> Refused:
    """An error as the service writes it: the code in a header, the message in the body, the declared status."""
    status = _COMMON.get(code) or service().shape_for(code).metadata["error"]["httpStatusCode"]
    return Refused(
        status, {"message": message}, {"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/"}
    )


def trouble(kind: Trouble) -> Refused:
    """The error of a scripted trouble."""
    return error(*_ERRORS[kind])


def understand(method: str, path: str, headers: dict[str, str], raw: bytes, url: str) -> Asked:
    """The request, or `Refused` as the real service would refuse it."""
    match = PATH.fullmatch(path)
    assert match is not None
    _authenticate(method, url, headers, raw)
    try:
        body = json.loads(raw)
    except ValueError:
        raise error(
            "ValidationException", "Malformed input request, please reformat your input and try again."
        ) from None
    model, streamed = unquote(match["model"]), match["verb"] == "converse-stream"
    shape = service().operation_model("ConverseStream" if streamed else "Converse").input_shape
    if not isinstance(body, dict):
        raise error("ValidationException", "Malformed input request: expected type: JSONObject")
    if "modelId" in body:
        raise error(
            "ValidationException", "Malformed input request: extraneous key [modelId] is not permitted"
        )
    given = {"modelId": model, **body}
    problems = [
        *ParamValidator().validate(given, shape).generate_report().splitlines(),
        *_beyond(given, shape, ""),
    ]
    if problems:
        raise error(
            "ValidationException", f"{len(problems)} validation error(s) detected: {'; '.join(problems)}"
        )
    if model not in MODELS:
        raise error("ValidationException", "The provided model identifier is invalid.")
    _check_conversation(body)
    said = [("system", block["text"]) for block in body.get("system", []) if "text" in block]
    said += [
        (message["role"], "".join(block.get("text", "") for block in message["content"]))
        for message in body["messages"]
    ]
    return Asked("bedrock", model, tuple(said), streamed, body)


def _authenticate(method: str, url: str, headers: dict[str, str], raw: bytes) -> None:
    given = headers.get("authorization", "")
    if not given:
        raise error("MissingAuthenticationTokenException", "Missing Authentication Token")
    if given.startswith("Bearer "):
        if given.removeprefix("Bearer ") != API_KEY:
            raise error(
                "UnrecognizedClientException", "The security token included in the request is invalid."
            )
        return
    fields = dict(re.findall(r"(Credential|SignedHeaders|Signature)=([^,\s]+)", given))
    if not given.startswith("AWS4-HMAC-SHA256 ") or len(fields) != 3:
        raise error("MissingAuthenticationTokenException", "Missing Authentication Token")
    if fields["Credential"].split("/")[0] != ACCESS_KEY:
        raise error("UnrecognizedClientException", "The security token included in the request is invalid.")
    signed = {name: headers.get(name, "") for name in fields["SignedHeaders"].split(";") if name != "host"}
    if not hmac.compare_digest(signature(method, url, signed, raw), fields["Signature"]):
        message = "The request signature we calculated does not match the signature you provided."
        raise error("InvalidSignatureException", message)


def signature(method: str, url: str, signed: dict[str, str], raw: bytes) -> str:
    """The SigV4 signature that the secret key gives for these headers, worked out by botocore."""
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", REGION)
    request = AWSRequest(method, url, headers=signed, data=raw)
    request.context["timestamp"] = signed.get("x-amz-date", "")
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


def _beyond(value: Any, shape: Shape, at: str) -> Iterator[str]:
    """What the service model states and botocore's client leaves to the service: enumerations, patterns, maxima."""
    if isinstance(shape, StructureShape) and isinstance(value, dict) and not shape.is_document_type:
        if shape.is_tagged_union and len(value) != 1:
            yield f"{at}: exactly one member of {sorted(shape.members)} is allowed"
        for name, member in shape.members.items():
            if name in value:
                yield from _beyond(value[name], member, f"{at}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _beyond(item, shape.member, f"{at}.{index}")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            yield from _beyond(item, shape.value, f"{at}.{key}")
    enum, pattern, top = (
        getattr(shape, "enum", None),
        shape.metadata.get("pattern"),
        shape.metadata.get("max"),
    )
    if isinstance(value, str):
        if enum and value not in enum:
            yield f"{at}: must satisfy enum value set {sorted(enum)}"
        if pattern and not re.fullmatch(pattern, value):
            yield f"{at}: must satisfy regular expression pattern"
    if top is not None:
        size = value if isinstance(value, int | float) else len(value)
        if size > top:
            yield f"{at}: must be at most {top}"


def _check_conversation(body: dict[str, Any]) -> None:
    messages = body.get("messages") or []
    if not messages or messages[0]["role"] != "user":
        message = "A conversation must start with a user message. Try again with a conversation that starts with a user message."
        raise error("ValidationException", message)
    if any(one["role"] == two["role"] for one, two in pairwise(messages)):
        message = "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again."
        raise error("ValidationException", message)
    blocks = [
        (f"messages.{m}.content.{c}", block)
        for m, message in enumerate(messages)
        for c, block in enumerate(message["content"])
    ]
    blocks += [(f"system.{c}", block) for c, block in enumerate(body.get("system", []))]
    for place, block in blocks:
        if "text" in block and not block["text"].strip():
            message = f"The text field in the ContentBlock object at {place} is blank. Add text to the text field, and try again."
            raise error("ValidationException", message)
    for index, message in enumerate(messages):
        if not message["content"]:
            raise error(
                "ValidationException",
                f"The content field in the Message object at messages.{index} is empty.",
            )


def whole(asked: Asked, say: Say) -> bytes:
    """The body of a reply that is not streamed; it satisfies the output shape."""
    body = {
        "output": {"message": {"role": "assistant", "content": [{"text": say.text}] if say.text else []}},
        "stopReason": _STOPS[say.stop],
        "usage": _usage(asked, say.text),
        "metrics": {"latencyMs": 12},
    }
    _conforms(body, service().operation_model("Converse").output_shape)
    return json.dumps(body, ensure_ascii=False).encode()


def opening() -> Iterator[bytes]:
    """The frames before any text."""
    yield _event("messageStart", {"role": "assistant"})


def texts(text: str, pieces: int) -> Iterator[bytes]:
    """A frame for each piece of text."""
    for piece in cut(text, pieces):
        yield _event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}})


def closing(asked: Asked, say: Say) -> Iterator[bytes]:
    """The frames after the text: end of the block, the reason, the usage."""
    if say.text:
        yield _event("contentBlockStop", {"contentBlockIndex": 0})
    yield _event("messageStop", {"stopReason": _STOPS[say.stop]})
    yield _event("metadata", {"usage": _usage(asked, say.text), "metrics": {"latencyMs": 12}})


def failing(kind: Trouble) -> bytes:
    """An exception frame, of those that the stream's shape declares."""
    name = _INSIDE[kind]
    assert name in service().shape_for("ConverseStreamOutput").members
    return exception(name, _ERRORS[kind][1])


def _event(name: str, payload: dict[str, Any]) -> bytes:
    _conforms(payload, service().shape_for("ConverseStreamOutput").members[name])
    return event(name, payload)


def _usage(asked: Asked, text: str) -> dict[str, int]:
    read, written = tokens(asked.text), tokens(text)
    return {"inputTokens": read, "outputTokens": written, "totalTokens": read + written}


def _conforms(body: dict[str, Any], shape: Shape) -> None:
    report = ParamValidator().validate(body, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(_beyond(body, shape, "")) == []
