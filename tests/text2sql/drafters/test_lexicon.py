"""The data files of the drafter: every word has a role that the grammar knows, both languages tell the same."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import text2sql.drafters
from retrieval.yaml_files import read_yaml
from text2sql.common_words import CommonWords, common_words
from text2sql.drafters.reading.items import CODES
from text2sql.drafters.reading.lexicon import lexicon
from text2sql.words import normal, stems, tokenize

FOLDER = Path(text2sql.drafters.__file__).parent
LANGUAGES = ("en", "ja")
PHRASES = read_yaml((FOLDER / "telling" / "phrases.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_has_a_code(language: str) -> None:
    roles = {phrase.role for phrase in lexicon(language).phrases.values()}
    assert roles <= CODES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_was_read_as_a_boolean(language: str) -> None:
    data = read_yaml((FOLDER / "lexicon" / f"{language}.yaml").read_text(encoding="utf-8"))
    for listed in data.values():
        for words in listed.values() if isinstance(listed, dict) else [listed]:
            assert all(isinstance(word, str) and word for word in words or [])


def test_negations_are_never_glue() -> None:
    for language, words in (
        ("en", ["not", "no", "without", "never", "except"]),
        ("ja", ["以外", "がない", "ではない"]),
    ):
        for word in words:
            (end, phrase), *_ = lexicon(language).at([*_tokens(word)], 0)
            assert phrase.role in ("not", "without"), word
            assert end == len(_tokens(word))


def _tokens(text: str) -> list[str]:
    return [token.text for token in tokenize(normal(text))]


def test_both_languages_tell_the_same_with_the_same_values() -> None:
    assert PHRASES["en"].keys() == PHRASES["ja"].keys()
    for key in PHRASES["en"]:
        fields = [
            {name for _, name, _, _ in Formatter().parse(PHRASES[language][key]) if name}
            for language in LANGUAGES
        ]
        assert fields[0] == fields[1], key


def test_every_note_in_the_code_has_its_phrase() -> None:
    used = set()
    for path in FOLDER.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        used |= {f"cannot_{key}" for key in re.findall(r'CannotPlan\(\s*"(\w+)"', text)}
        used |= set(re.findall(r'\bnote\(\s*"(\w+)"', text))
        used |= set(re.findall(r'\.say\(\s*"(\w+)"', text))
        used |= {f"assume_{key}" for key in re.findall(r'assumption="(\w+)"', text)}
    assert used - {"metric", "rows", "measure"} <= PHRASES["en"].keys()
    assert len(used) > 30


def test_no_phrase_is_left_over() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py"))
    made = ("assume_", "cannot_", "unit_")
    for key in PHRASES["en"]:
        bare = key.split("_", 1)[1] if key.startswith(made) else key
        assert f'"{bare}"' in code or f'"{key}"' in code or key.startswith("unit_"), key


def test_common_words_reach_over_the_languages() -> None:
    variants = common_words().variants(stems("song name"))
    assert stems("曲名") in variants
    assert stems("song title") in variants
    assert stems("文書ID") in common_words().variants(stems("document id"))
    assert stems("sale date") in common_words().variants(stems("sales_ymd"))


def test_a_label_is_never_half_in_one_language() -> None:
    for label in ("customer name", "store address", "order date"):
        for variant in common_words().variants(stems(label)):
            latin = {word.isascii() for word in variant if word != "id"}
            assert len(latin) <= 1


def test_abbreviations_are_written_out_once() -> None:
    words = CommonWords([["staff", "職員"]], {"num": "number of", "dept": "department"})
    assert words.written_out(("num", "of", "staff")) == ("number", "of", "staff")
    assert words.written_out(("num", "staff")) == ("number", "of", "staff")
    assert words.written_out(("dept", "name")) == ("department", "name")


def test_variants_are_bounded() -> None:
    group = [f"word{n}" for n in range(60)]
    words = CommonWords([group, [f"other{n}" for n in range(60)]], {})
    assert len(words.variants(("word1", "other1"))) <= 24
