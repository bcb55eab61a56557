"""Promise 4: functions by allow-list; what reads files, the network, the session or SQL in a text is not on it."""

from __future__ import annotations

from tests.promises.shop import DIALECTS, allowed, refused

SCALARS = {
    "sqlite": ("load_extension('x')", "readfile('/etc/passwd')", "sqlite_version()", "randomblob(1000000000)"),
    "duckdb": ("getenv('HOME')", "current_setting('memory_limit')", "sleep_ms(9)", "repeat('x', 1000000000)"),
    "postgres": (
        "pg_read_file('/etc/passwd')", "pg_sleep(9)", "set_config('role', 'x', true)", "lo_import('/etc/passwd')",
        "dblink('host=x', 'select 1')", "query_to_xml('select 1', true, true, '')", "current_setting('role')",
        "nextval('s')", "pg_terminate_backend(1)", "repeat('x', 1000000000)",
    ),
    "athena": ("current_user()", "my_udf(region)", "sleep(9)"),
    "redshift": ("pg_sleep(9)", "set_config('a', 'b', true)", "pg_terminate_backend(1)", "f_my_udf(region)"),
}  # fmt: skip
SOURCES = {
    "sqlite": ("json_each(readfile('x'))", "fsdir('/')"),
    "duckdb": (
        "read_csv('x.csv')", "read_text('/etc/passwd')", "glob('*')", "query('SELECT 1')", "query_table('stores')",
        "'x.csv'", "sniff_csv('x')", "generate_series(1, 100000000000)",
    ),
    "postgres": ("pg_ls_dir('/')", "dblink('x') AS t(a int)", "generate_series(1, 100000000000)"),
    "athena": ("TABLE(system.query(query => 'select 1'))", "UNNEST(sequence(1, 100000000000))"),
    "redshift": ("generate_series(1, 100000000000)",),
}  # fmt: skip
UNLISTED = {
    "postgres": ("name", "xml", "hstore", "my_type"),
    "duckdb": ("my_type",),
    "redshift": ("my_type",),
}


def test_functions_off_the_list_are_refused() -> None:
    for dialect, calls in SCALARS.items():
        for call in calls:
            refused(dialect, f"SELECT {call} FROM stores")  # type: ignore[arg-type]  # the names of the dialects
            refused(dialect, f"SELECT region FROM stores WHERE {call} IS NULL ORDER BY {call}")  # type: ignore[arg-type]


def test_sources_off_the_list_are_refused() -> None:
    for dialect, sources in SOURCES.items():
        for source in sources:
            refused(dialect, f"SELECT * FROM {source}")  # type: ignore[arg-type]  # the names of the dialects
            refused(dialect, f"SELECT region FROM stores WHERE EXISTS (SELECT * FROM {source})")  # type: ignore[arg-type]


def test_types_off_the_list_are_refused() -> None:
    for kind in ("regclass", "regproc", "regrole", "xid", "pg_lsn"):
        refused("postgres", f"SELECT CAST(region AS {kind}) FROM stores")
        refused("postgres", f"SELECT region::{kind} FROM stores")
    for dialect, kinds in UNLISTED.items():
        for kind in kinds:
            refused(dialect, f"SELECT CAST(region AS {kind}) FROM stores")  # type: ignore[arg-type]  # as above


def test_listed_functions_and_bounded_generators_are_allowed() -> None:
    for dialect in DIALECTS:
        allowed(
            dialect, "SELECT UPPER(region), COUNT(*), ROUND(AVG(size), 1) FROM stores GROUP BY UPPER(region)"
        )
    allowed("duckdb", "SELECT * FROM generate_series(1, 12)")
    allowed("postgres", "SELECT * FROM generate_series(1, 12) AS month")
    allowed("athena", "SELECT month FROM UNNEST(sequence(1, 12)) AS t(month)")
