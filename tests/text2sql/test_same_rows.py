from __future__ import annotations

import itertools
import random
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from text2sql.same_rows import Grid, same_rows

Rows = list[tuple[Any, ...]]


def grid(rows: Rows, width: int | None = None) -> Grid:
    return Grid.of(rows, width if width is not None else len(rows[0]))


def same(a: Rows, b: Rows, **options: Any) -> bool:
    return same_rows(grid(a), grid(b), **options)


def test_rows_are_a_multiset_unless_their_order_counts() -> None:
    a, b = [(1, "x"), (2, "y"), (2, "y")], [(2, "y"), (1, "x"), (2, "y")]
    assert same(a, b)
    assert not same(a, b, ordered=True)
    assert same(a, a, ordered=True)
    assert not same(a, [(1, "x"), (1, "x"), (2, "y")])
    assert not same(a, a[:2])


def test_columns_may_stand_in_another_order_and_no_more() -> None:
    a = [(1, "x"), (2, "y")]
    assert same(a, [("y", 2), ("x", 1)])
    assert same(a, [("x", 1), ("y", 2)], ordered=True)
    # Each column holds the right values, but the rows do not.
    assert not same(a, [("x", 2), ("y", 1)])
    assert not same(a, [(1,), (2,)])
    assert not same(a, [(1, "x", 0), (2, "y", 0)])


def test_a_subset_is_found_among_more_columns_but_never_the_other_way_round() -> None:
    a, wide = [("x",), ("y",)], [(1, "y"), (2, "x")]
    assert same(a, wide, columns="subset")
    assert not same(a, wide)
    assert not same(wide, a, columns="subset")
    assert not same(a, [(1, "y"), (2, "x"), (3, "x")], columns="subset")


def test_one_column_cannot_stand_for_two() -> None:
    assert not same([(1, 1), (2, 2)], [(1, 7), (2, 8)])
    assert not same([(1, 1), (2, 2)], [(1, 7), (2, 8)], columns="subset")
    assert same([(1, 1), (2, 2)], [(2, 2), (1, 1)])


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, True),
        (Decimal("2.50"), 2.5, True),
        (Decimal(3), 3, True),
        (0.1 + 0.2, 0.3, True),
        (1_000_000.0, 1_000_000.5, True),
        (1_000_000.0, 1_000_002.0, False),
        (1_000_000, 1_000_001, False),
        (0.0, -0.0, True),
        (None, None, True),
        (None, 0, False),
        (None, "", False),
        ("1", 1, False),
        ("a", "A", False),
        (float("nan"), float("nan"), True),
        (float("inf"), float("inf"), True),
        (b"ab", memoryview(b"ab"), True),
        (date(2024, 4, 1), "2024-04-01", True),
        (datetime.fromisoformat("2024-04-01"), "2024-04-01", True),
        (datetime.fromisoformat("2024-04-01T09:30"), "2024-04-01 09:30:00", True),
        (datetime(2024, 4, 1, tzinfo=UTC), date(2024, 4, 1), True),
        ("2024-04-01 00:00:00", date(2024, 4, 1), True),
        (date(2024, 4, 1), "2024-04-02", False),
        (timedelta(hours=1), 3600, True),
        ([1, Decimal(2)], [1, 2], True),
    ],
)
def test_values(a: Any, b: Any, equal: bool) -> None:
    assert same([(a,)], [(b,)]) is equal
    assert same([(b,)], [(a,)]) is equal
    assert same([(a,), (None,)], [(None,), (b,)]) is equal
    assert same([(a,)], [(b,)], ordered=True) is equal


def test_null_and_text_among_numbers_must_stand_where_they_stand() -> None:
    assert same([(1.5, None), (None, 2.5)], [(None, 2.5), (1.5, None)])
    assert not same([(1.5, "a"), (None, "b")], [(1.5, "b"), (None, "a")])


def test_rows_that_are_almost_equal_are_paired_whichever_way_they_sort() -> None:
    a = [(1.0, 9.0), (1.0 + 1e-9, 5.0)]
    b = [(1.0 + 1e-9, 9.0), (1.0, 5.0)]
    assert same(a, b)
    assert not same(a, [(1.0, 9.0), (1.0, 6.0)])


def test_no_rows_are_no_rows_of_as_many_columns() -> None:
    assert same_rows(grid([], 2), grid([], 2))
    assert not same_rows(grid([], 2), grid([], 1))
    assert same_rows(grid([], 1), grid([], 3), columns="subset")
    assert not same_rows(grid([], 1), grid([(None,)]))
    assert grid([], 1).empty
    assert grid([(None,), (None,)]).empty
    assert not grid([(None, 0)]).empty


def test_an_arrow_table_is_what_its_rows_are() -> None:
    table = pa.table({"n": [1, 2], "at": [date(2024, 1, 1), None], "x": pa.array([1.5, None])})
    assert same_rows(Grid.of_table(table), grid([(2, None, None), (1, "2024-01-01", 1.5)]))
    assert same_rows(Grid.of_table(table.slice(0, 0)), grid([], 3))


def test_it_agrees_with_trying_every_order_of_columns() -> None:
    rng = random.Random(7)
    agreed = {True: 0, False: 0}
    for _ in range(3000):
        width, height = rng.randint(1, 4), rng.randint(1, 4)
        a = [tuple(rng.choice((0, 1, 1.0, None, "a")) for _ in range(width)) for _ in range(height)]
        order = rng.sample(range(width), width)
        b = [tuple(row[i] for i in order) for row in rng.sample(a, height)]
        if rng.random() < 0.6:
            at, column = rng.randrange(height), rng.randrange(width)
            changed = list(b[at])
            changed[column] = rng.choice((0, 1, None, "a"))
            b[at] = tuple(changed)
        expected = any(
            sorted(map(repr, ([_number(v) for v in row] for row in a)))
            == sorted(map(repr, ([_number(row[i]) for i in columns] for row in b)))
            for columns in itertools.permutations(range(width))
        )
        assert same(a, b) is expected, (a, b)
        agreed[expected] += 1
    assert min(agreed.values()) > 300


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) else value


def test_many_columns_of_the_same_values_are_told_apart_quickly() -> None:
    rng = random.Random(1)
    rows = [tuple(rng.randint(0, 1) for _ in range(12)) for _ in range(40)]
    other = [(*row[:-1], 1 - row[-1]) for row in rows]
    started = time.perf_counter()
    same(rows, other)
    assert same([(0,) * 12] * 1000, [(0,) * 12] * 1000)
    large = [(i, i % 7, float(i) / 3, str(i % 5)) for i in range(20_000)]
    assert same(large, [(d, c, b, a) for a, b, c, d in reversed(large)])
    assert time.perf_counter() - started < 5
