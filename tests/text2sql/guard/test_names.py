"""Two spellings of a name are one exactly where the engine says so, or a statement reads what the guard took for something else."""

from __future__ import annotations

import sqlite3
from typing import Any

import duckdb
import pytest

from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.engines import ENGINES
from text2sql.policy import parse
from text2sql.types import Dialect, Verdict

DDL = """
CREATE TABLE "É" (a INTEGER); CREATE TABLE "Ａ売上" (a INTEGER); CREATE TABLE "maße" (a INTEGER, "Ö" INTEGER);
CREATE TABLE shown (a INTEGER, b INTEGER);
"""
POLICY = parse("""
tables:
  shown: {grants: [{roles: [everyone], rows: "a < 5"}]}
  "maße": {grants: [{roles: [everyone], rows: "a < 5"}]}
""")
HIDDEN = [
    'WITH "é" AS (SELECT 1 AS a) SELECT a FROM É',
    'WITH "É" AS (SELECT 1 AS a), x AS (SELECT a FROM "é") SELECT a FROM x',
    "WITH ａ売上 AS (SELECT 1 AS a) SELECT a FROM Ａ売上",
    'SELECT (WITH "é" AS (SELECT 1 AS a) SELECT MAX(a) FROM É) FROM shown',
    'WITH RECURSIVE "é" AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM "é" WHERE a < 3) SELECT a FROM É',
]
ELSEWHERE: list[str] = ["duckdb", "sqlite", "postgres", "redshift"]


def check(dialect: Dialect, sql: str) -> Verdict:
    return SqlGuard().check(sql, catalog_from_ddl(DDL, dialect), Principal("kim"), POLICY)


@pytest.mark.parametrize("dialect", ELSEWHERE)
@pytest.mark.parametrize("sql", HIDDEN)
def test_a_with_query_excuses_no_table_that_the_engine_calls_otherwise(dialect: Dialect, sql: str) -> None:
    verdict = check(dialect, sql)
    assert not verdict.allowed, verdict.sql
    assert verdict.violations[0].code == "unknown_table"


@pytest.mark.parametrize("dialect", ELSEWHERE)
@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT a FROM masse", "unknown_table"),
        ("SELECT a FROM MASSE", "unknown_table"),
        ("SELECT ö FROM maße", "unknown_column"),
        ("SELECT maſe.a FROM maße", "unknown_source"),
        ("SELECT É.a FROM shown AS é", "unknown_source"),
    ],
)
def test_what_the_engine_does_not_find_is_not_there(dialect: Dialect, sql: str, code: str) -> None:
    verdict = check(dialect, sql)
    assert [violation.code for violation in verdict.violations] == [code], verdict.sql


def test_the_engines_fold_as_written_here() -> None:
    connections: dict[str, Any] = {"duckdb": duckdb.connect(), "sqlite": sqlite3.connect(":memory:")}
    for name, connection in connections.items():
        connection.execute("CREATE TABLE \"É\" AS SELECT 'of somebody else' AS a")
        for sql in ('WITH "é" AS (SELECT 1 AS a) SELECT a FROM É', "SELECT a FROM É"):
            assert connection.execute(sql).fetchall() == [("of somebody else",)], name
        connection.execute('CREATE TABLE "é" AS SELECT 1 AS a')
        assert ENGINES[name].folded("MÉ") == "mÉ"
        connection.close()
    assert ENGINES["athena"].folded("MÉ") == "mé"


LONG = "売" * 21
CUT: list[tuple[Dialect, str]] = [
    ("postgres", f"SELECT b AS {LONG}x, a AS {LONG} FROM shown ORDER BY {LONG}"),
    ("postgres", f"WITH {LONG}x AS (SELECT 1 AS a) SELECT a FROM (WITH {LONG}y AS (SELECT 2 AS a) SELECT a FROM {LONG}x) AS s"),
    ("postgres", f"SELECT x.a FROM shown AS {LONG}x JOIN shown AS {LONG}y ON {LONG}x.a = {LONG}y.a, shown AS x"),
    ("redshift", f"SELECT a AS {'n' * 128}, b AS {'n' * 127} FROM shown"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql"), CUT)
def test_names_that_the_engine_makes_one_are_refused(dialect: Dialect, sql: str) -> None:
    assert [violation.code for violation in check(dialect, sql).violations] == ["duplicate_name"]


def test_a_long_name_alone_may_be_cut() -> None:
    for dialect in ("duckdb", "sqlite", "postgres"):
        assert check(dialect, f"SELECT b AS {LONG}x, a AS {LONG[:-1]} FROM shown ORDER BY {LONG}x").allowed
    assert check("duckdb", f"SELECT b AS {LONG}x, a AS {LONG} FROM shown").allowed


def test_a_name_with_a_collation_is_an_expression_to_postgres() -> None:
    """There it means a column of the tables, which must then be shown; to DuckDB it is a name of the SELECT list still."""
    sql = "SELECT CAST(a AS VARCHAR) AS {0} FROM shown ORDER BY {0} COLLATE {1}"
    assert [v.code for v in check("postgres", sql.format("q", '"C"')).violations] == ["unknown_column"]
    assert "shown.b" in check("postgres", sql.format("b", '"C"')).columns
    assert check("duckdb", sql.format("b", "nocase")).columns == ("shown.a",)
