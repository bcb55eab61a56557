"""From what a provider's library raised to a `ModelFailed`, by codes, statuses and class names.

No provider's library is imported: botocore's errors carry `response`, openai's and httpx's a status, and all of
them have telling class names. Messages are redacted, since some quote the key that was wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from prompts.errors import FailureKind, ModelFailed

# Lower-cased; the stream of Bedrock writes `throttlingException`, its body `ThrottlingException`.
_CODES: dict[str, FailureKind] = {
    "throttlingexception": "throttled",
    "toomanyrequestsexception": "throttled",
    "servicequotaexceededexception": "throttled",
    "rate_limit_exceeded": "throttled",
    "rate_limit_error": "throttled",
    "tokens": "throttled",
    "requests": "throttled",
    "modeltimeoutexception": "timeout",
    "serviceunavailableexception": "unavailable",
    "internalserverexception": "unavailable",
    "modelnotreadyexception": "unavailable",
    "modelerrorexception": "unavailable",
    "modelstreamerrorexception": "unavailable",
    "content_filter": "refused",
    "content_policy_violation": "refused",
    # Not worth a second try, whatever the status says.
    "insufficient_quota": "misconfigured",
    "accessdeniedexception": "misconfigured",
    "validationexception": "misconfigured",
    "resourcenotfoundexception": "misconfigured",
    "unrecognizedclientexception": "misconfigured",
    "expiredtokenexception": "misconfigured",
    "invalidsignatureexception": "misconfigured",
}
# Said of many things: the status, where there is one, is more precise.
_VAGUE: dict[str, FailureKind] = {"server_error": "unavailable", "service_unavailable": "unavailable"}
_CLASSES: dict[str, FailureKind] = {
    "ReadTimeout": "timeout",
    "ReadTimeoutError": "timeout",
    "ConnectTimeout": "timeout",
    "ConnectTimeoutError": "timeout",
    "APITimeoutError": "timeout",
    "TimeoutError": "timeout",
    "ModelTimeoutError": "timeout",
    "ModelRateLimitError": "throttled",
    "ModelAPIError": "unavailable",
    "ModelConnectionError": "unavailable",
    "APIConnectionError": "unavailable",
    "ConnectionError": "unavailable",
    "EndpointConnectionError": "unavailable",
    "HTTPClientError": "unavailable",
    "EventStreamError": "unavailable",
    "ParserError": "unavailable",
    "TransportError": "unavailable",
    "HTTPError": "unavailable",
    "OSError": "unavailable",
    "JSONDecodeError": "unavailable",
    "OpenAIRefusalError": "refused",
    "ContextOverflowError": "misconfigured",
    "NoCredentialsError": "misconfigured",
    "PartialCredentialsError": "misconfigured",
    "NoRegionError": "misconfigured",
    "ParamValidationError": "misconfigured",
    "OpenAIError": "misconfigured",
    "BotoCoreError": "misconfigured",
}
_TODO: dict[FailureKind, str] = {
    "timeout": "Ask again, or give the model more time.",
    "throttled": "Ask again in a moment, or raise the provider's quota.",
    "unavailable": "Ask again in a moment.",
    "refused": "Word the question differently.",
    "nonsense": "Ask again, or configure another model.",
    "misconfigured": "Check the setting `model`: its name, region and key, and that the account may use it.",
}
# langchain-aws hands some exception events of a stream on as text only.
_EVENT = re.compile(r"Received AWS exception (\w+)")
# LangChain's words for a provider that answered 200 and streamed nothing.
_NOTHING = "No generation chunk"
_TOO_LONG = "Ask for less at once, give the context fewer tokens, or configure a model with a larger window."
_SECRET = re.compile(
    r"(?i:bearer|basic)\s+\S+|(?i:[\w-]*(?:credential|signature|key|token|secret)[\w-]*[\"']?\s*[=:]\s*\S+)"
    r"|\b(?:sk|pk|rk|ak)-[\w*.-]+|\b(?:AKIA|ASIA|ABSK)\w+|[\w+/=-]{40,}"
)


def failed(kind: FailureKind, what: str, where: str) -> ModelFailed:
    """A failure with what to do about it."""
    return ModelFailed(kind, what, where=where, todo=_TODO[kind])


def failure_of(error: BaseException, where: str) -> ModelFailed:
    """What a library raised, as a `ModelFailed` (itself, when it is one already)."""
    for link in _chain(error):
        if isinstance(link, ModelFailed):
            return link
    kind = next((found for link in _chain(error) if (found := _kind(link))), None)
    what = f"{type(error).__name__}: {redacted(str(error))}"
    if any(_too_long(link) for link in _chain(error)):
        return ModelFailed("misconfigured", what, where=where, todo=_TOO_LONG)
    return failed(kind or "misconfigured", what, where)


def redacted(message: str) -> str:
    """One line of at most 300 characters without anything that looks like a key."""
    return _SECRET.sub("[redacted]", " ".join(message.split()))[:300]


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _kind(error: BaseException) -> FailureKind | None:
    for code in _codes(error):
        if kind := _CODES.get(code.casefold()):
            return kind
    if (status := _status(error)) is not None and (kind := _of_status(status)):
        return kind
    for code in _codes(error):
        if kind := _VAGUE.get(code.casefold()):
            return kind
    if str(error).startswith(_NOTHING):
        return "unavailable"
    return next((_CLASSES[base.__name__] for base in type(error).__mro__ if base.__name__ in _CLASSES), None)


def _too_long(error: BaseException) -> bool:
    named = any(base.__name__ == "ContextOverflowError" for base in type(error).__mro__)
    return named or "context_length_exceeded" in _codes(error)


def _codes(error: BaseException) -> Iterator[str]:
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        yield str(response.get("Error", {}).get("Code", ""))
    body = getattr(error, "body", None)  # openai, also for an error inside a stream
    for holder in (error, body):
        for field in ("code", "type"):
            value = holder.get(field) if isinstance(holder, dict) else getattr(holder, field, None)
            if isinstance(value, str):
                yield value
    if match := _EVENT.match(str(error)):
        yield match[1]


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def _of_status(status: int) -> FailureKind | None:
    if status == 429:
        return "throttled"
    if status in {408, 504}:
        return "timeout"
    if status >= 500:
        return "unavailable"
    return "misconfigured" if status >= 400 else None
