"""What is asked, and what names a conversation, is checked before anything is done."""

from __future__ import annotations

import pytest

from app.assistant import LONGEST_CONVERSATION, LONGEST_QUESTION, checked_conversation, checked_question
from app.errors import QuestionInvalid


@pytest.mark.parametrize("text", ["", " \n", "x" * (LONGEST_QUESTION + 1), "a\x00b", "a\x1b[2J", "\udcff"])
def test_what_is_no_question(text: str) -> None:
    with pytest.raises(QuestionInvalid) as caught:
        checked_question(text)
    assert caught.value.todo


def test_a_question_may_have_lines() -> None:
    assert checked_question("  売上は？\n\tby region\r\n") == "売上は？\n\tby region"


@pytest.mark.parametrize("name", ["\udcff", "a\nb", "a\x00", "x" * (LONGEST_CONVERSATION + 1)])
def test_what_cannot_name_a_conversation(name: str) -> None:
    with pytest.raises(QuestionInvalid) as caught:
        checked_conversation(name)
    assert caught.value.todo


@pytest.mark.parametrize("name", ["会話 1", "x" * LONGEST_CONVERSATION, "0f3c-77"])
def test_what_can(name: str) -> None:
    assert checked_conversation(name) == name
