"""Promise 1: exactly one statement, parsed in the warehouse's own dialect; what does not parse is refused."""

from __future__ import annotations

from tests.promises.shop import DIALECTS, allowed, refused

SECOND = (
    "SELECT region FROM stores; SELECT 2",
    "SELECT region FROM stores; DROP TABLE stores",
    "SELECT region FROM stores;;SELECT 2",
    "SELECT region FROM stores /* ; */; -- end\nDELETE FROM stores",
)
BROKEN = (
    "SELECT FROM WHERE",
    "SELEC region FROM stores",
    "SELECT region FROM stores WHERE (size > 1",
    "SELECT 'a FROM stores",
    "SELECT region FROM stores GROUP",
    "",
    "region",
)
FOREIGN = {
    "sqlite": "SELECT DISTINCT ON (region) region FROM stores",
    "duckdb": "SELECT TOP 3 region FROM stores",
    "postgres": "SELECT `region` FROM stores",
    "athena": "SELECT `region` FROM stores",
    "redshift": "SELECT `region` FROM stores",
}
OWN = {
    "sqlite": "SELECT `region` FROM stores WHERE region GLOB 'K*'",
    "duckdb": "FROM stores SELECT region",
    "postgres": "SELECT DISTINCT ON (region) region FROM stores",
    "athena": "SELECT region FROM stores OFFSET 2 LIMIT 3",
    "redshift": "SELECT TOP 3 region FROM stores",
}


def test_a_second_statement_is_refused() -> None:
    for dialect in DIALECTS:
        for sql in SECOND:
            refused(dialect, sql)


def test_what_does_not_parse_is_refused() -> None:
    for dialect in DIALECTS:
        for sql in BROKEN:
            refused(dialect, sql)


def test_another_engines_dialect_is_not_read() -> None:
    for dialect, sql in FOREIGN.items():
        refused(dialect, sql)  # type: ignore[arg-type]  # the names of the dialects


def test_its_own_is() -> None:
    for dialect, sql in OWN.items():
        allowed(dialect, sql)  # type: ignore[arg-type]  # the names of the dialects
