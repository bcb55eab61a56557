"""From a library's error to a kind, and never a key in what is said."""

from __future__ import annotations

import pickle

import pytest

from prompts._failures import failed, failure_of, redacted
from prompts.errors import KINDS, ModelFailed, PromptError, PromptsError


class Coded(Exception):
    """An error with whatever a provider's library puts on its errors."""

    def __init__(self, message: str = "no", **fields: object) -> None:
        super().__init__(message)
        for name, value in fields.items():
            setattr(self, name, value)


class Response:
    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


def named(name: str, *bases: type[Exception]) -> Exception:
    made: Exception = type(name, bases or (Exception,), {})("no")
    return made


def of_botocore(code: str, status: int = 400) -> Coded:
    return Coded(response={"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (of_botocore("ThrottlingException", 429), "throttled"),
        (of_botocore("throttlingException"), "throttled"),
        (of_botocore("ModelTimeoutException", 408), "timeout"),
        (of_botocore("ServiceUnavailableException", 503), "unavailable"),
        (of_botocore("ModelNotReadyException", 429), "unavailable"),
        (of_botocore("ModelErrorException", 424), "unavailable"),
        (of_botocore("SomethingNew", 502), "unavailable"),
        (of_botocore("SomethingNew", 418), "misconfigured"),
        (of_botocore("AccessDeniedException", 403), "misconfigured"),
        (of_botocore("ValidationException"), "misconfigured"),
        (Coded(status_code=429, code="rate_limit_exceeded"), "throttled"),
        (Coded(status_code=429, code="insufficient_quota"), "misconfigured"),
        (Coded(status_code=504, type="server_error"), "timeout"),
        (Coded(status_code=500, body=None), "unavailable"),
        (Coded(status_code=401), "misconfigured"),
        (Coded(response=Response(503)), "unavailable"),
        (Coded(body={"type": "server_error", "code": None}), "unavailable"),
        (Coded(body={"type": "requests", "code": "rate_limit_exceeded"}), "throttled"),
        (Coded(status_code=400, code="content_filter"), "refused"),
        (named("ReadTimeout"), "timeout"),
        (named("APITimeoutError", ConnectionError), "timeout"),
        (TimeoutError("slow"), "timeout"),
        (ConnectionResetError("gone"), "unavailable"),
        (named("NoCredentialsError"), "misconfigured"),
        (named("Subclass", type("EndpointConnectionError", (Exception,), {})), "unavailable"),
        (ValueError("Received AWS exception throttlingException:\n\n{}"), "throttled"),
        (ValueError("No generation chunks were returned"), "unavailable"),
        (TypeError("a fault of ours"), "misconfigured"),
        (named("ContextOverflowError"), "misconfigured"),
    ],
)
def test_kinds(error: Exception, kind: str) -> None:
    failure = failure_of(error, "here")
    assert failure.kind == kind
    assert failure.where == "here"
    assert failure.todo


def test_the_cause_counts_where_the_outside_says_nothing() -> None:
    outside = RuntimeError("wrapped")
    outside.__cause__ = of_botocore("ThrottlingException")
    assert failure_of(outside, "").kind == "throttled"


def test_a_ring_of_causes_ends() -> None:
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__cause__ = two, one
    assert failure_of(one, "").kind == "misconfigured"


def test_what_already_is_a_failure_stays_itself() -> None:
    inner = failed("refused", "no", "there")
    outside = RuntimeError("wrapped")
    outside.__context__ = inner
    assert failure_of(outside, "here") is inner


def test_too_long_a_prompt_says_what_to_do_about_that() -> None:
    for error in (named("ContextOverflowError"), Coded(status_code=400, code="context_length_exceeded")):
        assert "fewer tokens" in failure_of(error, "").todo


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abc123DEF456",
        "sk-abc***xyz9",
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "Bearer abcdef",
        "Authorization: Basic dXNlcjpwYXNz",
        "Signature=0123abcd",
        "api_key: hunter2",
        "aws_secret_access_key=wJalrXUtnFEMI",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY0",
    ],
)
def test_keys_are_never_repeated(secret: str) -> None:
    said = str(failure_of(Coded(f"Denied with {secret} today", status_code=401), "here"))
    assert secret.rsplit(maxsplit=1)[-1] not in said
    assert "[redacted]" in said
    assert "today" in said


def test_a_long_message_becomes_one_short_line() -> None:
    assert redacted("a\n  b\tc") == "a b c"
    assert len(redacted("word " * 1000)) == 300


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_to_do_and_survives_a_process(kind: str) -> None:
    failure = failed(kind, "what", "where")  # type: ignore[arg-type]  # the parameter is one of KINDS
    again = pickle.loads(pickle.dumps(failure))
    assert isinstance(again, ModelFailed)
    assert (again.kind, again.what, again.where, again.todo) == (kind, "what", "where", failure.todo)
    assert str(failure) == f"what (where). {failure.todo}"


def test_the_tree() -> None:
    assert issubclass(ModelFailed, PromptsError)
    assert issubclass(PromptError, PromptsError)
    assert str(PromptError("what")) == "what."
