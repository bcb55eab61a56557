"""What a writer of SQL most often gets wrong in each dialect: a few lines that go with the schema."""

from __future__ import annotations

from collections.abc import Mapping

from text2sql.types import Dialect

NAMES: Mapping[Dialect, str] = {
    "duckdb": "DuckDB",
    "sqlite": "SQLite",
    "postgres": "PostgreSQL",
    "athena": "Amazon Athena (Trino)",
    "redshift": "Amazon Redshift",
}
"""What the prompt calls them."""

NOTES: Mapping[Dialect, str] = {
    "duckdb": "`/` divides as decimals, `//` as integers; date_trunc('month', d), year(d), date_diff('day', a, b),"
    " d + INTERVAL 1 MONTH; DATE '2024-04-01'; ILIKE ignores case.",
    "sqlite": "dates are text in ISO form: compare as text, strftime('%Y-%m', d), date(d, '+1 month');"
    " integers divide as integers: multiply by 1.0 first; there is no date_trunc, FULL JOIN only from 3.39;"
    " LIKE ignores case for ASCII.",
    "postgres": "integers divide as integers: cast one to numeric; date_trunc('month', d), EXTRACT(YEAR FROM d),"
    " d + INTERVAL '1 month'; ROUND with digits needs numeric; names with capitals need double quotes.",
    "athena": "integers divide as integers; date_trunc('month', d), year(d), date_diff('day', a, b), date_add('month', 1, d);"
    " DATE '2024-04-01'; filter on the partition columns; no ILIKE: lower(x) LIKE.",
    "redshift": "integers divide as integers: cast one to decimal; DATE_TRUNC('month', d), DATEADD(month, 1, d),"
    " DATEDIFF(day, a, b); ILIKE ignores case; names are lower case.",
}
