"""Made-up legitimate queries are accepted, run as we write them and give what they gave; twice checked, they stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.proving.grammar import Maker
from retrieval.postgres.database import Database
from retrieval.types import Principal
from tests.text2sql.guard.canaries import Duckdb, Engine, Postgres, Sqlite, opened
from tests.text2sql.guard.fuzzing import CATALOGS, SCALE, START
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Dialect, Verdict

CALLER = Principal("ana")
SHARE = 0.005
"""Of legitimate queries, at most so many may be refused: joins that nothing ties (`unbounded`) are some of them."""


def check(sql: str, dialect: Dialect) -> Verdict:
    return SqlGuard().check(sql, CATALOGS[dialect], CALLER)


def made(dialect: Dialect, seed: int) -> str:
    return Maker(CATALOGS[dialect], dialect, seed, steady=seed % 2 == 0).query()


def accepted(dialect: Dialect, seeds: range) -> Counter[str]:
    """Codes of the refused; every accepted one is checked again and stays as it is."""
    refused: Counter[str] = Counter()
    examples: list[str] = []
    for seed in seeds:
        sql = made(dialect, seed)
        verdict = check(sql, dialect)
        if not verdict.allowed:
            refused[verdict.violations[0].code] += 1
            examples.append(f"seed {seed}: {verdict.violations[0]}\n{sql}")
            continue
        assert check(sql, dialect) == verdict, f"seed {seed}: two verdicts on one text"
        again = check(verdict.sql, dialect)
        assert again.allowed, f"seed {seed}: {again.violations}\n{verdict.sql}"
        assert again.sql == verdict.sql, f"seed {seed}: {verdict.sql}\n{again.sql}"
    assert sum(refused.values()) <= 1 + SHARE * len(seeds), "\n\n".join(examples)
    return refused


@pytest.mark.parametrize("dialect", DIALECTS)
def test_legitimate_queries_are_accepted_and_stay(dialect: Dialect) -> None:
    accepted(dialect, range(START, START + 30))


def compare(engine: Engine, seeds: range) -> tuple[int, int, int]:
    """How many the engine prepares, how many of these the guard accepts, and how many answers were compared."""
    prepared = passed = compared = 0
    for seed in seeds:
        sql = made(engine.dialect, seed)
        try:
            engine.prepare(sql)
        except engine.errors:
            continue
        prepared += 1
        verdict = check(sql, engine.dialect)
        if not verdict.allowed:
            continue
        passed += 1
        try:
            engine.prepare(verdict.sql)
        except engine.errors as error:
            raise AssertionError(f"seed {seed}: {error}\n{sql}\n{verdict.sql}") from error
        try:
            wanted = engine.run(sql)
        except engine.errors:
            continue  # a value that cannot be computed, the same either way
        compared += 1
        assert engine.run(verdict.sql) == wanted, f"seed {seed}:\n{sql}\n{verdict.sql}"
    return prepared, passed, compared


def enough(counts: tuple[int, int, int], of: int) -> None:
    prepared, passed, compared = counts
    print(f"{of} made, {prepared} prepared by the engine, {passed} accepted, {compared} compared")
    assert prepared >= 0.97 * of - 1
    assert passed >= (1 - 2 * SHARE) * prepared - 1
    assert compared >= 0.8 * of


@pytest.mark.parametrize("make", [Sqlite, Duckdb], ids=["sqlite", "duckdb"])
def test_what_is_accepted_gives_the_same(make: Callable[..., Engine], tmp_path: Path) -> None:
    with opened(lambda: make(tmp_path) if make is Duckdb else make()) as engine:
        enough(compare(engine, range(START, START + 30)), 30)


def test_what_is_accepted_gives_the_same_on_postgres(database: Database) -> None:
    with opened(lambda: Postgres(database.dsn)) as engine:
        enough(compare(engine, range(START, START + 30)), 30)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", DIALECTS)
def test_legitimate_queries_are_accepted_and_stay_many_times(dialect: Dialect) -> None:
    print(dialect, accepted(dialect, range(START, START + 1_500 * SCALE)))


@pytest.mark.slow
@pytest.mark.parametrize("make", [Sqlite, Duckdb], ids=["sqlite", "duckdb"])
def test_what_is_accepted_gives_the_same_many_times(make: Callable[..., Engine], tmp_path: Path) -> None:
    with opened(lambda: make(tmp_path) if make is Duckdb else make()) as engine:
        enough(compare(engine, range(START, START + 1_200 * SCALE)), 1_200 * SCALE)


@pytest.mark.slow
def test_what_is_accepted_gives_the_same_on_postgres_many_times(database: Database) -> None:
    with opened(lambda: Postgres(database.dsn)) as engine:
        enough(compare(engine, range(START, START + 1_200 * SCALE)), 1_200 * SCALE)
