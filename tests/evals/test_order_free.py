"""What the data settle, and what is left to the order in which rows happen to lie."""

from __future__ import annotations

import sqlite3

import pytest

from evals.order_free import changing, settled_both_ways, ungrouped_both_ways, without_limit


def differs(sql: str, width: int) -> bool:
    both = settled_both_ways(sql, "sqlite", width)
    assert both is not None
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "CREATE TABLE t (i INTEGER PRIMARY KEY, a INT, b TEXT);"
        "INSERT INTO t VALUES (1, 5, 'x'), (2, 5, 'y'), (3, 2, 'z'), (4, 9, 'w');"
    )
    up, down = (sorted(connection.execute(text).fetchall()) for text in both)
    connection.close()
    return up != down


@pytest.mark.parametrize(
    ("sql", "width", "by_chance"),
    [
        ("SELECT b FROM t LIMIT 2", 1, True),
        ("SELECT b FROM t ORDER BY a LIMIT 2", 1, True),
        ("SELECT b FROM t ORDER BY a LIMIT 3", 1, False),
        ("SELECT b FROM t ORDER BY a DESC LIMIT 1", 1, False),
        ("SELECT a FROM t ORDER BY a LIMIT 2", 1, False),  # the rows that tie are the same
        ("SELECT * FROM t LIMIT 1", 3, True),
        ("SELECT COUNT(*) FROM t LIMIT 1", 1, False),
        ("SELECT b FROM t WHERE a = (SELECT a FROM t ORDER BY a DESC LIMIT 1)", 1, False),
        ("SELECT b FROM t WHERE i IN (SELECT i FROM t ORDER BY a LIMIT 2)", 1, True),
        ("SELECT b FROM t WHERE a > 4 UNION SELECT b FROM t WHERE a < 3 LIMIT 2", 1, True),
    ],
)
def test_a_cut_through_equal_rows_is_found(sql: str, width: int, by_chance: bool) -> None:
    if settled_both_ways(sql, "sqlite", width) is None:
        assert not by_chance
    else:
        assert differs(sql, width) is by_chance


def test_nothing_is_broken_where_nothing_is_cut_or_listed() -> None:
    assert settled_both_ways("SELECT a FROM t WHERE a > 1", "sqlite", 1) is None
    assert settled_both_ways("not a query at all (", "sqlite", 1) is None


def test_a_listed_result_is_looked_at_too() -> None:
    up, down = settled_both_ways("SELECT a, b FROM t ORDER BY a", "sqlite", 2) or ("", "")
    assert up.endswith("ORDER BY a, 1 ASC, 2 ASC")
    assert down.endswith("ORDER BY a, 1 DESC, 2 DESC")


@pytest.mark.parametrize(
    ("sql", "dialect", "expected"),
    [
        ("SELECT date('now')", "sqlite", True),
        ("SELECT strftime('%Y', 'NOW', '-1 month')", "sqlite", True),
        ("SELECT a FROM t ORDER BY random()", "sqlite", True),
        ("SELECT CURRENT_DATE", "postgres", True),
        ("SELECT now() - d FROM t", "postgres", True),
        ("SELECT clock_timestamp()", "postgres", True),
        ("SELECT snow FROM t WHERE a = 'know'", "postgres", False),
        ("SELECT date(d) FROM t", "sqlite", False),
    ],
)
def test_what_changes_by_itself(sql: str, dialect: str, expected: bool) -> None:
    assert bool(changing(sql, dialect)) is expected


def test_without_its_outermost_limit() -> None:
    sql = "SELECT a FROM (SELECT a FROM t LIMIT 5) AS s ORDER BY a LIMIT 2 OFFSET 1"
    assert without_limit(sql, "sqlite") == "SELECT a FROM (SELECT a FROM t LIMIT 5) AS s ORDER BY a"
    assert without_limit("SELECT a FROM t", "sqlite") is None
    assert without_limit("SELEC (", "sqlite") is None


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT city, name FROM t GROUP BY city", "SELECT city, MIN(name) FROM t GROUP BY city"),
        ("SELECT name, COUNT(*) FROM t", "SELECT MIN(name), COUNT(*) FROM t"),
        ("SELECT city AS c, COUNT(*) FROM t GROUP BY c", None),
        ("SELECT city, COUNT(*) FROM t GROUP BY 1", None),
        ("SELECT name, MAX(age) FROM t", None),  # the row that has the most
        ("SELECT name FROM t", None),
        ("SELECT COUNT(*) FROM t", None),
        ("SELEC (", None),
    ],
)
def test_columns_that_are_not_grouped(sql: str, expected: str | None) -> None:
    both = ungrouped_both_ways(sql, "sqlite")
    assert (both[0] if both else None) == expected
