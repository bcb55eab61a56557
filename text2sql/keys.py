"""Keys that nobody declared: inferred from names, types, uniqueness and the values themselves.

A primary key is a column (or a few) whose values are unique and never NULL, and whose name says identifier. A
foreign key is a column whose name points at another table's key, whose type fits and whose values are (nearly
all) found there: names propose, a query over the values decides. Declared keys are never touched.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from text2sql.errors import WarehouseError
from text2sql.key_names import Name, belonging, key_score, pointing
from text2sql.profiling import Query, quoted, table_sql
from text2sql.types import Column, Dialect, ForeignKey, Table

_CONTAINED = ((0.95, 0.75), (0.75, 0.9), (0.0, 1.0))
"""From this score of the name on, this share of distinct values must be found in the key: real data has orphans."""
_SURE = 0.97
"""A name this telling is believed for an empty table, whose values can decide nothing."""
_BY_NAME = 0.8
"""An empty table's key must be named like one."""
_NEARLY = 0.9
_PROBE = 5_000
"""Distinct values looked up."""
_SECONDS = 8.0
_KEY_FAMILIES = ("integer", "text")
_COMPOSITE = 5
"""Columns that a composite key is sought among."""


@dataclass(frozen=True, slots=True)
class _Target:
    table: Table
    column: Column


@dataclass(frozen=True, slots=True)
class _Candidate:
    target: _Target
    score: float


