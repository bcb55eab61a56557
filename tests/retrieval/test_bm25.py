from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from retrieval.bm25 import SPACE, count_terms, idf, rarest, term_id


@given(st.text())
def test_a_token_is_one_of_the_terms_and_always_the_same(token: str) -> None:
    assert 1 <= term_id(token) <= SPACE
    assert term_id(token) == term_id(token)


def test_terms_never_change_over_releases() -> None:
    # what is stored was numbered by an earlier run
    assert (term_id("coffee"), term_id("東京")) == (401235892, 451981040)


def test_counts_run_beside_ascending_terms() -> None:
    terms, counts, length = count_terms(["tea", "coffee", "tea"])
    assert terms == sorted(terms)
    assert dict(zip(terms, counts, strict=True)) == {term_id("tea"): 2, term_id("coffee"): 1}
    assert length == 3
    assert count_terms([]) == ([], [], 0)


def test_of_very_many_terms_the_frequent_are_kept() -> None:
    terms, _, length = count_terms([*(f"w{n}" for n in range(20_000)), "twice", "twice"])
    assert len(terms) == 16_000
    assert term_id("twice") in terms
    assert length == 20_002


def test_idf_falls_with_frequency_and_is_never_negative() -> None:
    values = [idf(holding, 100) for holding in range(101)]
    assert values == sorted(values, reverse=True)
    assert values[-1] >= 0
    assert math.isclose(idf(1, 10), math.log(1 + 9.5 / 1.5))
    assert idf(5, 3) >= 0  # counts of two tables may be a moment apart


def test_the_rarest_terms_within_the_budget() -> None:
    held = {1: 5, 2: 50, 3: 500, 4: 0, 5: 5000}
    assert rarest(held, most=100, least=0) == [1, 2]
    assert rarest(held, most=100, least=3) == [1, 2, 3]
    assert rarest(held, most=10_000, least=0) == [1, 2, 3, 5]
    assert rarest({}, most=10, least=3) == []
