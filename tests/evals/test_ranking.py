"""Measures of rankings, against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from evals.ranking import averages, complete, hit, interval, ndcg, recall, reciprocal, scores

RANKED = ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("right", "k", "found", "any_found", "all_found"),
    [
        ({"a"}, 1, 1.0, 1.0, 1.0),
        ({"b"}, 1, 0.0, 0.0, 0.0),
        ({"b", "z"}, 5, 0.5, 1.0, 0.0),
        ({"a", "c", "f", "z"}, 5, 0.5, 1.0, 0.0),
        ({"a", "c", "f"}, 10, 1.0, 1.0, 1.0),
    ],
)
def test_recall_hit_and_complete(
    right: set[str], k: int, found: float, any_found: float, all_found: float
) -> None:
    assert recall(RANKED, right, k) == found
    assert hit(RANKED, right, k) == any_found
    assert complete(RANKED, right, k) == all_found


def test_with_one_right_id_recall_and_hit_are_the_same() -> None:
    for name in [*RANKED, "z"]:
        for k in (1, 3, 10):
            assert recall(RANKED, {name}, k) == hit(RANKED, {name}, k)


def test_reciprocal_rank_is_of_the_first_right_id_within_ten() -> None:
    assert reciprocal(RANKED, {"c", "e"}) == pytest.approx(1 / 3)
    assert reciprocal([*(f"x{n}" for n in range(10)), "a"], {"a"}) == 0.0


def test_ndcg_by_hand() -> None:
    gained = 1 / math.log2(3) + 1 / math.log2(5)
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(RANKED, {"b", "d", "z"}) == pytest.approx(gained / ideal)
    assert ndcg(RANKED, {"a", "b"}) == pytest.approx(1.0)


def test_the_ideal_of_more_than_ten_right_ids_is_ten_of_them() -> None:
    many = [f"r{n}" for n in range(30)]
    assert ndcg(many, set(many)) == pytest.approx(1.0)


def test_a_repeated_id_counts_once_at_its_first_place() -> None:
    assert recall(["x", "x", "x", "a"], {"a"}, 2) == 1.0
    assert reciprocal(["x", "x", "a"], {"a"}) == 0.5
    assert ndcg(["a", "a"], {"a", "b"}) < 1.0


def test_nothing_right_is_an_error_and_no_zero() -> None:
    with pytest.raises(ValueError, match="Nothing is right"):
        ndcg(RANKED, set())


def test_scores_name_every_measure() -> None:
    found = scores(RANKED, {"b"})
    assert found == {
        "recall@1": 0.0, "recall@5": 1.0, "recall@10": 1.0, "hit@1": 0.0, "hit@5": 1.0, "hit@10": 1.0,
        "mrr@10": 0.5, "ndcg@10": pytest.approx(1 / math.log2(3)),
    }  # fmt: skip


def test_averages_leave_out_rows_without_a_score_and_give_intervals() -> None:
    rows = [{"m": 1.0}, {"m": 0.0}, {"m": None}, {}]
    found = averages(rows, ("m", "absent"))
    assert found["m"] == 0.5
    assert found["absent"] is None
    low, high = found["intervals"]["m"]
    assert low < 0.5 < high
    assert found["intervals"]["absent"] is None


def test_intervals_of_shares_do_not_close_at_the_end_and_of_others_are_drawn_alike_each_time() -> None:
    low, high = interval([1.0] * 20) or (0, 0)
    assert low < 1.0
    assert high == 1.0
    values = [0.1, 0.5, 0.9, 0.4]
    assert interval(values) == interval(values)
