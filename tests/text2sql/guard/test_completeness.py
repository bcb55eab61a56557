"""No place of a statement is passed by: what the resolver does not read would run without the caller's policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlglot import exp

from tests.promises.shop import CLERK, ENGINES, place, policy, refused
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.completeness import check_everything
from text2sql.guard.reading import speaker
from text2sql.guard.refusal import Refused
from text2sql.guard.scope import Facts
from text2sql.policy import parse
from text2sql.types import Dialect

HIDDEN = "(SELECT MAX(monthly) FROM wages)"
LEFT_OUT: list[tuple[Dialect, str, str]] = [
    *((engine, "SELECT * FROM ((SELECT region FROM stores) AS a CROSS JOIN wages)", "unknown_table")
      for engine in ("duckdb", "sqlite", "postgres", "athena", "redshift")),
    *((engine, "SELECT * FROM (((SELECT region FROM stores) AS a) CROSS JOIN wages)", "unknown_table")
      for engine in ("duckdb", "sqlite", "athena", "redshift")),
    ("sqlite", "SELECT * FROM ((SELECT region FROM stores) AS a, wages)", "unknown_table"),
    ("duckdb", f"(SELECT * FROM generate_series(1, 2) AS g) ORDER BY {HIDDEN}", "unknown_table"),
    ("postgres", f"(SELECT * FROM generate_series(1, 2) AS g) ORDER BY {HIDDEN}", "unknown_table"),
    ("duckdb", f"(SELECT COLUMNS(*) FROM stores) ORDER BY size * ({HIDDEN} - 400)", "unknown_table"),
    ("duckdb", f"SELECT * FROM generate_series(1, 2) AS g UNION ALL SELECT 1 ORDER BY {HIDDEN}", "unknown_table"),
    ("duckdb", f"SELECT * FROM (stores JOIN sales USING (store_id)) PIVOT (SUM({HIDDEN}) FOR size IN (10))", "node"),
    ("duckdb", f"SELECT * FROM stores PIVOT (SUM(size + {HIDDEN}) FOR region IN ('Kanto'))", "node"),
    ("duckdb", f"SELECT * RENAME ({HIDDEN} AS region) FROM stores", "node"),
    ("duckdb", f"SELECT CAST(1 AS DECIMAL({HIDDEN}))", "node"),
    ("postgres", "SELECT ctid FROM stores, generate_series(1, 1) AS g", "unknown_column"),
    ("postgres", "SELECT to_jsonb(s) FROM sales AS s, generate_series(1, 1) AS g", "whole_row"),
    ("duckdb", "SELECT s FROM sales AS s, unnest([1]) AS u", "whole_row"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "code"), LEFT_OUT)
def test_what_is_hidden_is_hidden_in_every_place(dialect: Dialect, sql: str, code: str) -> None:
    assert refused(dialect, sql) == code


def test_a_named_sub_query_joined_in_parentheses_is_read() -> None:
    sql = "SELECT COUNT(*), MAX(x.amount) FROM ((SELECT store_id FROM stores) AS a JOIN sales AS x ON x.store_id = a.store_id)"
    for engine in ENGINES:
        assert place(engine).rows(sql) == [(10, 90)], engine


def test_how_many_rows_others_have_decides_nothing() -> None:
    """The product of three copies is too large with the rows of everyone, whom the caller does not see."""
    sql = "SELECT COUNT(*) FROM sales AS a, sales AS b, sales AS c"
    few = place("duckdb").warehouse.catalog()
    tables = tuple(replace(t, rows=10_000 if t.name in ("sales", "stores") else t.rows) for t in few.tables)
    many = replace(few, tables=tables)
    mine = [SqlGuard().check(sql, catalog, CLERK, policy()) for catalog in (few, many)]
    assert [verdict.allowed for verdict in mine] == [True, True]
    assert not SqlGuard().check(sql.replace("sales", "stores"), many, CLERK, policy()).allowed


def test_warnings_name_no_hidden_column_and_count_no_hidden_row() -> None:
    ddl = (
        "CREATE TABLE st (id INTEGER PRIMARY KEY, nm VARCHAR(9));"
        "CREATE TABLE ev (id INTEGER PRIMARY KEY, own VARCHAR(9), secret_st INTEGER REFERENCES st (id), secret_on DATE, made DATE)"
    )
    found = catalog_from_ddl(ddl, "postgres")
    found = replace(found, tables=tuple(replace(table, rows=1_234_567) for table in found.tables))
    for rows, told in (("all", True), ("own = 'me'", False)):
        grant = f'{{roles: [clerk], rows: "{rows}", hide: [secret_st, secret_on]}}'
        rules = parse(f"tables: {{ev: {{grants: [{grant}]}}, st: {{grants: [{{roles: [clerk]}}]}}}}")
        said = ""
        for sql in ("SELECT COUNT(*) FROM ev", "SELECT 1 FROM ev JOIN st ON ev.own = st.nm"):
            verdict = SqlGuard().check(sql, found, CLERK, rules)
            assert verdict.allowed, verdict.violations
            said += str(verdict.warnings)
        assert "join_not_key" in said
        assert "secret" not in said
        assert ("1,234,567" in said) is told


def test_what_nobody_looked_at_is_refused() -> None:
    tree = speaker("duckdb").parse("SELECT (SELECT 1 FROM b) FROM a")[0]
    assert isinstance(tree, exp.Select)
    with pytest.raises(Refused, match="cannot stand in this place"):
        check_everything(tree, Facts())
