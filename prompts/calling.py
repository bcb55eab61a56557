"""Calling a chat model: one deadline for everything, retries inside it, and one kind of error."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import pydantic

from prompts._cleaning import readable, readable_in
from prompts._failures import failed
from prompts._streaming import gather
from prompts.errors import ModelFailed
from prompts.loading import Rendered, load

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

T = TypeVar("T", bound=pydantic.BaseModel)
_AGAIN = {"throttled", "unavailable", "timeout"}
_PAUSE = 0.5
"""Seconds before the first repetition; doubled for each further one."""
_CANDIDATES = 50
_QUOTED = 4_000
"""Characters of a reply that are shown to the model again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply. Tokens are what the provider counted, 0 where it does not tell; `seconds` include retries.

    `text` holds no control characters but tabs and line feeds.
    """

    text: str
    input_tokens: int
    output_tokens: int
    seconds: float
    model: str
    prompt_version: str
    complete: bool = True
    """False when the model ran out of tokens in the middle."""


def call(
    model: BaseChatModel,
    rendered: Rendered,
    *,
    seconds: float,
    retries: int = 2,
    sleep: Callable[[float], None] = time.sleep,
) -> Reply:
    """Send a prompt and gather the streamed reply, all of it within `seconds`.

    Throttling, a failing provider and a broken stream are tried again up to `retries` times with a growing
    pause, as far as the deadline allows. Raises `ModelFailed`; the text is never empty.
    """
    began = perf_counter()
    where = f"{model_name(model)}, prompt {rendered.name}.{rendered.language}"
    for attempt in range(retries + 1):
        try:
            gathered = gather(model, rendered, began + seconds, where)
        except ModelFailed as failure:
            pause = _PAUSE * 2**attempt
            late = perf_counter() - began + pause >= seconds
            if failure.kind not in _AGAIN or attempt == retries or late:
                raise
            sleep(pause)
            continue
        text = readable(gathered.text)
        if not text.strip():
            raise failed("nonsense", "The model replied with nothing", where)
        return Reply(
            text,
            gathered.input_tokens,
            gathered.output_tokens,
            perf_counter() - began,
            gathered.model or model_name(model),
            rendered.version,
            not gathered.cut,
        )
    raise AssertionError  # pragma: no cover - the last attempt returns or raises


def call_json(
    model: BaseChatModel,
    rendered: Rendered,
    schema: type[T],
    *,
    seconds: float,
    retries: int = 2,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[T, Reply]:
    """Like `call`, for a reply that is one JSON object of `schema`, prose and code fences around it allowed.

    What is not such an object is told to the model once; after that it is `ModelFailed("nonsense")`. The reply
    returned counts the tokens and seconds of both; `seconds` bounds both together.
    """
    began = perf_counter()
    try:
        reply = call(model, rendered, seconds=seconds, retries=retries, sleep=sleep)
        found, problem = _read(reply.text, schema)
    except ModelFailed as failure:
        if failure.kind != "nonsense":
            raise
        reply, found, problem = None, None, failure.what
    if reply is not None and found is not None:
        return found, reply
    left = seconds - (perf_counter() - began)
    second = call(
        model, _corrected(rendered, reply, problem), seconds=max(0.0, left), retries=retries, sleep=sleep
    )
    found, problem = _read(second.text, schema)
    if found is None:
        where = f"{second.model}, prompt {rendered.name}.{rendered.language}"
        raise failed("nonsense", f"Asked twice for one JSON object: {problem}", where)
    return found, _sum(reply, second, perf_counter() - began)


def model_name(model: BaseChatModel) -> str:
    """What the configuration calls the model; its class where it has no name."""
    for field in ("model_name", "model_id", "model"):
        name = getattr(model, field, None)
        if isinstance(name, str) and name:
            return name
    return type(model).__name__


def _corrected(rendered: Rendered, reply: Reply | None, problem: str) -> Rendered:
    """The prompt once more, with what came back and what was wrong with it."""
    note = load("correct", rendered.language).render(problem=problem).messages[-1][1]
    if reply is None:
        # Providers refuse a turn without text: the note joins the question instead.
        *before, (role, text) = rendered.messages
        return replace(rendered, messages=(*before, (role, f"{text}\n\n{note}")))
    said = ("assistant", reply.text.strip()[:_QUOTED])
    return replace(rendered, messages=(*rendered.messages, said, ("user", note)))


def _sum(first: Reply | None, second: Reply, seconds: float) -> Reply:
    return replace(
        second,
        input_tokens=second.input_tokens + (first.input_tokens if first else 0),
        output_tokens=second.output_tokens + (first.output_tokens if first else 0),
        seconds=seconds,
    )


def _read(text: str, schema: type[T]) -> tuple[T | None, str]:
    """The one object in the text that fits the schema, or why there is none."""
    objects = _objects(text)
    if not objects:
        return None, "there is no JSON object in it"
    valid: list[T] = []
    problems: list[str] = []
    for candidate in objects:
        try:
            found = schema.model_validate(candidate)
        except pydantic.ValidationError as error:
            problems.append(_problems(error))
        else:
            if found not in valid:
                valid.append(found)
    if len(valid) > 1:
        return None, f"there are {len(valid)} different JSON objects in it"
    return (valid[0], "") if valid else (None, problems[0])


def _objects(text: str) -> list[dict[str, Any]]:
    """Every outermost JSON object, in order."""
    # Models break lines inside strings, above all in SQL: that much is forgiven.
    decoder = json.JSONDecoder(strict=False)
    objects: list[dict[str, Any]] = []
    at = text.find("{")
    for _ in range(_CANDIDATES):
        if at < 0:
            break
        try:
            found, end = decoder.raw_decode(text, at)
            objects.append(readable_in(found))
        except (ValueError, RecursionError):  # no JSON, or a number of thousands of digits, or too deep
            end = at + 1
        at = text.find("{", end)
    return objects


def _problems(error: pydantic.ValidationError) -> str:
    parts = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"`{'.'.join(map(str, part['loc'])) or 'object'}`: {part['msg']}" for part in parts[:5])
