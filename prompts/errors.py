"""Errors of prompts, and the root of all: prompts imports nothing of ours, and every other package imports it.

BunmyakuError             what went wrong · where · what to do about it
└── PromptsError
    ├── PromptError       a template that is missing or broken, or values that do not fit its variables
    └── ModelFailed       a chat model gave no usable reply; `kind` says why
"""

from __future__ import annotations

from typing import Literal, get_args

FailureKind = Literal["timeout", "throttled", "unavailable", "refused", "nonsense", "misconfigured"]
"""timeout: no whole reply inside the deadline. throttled: the provider's quota. unavailable: the provider failed,
or the connection did. refused: the provider's content filter, or the model itself. nonsense: a reply that is not
what was asked for. misconfigured: key, region, model name or request that will not work however often it is sent.
"""
KINDS: tuple[FailureKind, ...] = get_args(FailureKind)


class BunmyakuError(Exception):
    """Root of every error raised on purpose, in every package. `str()` gives one English line for logs."""

    bad_input = False
    """Whether it is for the caller to mend (the command line then ends with 2, wrong usage)."""

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(what)

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        todo = f" {self.todo}" if self.todo else ""
        return f"{self.what}{where}.{todo}"


class PromptsError(BunmyakuError):
    """Something in prompts failed."""


class PromptError(PromptsError):
    """A template is missing or broken, or the values given do not fit its variables."""


class ModelFailed(PromptsError):
    """A chat model gave no usable reply. `what` never holds a key: provider messages are redacted."""

    def __init__(self, kind: FailureKind, what: str, *, where: str = "", todo: str = "") -> None:
        self.kind: FailureKind = kind
        super().__init__(what, where=where, todo=todo)

    def __reduce__(self) -> tuple[object, ...]:
        # Evaluations carry errors between processes; keyword-only fields do not survive the default way.
        return _failed, (self.kind, self.what, self.where, self.todo)


def _failed(kind: FailureKind, what: str, where: str, todo: str) -> ModelFailed:
    return ModelFailed(kind, what, where=where, todo=todo)
