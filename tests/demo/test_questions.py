"""The questions to ask: four of the demo's own, a spread to try, and files of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from demo.errors import DemoError
from demo.people import USERS
from demo.questions import QUESTIONS, SPREAD, Asked, read_questions
from retrieval.language import detect


def test_there_are_four_and_one_is_japanese() -> None:
    assert len(QUESTIONS) == 4
    assert [detect(asked.question) for asked in QUESTIONS].count("ja") == 1
    assert {asked.user for asked in QUESTIONS} <= {user.id for user in USERS}


def test_the_spread_has_twenty_questions_a_language_and_known_askers() -> None:
    asked = read_questions(SPREAD)
    languages = [detect(one.question) for one in asked]
    assert languages.count("en") >= 20
    assert languages.count("ja") >= 20
    assert {one.user for one in asked} <= {user.id for user in USERS}
    assert len({one.question for one in asked}) == len(asked)


def test_questions_stand_under_their_language() -> None:
    for kinds in yaml.safe_load(SPREAD.read_text(encoding="utf-8")).values():
        for language, questions in kinds.items():
            for one in questions:
                assert detect(one if isinstance(one, str) else one["question"]) == language


def test_a_plain_list_is_asked_by_the_analyst(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text("- How many?\n- {question: Why, user: mika}\n", encoding="utf-8")
    assert read_questions(file) == (Asked("ana", "How many?"), Asked("mika", "Why"))


@pytest.mark.parametrize("content", ["", "[]", "- 3", "{en: [1]}", "a: [", "\x00"])
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DemoError) as caught:
        read_questions(file)
    assert caught.value.where == str(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="cannot be read"):
        read_questions(tmp_path / "none.yaml")
