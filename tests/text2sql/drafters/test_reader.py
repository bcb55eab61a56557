"""Questions into typed items: the codes, as data, and what must hold for any text."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text2sql.drafters.conftest import FIXTURES, Shop, cases
from text2sql.drafters.planning import grammar_en, grammar_ja
from text2sql.drafters.planning.actions import run
from text2sql.drafters.planning.sketch import CONSUMED, Sketch
from text2sql.drafters.reading.clauses import clauses, refers_back, resolved, sentences
from text2sql.drafters.reading.items import CODES
from text2sql.drafters.reading.periods import Today
from text2sql.drafters.reading.reader import MOST_CHARACTERS, Reader
from text2sql.linking import Linker
from text2sql.semantics import load
from text2sql.values import ValueIndex

TODAY = Today(date(2026, 11, 20), 4)
READER = Reader(Linker(load(Path(FIXTURES) / "shop.yaml")), ValueIndex([]))
GRAMMARS = {"en": grammar_en.RULES, "ja": grammar_ja.RULES}
KNOWN = {*CODES.values(), *"MDEVQNPTU,"}


@pytest.mark.parametrize("case", cases("readings"), ids=lambda case: repr(case["question"]))
def test_a_question_is_read_as_these_items(duck_shop: Shop, case: dict[str, Any]) -> None:
    reader = Reader(Linker(duck_shop.model), ValueIndex.of(duck_shop.catalog, duck_shop.model))
    reading = reader.read(case["question"], TODAY)
    assert reading.codes == case["codes"], [(item.code, item.text) for item in reading.items]


def test_unknown_words_are_named_whole() -> None:
    assert READER.read("売上高を惑星別に", TODAY).unknown == ("惑星",)
    assert READER.read("revenue by shoe size", TODAY).unknown == ("shoe", "size")


def test_a_verb_keeps_its_agent_from_being_a_group() -> None:
    assert READER.read("products sold by stores", TODAY).codes == "EwE"
    assert READER.read("revenue by store", TODAY).codes == "MbE"


def test_quoted_text_is_never_read_as_words() -> None:
    reading = READER.read('products named "revenue by region in 2024"', TODAY)
    assert [item.text for item in reading.items if item.code == "Q"] == ["revenue by region in 2024"]
    assert not any(item.code in "MP" for item in reading.items)


def test_brackets_that_say_a_word_again_win() -> None:
    reading = READER.read("謎の値（revenue）を地域（region）別に", TODAY)
    assert reading.codes == "UoMDG"


def test_long_texts_are_cut() -> None:
    assert len(READER.read("revenue " * 5_000, TODAY).text) <= MOST_CHARACTERS + 20


@given(st.text(max_size=150))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_in_order_with_known_codes(text: str) -> None:
    reading = READER.read(text, TODAY)
    assert set(reading.codes) <= KNOWN
    assert all(left.end <= right.start or right.code == "!" for left, right in pairwise(reading.items))


@given(st.lists(st.sampled_from(
    ["revenue", "by", "region", "store", "in 2024", "more than", "5", "not", "and", "or", "top", "the most", "average",
     "売上高", "地域", "別", "店舗", "の", "以上", "最も多い", "上位3", "2024年度", "ごと", "数", "「x」", "\"y\"", "(", "?"]
), max_size=12))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_rules_consume_and_never_add(words: list[str]) -> None:
    reading = READER.read(" ".join(words), TODAY)
    sketch = Sketch(reading)
    run(sketch, GRAMMARS[reading.language])
    assert len(sketch.codes) == len(reading.codes)
    for before, after in zip(reading.codes, sketch.codes, strict=True):
        assert after in (before, CONSUMED)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("What does it mean, and what was it in 2025?", ("What does it mean", "what was it in 2025?")),
        ("継続率とは何ですか。また、継続率は?", ("継続率とは何ですか", "継続率は?")),
        ("revenue and refunds by region", ()),
        ("売上高と返金額", ()),
    ],
)
def test_two_questions_are_cut_at_clear_joints_only(text: str, parts: tuple[str, ...]) -> None:
    assert clauses(text) == parts


def test_sentences_and_pronouns() -> None:
    assert sentences("Who? List them.") == ("Who?", "List them.")
    assert sentences("One question?") == ()
    assert resolved("what was it in 2025?", "revenue") == "what was revenue in 2025?"
    assert resolved("what was it?", "") == "what was it?"
    assert refers_back("and how many does each have")
    assert not refers_back("what was revenue in 2025")
