"""Numbers that the parser takes for something else."""

from __future__ import annotations

import duckdb
import pytest

from retrieval.postgres.database import Database
from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Dialect, Verdict

READ = [
    ("1_000", 1000),
    ("- 1_000_000", -1_000_000),
    ("2 + 1_0", 12),
    ("0x1F", 31),
    ("0b101 + 1", 6),
    ("0o17", 15),
]


def _check(sql: str, dialect: Dialect) -> Verdict:
    return SqlGuard().check(
        sql, catalog_from_ddl("CREATE TABLE t (a1b INTEGER)", dialect), Principal("x"), None
    )


def test_postgres_reads_the_number_that_was_written(database: Database) -> None:
    with database.connection() as connection:
        for text, value in READ:
            verdict = _check(f"SELECT {text}", "postgres")
            assert verdict.allowed, verdict.violations
            assert connection.execute(verdict.sql.encode()).fetchone() == (value,), verdict.sql


def test_duckdb_reads_what_its_engine_reads() -> None:
    engine = duckdb.connect()
    for text in ("1_000", "0x1F", "0b101", "0o17", "12abc"):
        verdict = _check(f"SELECT {text}", "duckdb")
        assert verdict.allowed, verdict.violations
        assert engine.execute(verdict.sql).fetchone() == engine.execute(f"SELECT {text}").fetchone(), text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_number_is_given_no_name_by_what_stands_right_behind_it(dialect: Dialect) -> None:
    for text in ("12abc", "1__0", "1.5_0x", "0xZZ", "1FROM t"):
        verdict = _check(f"SELECT {text}", dialect)
        assert dialect == "duckdb" or not verdict.allowed, verdict.sql
    for text in ("1 AS _000", "a1b FROM t", "'1abc'", "1e3", "1.5E-3", "1 /* 2x */"):
        assert _check(f"SELECT {text}", dialect).allowed, text


def test_what_duckdb_groups_otherwise_is_refused() -> None:
    assert (
        duckdb.connect().execute("SELECT 2 * 2 ** ~ 1").fetchone()
        != duckdb.connect().execute("SELECT 2 * 2 ** (~ 1)").fetchone()
    )
    assert not _check("SELECT 2 * 2 ** ~ 1", "duckdb").allowed
    assert _check("SELECT 2 * 2 ** (~ 1)", "duckdb").allowed
