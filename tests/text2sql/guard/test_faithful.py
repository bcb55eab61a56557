"""What is written out says what was read: a fixed point of the guard, with the same rows on the engines at hand."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from retrieval.postgres.database import Database
from retrieval.types import Principal
from tests.text2sql.guard.cases import SCHEMA, shop
from tests.text2sql.guard.test_corpus import outcomes
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Dialect

CALLER = Principal("ana")
ROWS = (
    "INSERT INTO stores VALUES (1,'Ann 10%','north','2020-01-01'),(2,'Bob x','south','2021-02-03'),(3,'Cats','north',NULL)",
    "INSERT INTO products VALUES (1,'pen','office',1.50),(2,'desk','home',99.00),(3,'cup',NULL,4.25)",
    "INSERT INTO sellers VALUES (1,'Zed',NULL,'2015-01-01'),(2,'Yin',1,'2016-01-01'),(3,'Xi',2,'2018-01-01')",
    "INSERT INTO sales VALUES (1,1,1,1,'Al','2024-01-02',1,10.5,NULL),(2,1,2,2,'Bo','2024-01-05',2,20,'{\"a\": 1}')",
    "INSERT INTO sales VALUES (3,2,3,3,'Cy','2024-02-01',3,30,'{\"b\": [1,2]}'),(4,3,1,1,'Al','2024-03-01',1,5,'{}')",
    "INSERT INTO sales VALUES (5,2,2,NULL,NULL,'2024-03-09',5,50,NULL)",
)
CHANCE = re.compile(r"random|sample|uuid|now|current_time|clock|getdate", re.IGNORECASE)
MANY_ANSWERS = re.compile(
    r"\blimit\b|\bfetch\b|distinct on|row_number|first|last|positional|over|any_value|mode", re.IGNORECASE
)


def _written(dialect: str) -> list[tuple[str, str]]:
    """Draft and text of every legitimate statement that passes."""
    mine = [o.statement for o in outcomes() if o.allowed and o.right and o.statement.dialect == dialect]
    checked = [(s.sql, SqlGuard().check(s.sql, shop(s.dialect), CALLER).sql) for s in mine]  # type: ignore[arg-type]  # a dialect
    return [pair for pair in checked if pair[1]]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_written_out_is_written_out_the_same(dialect: Dialect) -> None:
    pairs = _written(dialect)
    assert len(pairs) > 100
    again = [(text, SqlGuard().check(text, shop(dialect), CALLER)) for _, text in pairs]
    assert [(text, v.violations) for text, v in again if not v.allowed] == []
    assert [(text, v.sql) for text, v in again if v.sql != text] == []


def _same(dialect: str, run: Callable[[str], list[Any]]) -> None:
    pairs = [(a, b) for a, b in _written(dialect) if not CHANCE.search(a)]
    compared = 0
    for draft, text in pairs:
        before, after = run(draft), run(text)
        assert len(before) == len(after), draft
        if MANY_ANSWERS.search(draft) is None:
            assert sorted(map(_plain, before)) == sorted(map(_plain, after)), draft
            compared += 1
    assert compared > 80


def test_sqlite_gives_the_same_rows() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    for row in ROWS:
        connection.execute(row)
    _same("sqlite", lambda sql: connection.execute(sql).fetchall())


def test_duckdb_gives_the_same_rows() -> None:
    with duckdb.connect() as connection:
        connection.execute(SCHEMA)
        for row in ROWS:
            connection.execute(row)
        _same("duckdb", lambda sql: connection.execute(sql).fetchall())


def _plain(row: Sequence[object]) -> str:
    """A row as text; 1.0 and Decimal(1) are one number: DATE_PART is written as EXTRACT, which is exact."""
    return repr(
        [float(v) if isinstance(v, int | float | Decimal) and not isinstance(v, bool) else v for v in row]
    )


def test_postgres_gives_the_same_rows(database: Database) -> None:
    with database.connection() as connection:
        connection.execute(SCHEMA)
        for row in ROWS:
            connection.execute(row.encode())
        _same("postgres", lambda sql: connection.execute(sql.encode()).fetchall())
