"""The guard's work grows with the statement and not with its square: calls are counted, no clock is read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from retrieval.types import Principal
from tests.text2sql.guard.fuzzing import CATALOGS
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Dialect

CALLER = Principal("ana")
MOST = 2.7
"""Times as many calls for a statement twice as long: 2 is linear, 4 is quadratic."""


def _many(text: str, count: int, between: str = ", ") -> str:
    return between.join(text.replace("#", str(i)).replace("@", str(i - 1)) for i in range(count))


SHAPES: dict[str, tuple[int, Callable[[int], str]]] = {
    # At most 80 deep.
    "parentheses": (35, lambda n: "SELECT " + "(" * n + "1" + ")" * n),
    "brackets": (35, lambda n: "SELECT " + "[" * n + "1" + "]" * n),
    "braces": (35, lambda n: "SELECT " + "{'a': " * n + "1" + "}" * n),
    "CASE in CASE": (35, lambda n: "SELECT " + "CASE WHEN TRUE THEN " * n + "1" + " END" * n),
    "calls in calls": (35, lambda n: "SELECT " + "ABS(" * n + "1" + ")" * n),
    "queries in FROM": (35, lambda n: "SELECT * FROM " + "(SELECT * FROM " * n + "sales" + _many(") AS d#", n, "")),
    "unclosed": (500, lambda n: "SELECT " + "(" * n),
    # As long as a statement may be.
    "NOT": (500, lambda n: "SELECT " + "NOT " * n + "TRUE"),
    "a name": (24_000, lambda n: "SELECT " + "x" * n + " FROM sales"),
    "a quoted name": (24_000, lambda n: 'SELECT 1 AS "' + "n" * n + '"'),
    "a text": (24_000, lambda n: "SELECT '" + "a" * n + "'"),
    "a pattern": (12_000, lambda n: "SELECT 1 FROM sales WHERE note LIKE '" + "%_" * n + "'"),
    "IN": (1_900, lambda n: f"SELECT 1 FROM sales WHERE units IN ({_many('#', n)})"),
    "IN of texts": (1_500, lambda n: "SELECT 1 FROM sales WHERE note IN (" + _many("'v#'", n) + ")"),
    "VALUES": (900, lambda n: f"SELECT * FROM (VALUES {_many('(#)', n)}) AS v"),
    "JOIN": (250, lambda n: "SELECT 1 FROM sales AS s0 " + _many("JOIN sales AS t# ON t#.sale_id = s0.sale_id", n, " ")),
    "USING": (60, lambda n: "SELECT * FROM sales AS s " + _many("JOIN sales AS t# USING (sale_id)", n, " ")),
    "tables": (400, lambda n: f"SELECT 1 FROM {_many('sales AS t#', n)}"),
    "UNION": (250, lambda n: "SELECT units FROM sales" + " UNION ALL SELECT units FROM sales" * n),
    "WITH": (250, lambda n: f"WITH {_many('w# AS (SELECT 1 AS n)', n)} SELECT 1"),
    "WITH upon WITH": (150, lambda n: f"WITH w AS (SELECT 1 AS n), w0 AS (SELECT n FROM w), {_many('v# AS (SELECT n FROM w0)', n)} SELECT 1"),
    "columns": (450, lambda n: f"SELECT {_many('units AS u#', n)} FROM sales"),
    "columns of columns": (300, lambda n: f"WITH w AS (SELECT {_many('units AS u#', n)} FROM sales) SELECT {_many('u#', n)} FROM w"),
    "stars": (60, lambda n: f"SELECT {_many('*', n)} FROM sales"),
    "AND": (450, lambda n: f"SELECT 1 FROM sales WHERE {_many('units <> #', n, ' AND ')}"),
    "OR": (450, lambda n: f"SELECT 1 FROM sales WHERE {_many('units = #', n, ' OR ')}"),
    "BETWEEN": (450, lambda n: f"SELECT 1 FROM sales WHERE {_many('units BETWEEN 1 AND #', n, ' AND ')}"),
    "plus": (900, lambda n: "SELECT 1" + " + 1" * n),
    "||": (900, lambda n: "SELECT 'a'" + " || 'a'" * n),
    "casts": (400, lambda n: "SELECT 1" + "::int" * n),
    "arrows": (200, lambda n: "SELECT note" + " -> 'a'" * n + " FROM sales"),
    "EXISTS": (120, lambda n: "SELECT 1 FROM sales WHERE " + _many("EXISTS (SELECT 1 FROM stores AS t# WHERE t#.store_id = sales.store_id)", n, " AND ")),
    "GROUP BY": (450, lambda n: f"SELECT COUNT(*) FROM sales GROUP BY {_many('units + #', n)}"),
    "ORDER BY": (450, lambda n: f"SELECT units FROM sales ORDER BY {_many('units + #', n)}"),
    "calls": (450, lambda n: f"SELECT {_many('ABS(units)', n)} FROM sales"),
    "arguments": (450, lambda n: f"SELECT COALESCE({_many('units', n)}) FROM sales"),
    "WHEN": (350, lambda n: f"SELECT CASE {_many('WHEN units = # THEN #', n, ' ')} END FROM sales"),
    "OVER": (300, lambda n: f"SELECT {_many('SUM(units) OVER (ORDER BY store_id)', n)} FROM sales"),
    "LIMIT": (450, lambda n: "SELECT 1 FROM sales LIMIT 1" + " % 2" * n),
    "comments": (1_000, lambda n: "SELECT 1" + " /* c */ + /* d */ 1" * n),
    "backticks": (300, lambda n: f"SELECT {_many('`units` AS u#', n)} FROM sales"),
    # Garbage.
    "quotes": (2_000, lambda n: "SELECT " + "'\"`[]" * n),
    "an open quote": (2_000, lambda n: "'" * (4 * n + 1)),
    "an open comment": (2_000, lambda n: "SELECT 1 /*" + " *" * n),
    "dollars": (2_000, lambda n: "SELECT " + "$a$" * n),
    "dots": (1_000, lambda n: "SELECT " + "a." * n + "b"),
    "semicolons": (2_000, lambda n: "SELECT 1" + ";" * n),
}  # fmt: skip


def calls(sql: str, dialect: Dialect) -> tuple[int, str]:
    """How many functions are called to decide, and what is decided."""
    count = 0

    def called(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        verdict = SqlGuard().check(sql, CATALOGS[dialect], CALLER)
    finally:
        sys.setprofile(before)
    return count, "allowed" if verdict.allowed else verdict.violations[0].code


def grows(shape: str, dialect: Dialect, share: int = 1) -> None:
    size, make = SHAPES[shape]
    once, twice = make(max(15, size // share)), make(2 * max(15, size // share))
    calls(once, dialect)  # what is made at its first use is not counted
    (one, decided), (two, then) = calls(once, dialect), calls(twice, dialect)
    assert decided != "internal"
    assert then != "internal"
    assert two <= MOST * one + 2_000, f"{shape} ({decided}, then {then}): {one} calls, then {two}"


@pytest.mark.parametrize("shape", SHAPES)
def test_work_grows_with_the_statement(shape: str) -> None:
    dialects: tuple[Dialect, ...] = ("duckdb", "sqlite", "postgres")
    grows(shape, dialects[list(SHAPES).index(shape) % 3], share=12)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_work_grows_with_the_statement_at_length(dialect: Dialect) -> None:
    for shape in SHAPES:
        grows(shape, dialect)
