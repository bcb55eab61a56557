"""What a check costs on catalogues of 10 to 10,000 tables, with a policy and without one.

Statements of one table, of two and of five, with conditions, aggregates and sub-queries; every table has twenty columns
with values and a key, so that warnings have something to look at. The policy keeps back rows and masks a column of
every table, which is more than most. Warmed up: the lists are read and the catalogue is built before. Garbage is
collected between the sizes, not within: what is measured is the guard, and not the catalogue's age.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench._rounds import percentile, table
from retrieval.types import Principal
from text2sql.guard import SqlGuard
from text2sql.policy import Policy, parse
from text2sql.types import Catalog, Column, ForeignKey, Profile, Table

SIZES = (10, 1_000, 10_000)
CALLER = Principal("bench", attributes={"region": "Kanto"})
_COLUMNS = 17
_STATEMENTS = (
    "SELECT name FROM t1 WHERE c3 = 'v4' ORDER BY name LIMIT 5",
    "SELECT COUNT(*), MAX(c2) FROM t2 WHERE c5 LIKE 'v%' AND id > 3",
    """SELECT a.name, COUNT(*) FROM t1 AS a JOIN t2 AS b ON a.parent = b.id WHERE a.name LIKE 'x%'
    GROUP BY a.name ORDER BY 2 DESC""",
    "SELECT name FROM t3 WHERE id NOT IN (SELECT parent FROM t4 WHERE c1 = 'v1' AND c2 <> 'v2')",
    """SELECT a.name, SUM(e.id) FROM t1 AS a JOIN t2 AS b ON a.parent = b.id JOIN t3 AS c ON b.parent = c.id
    JOIN t4 AS d ON c.parent = d.id JOIN t5 AS e ON d.parent = e.id WHERE c.c1 = 'v1' AND e.c4 = 'v3'
    GROUP BY a.name HAVING COUNT(*) > 1 ORDER BY 2 DESC LIMIT 3""",
    """WITH s AS (SELECT parent, COUNT(*) AS n FROM t2 WHERE c1 = 'v3' GROUP BY parent)
    SELECT a.name, CASE WHEN s.n > 3 THEN 'many' ELSE 'few' END AS w FROM t1 AS a JOIN s ON s.parent = a.id
    UNION SELECT name, 'none' FROM t6 WHERE c2 = 'v2'""",
)


@dataclass(frozen=True)
class Cost:
    """Milliseconds of each check: by the clock, and of the processor (which a busy machine changes less)."""

    wall: Sequence[float]
    processor: Sequence[float]

    def cells(self) -> tuple[str, ...]:
        """p50 and p95 of both."""
        return tuple(
            f"{percentile(t, share):.2f}" for t in (self.processor, self.wall) for share in (0.5, 0.95)
        )


def catalog(size: int) -> Catalog:
    """So many tables on SQLite, each but the first with a key that leads to the one before."""
    profile = Profile(distinct=8, values=tuple(f"v{i}" for i in range(8)))
    texts = tuple(Column(f"c{i}", "TEXT", "text", profile=profile) for i in range(_COLUMNS))
    own = (
        Column("id", "INTEGER", "integer"),
        Column("parent", "INTEGER", "integer"),
        Column("name", "TEXT", "text"),
    )
    return Catalog(
        "sqlite",
        tuple(
            Table(
                f"t{i}",
                (*own, *texts),
                primary_key=("id",),
                foreign_keys=(ForeignKey(("parent",), f"t{i + 1}", ("id",)),) if i + 1 < size else (),
            )
            for i in range(size)
        ),
    )


def policy(of: Catalog) -> Policy:
    """Rows by an attribute of the caller and one masked column, for every table."""
    grants = "grants: [{roles: [everyone], rows: \"c0 = :region OR c1 = 'v1'\", masks: {c16: partial}}]"
    tables = "\n".join(f"  {table.name}: {{{grants}}}" for table in of.tables)
    return parse(f"name: bench\nattributes: {{region: {{type: text}}}}\ntables:\n{tables}\n")


def measure(of: Catalog, under: Policy | None, rounds: int) -> Cost:
    """Check the statements so many times, the first of which do not count. Raises ValueError where one is refused."""
    guard = SqlGuard()
    for sql in _STATEMENTS:
        if not (verdict := guard.check(sql, of, CALLER, under)).allowed:
            raise ValueError(f"{verdict.violations[0].message} {sql}")
    wall, processor = [], []
    for _ in range(rounds):
        for sql in _STATEMENTS:
            started, busy = time.perf_counter(), time.process_time()
            guard.check(sql, of, CALLER, under)
            processor.append((time.process_time() - busy) * 1000)
            wall.append((time.perf_counter() - started) * 1000)
    return Cost(wall, processor)


def show(rounds: int = 100) -> None:
    """Print the table."""
    rows = []
    for size in SIZES:
        of = catalog(size)
        for name, under in (("none", None), ("rows and a mask", policy(of))):
            gc.collect()
            rows.append((f"{size:,}", name, *measure(of, under, rounds).cells()))
    print(table(("tables", "policy", "p50 ms of processor", "p95", "p50 ms by the clock", "p95"), rows))
