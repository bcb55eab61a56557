"""One streamed reply under a deadline.

The stream is read in a thread of its own: a server that accepts and then says nothing cannot be interrupted
from outside, only left behind. What is left behind ends by itself at the library's own read timeout.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from prompts._failures import failed, failure_of
from prompts.loading import Rendered

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

current: contextvars.ContextVar[Rendered | None] = contextvars.ContextVar("prompt", default=None)
"""The prompt being sent. LangChain does not hand a run's metadata to a model that streams."""
LONGEST = 200_000
"""Characters of a reply: far beyond any query or answer, so more is a model that has lost its way."""
_REFUSALS = {"content_filter", "content_filtered", "guardrail_intervened", "refusal"}
_CUT = {"length", "max_tokens", "model_context_window_exceeded"}


@dataclass(slots=True)
class Gathered:
    """What came of one stream. `model` is the provider's name for what answered."""

    pieces: list[str] = field(default_factory=list)
    characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    provider: str = ""
    stop: str = ""

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)

    @property
    def cut(self) -> bool:
        """Whether the model stopped because it ran out of tokens."""
        return self.stop in _CUT

    def add(self, chunk: Any) -> None:
        """Take in one chunk: text, usage, and what the provider says about itself."""
        text = str(chunk.text)
        self.pieces.append(text)
        self.characters += len(text)
        usage = chunk.usage_metadata or {}
        self.input_tokens += int(usage.get("input_tokens", 0))
        self.output_tokens += int(usage.get("output_tokens", 0))
        told = chunk.response_metadata or {}
        self.model = told.get("model_name") or self.model
        self.provider = told.get("model_provider") or self.provider
        self.stop = (
            told.get("finish_reason") or told.get("stopReason") or told.get("stop_reason") or self.stop
        )
        if chunk.additional_kwargs.get("refusal"):
            self.stop = "refusal"


def gather(model: BaseChatModel, rendered: Rendered, ends: float, where: str) -> Gathered:
    """Stream one reply until it is whole or `perf_counter()` reaches `ends`. Raises `ModelFailed`."""
    if perf_counter() >= ends:  # the first try took all the time: nothing is sent that nobody will read
        raise failed("timeout", "There was no time left to ask the model", where)
    chunks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stopped = threading.Event()
    # Callbacks and tracing live in context variables; a new thread starts without them.
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run,
        args=(_pump, model, rendered, chunks, stopped),
        name="model-stream",
        daemon=True,
    )
    thread.start()
    try:
        return _drain(chunks, ends, where)
    finally:
        stopped.set()


class _End:
    """The stream is over."""


def _pump(
    model: BaseChatModel,
    rendered: Rendered,
    chunks: queue.SimpleQueue[Any],
    stopped: threading.Event,
) -> None:
    try:
        # For a recording and for traces; nothing of it is sent to the model.
        current.set(rendered)
        metadata = {"prompt": f"{rendered.name}.{rendered.language}", "prompt_version": rendered.version}
        for chunk in model.stream(list(rendered.messages), config={"metadata": metadata}):
            if stopped.is_set():
                return
            chunks.put(chunk)
        chunks.put(_End())
    except BaseException as error:  # noqa: BLE001 - a thread's edge: whatever it is goes to the one who waits
        chunks.put(error)


def _drain(chunks: queue.SimpleQueue[Any], ends: float, where: str) -> Gathered:
    gathered = Gathered()
    while True:
        try:
            item = chunks.get(timeout=max(0.0, ends - perf_counter()))
        except queue.Empty:
            raise failed("timeout", "The model gave no whole reply in time", where) from None
        if isinstance(item, BaseException):
            raise failure_of(item, where)
        if isinstance(item, _End):
            break
        gathered.add(item)
        if gathered.characters > LONGEST:
            raise failed("nonsense", f"The reply is longer than {LONGEST} characters", where)
        if perf_counter() > ends:
            # A server that drips for ever never leaves the queue empty.
            raise failed("timeout", "The model gave no whole reply in time", where)
    if gathered.stop in _REFUSALS:
        raise failed("refused", "The provider or the model declined to reply", where)
    if gathered.provider and not gathered.stop:
        # Real providers say why they stopped; a stream that just ends was broken on its way.
        raise failed("unavailable", "The stream ended before the reply did", where)
    return gathered
