from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.tokens import count_tokens, lexical_tokens, stem


def test_english_words_lose_stop_words_plurals_and_possessives() -> None:
    assert lexical_tokens("What are the stores' and the buyer's policies?") == ["store", "buyer", "policy"]


@pytest.mark.parametrize(
    ("text", "whole", "parts"),
    [
        ("order C-00123 please", "c-00123", {"c", "00123"}),
        ("the XR-7.", "xr-7", {"xr", "7"}),
        ("on 2024-03-01", "2024-03-01", {"2024", "03", "01"}),
        ("R&D spend", "r&d", {"r", "d"}),
        ("注文C-00123の状況", "c-00123", {"c", "00123"}),
    ],
)
def test_codes_are_kept_whole_and_by_part(text: str, whole: str, parts: set[str]) -> None:
    tokens = lexical_tokens(text)
    assert whole in tokens
    assert parts <= set(tokens)


def test_a_number_is_one_token_however_it_is_written() -> None:
    assert lexical_tokens("1,234,567") == lexical_tokens("１２３４５６７") == ["1234567"]
    assert lexical_tokens("1,234.50") == ["1234.50"]


def test_hyphenated_words_are_found_by_their_parts() -> None:
    assert lexical_tokens("long-term") == lexical_tokens("long term")


def test_japanese_pairs_kanji_and_script_runs() -> None:
    tokens = lexical_tokens("東京都のコーヒー")
    assert {"東京", "京都", "都の", "東", "京", "都", "東京都", "コー", "コーヒー"} <= set(tokens)
    assert "のコ" not in tokens


def test_words_in_hiragana_are_found_and_particles_are_not() -> None:
    assert lexical_tokens("しょうゆ") == ["しょう", "ょうゆ"]
    assert lexical_tokens("店には") == ["店に", "店"]


def test_half_width_and_full_width_are_one() -> None:
    assert lexical_tokens("ｺｰﾋｰ ＡＢＣ") == lexical_tokens("コーヒー abc")


def test_mixed_text_gives_tokens_of_both() -> None:
    assert {"led", "照明", "価格"} <= set(lexical_tokens("LED照明の価格"))


@pytest.mark.parametrize(
    ("word", "expected"),
    [("sales", "sale"), ("policies", "policy"), ("status", "status"), ("class", "class"), ("gas", "gas"),
     ("classes", "classe"), ("stores", "store"), ("2020s", "2020"), ("is", "is")],
)  # fmt: skip
def test_stem(word: str, expected: str) -> None:
    assert stem(word) == expected


@given(st.text())
def test_any_text_gives_the_same_tokens_again_and_none_is_empty(text: str) -> None:
    tokens = lexical_tokens(text)
    assert tokens == lexical_tokens(text)
    assert tokens == lexical_tokens(unicodedata.normalize("NFKC", text))
    assert all(token and not any(character.isspace() for character in token) for token in tokens)


def test_cost_of_english_and_japanese() -> None:
    assert count_tokens("") == 0
    assert 8 <= count_tokens("The average revenue of our stores in 2024 was high.") <= 16
    assert 8 <= count_tokens("東京都の店舗の売上") <= 10


@given(st.text(), st.text())
def test_cost_adds_up_across_a_line_break(one: str, other: str) -> None:
    assert count_tokens(one + "\n" + other) == count_tokens(one) + count_tokens(other)
