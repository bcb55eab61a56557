"""Tokens, stems and names."""

from __future__ import annotations

import itertools

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from retrieval.yaml_files import read_yaml
from text2sql.words import normal, singular, split_name, stems, tokenize


def test_a_latin_word_is_one_token_and_a_japanese_character_is_one() -> None:
    texts = [token.text for token in tokenize(normal("売上（amount）が1,200.5円"))]
    assert texts == ["売", "上", "(", "amount", ")", "が", "1,200.5", "円"]


def test_a_possessive_is_cut_off_and_a_contraction_is_kept() -> None:
    assert [t.text for t in tokenize("the store's staff don't")] == ["the", "store", "'s", "staff", "don't"]


def test_width_case_and_kana_make_no_difference() -> None:
    assert stems("ＳＴＯＲＥ") == stems("store") == ("store",)
    assert stems("ｶﾃｺﾞﾘ") == stems("カテゴリ") == stems("かてごり")


@pytest.mark.parametrize(
    ("plural", "single"),
    [
        ("stores", "store"), ("categories", "category"), ("boxes", "box"), ("classes", "class"), ("people", "person"),
        ("status", "status"), ("bus", "bus"), ("analysis", "analysis"), ("ids", "id"), ("news", "news"), ("gas", "gas"),
        ("matches", "match"), ("men", "man"), ("series", "series"),
    ],
)  # fmt: skip
def test_singulars(plural: str, single: str) -> None:
    assert singular(plural) == single


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customer_id", "customer id"), ("customerID", "customer id"), ("Customer Id", "customer id"),
        ("IndepYear", "indep year"), ("HTTPStatus", "http status"), ("sales-amount", "sales amount"), ("x", "x"),
    ],
)  # fmt: skip
def test_names_become_words(name: str, words: str) -> None:
    assert split_name(name) == words


@given(st.text(max_size=200))
def test_tokens_point_into_the_text_in_order(text: str) -> None:
    plain = normal(text)
    tokens = tokenize(plain)
    assert all(0 <= t.start < t.end <= len(plain) for t in tokens)
    assert all(left.end <= right.start for left, right in itertools.pairwise(tokens))
    assert normal(plain) == plain


def test_yaml_words_stay_words() -> None:
    assert read_yaml("on: {a: no, b: yes, c: off, d: true}") == {
        "on": {"a": "no", "b": "yes", "c": "off", "d": True}
    }
    with pytest.raises(Exception, match="could not determine a constructor"):
        read_yaml("!!python/object/apply:os.system ['true']")


def test_a_broken_file_is_told_by_its_own_line() -> None:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        read_yaml("name: [a, b")
    mark = caught.value.problem_mark
    assert mark is not None
    assert mark.line == 0
