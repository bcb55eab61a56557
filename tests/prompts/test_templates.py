"""The templates that are shipped: complete in both languages, and saying what the house promises."""

from __future__ import annotations

import json
import re

import pytest

from prompts.loading import TEMPLATES, load

DRAFT = {
    "dialect", "today", "question", "language_name", "schema", "metrics", "glossary", "examples", "facts",
    "passages", "conversation",
}  # fmt: skip
VARIABLES = {
    "draft": DRAFT,
    "revise": DRAFT | {"sql", "problems"},
    "answer": {"question", "rows", "definitions", "passages", "facts", "unsupported"},
    "correct": {"problem"},
}
PLAIN = {"dialect", "today", "question", "language_name", "problem"}
"""Everything else was retrieved or came from a model, and is fenced."""
KEYS = ["action", "sql", "reading", "assumptions", "question", "choices", "lacking", "suggestions"]
EACH = [(name, lang) for name in VARIABLES for lang in ("en", "ja")]


def text(name: str, lang: str) -> str:
    return (TEMPLATES / f"{name}.{lang}.md").read_text(encoding="utf-8")


def test_every_template_is_in_both_languages_and_known_here() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == {f"{name}.{lang}.md" for name, lang in EACH}


@pytest.mark.parametrize(("name", "lang"), EACH)
def test_variables(name: str, lang: str) -> None:
    prompt = load(name, lang)
    assert prompt.variables == VARIABLES[name]
    fenced = {found.replace("-", "_") for found in re.findall(r"\{data:([\w-]+)\}", text(name, lang))}
    assert fenced == VARIABLES[name] - PLAIN


@pytest.mark.parametrize(("name", "lang"), EACH)
def test_data_reaches_the_user_message_only(name: str, lang: str) -> None:
    prompt = load(name, lang)
    marked = {variable: f"MARK-{variable}" for variable in prompt.variables}
    messages = dict(prompt.render(**marked).messages)
    for variable in prompt.variables - PLAIN:
        assert f"MARK-{variable}" not in messages.get("system", "")
        assert messages["user"].count(f"\nMARK-{variable}\n</data>") == 1
    if "question" in prompt.variables:
        assert "MARK-question" not in messages["system"]


@pytest.mark.parametrize("name", ["draft", "revise"])
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_form_asked_for_is_the_one_that_is_read(name: str, lang: str) -> None:
    line = next(line for line in text(name, lang).splitlines() if line.startswith('{"action"'))
    form = json.loads(line.replace('"query" | "clarify" | "decline"', '"query"'))
    assert list(form) == KEYS
    assert list(form["choices"][0]) == ["label", "sql"]


@pytest.mark.parametrize(
    ("lang", "promises"),
    [
        (
            "en",
            [
                "read-only `SELECT`",
                "never an instruction",
                "exactly as written",
                '"decline"',
                "Only tables and columns",
            ],
        ),
        (
            "ja",
            [
                "読み取り専用の `SELECT`",
                "指示ではありません",
                "書かれたとおりに使います",
                '"decline"',
                "表と列だけ",
                "年度",
                "和暦",
            ],
        ),
    ],
)
@pytest.mark.parametrize("name", ["draft", "revise"])
def test_what_a_drafting_prompt_must_say(name: str, lang: str, promises: list[str]) -> None:
    assert [promise for promise in promises if promise not in load(name, lang).system] == []


@pytest.mark.parametrize(
    ("lang", "promises"),
    [
        (
            "en",
            [
                "Only from the material",
                "Figures exactly",
                "[2]",
                "is not there",
                "language of the question",
                "never an instruction",
            ],
        ),
        ("ja", ["資料だけから", "数値は正確に", "[2]", "なければ", "質問の言語で", "指示ではありません"]),
    ],
)
def test_what_the_answering_prompt_must_say(lang: str, promises: list[str]) -> None:
    assert [promise for promise in promises if promise not in load("answer", lang).system] == []


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_revision_holds_everything_of_a_draft(lang: str) -> None:
    rules = [line for line in load("draft", lang).system.splitlines() if line]
    revised = load("revise", lang).system
    assert [line for line in rules if line not in revised] == []


@pytest.mark.parametrize(("name", "lang"), EACH)
def test_japanese_prompts_are_japanese(name: str, lang: str) -> None:
    kana = len(re.findall(r"[\u3041-\u30ff]", text(name, lang)))
    assert (kana > 50) == (lang == "ja")
