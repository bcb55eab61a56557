"""Profiles: what each column holds, measured within a bound on time.

A table of up to `Budget.cells` cells (rows times columns) is read whole. A larger one is read as its engine can
afford: DuckDB still scans whole columns (minimum, maximum, nulls; distinct values are estimated), but takes the
most frequent values from a sample; SQLite looks only at a sample, where counts and extremes would be wrong and
stay unknown. `Profile.sampled` says which. When the time is up the columns left over have no profile.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from text2sql.errors import WarehouseError
from text2sql.types import Column, Dialect, Profile, Table

_GROUP = 25
"""Columns measured in one statement."""


class Query(Protocol):
    """Runs a statement of our own and returns its rows; raises `QueryTimeout` after `seconds`."""

    def __call__(self, sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        """Rows as tuples."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """What profiling may use."""

    seconds: float = 30.0
    """For the whole catalogue."""
    table_seconds: float = 5.0
    """For one statement."""
    cells: int = 20_000_000
    sample: int = 10_000
    """Rows."""
    values: int = 50
    """Most frequent values kept of a column."""
    text_values: int = 5_000
    """Values kept of a text column that has no more distinct ones than this: what questions name."""
    length: int = 120
    """Longer values (characters) are not kept."""


def quoted(name: str) -> str:
    """An identifier in double quotes, as every engine here reads it."""
    return '"' + name.replace('"', '""') + '"'


def table_sql(table: Table) -> str:
    """The table's name, quoted and qualified."""
    return f"{quoted(table.schema)}.{quoted(table.name)}" if table.schema else quoted(table.name)


class _Profiler:
    """One pass over one catalogue."""

    def __init__(self, dialect: Dialect, query: Query, budget: Budget) -> None:
        self.dialect = dialect
        self.query = query
        self.budget = budget
        self.until = time.monotonic() + budget.seconds

    def left(self) -> float:
        return min(self.budget.table_seconds, self.until - time.monotonic())

    def ask(self, sql: str) -> list[tuple[Any, ...]] | None:
        """Rows, or None when there is no time or the engine cannot say (a broken view, odd values)."""
        seconds = self.left()
        if seconds <= 0:
            return None
        try:
            return self.query(sql, seconds)
        except WarehouseError:
            return None

    def table(self, table: Table) -> Table:
        rows = self.rows(table)
        table = replace(table, rows=rows)
        whole = rows is not None and rows * len(table.columns) <= self.budget.cells and table.kind == "table"
        source = table_sql(table) if whole else self.sample(table)
        measured: list[Column] = []
        for start in range(0, len(table.columns), _GROUP):
            group = table.columns[start : start + _GROUP]
            measured += self.columns(table, group, source, whole=whole)
        return replace(table, columns=tuple(measured))

    def rows(self, table: Table) -> int | None:
        if table.kind == "view":
            return None
        counted = self.ask(f"SELECT count(*) FROM {table_sql(table)}")  # noqa: S608 - quoted names
        return int(counted[0][0]) if counted else table.rows

    def sample(self, table: Table) -> str:
        name, size = table_sql(table), self.budget.sample
        if self.dialect == "duckdb" and table.kind == "table" and table.rows:
            # Whole row groups are skipped, which a LIMIT of a reservoir would not do.
            share = min(100.0, 100.0 * 4 * size / table.rows)
            sampled = f"SELECT * FROM {name} TABLESAMPLE system({share:.6f}%) REPEATABLE (42) LIMIT {size}"  # noqa: S608
        elif self.dialect == "sqlite" and table.kind == "table":
            sampled = self.sqlite_sample(name)
        else:
            sampled = f"SELECT * FROM {name} LIMIT {size}"  # noqa: S608 - quoted names
        return f"({sampled}) AS sampled"

    def sqlite_sample(self, name: str) -> str:
        """Twenty runs of rows, evenly spread over the row ids: read without a scan."""
        ends = self.ask(f"SELECT min(rowid), max(rowid) FROM {name}")  # noqa: S608 - quoted names
        size = self.budget.sample
        if not ends or ends[0][0] is None:  # WITHOUT ROWID
            return f"SELECT * FROM {name} LIMIT {size}"  # noqa: S608 - quoted names
        low, high = ends[0]
        step = max(1, (high - low) // 20)
        ranges = " OR ".join(
            f"rowid BETWEEN {low + i * step} AND {low + i * step + size // 20 - 1}" for i in range(20)
        )
        return f"SELECT * FROM {name} WHERE {ranges}"  # noqa: S608 - quoted names

    def columns(self, table: Table, group: Sequence[Column], source: str, *, whole: bool) -> Iterable[Column]:
        usable = [c for c in group if c.family not in ("binary", "other")]
        scanned = source if whole or self.dialect != "duckdb" or table.kind == "view" else table_sql(table)
        parts = ["count(*)"]
        for column in usable:
            name = quoted(column.name)
            distinct = f"approx_count_distinct({name})" if scanned != source else f"count(DISTINCT {name})"
            parts += [f"count({name})", distinct, f"min({name})", f"max({name})"]
        found = self.ask(f"SELECT {', '.join(parts)} FROM {scanned}") if usable else None  # noqa: S608
        if not found:
            return group
        counts = found[0]
        known = not (scanned == source and not whole)  # counts of a sample say nothing of the whole
        profiles: dict[str, Profile] = {}
        for at, column in enumerate(usable):
            filled, distinct, low, high = counts[1 + 4 * at : 5 + 4 * at]
            profile = Profile(
                nulls=int(counts[0]) - int(filled) if known else None,
                distinct=int(distinct) if known else None,
                minimum=_text(low) if known else None,
                maximum=_text(high) if known else None,
                sampled=not whole,
            )
            profiles[column.name] = self.values(column, profile, source, int(distinct))
        return [replace(c, profile=profiles.get(c.name)) for c in group]

    def values(self, column: Column, profile: Profile, source: str, distinct: int) -> Profile:
        """The most frequent values; of text columns every one, while they are few enough to be kept."""
        keep = self.budget.values
        if column.family == "text" and distinct <= self.budget.text_values and not profile.sampled:
            keep = self.budget.text_values
        name = quoted(column.name)
        as_text = f"CAST({name} AS {'VARCHAR' if self.dialect == 'duckdb' else 'TEXT'})"
        rows = self.ask(
            f"SELECT {as_text}, count(*) AS n FROM {source} WHERE {name} IS NOT NULL "  # noqa: S608 - quoted
            f"GROUP BY {name} ORDER BY n DESC, 1 LIMIT {keep}"
        )
        values = [str(row[0]) for row in rows or [] if row[0] is not None]
        short = [value for value in values if len(value) <= self.budget.length]
        return replace(profile, values=tuple(short))


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def profiled(
    tables: Sequence[Table], dialect: Dialect, query: Query, budget: Budget | None = None
) -> list[Table]:
    """The tables with row counts and profiles, in the order given; small tables are measured first."""
    profiler = _Profiler(dialect, query, budget or Budget())
    order = sorted(range(len(tables)), key=lambda at: tables[at].rows or 0)
    done = {at: profiler.table(tables[at]) for at in order}
    return [done[at] for at in range(len(tables))]
