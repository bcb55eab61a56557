"""Promise 3: every table and column resolves, qualified, in this caller's catalogue, before anything else."""

from __future__ import annotations

from tests.promises.shop import DIALECTS, ENGINES, place, refused

ABSENT = (
    "SELECT region FROM shops",
    "SELECT regions FROM stores",
    "SELECT s.note FROM stores AS s",
    "SELECT stores.region FROM stores AS s",
    "SELECT region FROM other.stores",
    "SELECT region FROM other.public.stores",
    "SELECT person FROM bonuses",
)
SYSTEM = {
    "sqlite": ("sqlite_master", "sqlite_schema", "main.sqlite_master", "pragma_table_info('stores')"),
    "duckdb": ("duckdb_tables()", "information_schema.tables", "pg_catalog.pg_class", "sqlite_master"),
    "postgres": ("pg_class", "pg_catalog.pg_authid", "information_schema.tables", "pg_stat_activity"),
    "athena": ("information_schema.tables", "system.runtime.queries"),
    "redshift": ("pg_user", "stl_query", "svv_tables", "information_schema.columns"),
}
QUALIFIED = {"sqlite": "main", "duckdb": "main", "postgres": "public", "redshift": "public", "athena": "shop"}


def test_what_is_not_in_the_catalogue_is_refused() -> None:
    for dialect in DIALECTS:
        for sql in ABSENT:
            refused(dialect, sql)


def test_system_catalogues_are_not_there() -> None:
    for dialect, names in SYSTEM.items():
        for name in names:
            refused(dialect, f"SELECT * FROM {name}")  # type: ignore[arg-type]  # the names of the dialects
            refused(dialect, f"SELECT region FROM stores WHERE EXISTS (SELECT 1 FROM {name})")  # type: ignore[arg-type]


def test_a_cte_never_excuses_a_qualified_name() -> None:
    for dialect, schema in QUALIFIED.items():
        sql = f"WITH bonuses AS (SELECT 1 AS person) SELECT person FROM {schema}.bonuses"
        refused(dialect, sql)  # type: ignore[arg-type]  # the names of the dialects


def test_a_cte_reaches_only_where_it_is_known() -> None:
    for dialect in DIALECTS:
        refused(
            dialect,
            "SELECT region FROM (WITH bonuses AS (SELECT 1 AS a) SELECT a AS region FROM bonuses) AS x"
            " WHERE EXISTS (SELECT 1 FROM bonuses)",
        )


def test_whole_rows_are_not_a_column() -> None:
    for dialect in ("duckdb", "postgres", "redshift"):
        refused(dialect, "SELECT CAST(sales AS TEXT) FROM sales")  # type: ignore[arg-type]  # as above


def test_names_are_written_out_so_that_nothing_else_can_be_meant() -> None:
    assert "FROM public.stores" in place("postgres").check("SELECT region FROM stores").sql
    for engine in ENGINES:
        assert len(place(engine).rows("SELECT region FROM stores")) == 9
        shadow = "WITH sales AS (SELECT region FROM stores) SELECT COUNT(*) FROM sales"
        assert place(engine).rows(shadow) == [(9,)], "a bare name is the WITH query's, as the engine reads it"
