"""Any text at all: the guard decides, always the same, and what it lets through touches no canary on the engines."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.proving.grammar import Maker
from evals.proving.hostile import Hostile
from retrieval.postgres.database import Database
from retrieval.types import Principal
from tests.text2sql.guard.canaries import Duckdb, Engine, Postgres, Sqlite, Touched, opened
from tests.text2sql.guard.fuzzing import CATALOGS, SCALE, START, mutated, soup
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Dialect, Verdict

CALLER = Principal("ana")


def check(sql: str, dialect: Dialect) -> Verdict:
    verdict = SqlGuard().check(sql, CATALOGS[dialect], CALLER)
    assert verdict.allowed == bool(verdict.sql) == (not verdict.violations)
    return verdict


def text(dialect: Dialect, seed: int) -> str:
    draw = random.Random(seed)
    if seed % 8 == 0:
        return soup(draw)
    legitimate = Maker(CATALOGS[dialect], dialect, draw, plain=True, depth=draw.choice([0, 0, 1])).query()
    hostile = Hostile(CATALOGS[dialect], dialect, draw).statement().sql
    return (
        mutated(legitimate, hostile, draw, gently=seed % 8 > 3)
        if seed % 8 > 1
        else mutated(hostile, legitimate, draw)
    )


def decide(dialect: Dialect, seeds: range, engine: Engine | None = None) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in seeds:
        sql = text(dialect, seed)
        verdict = check(sql, dialect)
        code = "allowed" if verdict.allowed else verdict.violations[0].code
        found[code] += 1
        assert code != "internal", f"seed {seed}: {verdict.violations[0]}\n{sql!r}"
        assert check(sql, dialect) == verdict, f"seed {seed}"
        if verdict.allowed and engine is not None:
            try:
                engine.run(verdict.sql)
                found["ran"] += 1
            except Touched as touched:
                raise AssertionError(f"seed {seed}: {sql}") from touched
            except engine.errors:
                found["failed in the engine"] += 1
    return found


def enough(found: Counter[str]) -> None:
    """Enough of what is tried reaches an engine, so that its canaries have something to say."""
    tried = found.total() - found["ran"] - found["failed in the engine"]
    print(f"{tried} tried, {found['allowed']} accepted, {found['ran']} ran: {dict(found)}")
    assert found["allowed"] >= 0.2 * tried
    assert found["ran"] >= 0.75 * found["allowed"]


@pytest.mark.parametrize("dialect", ["athena", "redshift"])
def test_any_text_is_decided(dialect: Dialect) -> None:
    assert decide(dialect, range(START, START + 40))


@pytest.mark.parametrize("make", [Sqlite, Duckdb], ids=["sqlite", "duckdb"])
def test_what_is_let_through_touches_nothing(make: Callable[..., Engine], tmp_path: Path) -> None:
    with opened(lambda: make(tmp_path) if make is Duckdb else make()) as engine:
        found = decide(engine.dialect, range(START, START + 80), engine)
        enough(found)


def test_what_is_let_through_touches_nothing_on_postgres(database: Database) -> None:
    with opened(lambda: Postgres(database.dsn)) as engine:
        found = decide("postgres", range(START, START + 80), engine)
        enough(found)


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["athena", "redshift"])
def test_any_text_is_decided_many_times(dialect: Dialect) -> None:
    print(dialect, decide(dialect, range(START, START + 2_500 * SCALE)))


@pytest.mark.slow
@pytest.mark.parametrize("make", [Sqlite, Duckdb], ids=["sqlite", "duckdb"])
def test_what_is_let_through_touches_nothing_many_times(make: Callable[..., Engine], tmp_path: Path) -> None:
    with opened(lambda: make(tmp_path) if make is Duckdb else make()) as engine:
        enough(decide(engine.dialect, range(START, START + 2_500 * SCALE), engine))


@pytest.mark.slow
def test_what_is_let_through_touches_nothing_on_postgres_many_times(database: Database) -> None:
    with opened(lambda: Postgres(database.dsn)) as engine:
        enough(decide("postgres", range(START, START + 2_500 * SCALE), engine))


def test_the_canaries_sing(tmp_path: Path, database: Database) -> None:
    """What the guard refuses would have been seen: each canary tells when it is touched."""
    for make, sql in (
        (Sqlite, "SELECT secret FROM secrets"),
        (Sqlite, "SELECT sql FROM sqlite_master"),
        (Sqlite, "DELETE FROM sales"),
        (lambda: Duckdb(tmp_path / "one"), "SELECT * FROM 'canary.csv'"),
        (lambda: Duckdb(tmp_path / "two"), "SELECT * FROM other.secrets"),
        (lambda: Postgres(database.dsn), "SELECT secret.touch()"),
    ):
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir(exist_ok=True)
        engine = make()
        with pytest.raises((Touched, *engine.errors)) as raised:
            engine.run(sql)
        engine.connection.close()  # type: ignore[attr-defined]  # each has one
        assert raised.type is Touched or engine.dialect == "sqlite" or "read-only" in str(raised.value)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT " + "(" * 500 + "1" + ")" * 500,
        "SELECT " + "-" * 3 + " 1" + " + 1" * 4_000,
        "SELECT " + "NOT " * 3_000 + "TRUE",
        "SELECT " + "CASE WHEN TRUE THEN " * 300 + "1" + " END" * 300,
        "SELECT 1" + " UNION ALL SELECT 1" * 1_500,
        "SELECT * FROM " + "(SELECT * FROM " * 200 + "sales" + ")" * 200,
        "SELECT " + "x" * 40_000 + " FROM sales",
        'SELECT 1 AS "' + "n" * 40_000 + '"',
        "SELECT '" + "a" * 100_000 + "'",
        "SELECT " + ", ".join(f"units AS u{i}" for i in range(7_000)) + " FROM sales",
        "SELECT 1 FROM sales WHERE units IN (" + ", ".join("1" for _ in range(20_000)) + ")",
        "SELECT 1 FROM " + ", ".join(f"sales AS s{i}" for i in range(900)),
        "WITH " + ", ".join(f"w{i} AS (SELECT 1 AS n)" for i in range(500)) + " SELECT 1",
        "SELECT 1\x00", "\x00", "SELECT '\ud800'", "SELECT \ud800 FROM sales", "SELECT 1 /*" + "/*" * 5_000, "'" * 10_001, '"' * 9_999,
        "$" * 10_000, "[" * 5_000, "SELECT " + "a." * 5_000 + "b", "SELECT 1;" * 5_000, "\ufeffSELECT 1", "SELECT" + "\u3000" * 1_000 + "1",
    ],
    ids=lambda sql: repr(sql[:24]),
)  # fmt: skip
def test_what_is_huge_or_odd_is_decided(dialect: Dialect, sql: str) -> None:
    verdict = check(sql, dialect)
    assert verdict.allowed or verdict.violations[0].code != "internal"
