"""A masked column of SQLite compares as it would in a table that is declared the same and holds what is shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.affinity import affinity
from text2sql.policy import parse

SCHEMA = "CREATE TABLE guest (id INTEGER, age INT, born DATE, name VARCHAR(20), weight REAL, code)"
ROWS = [
    (1, 34, "1980-05-06", "Ana", 61.5, "7"),
    (2, 39, "2014-01-02", "Berta", 70.0, 7),
    (3, "none", "soon", "Cyrus", None, None),
    (4, 30, None, "30", 30.25, 30),
]
MASKS = "{age: {bucket: 10}, born: year, name: partial, weight: {bucket: 5}, code: 'null'}"
EVERY_ROW = f"tables: {{guest: {{grants: [{{roles: [everyone], rows: all, masks: {MASKS}}}]}}}}"
SOME_ROWS = f"""
tables:
  guest:
    grants:
      - {{roles: [everyone], rows: "id <> 4", masks: {MASKS}}}
      - {{roles: [everyone], rows: "id > 2"}}
"""
SHOWN = {
    EVERY_ROW: [
        (1, 30, "1980-01-01", "***", 60.0, None),
        (2, 30, "2014-01-01", "B***", 70.0, None),
        (3, 0, None, "C***", None, None),
        (4, 30, None, "***", 30.0, None),
    ],
    SOME_ROWS: [
        (1, 30, "1980-01-01", "***", 60.0, None),
        (2, 30, "2014-01-01", "B***", 70.0, None),
        *ROWS[2:],
    ],
}
ASKED = (
    "age = '30'", "age > '4'", "age IN ('30', 'none')", "age < 'a'", "born < '2000'", "born >= '1980-01-01'", "born > 5", "name = 30",
    "name > 1", "weight / 4 = 15", "weight = '60'", "code = '30'", "code = 30", "age = name", "name = id * 10", "weight > name",
)  # fmt: skip


@pytest.mark.parametrize("policy", [EVERY_ROW, SOME_ROWS], ids=["every row", "some rows"])
@pytest.mark.parametrize("asked", ASKED)
def test_it_compares_as_a_column_of_its_type(policy: str, asked: str) -> None:
    sql = f"SELECT g.*, weight / 4, typeof(weight) FROM guest AS g WHERE {asked} ORDER BY id"
    catalog = catalog_from_ddl(SCHEMA, "sqlite")
    verdict = SqlGuard().check(sql, catalog, Principal("kim"), parse(policy))
    assert verdict.allowed, verdict.violations
    with closing(_filled(ROWS)) as everything, closing(_filled(SHOWN[policy])) as copy:
        found = everything.execute(verdict.sql, dict(verdict.parameters)).fetchall()
        assert found == copy.execute(sql).fetchall()


def _filled(rows: list[tuple[object, ...]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute(SCHEMA)
    connection.executemany("INSERT INTO guest VALUES (?, ?, ?, ?, ?, ?)", rows)
    return connection


@pytest.mark.parametrize(
    "declared", ["INTEGER", "point", "CHARINT", "NVARCHAR(9)", "clob", "BLOB", "", "double", "FLOAT", "DATE", "DECIMAL(5, 2)", "STRING"]
)  # fmt: skip
def test_affinity_is_what_sqlite_makes_of_the_declared_type(declared: str) -> None:
    """Told by what a table so declared stores of a text of digits, of a number, and of a whole float."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE t (c {declared})")
        connection.executemany("INSERT INTO t VALUES (?)", [("7",), (7,)])
        (text,), (number,) = connection.execute("SELECT typeof(c) FROM t").fetchall()
    wanted = {
        ("integer", "integer"): {"INT", "NUMERIC"}, ("text", "text"): {"TEXT"}, ("text", "integer"): {"BLOB"}, ("real", "real"): {"REAL"},
    }  # fmt: skip
    assert affinity(declared) in wanted[text, number]
