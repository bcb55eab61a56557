"""Recorded replies: a chat model that answers from a file, and one that writes such a file.

A recording is JSON lines `{"request", "model", "prompt_version", "reply", "input_tokens", "output_tokens", "stop"}`;
`request` is the hash of the messages, so that a changed prompt, schema or question is a request nobody recorded,
never a reply to something else. Where a request stands twice, the later line counts.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pydantic
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from typing_extensions import override

from prompts._streaming import Gathered, current
from prompts.errors import ModelFailed, PromptError

PIECE = 16
"""Characters of one replayed chunk."""


class Recorded(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One line of a recording."""

    request: str = pydantic.Field(pattern=r"^[0-9a-f]{64}$")
    model: str
    prompt_version: str
    reply: str
    input_tokens: int = pydantic.Field(default=0, ge=0)
    output_tokens: int = pydantic.Field(default=0, ge=0)
    stop: str = "stop"


def request_hash(messages: Sequence[BaseMessage]) -> str:
    """SHA-256 over the roles and texts of the messages."""
    said = [[message.type, str(message.text)] for message in messages]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode(errors="surrogatepass")).hexdigest()


def read_recording(path: Path) -> dict[str, Recorded]:
    """Request hash -> what was recorded for it. Raises `PromptError` naming the first line that is none."""
    if not path.is_file():
        raise PromptError(
            "There is no recording", where=str(path), todo="Record one with a real model first."
        )
    replies: dict[str, Recorded] = {}
    # A byte that is no text makes its line no reply; the rest of the file is still named by its lines.
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                recorded = Recorded.model_validate_json(line)
            except pydantic.ValidationError as error:
                first = error.errors(include_url=False)[0]
                what = f"Not a recorded reply: {'.'.join(map(str, first['loc']))} {first['msg']}"
                raise PromptError(what, where=f"{path}, line {number}") from None
            replies[recorded.request] = recorded
    return replies


class _Streamed(BaseChatModel):
    """A model that only streams: a whole reply is its pieces put together."""

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))


class ReplayedChatModel(_Streamed):
    """Answers from the recording at `path`: no network, the same every time, in pieces like a real model.

    Raises `PromptError` when the file is missing or broken, and `ModelFailed("misconfigured")` for a request
    that was not recorded.
    """

    path: Path
    _replies: dict[str, Recorded] = pydantic.PrivateAttr(default_factory=dict)

    def model_post_init(self, context: Any, /) -> None:
        """Read the file at once: a broken recording is found when it is opened, not at some question."""
        super().model_post_init(context)
        self._replies = read_recording(self.path)

    @property
    def model_name(self) -> str:
        """`replay:` and the file's name."""
        return f"replay:{self.path.name}"

    @property
    def _llm_type(self) -> str:
        return "replayed"

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        recorded = self._replies.get(request_hash(messages))
        if recorded is None:
            raise self._stale()
        for at in range(0, len(recorded.reply), PIECE):
            yield _chunk(AIMessageChunk(content=recorded.reply[at : at + PIECE]))
        usage = UsageMetadata(
            input_tokens=recorded.input_tokens,
            output_tokens=recorded.output_tokens,
            total_tokens=recorded.input_tokens + recorded.output_tokens,
        )
        told = {"model_name": recorded.model, "finish_reason": recorded.stop}
        yield _chunk(AIMessageChunk(content="", response_metadata=told, usage_metadata=usage))

    def _stale(self) -> ModelFailed:
        prompt, version = "?", "?"
        if rendered := current.get():
            prompt, version = f"{rendered.name}.{rendered.language}", rendered.version
        versions = {recorded.prompt_version for recorded in self._replies.values()}
        same = (
            "the same prompt version, so question or context changed"
            if version in versions
            else ("none of this prompt version")
        )
        return ModelFailed(
            "misconfigured",
            f"The recording is stale: it holds no reply to this request of prompt {prompt}, version {version} "
            f"({len(self._replies)} replies, {same})",
            where=self.path.name,
            todo="Record it again with the model it stands for.",
        )


class RecordingChatModel(_Streamed):
    """Passes everything on to `model` and appends each whole reply to the file at `path`. Safe across threads."""

    model: BaseChatModel
    path: Path
    _lock: Any = pydantic.PrivateAttr(default_factory=threading.Lock)

    @property
    def model_name(self) -> str:
        """The name of what is recorded."""
        return str(getattr(self.model, "model_name", "") or getattr(self.model, "model_id", "") or "model")

    @property
    def _llm_type(self) -> str:
        return "recording"

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        gathered, rendered = Gathered(), current.get()
        for piece in self.model.stream(messages, stop=stop, **kwargs):
            gathered.add(piece)
            if isinstance(piece, AIMessageChunk):
                yield _chunk(piece)
        # A stream that broke raised above: half a reply is never recorded.
        self._append(
            Recorded(
                request=request_hash(messages),
                model=gathered.model or self.model_name,
                prompt_version=rendered.version if rendered else "",
                reply=gathered.text,
                input_tokens=gathered.input_tokens,
                output_tokens=gathered.output_tokens,
                stop=gathered.stop or "stop",
            )
        )

    def _append(self, recorded: Recorded) -> None:
        with self._lock, self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(recorded.model_dump(), ensure_ascii=False) + "\n")


def _chunk(message: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=message)
