"""Promise 8: cost is bounded before running, while running, and after."""

from __future__ import annotations

from pathlib import Path

from retrieval.types import Context
from tests.promises.shop import CLERK, ENGINES, folder, place, policy
from text2sql.attempting import Attempted, Engine, attempt
from text2sql.errors import QueryTimeout, WarehouseError
from text2sql.guard import SqlGuard
from text2sql.types import Draft, Drafting, Limits

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT SUM(i) FROM n",
    "duckdb": "SELECT COUNT(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range % 7 = b.range % 11",
    "postgres": "SELECT COUNT(*) FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b WHERE a % 7 = b % 11",
}
MANY = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "duckdb": "SELECT range AS i FROM range(1000000000)",
    "postgres": "SELECT generate_series(1, 1000000000) AS i",
}
TABLES = {
    "sqlite": "SELECT store_id FROM stores",
    "duckdb": "SELECT store_id FROM stores",
    "postgres": "SELECT store_id FROM public.stores",
}
FILES = {
    "duckdb": ("SELECT * FROM read_text('{path}')", "SELECT * FROM '{path}'"),
    "sqlite": ("SELECT readfile('{path}')", "SELECT load_extension('{path}')"),
}


def _attempt(engine: str, sql: str, limits: Limits) -> Attempted:
    warehouse = place(engine).warehouse  # type: ignore[arg-type]  # one of ENGINES
    drafting = Drafting(drafts=(Draft(sql, "offline", 0.9),))
    put = Engine(warehouse, SqlGuard(), policy(), limits)
    return attempt("how many?", Context("how many?", CLERK, "en", (), 0, 0), drafting, CLERK, put)


def test_what_would_read_too_much_is_not_run() -> None:
    sql = "SELECT COUNT(*) FROM stores AS a, stores AS b, stores AS c, stores AS d"
    for engine in ENGINES:
        done = _attempt(engine, sql, Limits(estimated_rows=100))
        assert done.result is None, engine
        assert done.attempts[0].estimate is not None
        assert _attempt(engine, "SELECT COUNT(*) FROM stores", Limits(estimated_rows=100)).result is not None


def test_what_runs_too_long_is_stopped() -> None:
    for engine in ENGINES:
        try:
            place(engine).warehouse.run(ENDLESS[engine], Limits(seconds=0.3))
        except QueryTimeout:
            continue
        raise AssertionError(f"{engine} ran to its end")


def test_rows_and_bytes_are_capped_and_it_is_said() -> None:
    for engine in ENGINES:
        few = place(engine).warehouse.run(MANY[engine], Limits(rows=7))
        assert (few.table.num_rows, few.truncated) == (7, True), engine
        small = place(engine).warehouse.run(MANY[engine], Limits(rows=1_000_000, bytes=2_000))
        assert small.truncated
        assert small.table.num_rows < 2_000, engine
        whole = place(engine).warehouse.run(TABLES[engine], Limits(rows=9))
        assert (whole.table.num_rows, whole.truncated) == (9, False), engine


def test_the_engine_reaches_nothing_outside() -> None:
    secret = Path(folder() / "secret.txt")
    secret.write_text("not for you")
    for engine, statements in FILES.items():
        for sql in statements:
            try:
                found = place(engine).warehouse.run(sql.format(path=secret), Limits())  # type: ignore[arg-type]  # as above
            except WarehouseError:
                continue
            raise AssertionError(f"{engine} read {found.rows()}")
