"""Promise 10, a first proof: rewritten on the full data = the draft on a copy that holds only the caller's rows.

Random policies times random queries, on SQLite and DuckDB. The copy is made in Python, without the guard. Where
the guard refuses because a column is hidden, the draft must fail on the copy too: there is no such column.
"""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.types import Principal
from tests.text2sql.guard.queries import QueryMaker
from tests.text2sql.guard.shopdata import COLUMNS, Rule, policy_of, rows, rules, visible
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.types import Catalog, Dialect, Verdict

DATA = rows()
SCHEMA = ";\n".join(
    f"CREATE TABLE {t} ({', '.join(f'{c} {k}' for c, k in cs.items())})" for t, cs in COLUMNS.items()
)
CALLERS = (
    Principal("k", attributes={"regions": ("Kanto", "O'Brien % _"), "seller": 2}),
    Principal("s", attributes={"regions": ("Tohoku",), "seller": 4}),
)
Connection = Any


def connect(dialect: Dialect) -> Connection:
    if dialect == "sqlite":
        return sqlite3.connect(":memory:")
    connection = duckdb.connect()
    # DuckDB 2.0's optimizer gives wrong rows for some `NOT EXISTS (… LEFT JOIN an empty side) OR …`; what is
    # compared here is what the two texts mean.
    connection.execute("PRAGMA disable_optimizer")
    return connection


def fill(connection: Connection, table: str, columns: list[str], values: list[list[Any]]) -> None:
    connection.execute(f"CREATE TABLE {table} ({', '.join(f'{c} {COLUMNS[table][c]}' for c in columns)})")
    if values:
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", values)


@pytest.fixture(scope="module", params=["sqlite", "duckdb"])
def full(request: pytest.FixtureRequest) -> Iterator[tuple[Catalog, Connection]]:
    dialect: Dialect = request.param
    connection = connect(dialect)
    for table, columns in COLUMNS.items():
        fill(connection, table, list(columns), [list(row.values()) for row in DATA[table]])
    yield catalog_from_ddl(SCHEMA, dialect), connection
    connection.close()


def copy_for(dialect: Dialect, chosen: dict[str, list[Rule]], caller: Principal) -> Connection:
    connection = connect(dialect)
    for table, grants in chosen.items():
        columns, seen = visible(table, DATA[table], grants, caller)
        fill(connection, table, columns, list(seen))
    return connection


def result(connection: Connection, sql: str, parameters: dict[str, Any] | None = None) -> Counter[Any]:
    return Counter(connection.execute(sql, parameters or {}).fetchall())


def check_one(full: tuple[Catalog, Connection], seed: int) -> Verdict:
    """One random policy, caller and query."""
    catalog, connection = full
    rng = random.Random(seed)
    chosen = {t: rng.sample(rules(t), rng.choice([1, 1, 2])) for t in COLUMNS}
    caller, draft = rng.choice(CALLERS), QueryMaker(rng).query()
    verdict = SqlGuard().check(draft, catalog, caller, policy_of(chosen))
    copy = copy_for(catalog.dialect, chosen, caller)
    try:
        if verdict.allowed:
            rewritten = result(connection, verdict.sql, dict(verdict.parameters))
            assert rewritten == result(copy, draft), f"{draft}\n{verdict.sql}\n{verdict.parameters}"
        else:
            assert verdict.violations[0].code == "unknown_column", verdict.violations
            with pytest.raises((sqlite3.OperationalError, duckdb.BinderException)):
                copy.execute(draft)
    finally:
        copy.close()
    return verdict


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_rewritten_on_everything_is_the_draft_on_the_copy(
    full: tuple[Catalog, Connection], seed: int
) -> None:
    check_one(full, seed)


@pytest.mark.slow
def test_rewritten_on_everything_is_the_draft_on_the_copy_many_times(
    full: tuple[Catalog, Connection],
) -> None:
    verdicts = [check_one(full, seed) for seed in range(1_500)]
    assert sum(v.allowed for v in verdicts) > 1_000


def test_the_proof_can_fail(full: tuple[Catalog, Connection]) -> None:
    """The draft itself on everything differs from the copy: the comparison sees what a missing policy would leak."""
    catalog, connection = full
    chosen = {t: [rules(t)[1]] for t in COLUMNS}
    copy = copy_for(catalog.dialect, chosen, CALLERS[0])
    draft = "SELECT COUNT(*) FROM sales"
    assert result(connection, draft) != result(copy, draft)
    copy.close()
