"""What a chat model did for an answer, in sentences: from a record, or from one that was read back as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.messages import has, text
from retrieval.types import Language


def lines(record: Mapping[str, Any], language: Language) -> Iterator[str]:
    """Who worded it, then each use of the model; nothing where no model was used. `record` is in JSON form.

    Records kept before there were models lack these fields.
    """
    calls = record.get("model_calls") or ()
    if record.get("worded_by") == "model":
        yield text("model.worded", language)
    elif problem := str(record.get("not_worded") or ""):
        yield text("model.not_worded", language, reason=reason(problem, language))
    yield from (_call(call, language) for call in calls)


def reason(problem: str, language: Language) -> str:
    """A failure's kind, or what a text was refused for, in words; the figures named stay as they are."""
    kind, separator, named = problem.partition(": ")
    words = text(f"model.{kind}", language) if has(f"model.{kind}") else kind
    return f"{words}{separator}{named}"


def _call(call: Mapping[str, Any], language: Language) -> str:
    said = {
        "task": text(f"model.task_{call['task']}", language),
        "model": call["model"],
        "version": call["prompt_version"],
        "ms": f"{call['seconds'] * 1000:,.0f}",
    }
    if call["failure"]:
        return text("model.call_failed", language, reason=reason(call["failure"], language), **said)
    tokens = {"input": f"{call['input_tokens']:,}", "output": f"{call['output_tokens']:,}"}
    return text("model.call", language, **said, **tokens)
