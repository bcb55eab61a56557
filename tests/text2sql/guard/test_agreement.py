"""The guard refuses what the engine refuses, and only that: real shapes of queries, and mistakes made in them on purpose.

`python -m tests.text2sql.guard.agreement` shows every disagreement; here the shares are held.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from retrieval.postgres.database import Database
from tests.text2sql.guard.agreement import (
    CALLER,
    Cells,
    Prepare,
    awkward,
    compare,
    duckdb_engine,
    names_of,
    postgres_engine,
    seeds,
    sqlite_engine,
)
from tests.text2sql.guard.slips import FOLDER
from text2sql.guard import SqlGuard
from text2sql.types import Dialect

MIXED = [
    line for line in (FOLDER / "mixed.sqlite.txt").read_text(encoding="utf-8").splitlines() if line.strip()
]


@pytest.fixture(scope="module")
def sqlite() -> Iterator[Prepare]:
    with sqlite_engine() as prepare:
        yield prepare


def judged(dialect: Dialect, prepare: Prepare, count: int, seed: int) -> Cells:
    catalog = awkward(dialect)
    return compare(seeds(dialect), names_of(catalog), catalog, prepare, count, random.Random(seed))


def accepted(dialect: Dialect, prepare: Prepare) -> None:
    catalog = awkward(dialect)
    for sql in seeds(dialect):
        assert prepare(sql) == "", sql
        verdict = SqlGuard().check(sql, catalog, CALLER)
        assert verdict.allowed, f"{sql}: {verdict.violations}"
        assert prepare(verdict.sql) == "", verdict.sql


def test_what_runs_on_sqlite_is_accepted(sqlite: Prepare) -> None:
    accepted("sqlite", sqlite)


def test_what_runs_on_duckdb_is_accepted() -> None:
    with duckdb_engine() as prepare:
        accepted("duckdb", prepare)


def test_what_runs_on_postgres_is_accepted(database: Database) -> None:
    with postgres_engine(database.dsn) as prepare:
        accepted("postgres", prepare)


@pytest.mark.parametrize("sql", MIXED)
def test_the_guard_says_what_sqlite_says(sqlite: Prepare, sql: str) -> None:
    verdict = SqlGuard().check(sql, awkward("sqlite"), CALLER)
    assert verdict.allowed == (sqlite(sql) == ""), verdict.violations
    if verdict.allowed:
        assert sqlite(verdict.sql) == "", verdict.sql


def test_mistakes_on_sqlite(sqlite: Prepare) -> None:
    cells = judged("sqlite", sqlite, 3_000, seed=20)
    assert cells.recall >= 0.99, cells.passed
    assert cells.precision >= 0.995, cells.refused


@pytest.mark.slow
def test_mistakes_on_sqlite_many_times(sqlite: Prepare) -> None:
    cells = judged("sqlite", sqlite, 20_000, seed=21)
    assert cells.agreed_fails > 10_000
    assert cells.recall >= 0.99, cells.passed
    assert cells.precision >= 0.995, cells.refused


def test_mistakes_on_duckdb() -> None:
    with duckdb_engine() as prepare:
        cells = judged("duckdb", prepare, 800, seed=22)
    assert cells.recall >= 0.97, cells.passed
    assert cells.precision >= 0.985, cells.refused


def test_mistakes_on_postgres(database: Database) -> None:
    with postgres_engine(database.dsn) as prepare:
        cells = judged("postgres", prepare, 800, seed=23)
    assert cells.recall >= 0.97, cells.passed
    assert cells.precision >= 0.985, cells.refused


def test_refusals_say_where(sqlite: Prepare) -> None:
    """The place is one in the draft, and the message is a sentence."""
    del sqlite
    catalog, guard = awkward("sqlite"), SqlGuard()
    for draft in MIXED:
        for violation in guard.check(draft, catalog, CALLER).violations:
            assert violation.position is not None
            lines = draft.split("\n")
            assert 1 <= violation.position.line <= len(lines)
            assert 1 <= violation.position.column <= len(lines[violation.position.line - 1]) + 1
            assert violation.message.endswith((".", "?", ")"))


def test_the_comparison_can_fail() -> None:
    """Against an engine that refuses everything, what the guard accepts is counted as passed."""
    cells = judged("sqlite", lambda draft: "no", 200, seed=24)
    assert cells.passed
    assert cells.recall < 0.99
    cells = judged("sqlite", lambda draft: "", 200, seed=24)
    assert cells.refused
    assert cells.precision < 0.5
