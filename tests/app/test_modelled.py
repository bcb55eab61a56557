"""What a model did for an answer, as the terminal and the chat tell it."""

from __future__ import annotations

import pytest

from app.messages import LANGUAGES, has
from app.modelled import lines, reason
from prompts.errors import KINDS
from retrieval.types import Language

CALL = {
    "task": "draft",
    "model": "m-1",
    "prompt_version": "abc",
    "input_tokens": 1200,
    "output_tokens": 30,
    "seconds": 1.5,
    "failure": "",
}


def test_a_record_without_a_model_says_nothing() -> None:
    assert list(lines({}, "en")) == [], "also one that was kept before there were models"
    assert list(lines({"model_calls": [], "worded_by": "rules", "not_worded": ""}, "ja")) == []


def test_calls_are_told_with_version_and_tokens() -> None:
    record = {"model_calls": [CALL], "worded_by": "model", "not_worded": ""}
    worded, call = lines(record, "en")
    assert worded.startswith("Worded by the language model")
    assert call == "Query: m-1, prompt abc, 1,200 tokens read, 30 written, 1,500 ms"
    assert "1,200" in list(lines(record, "ja"))[1]


def test_a_failed_call_says_why() -> None:
    record = {"model_calls": [{**CALL, "failure": "timeout"}], "worded_by": "rules", "not_worded": "timeout"}
    refused, call = lines(record, "en")
    assert "was not used (it did not answer in time)" in refused
    assert call.endswith("failed after 1,500 ms (it did not answer in time)")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_failure_has_words(language: Language) -> None:
    problems = ("too_long", "no_such_passage", "no_citation", "unsupported", "says_nothing")
    assert all(has(f"model.{kind}") for kind in (*KINDS, *problems))
    assert reason("unsupported: 42, 99", language).endswith(": 42, 99")
    assert reason("unsupported: 42", language) != "unsupported: 42"