class _Inference:
    """One pass over one catalogue."""

    def __init__(self, tables: Sequence[Table], dialect: Dialect, query: Query, seconds: float) -> None:
        self.tables = list(tables)
        self.dialect = dialect
        self.query = query
        self.until = time.monotonic() + seconds

    def ask(self, sql: str) -> tuple[int, ...] | None:
        left = self.until - time.monotonic()
        if left <= 0:
            return None
        try:
            return tuple(int(value or 0) for value in self.query(sql, left)[0])
        except WarehouseError:
            return None

    def with_primary_keys(self) -> None:
        self.tables = [
            t
            if t.primary_key or t.kind == "view" or not (key := self.primary_key(t))
            else replace(t, primary_key=key, key_inferred=True)
            for t in self.tables
        ]

    def primary_key(self, table: Table) -> tuple[str, ...]:
        ranked = sorted(
            (
                (key_score(table.name, column.name, position), -position, column)
                for position, column in enumerate(table.columns)
                if _can_be_key(column)
            ),
            key=lambda item: item[:2],
            reverse=True,
        )
        telling = 0 if table.rows else _BY_NAME
        for score, _, column in ranked:
            if score > telling and self.unique(table, (column,)):
                return (column.name,)
        return self.composite(table, [column for score, _, column in ranked if score > 0])

    def composite(self, table: Table, candidates: list[Column]) -> tuple[str, ...]:
        """The fewest of the identifying columns that are unique together, in the table's order."""
        chosen = [c for c in table.columns if c in candidates or c.family == "date"][:_COMPOSITE]
        if len(chosen) < 2 or not table.rows or not self.unique(table, chosen):
            return ()
        for column in list(chosen):
            fewer = [c for c in chosen if c is not column]
            if len(fewer) > 1 and self.unique(table, fewer):
                chosen = fewer
        return tuple(column.name for column in chosen)

    def unique(self, table: Table, columns: Sequence[Column]) -> bool:
        """Whether these columns hold no NULL and no value twice; by name alone where there are no rows."""
        if not table.rows:
            return len(columns) == 1
        profile = columns[0].profile if len(columns) == 1 else None
        if profile is not None and not profile.sampled:
            return profile.nulls == 0 and profile.distinct == table.rows
        # Of a big table DuckDB estimates distinct values, a few per cent off: enough to say no without a scan.
        estimate = (
            profile.distinct / table.rows if profile is not None and profile.distinct is not None else None
        )
        if estimate is not None and (estimate < _NEARLY or profile is None or profile.nulls):
            return False
        names = ", ".join(quoted(c.name) for c in columns)
        filled = " AND ".join(f"{quoted(c.name)} IS NOT NULL" for c in columns)
        found = self.ask(
            f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {table_sql(table)} WHERE {filled}) AS k"  # noqa: S608 - quoted names
        )
        if found is None:  # no time to count
            return estimate is not None
        return found[0] == table.rows

    def targets(self) -> list[_Target]:
        """Columns worth pointing at: keys, and what is unique and called like its table (`grapes.grape`).

        The key of `store_details` called `store_id` is none where there is a table of stores: it points there.
        """
        found = []
        for table in (t for t in self.tables if t.kind == "table"):
            keys = {key[0] for key in (table.primary_key, *table.unique) if len(key) == 1}
            for column in table.columns:
                name = Name.of(column.name)
                own = belonging(name, table.name)
                known = column.name in keys or (
                    name.stem and own and table.rows and self.unique(table, (column,))
                )
                if _can_be_key(column) and known and not self.belongs_elsewhere(name, table):
                    found.append(_Target(table, column))
        return found

    def belongs_elsewhere(self, name: Name, table: Table) -> bool:
        own = belonging(name, table.name)
        return any(belonging(name, other.name) > own for other in self.tables if other.kind == "table")

    def with_foreign_keys(self) -> None:
        targets = self.targets()
        self.tables = [
            replace(t, foreign_keys=(*t.foreign_keys, *self.foreign_keys(t, targets)))
            if t.kind == "table"
            else t
            for t in self.tables
        ]

    def foreign_keys(self, table: Table, targets: Sequence[_Target]) -> Iterator[ForeignKey]:
        declared = {name.casefold() for key in table.foreign_keys for name in key.columns}
        for column in table.columns:
            if column.name.casefold() in declared or not _can_be_key(column):
                continue
            best = self.best(table, column, targets)
            if best is not None:
                yield ForeignKey((column.name,), best.table.qualified, (best.column.name,), inferred=True)

    def best(self, table: Table, column: Column, targets: Sequence[_Target]) -> _Target | None:
        name = Name.of(column.name)
        own_key = table.primary_key == (column.name,) and belonging(name, table.name) > 0
        own_key = own_key and not self.belongs_elsewhere(name, table)
        candidates = []
        for target in targets if not own_key else ():
            same_table = target.table.qualified == table.qualified
            if not self.comparable(column, target.column) or (
                same_table and target.column.name == column.name
            ):
                continue
            score = pointing(column.name, target.table.name, target.column.name, same_table=same_table)
            if score > 0:
                candidates.append(_Candidate(target, score))
        candidates.sort(key=lambda c: (-c.score, c.target.table.rows or 0, c.target.table.qualified))
        return next((c.target for c in candidates if self.contained(table, column, c)), None)

    def comparable(self, one: Column, other: Column) -> bool:
        """SQLite compares '1' with 1 by the columns' affinity; other engines want one type on both sides."""
        numbers = {one.family, other.family} <= {"integer", "number"}
        return one.family == other.family or numbers or self.dialect == "sqlite"

    def contained(self, table: Table, column: Column, candidate: _Candidate) -> bool:
        target = candidate.target
        if not table.rows or not target.table.rows:
            return candidate.score >= _SURE
        name, key = quoted(column.name), quoted(target.column.name)
        if "text" in {column.family, target.column.family} and column.family != target.column.family:
            name, key = f"CAST({name} AS TEXT)", f"CAST({key} AS TEXT)"
        found = self.ask(
            f"SELECT count(*), sum(CASE WHEN v IN (SELECT {key} FROM {table_sql(target.table)}) THEN 1 ELSE 0 END) "  # noqa: S608 - quoted names
            f"FROM (SELECT DISTINCT {name} AS v FROM {table_sql(table)} WHERE {name} IS NOT NULL LIMIT {_PROBE}) AS probe"
        )
        if found is None or found[0] == 0:
            return candidate.score >= _SURE
        share = next(share for score, share in _CONTAINED if candidate.score >= score)
        return found[1] >= share * found[0]


def _can_be_key(column: Column) -> bool:
    """Integers and text, and numbers without a scale whose values, where known, are whole (`NUMERIC`, a float 3.0)."""
    if column.family != "number":
        return column.family in _KEY_FAMILIES
    values = column.profile.values if column.profile else ()
    whole = all(value.removesuffix(".0").lstrip("-").isdigit() for value in values)
    return whole and bool(values or re.fullmatch("numeric|number|decimal", column.type.casefold()))


def with_inferred_keys(
    tables: Sequence[Table], dialect: Dialect, query: Query, seconds: float = _SECONDS
) -> list[Table]:
    """The tables with a primary key and foreign keys where none were declared and the data bears them out.

    Foreign keys found are marked `inferred`. Stops looking after `seconds`; what is found by then stays.
    """
    inference = _Inference(tables, dialect, query, seconds)
    inference.with_primary_keys()
    inference.with_foreign_keys()
    return inference.tables
