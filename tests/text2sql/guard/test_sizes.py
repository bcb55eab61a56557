"""Values that would fill any memory are refused, however their making is spread over a statement; daily work is not."""

from __future__ import annotations

import pytest

from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.types import Dialect

TEN = "||".join(["s"] * 10)
STEPS = ", ".join(f"c{i} AS (SELECT {TEN} AS s FROM c{i - 1})" for i in range(1, 7))
GROWN = "WITH RECURSIVE r AS (SELECT 1 AS n, 'xxxxxxxx' AS s UNION ALL SELECT n + 1, s || 'x' FROM r WHERE n < 50)"
BOMBS: list[tuple[Dialect, str]] = [
    ("duckdb", "SELECT length(" + "bin(" * 10 + "'aaaaaaaa'" + ")" * 10 + ")"),
    ("duckdb", f"WITH c0 AS (SELECT repeat('x', 9999) AS s), {STEPS} SELECT length(s) FROM c6"),
    ("postgres", f"WITH c0 AS (SELECT repeat('x', 9999) AS s), {STEPS} SELECT length(s) FROM c6"),
    ("sqlite", f"WITH c0 AS (SELECT 'xxxxxxxxxxxxxxxxxxxxxxxxx' AS s), {STEPS}, c7 AS (SELECT * FROM c6) SELECT {TEN} FROM c7"),
    ("duckdb", "SELECT repeat('x', 9999) AS a, " + ", ".join(
        f"{b}||{b}||{b}||{b}||{b}||{b}||{b}||{b} AS {n}" for b, n in ("ab", "bc", "cd", "de"))),
    ("duckdb", "WITH a AS (SELECT repeat('x', 9999) AS s), b AS (SELECT replace(s, 'x', s) AS s FROM a) SELECT replace(s, 'x', s) FROM b"),
    ("duckdb", "WITH a AS (SELECT range(10000) AS l), b AS (SELECT list_transform(l, x -> l) AS l FROM a) SELECT len(flatten(list_transform(l, x -> l))) FROM b"),
    ("duckdb", "WITH a AS (SELECT repeat('x', 9999) AS s), b AS (SELECT s FROM a UNION ALL SELECT 'x') SELECT replace(replace(s, 'x', s), 'x', s) FROM b"),
    ("duckdb", "SELECT * FROM (SELECT list_transform([repeat('x', 9999)], x -> replace(x, 'x', replace(x, 'x', x))) AS l) AS q"),
    ("duckdb", "SELECT a FROM t WHERE length(" + "url_encode(" * 40 + "s" + ")" * 40 + ") > 0"),
    ("duckdb", f"{GROWN} SELECT replace(replace(s, 'x', s), 'x', replace(s, 'x', s)) FROM r"),
]  # fmt: skip
WORK: list[tuple[Dialect, str]] = [
    ("duckdb", "SELECT replace(replace(replace(replace(s, ',', ''), '.', ''), '-', ' - '), '(', ' (') FROM t"),
    ("duckdb", "SELECT list_transform(list_transform(string_split(s, ','), x -> trim(x)), x -> upper(x) || '!') FROM t"),
    ("duckdb", "SELECT string_agg(s || ': ' || CAST(a AS VARCHAR), ', ' ORDER BY a) FROM t"),
    ("duckdb", "SELECT list(q) FROM (SELECT string_agg(s, ',') AS q FROM t GROUP BY a) AS x"),
    ("duckdb", "SELECT format('{}: {} ({})', s, a, a), printf('%05d', a), lpad(s, 30, ' '), repeat('*', 40) FROM t"),
    ("duckdb", "SELECT CAST(d AS DATE) FROM (SELECT unnest(generate_series(DATE '2024-01-01', DATE '2024-12-31', INTERVAL 1 DAY)) AS d) AS x"),
    ("duckdb", "SELECT array_to_string(list_transform(range(1, 13), m -> lpad(CAST(m AS VARCHAR), 2, '0')), ',')"),
    ("sqlite", "WITH RECURSIVE r(n, p) AS (SELECT 1, 'a' UNION ALL SELECT n + 1, p || '/' || n FROM r WHERE n < 20) SELECT replace(p, '/', ' > ') FROM r"),
    ("sqlite", "SELECT replace(s, t.s, upper(s)), hex(s) FROM t"),
    ("postgres", "SELECT regexp_replace(regexp_replace(s, '[^0-9]', '', 'g'), '^0', '+81') FROM t"),
]  # fmt: skip


def codes(dialect: Dialect, sql: str) -> list[str]:
    catalog = catalog_from_ddl("CREATE TABLE t (a INTEGER, s VARCHAR(200), d DATE)", dialect)
    return [violation.code for violation in SqlGuard().check(sql, catalog, Principal("kim")).violations]


@pytest.mark.parametrize(("dialect", "sql"), BOMBS)
def test_a_value_that_grows_by_factors_is_refused(dialect: Dialect, sql: str) -> None:
    assert codes(dialect, sql) == ["unbounded"]


@pytest.mark.parametrize(("dialect", "sql"), WORK)
def test_daily_work_on_texts_and_lists_is_not(dialect: Dialect, sql: str) -> None:
    assert codes(dialect, sql) == []


def test_a_path_of_random_values_never_ends() -> None:
    sql = (
        "WITH RECURSIVE v AS (SELECT {0} AS x, 1 AS k), r AS (SELECT 1 AS k, [0.0] AS p UNION ALL "
        "SELECT r.k, r.p || [v.x] FROM r JOIN v ON v.k = r.k WHERE NOT list_contains(r.p, v.x)) SELECT COUNT(*) FROM r"
    )
    assert codes("duckdb", sql.format("random()")) == ["recursion"]
    assert codes("duckdb", sql.format("0.5")) == []
