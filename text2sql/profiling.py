"""Profiles: what each column holds, measured within a bound on time.

A table of up to `Budget.cells` cells (rows times columns) is read whole. Of a larger one, and of a view, a sample
is read first, which gives frequent values but neither counts nor extremes. Then, while there is time, its columns
are read whole one by one: DuckDB gives nulls, minimum, maximum and estimated distinct values, SQLite the extremes
of dates; columns with few values get them all. `Profile.sampled` says that `values` are those of the sample.
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
_COUNTED = 1_000_000
"""PostgreSQL counts by reading: above this many rows its own estimate is taken."""
_ORDERED = ("text", "char", "name", "enum")
"""PostgreSQL's types of text that have a least and a greatest value; the others (uuid, boolean) are cast."""
_LATER = ("number", "integer")
"""Families whose columns are the last to be measured whole: questions name values of the others."""


class Query(Protocol):
    """Runs a statement of our own and returns its rows; raises `QueryTimeout` after `seconds`."""

    def __call__(self, sql: str, seconds: float | None = None, /) -> list[tuple[Any, ...]]:
        """Rows as tuples."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """What profiling may use."""

    seconds: float = 15.0
    """For the whole catalogue."""
    statement_seconds: float = 4.0
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
    """One pass over one catalogue; `first` for every table, then `improved` while there is time."""

    def __init__(self, dialect: Dialect, query: Query, budget: Budget) -> None:
        self.dialect = dialect
        self.query = query
        self.budget = budget
        self.until = time.monotonic() + budget.seconds

    def ask(self, sql: str) -> list[tuple[Any, ...]] | None:
        """Rows, or None when there is no time or the engine cannot say (a broken view, odd values)."""
        seconds = min(self.budget.statement_seconds, self.until - time.monotonic())
        if seconds <= 0:
            return None
        try:
            return self.query(sql, seconds)
        except WarehouseError:
            return None

    def first(self, table: Table) -> Table:
        """A small table read whole; a sample of a big one or a view."""
        rows = self.rows(table)
        table = replace(table, rows=rows)
        whole = rows is not None and rows * len(table.columns) <= self.budget.cells
        source = table_sql(table) if whole else self.sample(table)
        measured: list[Column] = []
        for start in range(0, len(table.columns), _GROUP):
            measured += self.columns(table.columns[start : start + _GROUP], source, whole=whole)
        return replace(table, columns=tuple(measured))

    def rows(self, table: Table) -> int | None:
        if table.kind == "view" or (self.dialect == "postgres" and (table.rows or 0) > _COUNTED):
            return table.rows
        counted = self.ask(f"SELECT count(*) FROM {table_sql(table)}")  # noqa: S608 - quoted names
        return int(counted[0][0]) if counted else table.rows

    def sample(self, table: Table) -> str:
        name, size = table_sql(table), self.budget.sample
        sampled = f"SELECT * FROM {name} LIMIT {size}"  # noqa: S608 - quoted names
        if self.dialect == "duckdb" and table.kind == "table" and table.rows:
            # Whole row groups are skipped, which a sample of rows would not do.
            share = min(100.0, 100.0 * 4 * size / table.rows)
            sampled = f"SELECT * FROM {name} TABLESAMPLE system({share:.6f}%) REPEATABLE (42) LIMIT {size}"  # noqa: S608
        elif self.dialect == "postgres" and table.kind == "table" and table.rows:
            share = min(100.0, 100.0 * 4 * size / table.rows)
            sampled = f"SELECT * FROM {name} TABLESAMPLE system({share:.6f}) REPEATABLE (42) LIMIT {size}"  # noqa: S608
        elif self.dialect == "sqlite" and table.kind == "table":
            sampled = self.sqlite_sample(name) or sampled
        return f"({sampled}) AS sampled"

    def sqlite_sample(self, name: str) -> str:
        """Twenty runs of rows, evenly spread over the row ids: read without a scan. "" WITHOUT ROWID."""
        ends = self.ask(f"SELECT min(rowid), max(rowid) FROM {name}")  # noqa: S608 - quoted names
        if not ends or ends[0][0] is None:
            return ""
        low, high = ends[0]
        step, run = max(1, (high - low) // 20), self.budget.sample // 20
        ranges = " OR ".join(
            f"rowid BETWEEN {low + i * step} AND {low + i * step + run - 1}" for i in range(20)
        )
        return f"SELECT * FROM {name} WHERE {ranges}"  # noqa: S608 - quoted names

    def columns(self, group: Sequence[Column], source: str, *, whole: bool) -> Iterable[Column]:
        usable = [c for c in group if c.family not in ("binary", "other")]
        parts = ["count(*)"]
        for column in usable:
            name = self.measured(column)
            parts += [f"count({name})", f"count(DISTINCT {name})", f"min({name})", f"max({name})"]
        found = self.ask(f"SELECT {', '.join(parts)} FROM {source}") if usable else None  # noqa: S608
        if not found:
            return group
        counts = found[0]
        profiles: dict[str, Profile] = {}
        for at, column in enumerate(usable):
            filled, distinct, low, high = counts[1 + 4 * at : 5 + 4 * at]
            keep = self.most(column) if whole and distinct <= self.most(column) else self.budget.values
            profile = Profile(values=self.kept(self.frequent(column, source, keep)), sampled=not whole)
            if whole:  # counts and extremes of a sample say nothing of the whole
                profile = replace(
                    profile,
                    nulls=counts[0] - filled,
                    distinct=distinct,
                    minimum=_text(low),
                    maximum=_text(high),
                )
            profiles[column.name] = profile
        return [replace(c, profile=profiles.get(c.name)) for c in group]

    def measured(self, column: Column) -> str:
        """The column as something that has a least and a greatest value."""
        name, odd = quoted(column.name), not column.type.startswith(_ORDERED)
        if self.dialect == "postgres" and (column.family == "boolean" or (column.family == "text" and odd)):
            return f"CAST({name} AS TEXT)"
        return name

    def most(self, column: Column) -> int:
        """How many distinct values may be kept, every one of them."""
        return self.budget.text_values if column.family == "text" else self.budget.values

    def frequent(self, column: Column, source: str, limit: int) -> list[str] | None:
        name = quoted(column.name)
        as_text = f"CAST({name} AS {'VARCHAR' if self.dialect == 'duckdb' else 'TEXT'})"
        rows = self.ask(
            f"SELECT {as_text}, count(*) AS n FROM {source} WHERE {name} IS NOT NULL "  # noqa: S608 - quoted
            f"GROUP BY {name} ORDER BY n DESC, 1 LIMIT {limit}"
        )
        return None if rows is None else [str(row[0]) for row in rows if row[0] is not None]

    def kept(self, values: list[str] | None) -> tuple[str, ...]:
        return tuple(v for v in values or () if len(v) <= self.budget.length)

    def improved(self, table: Table) -> Table:
        """The table with what can be known of all its rows instead of a sample, column by column."""
        if table.kind == "view" or not any(c.profile and c.profile.sampled for c in table.columns):
            return table
        order = sorted(table.columns, key=lambda c: _LATER.index(c.family) if c.family in _LATER else -1)
        better = {c.name: self.whole(table, c) for c in order}
        return replace(table, columns=tuple(better[c.name] for c in table.columns))

    def whole(self, table: Table, column: Column) -> Column:
        profile, name, source = column.profile, quoted(column.name), table_sql(table)
        if profile is None or not profile.sampled:
            return column
        few = len(profile.values) < self.budget.values
        if self.dialect == "duckdb":
            found = self.ask(
                f"SELECT count(*) - count({name}), approx_count_distinct({name}), min({name}), max({name}) FROM {source}"  # noqa: S608
            )
            if found:
                nulls, distinct, low, high = found[0]
                profile = replace(
                    profile, nulls=nulls, distinct=distinct, minimum=_text(low), maximum=_text(high)
                )
                few = distinct <= self.most(column)
        elif column.family in ("date", "timestamp"):
            found = self.ask(f"SELECT min({name}), max({name}) FROM {source}")  # noqa: S608 - quoted names
            if found:
                profile = replace(profile, minimum=_text(found[0][0]), maximum=_text(found[0][1]))
        values = self.frequent(column, source, self.most(column) + 1) if few else None
        if values is not None and len(values) <= self.most(column):
            profile = replace(profile, distinct=len(values), values=self.kept(values), sampled=False)
        return replace(column, profile=profile)


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
    done = {at: profiler.first(tables[at]) for at in order}
    done |= {at: profiler.improved(done[at]) for at in order}
    return [done[at] for at in range(len(tables))]
