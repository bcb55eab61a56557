"""Promise 10: the rewritten query on everything gives what the draft gives on a copy with only the caller's rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from evals.proving.bases import DuckdbBase, SqliteBase, to_duckdb
from evals.proving.copies import Base
from evals.proving.drawing import drawn
from evals.proving.guards import bunmyaku
from evals.proving.proof import Proof, counted
from tests.promises.shop import ROWS, ddl, folder

SEEDS = range(10)
QUERIES = (
    "WITH every AS (SELECT * FROM sales) SELECT COUNT(*) FROM every",
    "SELECT COUNT(x.sale_id) FROM stores AS s LEFT JOIN sales AS x ON 1 = 1",
    "SELECT note, person FROM sales, wages",
    "SELECT s.region, SUM(x.amount) AS total FROM stores AS s LEFT JOIN sales AS x USING (store_id) GROUP BY s.region",
    "SELECT buyer, amount FROM sales WHERE amount > (SELECT AVG(amount) FROM sales) OR buyer LIKE 'Buyer 1%'",
    "SELECT region FROM stores INTERSECT SELECT region FROM sales",
    "SELECT person FROM wages WHERE monthly > 300 UNION ALL SELECT person FROM bonuses",
    "SELECT sale_id, RANK() OVER (PARTITION BY region ORDER BY amount DESC) AS place FROM sales",
    "SELECT COUNT(*) FROM sales AS a WHERE NOT EXISTS (SELECT 1 FROM sales AS b WHERE b.amount > a.amount)",
    "WITH w AS (SELECT store_id, MAX(amount) AS most FROM sales GROUP BY store_id) SELECT * FROM stores JOIN w USING (store_id)",
)


@cache
def bases() -> tuple[Base, ...]:
    file = Path(folder() / "proof.sqlite")
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(ddl())
        for name, rows in ROWS.items():
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        connection.commit()
    to_duckdb(file, file.with_suffix(".duckdb"))
    return SqliteBase(file), DuckdbBase(file.with_suffix(".duckdb"))


def test_whatever_the_policy() -> None:
    equal = 0
    for base in bases():
        proof = Proof(bunmyaku, base)
        for seed in SEEDS:
            posed = drawn(base.catalog, base.data, seed)
            pairs = proof.pairs(posed, QUERIES)
            assert not [pair.failure(posed) for pair in pairs if pair.outcome in {"differs", "refused"}]
            equal += sum(counted(pairs).get("equal", {}).values())
    assert equal > 60, "most of them are compared, not refused"
