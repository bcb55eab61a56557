"""A row that the caller may not see cannot make a query fail, on SQLite and DuckDB themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.policy import parse
from text2sql.types import Catalog, Verdict

DDL = {
    "t": "id INTEGER, owner VARCHAR, code VARCHAR, js VARCHAR, big BIGINT, k INTEGER, mark VARCHAR, day VARCHAR",
    "z": "r INTEGER",
}
CALLER = Principal("u", attributes={"names": ["me", "other me"]})
PREDICATES = (
    "owner IN (:names)",
    "owner = 'me'",
    "UPPER(LOWER(owner)) = 'ME'",
    "owner = 'me' AND k >= 0 OR owner = 'x'",
)
SHAPES = (
    "SELECT COUNT(*) FROM t WHERE {c}",
    "SELECT COUNT(*) FROM z JOIN t ON t.k = z.r AND {c}",
    "SELECT COUNT(*) FROM z LEFT JOIN t ON t.k = z.r AND {c}",
    "SELECT COUNT(*) FROM z WHERE EXISTS (SELECT 1 FROM t WHERE {c} AND t.k = z.r)",
    "SELECT COUNT(*) FROM z WHERE r IN (SELECT k FROM t WHERE {c})",
    "SELECT r, (SELECT COUNT(*) FROM t WHERE t.k = z.r AND {c}) AS n FROM z",
    "SELECT COUNT(*) FROM (SELECT k, CASE WHEN {c} THEN 1 ELSE 0 END AS y FROM t) AS d WHERE y = 1 AND k = 2",
    "SELECT COUNT(*) FROM t WHERE k = 3 AND {c}",
    "WITH w AS (SELECT id FROM t WHERE {c}) SELECT COUNT(*) FROM w AS a JOIN w AS b ON a.id = b.id",
)
FAILING = {
    "duckdb": (
        "CAST(code AS INTEGER) > -1",
        "code = 12",
        "code IN (12, 14)",
        "big + big > 0",
        "JSON_ARRAY_LENGTH(js) >= 0",
        "STRPTIME(day, '%Y-%m-%d') > DATE '2000-01-01'",
        "CAST(day AS DATE) > DATE '2000-01-01'",
        "REGEXP_MATCHES(code, mark)",
        "COALESCE(code, 5) = 5",
        "day <> TRUE OR code = '2'",
        "big < 1.00000000000000000000000000000000001",
    ),
    "sqlite": (
        "JSON_TYPE(js) = 'object'",
        "ABS(big) > 0",
        "k = 1 AND ABS(big) > 0",
        "k > 1 AND JSON_VALID(js) + JSON_ARRAY_LENGTH(js) = 1",
        "JSON_ARRAY_LENGTH(js) = 0",
    ),
}


class Shop:
    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        schema = ";".join(f"CREATE TABLE {table} ({columns})" for table, columns in DDL.items())
        self.catalog: Catalog = catalog_from_ddl(schema, dialect)  # type: ignore[arg-type]
        self.whole, self.copy = self.connect(), self.connect()
        rows = [self.row(i) for i in range(2_000)]
        self.fill(self.whole, rows)
        self.fill(self.copy, [row for row in rows if row[1] == "me"])

    def connect(self) -> Any:
        return sqlite3.connect(":memory:") if self.dialect == "sqlite" else duckdb.connect()

    def row(self, i: int) -> tuple[Any, ...]:
        if i % 2:
            mark = "!!" if self.dialect == "sqlite" else "["
            return (i, "other", f"abc{i}", "{bad", -(2**63), i % 50, mark, "soon")
        return (i, "me", str(i), '{"a": 1}', 1, i % 50, "!", "2024-05-06")

    def fill(self, connection: Any, rows: list[tuple[Any, ...]]) -> None:
        for table, columns in DDL.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO z VALUES (?)", [(1,), (2,), (3,)])
        if self.dialect == "sqlite":
            connection.execute("CREATE INDEX ik ON t (k, big, js, code, mark)")
            connection.execute("CREATE INDEX ib ON t (big)")

    def check(self, sql: str, rows: str) -> Verdict:
        grants = f't: {{grants: [{{roles: [everyone], rows: "{rows}"}}]}}'
        text = f"attributes: {{names: {{type: text, list: true}}}}\ntables: {{{grants}, z: {{grants: [{{roles: [everyone]}}]}}}}"
        return SqlGuard().check(sql, self.catalog, CALLER, parse(text))


@pytest.fixture(scope="module", params=["sqlite", "duckdb"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    found = Shop(request.param)
    yield found
    found.whole.close()
    found.copy.close()


@pytest.mark.parametrize("rows", PREDICATES)
def test_a_row_of_others_cannot_make_a_query_fail(shop: Shop, rows: str) -> None:
    ran = 0
    for shape in SHAPES:
        for condition in FAILING[shop.dialect]:
            draft = shape.format(c=condition)
            verdict = shop.check(draft, rows)
            assert verdict.allowed, verdict.violations
            try:
                wanted = sorted(shop.copy.execute(draft).fetchall())
            except (sqlite3.Error, duckdb.Error):
                continue
            found = shop.whole.execute(verdict.sql, dict(verdict.parameters)).fetchall()
            assert sorted(found) == wanted, verdict.sql
            ran += 1
    assert ran > len(SHAPES) * len(FAILING[shop.dialect]) / 2


@pytest.mark.parametrize(
    "draft",
    [
        "SELECT k, SUM(big) AS s FROM t WHERE day >= '2024-01-01' AND k > 3 GROUP BY k ORDER BY s DESC LIMIT 5",
        "SELECT z.r, COUNT(*) AS n FROM z JOIN t ON t.k = z.r WHERE t.owner LIKE 'm%' GROUP BY z.r",
        "SELECT CAST(code AS INTEGER) + 1 AS c FROM t WHERE k IN (SELECT r FROM z) AND k BETWEEN 1 AND 9",
    ],
)
def test_where_nothing_can_fail_there_is_no_fence(shop: Shop, draft: str) -> None:
    sql = shop.check(draft, "owner = 'me'").sql
    assert "OFFSET 0" not in sql
    assert "LIMIT -1" not in sql


def test_where_every_row_is_the_callers_there_is_no_fence(shop: Shop) -> None:
    sql = shop.check(f"SELECT COUNT(*) FROM t WHERE {FAILING[shop.dialect][0]}", "all").sql
    assert "OFFSET" not in sql
    assert "LIMIT" not in sql
