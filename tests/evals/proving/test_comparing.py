"""When two results are the same, and when a statement leaves something to the engine."""

from __future__ import annotations

import pytest

from evals.proving.comparing import agreement, same, within
from evals.proving.copies import Result
from evals.proving.settling import any_row_both_ways


def rows(*values: tuple[object, ...]) -> Result:
    return Result(values, len(values[0]) if values else 1)


def test_rows_are_a_multiset_unless_they_are_ordered_and_columns_keep_their_places() -> None:
    assert same(rows((1, "a"), (2, "b")), rows((2, "b"), (1, "a")))
    assert not same(rows((1, "a"), (2, "b")), rows((2, "b"), (1, "a")), ordered=True)
    assert not same(rows((1,), (1,), (2,)), rows((1,), (2,), (2,)))
    assert not same(rows((1, 2)), rows((2, 1)))
    assert not same(rows((1, 2)), rows((1,)))
    assert same(rows((0.1 + 0.2, "x"), (5.0, "x")), rows((5, "x"), (0.3, "x")))
    assert not same(rows((0.31,)), rows((0.3,)))
    assert not same(rows((None,)), rows((0,)))
    assert not same(rows((1000001,)), rows((1000000,)))


def test_a_part_is_within_the_whole_no_more_often_than_there() -> None:
    assert within(rows((1,), (2,)), rows((2,), (1,), (1,)))
    assert not within(rows((2,), (2,)), rows((2,), (1,), (1,)))


@pytest.mark.parametrize(
    ("sql", "answers", "how"),
    [
        ("SELECT a FROM t", {}, "differs"),
        ("SELECT a FROM t LIMIT 1", {"SELECT a FROM t": (rows((1,), (2,)), rows((2,), (1,)))}, "without_limit"),
        ("SELECT a FROM t LIMIT 1", {"SELECT a FROM t": (rows((1,), (3,)), rows((2,), (3,)))}, "differs"),
        # What was cut is not of the whole: right without LIMIT is not enough.
        ("SELECT a FROM t LIMIT 1", {"SELECT a FROM t": (rows((2,), (3,)), rows((2,), (3,)))}, "differs"),
    ],
)  # fmt: skip
def test_what_the_engine_was_free_to_choose(
    sql: str, answers: dict[str, tuple[Result, Result]], how: str
) -> None:
    found = agreement(sql, "sqlite", rows((1,)), rows((2,)), answers.get)
    assert found[0] == how
    assert (found[1] == "") == (how != "differs")


def test_errors_are_alike_by_class() -> None:
    lost, other = (
        Result(failure="unknown name", said="no such column"),
        Result(failure="does not run", said="overflow"),
    )
    assert agreement("SELECT a FROM t", "sqlite", lost, lost, lambda _: None)[0] == "both_fail"
    assert agreement("SELECT a FROM t", "sqlite", lost, other, lambda _: None)[0] == "differs"
    assert "overflow" in agreement("SELECT a FROM t", "sqlite", rows((1,)), other, lambda _: None)[1]


def test_columns_of_any_row_become_the_least_and_the_greatest() -> None:
    both = any_row_both_ways("SELECT name, MAX(age) FROM t GROUP BY city HAVING wage > 3 ORDER BY name")
    assert both is not None
    assert (
        both[0]
        == 'SELECT MIN(name) AS "name", MAX(age) FROM t GROUP BY city HAVING MIN(wage) > 3 ORDER BY MIN(name)'
    )
    assert "MAX(wage)" in both[1]
    assert any_row_both_ways("SELECT city, COUNT(*) AS n FROM t GROUP BY city ORDER BY n") is None
    assert any_row_both_ways("SELECT city FROM t ORDER BY age") is None
    assert any_row_both_ways("SELECT (") is None
