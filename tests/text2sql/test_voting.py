from __future__ import annotations

import pytest

from text2sql.same_rows import Grid
from text2sql.voting import Candidate, vote


def found(*values: object, weight: float = 1.0, sql: str = "") -> Candidate:
    return Candidate(sql, Grid.of([(value,) for value in values], 1), weight)


FAILED = Candidate("nonsense", None)


def test_the_largest_group_wins_and_says_how_large_it_is() -> None:
    result = vote([found(2), found(1), found(1.0), FAILED, found(1)])
    assert result.chosen == 1
    assert [group.members for group in result.groups] == [(1, 2, 4), (0,)]
    assert result.agreement == pytest.approx(3 / 5)
    assert not result.unanimous


def test_of_equally_large_groups_the_one_that_was_first() -> None:
    assert vote([found(2), found(1), found(1), found(2)]).chosen == 0
    assert vote([FAILED, found(3), found(1)]).chosen == 1


def test_finding_nothing_counts_half() -> None:
    assert vote([found(), found(), found(5)]).chosen == 0  # a tie: the earlier
    assert vote([found(5), found(), found()]).chosen == 0
    assert vote([found(), found(), found(5), found(5)]).chosen == 2
    assert vote([found(None), found(None), found(5), found(5)]).chosen == 2
    nothing = vote([found(), found()])
    assert nothing.agreement == 0.5
    assert not nothing.unanimous


def test_a_doubtful_candidate_weighs_less() -> None:
    assert vote([found(1, weight=0.4), found(1, weight=0.4), found(2)]).chosen == 2
    assert vote([found(1, weight=0.6), found(1, weight=0.6), found(2)]).chosen == 0


def test_rows_in_another_order_agree_and_the_usual_order_is_taken() -> None:
    result = vote([found(2, 1), found(1, 2), found(1, 2)])
    assert len(result.groups) == 1
    assert result.chosen == 1
    assert result.unanimous


def test_without_a_candidate_that_ran_nothing_is_chosen() -> None:
    for candidates in ([], [FAILED, FAILED]):
        result = vote(candidates)
        assert (result.chosen, result.agreement, result.groups) == (None, 0.0, ())
        assert not result.unanimous


def test_one_that_did_not_run_is_no_agreement() -> None:
    result = vote([found(1), found(1), FAILED])
    assert result.agreement == pytest.approx(2 / 3)
    assert not result.unanimous
