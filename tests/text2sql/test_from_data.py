"""A figure that a query writes out itself is not read from the data."""

import pytest

from text2sql.from_data import from_data


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 987654 AS revenue",
        "SELECT 987654 AS revenue FROM sale LIMIT 1",
        "SELECT 'ask me later' AS note, 1 + 1 AS n FROM sale",
        "VALUES (1)",
        "SELECT 987654 AS total, COUNT(*) AS n FROM sale",
        "SELECT region, CAST(500 * 3 AS DECIMAL) AS revenue FROM sale",
        "WITH t AS (SELECT 5 AS a) SELECT a FROM t",
        "SELECT 1 UNION ALL SELECT 2 FROM sale",
        "SELECT * FROM generate_series(1, 5)",
    ],
)
def test_made_up(sql: str) -> None:
    assert not from_data(sql, "duckdb")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM sale",
        "SELECT EXISTS(SELECT 1 FROM sale)",
        "SELECT (SELECT MAX(a) FROM sale) AS most",
        "SELECT 2025 AS year, SUM(a) FROM sale UNION ALL SELECT 2026, SUM(a) FROM sale",
        "SELECT 1 AS step, 'opened' AS label, COUNT(*) FROM sale",
        "SELECT region, 100.0 * SUM(a) / NULLIF(SUM(b), 0) AS rate FROM sale GROUP BY region",
        "SELECT * FROM sale",
        "(SELECT a FROM sale) UNION (SELECT 5)",
        "WITH t AS (SELECT a FROM sale) SELECT a FROM t",
        "WITH sale AS (SELECT * FROM main.sale) SELECT COUNT(*) FROM sale",
        "not sql at all (",
    ],
)
def test_read(sql: str) -> None:
    assert from_data(sql, "duckdb")
