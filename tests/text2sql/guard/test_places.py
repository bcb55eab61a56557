"""Samples, ordinality, fields of structs, comprehensions, products, patterns: read as engines do, or refused."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest

from retrieval.postgres.database import Database
from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.policy import Policy, parse
from text2sql.types import Catalog, Dialect, Table, Verdict

DDL = "CREATE TABLE sales (sale_id INTEGER PRIMARY KEY, region VARCHAR(9), amount INTEGER)"
ROWS = (
    "INSERT INTO sales SELECT i, CASE WHEN i % 10 = 0 THEN 'east' ELSE 'west' END, i "
    "FROM generate_series(1, 200) AS g(i)"
)
OWN = parse(
    "version: 1\ntables:\n  sales:\n    grants:\n      - {roles: [everyone], rows: region = 'east'}\n"
)
MASKED = parse(
    "version: 1\ntables:\n  sales:\n    grants:\n"
    "      - {roles: [everyone], rows: all, masks: {amount: 'null'}}\n"
)
CALLER = Principal("ana")


def _check(sql: str, dialect: Dialect, policy: Policy | None = None) -> Verdict:
    return SqlGuard().check(sql, catalog_from_ddl(DDL, dialect), CALLER, policy)


def _codes(verdict: Verdict) -> list[str]:
    return [violation.code for violation in verdict.violations]


@pytest.fixture
def shop() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(DDL)
    connection.execute(ROWS)
    return connection


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM sales AS s TABLESAMPLE RESERVOIR(20 ROWS)", "SELECT * FROM sales TABLESAMPLE 100%",
            "SELECT * FROM sales USING SAMPLE 20", "SELECT * FROM sales WHERE amount > 0 USING SAMPLE 100% (bernoulli)"],
)  # fmt: skip
def test_duckdb_samples_the_rows_of_the_caller(sql: str, shop: duckdb.DuckDBPyConnection) -> None:
    """Twenty of two hundred are theirs: a sample of the whole table would hold two of them."""
    verdict = _check(sql, "duckdb", OWN)
    assert verdict.allowed, verdict.violations
    rows = shop.execute(verdict.sql, verdict.parameters or None).fetchall()
    assert len(rows) == 20
    assert {region for _, region, _ in rows} == {"east"}


def test_postgres_samples_row_by_row_under_a_rule(database: Database) -> None:
    every = _check(
        "SELECT COUNT(*), MIN(region) FROM sales AS s TABLESAMPLE BERNOULLI (100)", "postgres", OWN
    )
    some = _check("SELECT region FROM sales TABLESAMPLE BERNOULLI (50) REPEATABLE (3)", "postgres", OWN)
    assert every.allowed, every.violations
    assert some.allowed, some.violations
    with database.connection() as connection:
        connection.execute(DDL)
        connection.execute(ROWS)
        assert connection.execute(every.sql.encode()).fetchall() == [(20, "east")]
        found = connection.execute(some.sql.encode()).fetchall()
    assert set(found) == {("east",)}
    assert 2 <= len(found) <= 18


def test_a_sample_of_blocks_would_tell_of_rows_of_others() -> None:
    sql = "SELECT COUNT(*) FROM sales TABLESAMPLE SYSTEM (10)"
    assert _codes(_check(sql, "postgres", OWN)) == ["argument"]
    assert _check(sql, "postgres").allowed
    assert _check(sql, "postgres", MASKED).allowed  # there is no rule of rows
    around = _check(sql, "athena", OWN)
    assert around.allowed
    assert around.sql.endswith(") AS sales TABLESAMPLE SYSTEM (10)")


@pytest.mark.parametrize(
    ("dialect", "sql", "code"),
    [("duckdb", "SELECT s.p.b FROM sales s", "unknown_source"), ("duckdb", "SELECT p.b FROM sales s", "unknown_source"),
     ("duckdb", "SELECT s.n.a FROM sales s", "unknown_source"), ("duckdb", "SELECT x.p.a FROM sales s", "unknown_source"),
     ("duckdb", "SELECT s.p.a, p.a, s.p['a'] FROM sales s", ""), ("duckdb", "SELECT (s.p).a FROM sales s", ""),
     ("duckdb", "SELECT sales.p.a FROM sales", ""), ("postgres", "SELECT s.n.a FROM sales s", "unknown_source"),
     ("athena", "SELECT s.p.a FROM sales s", "")],
)  # fmt: skip
def test_fields_of_structs_are_known_by_their_types(dialect: Dialect, sql: str, code: str) -> None:
    kind = {"athena": "ROW(a INTEGER)", "duckdb": "STRUCT(a INTEGER)"}.get(dialect, "INTEGER")
    catalog = catalog_from_ddl("CREATE TABLE sales (p INTEGER, n INTEGER)", dialect)
    table = catalog.tables[0]
    verdict = SqlGuard().check(sql, _with_type(catalog, table, kind), CALLER)
    assert _codes(verdict) == ([code] if code else []), verdict.violations


def _with_type(catalog: Catalog, table: Table, kind: str) -> Catalog:
    columns = tuple(replace(c, type=kind) if c.name == "p" else c for c in table.columns)
    return replace(catalog, tables=(replace(table, columns=columns),))


def test_a_struct_under_a_policy_keeps_its_dots(shop: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT t.p.a FROM (SELECT {'a': amount} AS p FROM main.sales) t WHERE t.p.a > 150 ORDER BY 1"
    verdict = _check(sql, "duckdb", OWN)
    assert verdict.allowed, verdict.violations
    assert shop.execute(verdict.sql).fetchall() == [(160,), (170,), (180,), (190,), (200,)]


@pytest.mark.parametrize(
    ("sql", "right"),
    [("SELECT COUNT(*) FROM sales a, sales b, sales c, sales d", False),
     ("SELECT COUNT(*) FROM sales a, sales b, sales c", True),
     ("SELECT COUNT(*) FROM sales a JOIN sales b USING (sale_id) JOIN sales c USING (sale_id) JOIN sales d USING (sale_id)", True),
     ("SELECT COUNT(*) FROM sales a, sales b, sales c, sales d WHERE a.sale_id = b.amount AND c.sale_id = d.amount", True),
     ("WITH r AS (SELECT DISTINCT region FROM sales) SELECT COUNT(*) FROM r a, r b, r c, sales d", True),
     ("WITH t AS (SELECT COUNT(*) AS n FROM sales) SELECT COUNT(*) FROM t a, t b, t c, t d, t e, t f", True),
     ("SELECT COUNT(*) FROM (SELECT 1 AS x FROM sales a, sales b) p, (SELECT 1 AS x FROM sales a, sales b) q, sales r", False)],
)  # fmt: skip
def test_products_of_many_tables_are_refused(sql: str, right: bool) -> None:
    verdict = _check(sql, "postgres")
    assert verdict.allowed == right, verdict.violations
    assert right or _codes(verdict) == ["unbounded"]


@pytest.mark.parametrize(("rows", "right"), [(20, True), (100_000, False)])
def test_known_numbers_of_rows_decide(rows: int, right: bool) -> None:
    catalog = catalog_from_ddl(DDL, "duckdb")
    catalog = replace(catalog, tables=(replace(catalog.tables[0], rows=rows),))
    sql = "SELECT COUNT(*) FROM sales a, sales b, sales c, sales d, sales e"
    assert SqlGuard().check(sql, catalog, CALLER).allowed == right


@pytest.mark.parametrize(
    ("pattern", "right"),
    [(r"^[\w.+-]+@([\w-]+\.)+[a-z]{2,10}$", True), (r"^\d{4}-\d{2}-\d{2}$", True), ("(ab|cd){2,5}x{1,100}", True),
     (r"([A-Z]{2,3}-)?\d{3,8}", True), ("(a+)+$", False), (r"(?:\w*)*", False), ("(x+x+)+y", False),
     ("((a{1,90}){1,90}){1,90}", False), ("([a-z]+)*1", False), ("(a|b+)+", False), ("[(a+)+]", True), (r"\(a+\)+", True)],
)  # fmt: skip
def test_patterns_that_engines_hang_on_are_refused(pattern: str, right: bool) -> None:
    sql = f"SELECT COUNT(*) FROM sales WHERE regexp_like(region, '{pattern}')"
    verdict = _check(sql, "athena")
    assert verdict.allowed == right, verdict.violations
    assert _check(f"SELECT COUNT(*) FROM sales WHERE regexp_matches(region, '{pattern}')", "duckdb").allowed


@pytest.mark.parametrize(
    ("sql", "right"),
    [('SELECT "Region" FROM sales', False), ('SELECT * FROM "Sales"', False), ('SELECT "region" FROM "sales"', True),
     ("SELECT Region FROM SALES", True), ('SELECT "S".region FROM sales AS "S"', True), ('SELECT * FROM "PUBLIC".sales', False)],
)  # fmt: skip
def test_postgres_reads_quoted_names_to_the_letter(sql: str, right: bool) -> None:
    assert _check(sql, "postgres").allowed == right
