"""The `year` mask on a text: a year where the text is a date, else nothing."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest

from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.policy import parse
from text2sql.types import Dialect, Verdict

YEARS = {
    "2024-05-06": "2024-01-01",
    "1987-12-31 10:11:12": "1987-01-01",
    "2024-05-06T07:08Z": "2024-01-01",
    "2024/05/06": "2024-01-01",
    "2024/5/6 7:08": "2024-01-01",
    "1999/11": "1999-01-01",
}
NOT_DATES = ("Anna", "山田花子", "2024", "1234", "secret", "2024-05", "0312-34-5678", "3012-10-10", "2024-05-061", "2024/056",
             "x2024-05-06", "2024-5-6", "", "24/05/06", "1234-56-78")  # fmt: skip
POLICY = parse("tables: {days: {grants: [{roles: [everyone], masks: {day: year}}]}}")
DDL = "CREATE TABLE days (day VARCHAR(40))"


def masked(dialect: Dialect) -> Verdict:
    verdict = SqlGuard().check("SELECT day FROM days", catalog_from_ddl(DDL, dialect), Principal("u"), POLICY)
    assert verdict.allowed, verdict.violations
    return verdict


@pytest.mark.parametrize("dialect", ["sqlite", "duckdb"])
def test_a_year_is_shown_of_texts_that_are_dates_alone(dialect: Dialect) -> None:
    connection: sqlite3.Connection | duckdb.DuckDBPyConnection
    connection = sqlite3.connect(":memory:") if dialect == "sqlite" else duckdb.connect()
    connection.execute(DDL)
    connection.executemany("INSERT INTO days VALUES (?)", [[text] for text in (*YEARS, *NOT_DATES)])
    shown = [day for (day,) in connection.execute(masked(dialect).sql).fetchall()]
    connection.close()
    assert shown == [*YEARS.values(), *(None for _ in NOT_DATES)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_is_written_for_every_dialect(dialect: Dialect) -> None:
    assert "CASE WHEN" in masked(dialect).sql
    assert "[12][0-9]" in masked(dialect).sql
