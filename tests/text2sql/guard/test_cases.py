"""Statements as data: what must be refused, with which code, and what must run as we write it."""

from __future__ import annotations

import sqlite3
from functools import cache

import duckdb
import pytest

from retrieval.postgres.database import Database
from retrieval.types import Principal
from tests.text2sql.guard.cases import SCHEMA, Case, cases, shop
from text2sql.guard import SqlGuard
from text2sql.types import Catalog, Dialect, Verdict

CALLER = Principal("ana")


@cache
def catalog(dialect: Dialect) -> Catalog:
    return shop(dialect)


def check(case: Case) -> Verdict:
    return SqlGuard().check(case.sql, catalog(case.dialect), CALLER)


@pytest.mark.parametrize("case", cases("refused.sql"), ids=str)
def test_refused(case: Case) -> None:
    verdict = check(case)
    assert not verdict.allowed, f"{case.why}: {verdict.sql}"
    violation = verdict.violations[0]
    assert violation.code in case.codes, violation.message
    assert verdict.sql == ""
    assert violation.message.endswith((".", "?", ")"))
    lines = case.sql.split("\n")
    assert violation.position is not None
    assert 1 <= violation.position.line <= len(lines)


@pytest.mark.parametrize("case", cases("allowed.sql"), ids=str)
def test_allowed(case: Case) -> None:
    verdict = check(case)
    assert verdict.allowed, f"{case.why}: {verdict.violations}"
    assert all(step.passed for step in verdict.checks)
    assert "of the store" not in verdict.sql


@pytest.mark.parametrize("case", [c for c in cases("allowed.sql") if c.dialect == "sqlite"], ids=str)
def test_sqlite_runs_what_was_written_out(case: Case) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    assert connection.execute(case.sql).fetchall() == connection.execute(check(case).sql).fetchall()


@pytest.mark.parametrize("case", [c for c in cases("allowed.sql") if c.dialect == "duckdb"], ids=str)
def test_duckdb_runs_what_was_written_out(case: Case) -> None:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        draft = connection.execute(case.sql).fetchall()
        assert draft == connection.execute(check(case).sql).fetchall()


def test_postgres_runs_what_was_written_out(database: Database) -> None:
    with database.connection() as connection:
        connection.execute(SCHEMA)
        for case in cases("allowed.sql"):
            if case.dialect == "postgres":
                draft = connection.execute(case.sql).fetchall()
                assert draft == connection.execute(check(case).sql).fetchall(), case.why
