"""Another instance of the same data, so that a query that was right by accident is found out.

Every stored row keeps its keys. What stands beside the keys is shuffled among the rows of its table (columns that
determine each other together), references are dealt out anew, and rows are added: with new keys, with values drawn
from those there are, and with references to rows that exist. So every value that a question may name is still
there, every key holds, and counts, sums, extremes and joins are others. Deterministic by the number of the instance.

After Zhong, Yu and Klein 2020 (distilled test suites), with values from the data instead of made-up ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Any

from text2sql.types import Catalog, ForeignKey, Table

Row = list[Any]
_SHARE = (0.2, 0.6)
"""Rows that are added, as a share of those there are."""
_MOST = 5_000
"""Rows that are added at most to one table."""
_LOOK = 2_000
"""Rows looked at to see which columns determine each other."""
_LENGTH = re.compile(r"char\w*(?: varying)?\s*\((\d+)\)", re.IGNORECASE)
_HIGHEST = (2**15 - 1, 2**31 - 1, 2**63 - 1)
"""What columns of whole numbers hold at most: a new number stays inside the narrowest that holds the old ones."""
_NUMERIC = re.compile(r"[\d\s.,:/+-]*")


@dataclass(frozen=True)
class Rows:
    """A table's rows, in the order of its columns."""

    table: Table
    rows: list[Row]

    def at(self, names: Sequence[str]) -> tuple[int, ...]:
        """Positions of these columns."""
        folded = [column.name.casefold() for column in self.table.columns]
        return tuple(folded.index(name.casefold()) for name in names)


def resample(
    catalog: Catalog, stored: Mapping[str, Sequence[Sequence[Any]]], number: int
) -> dict[str, list[Row]]:
    """New rows for every table (by qualified name), given the stored ones. `number` chooses the instance."""
    done: dict[str, Rows] = {}
    for table in _parents_first(catalog):
        rows = [list(row) for row in stored[table.qualified]]
        random = Random(f"{number} {table.qualified}")  # noqa: S311 - reproducible on purpose
        found = Rows(table, rows)
        done[table.qualified] = found
        if len(rows) > 1:
            _Renewal(found, done, catalog, random).renew()
    return {name: found.rows for name, found in done.items()}


def _parents_first(catalog: Catalog) -> list[Table]:
    """Tables after those that they refer to; in a circle, as the catalogue has them."""
    ordered: list[Table] = []
    left = [table for table in catalog.tables if table.kind == "table"]
    while left:
        names = {table.qualified.casefold() for table in left}
        free = [t for t in left if not any(_waits(t, key, catalog, names) for key in t.foreign_keys)]
        for table in free or left[:1]:
            ordered.append(table)
            left.remove(table)
    return ordered


def _waits(table: Table, key: ForeignKey, catalog: Catalog, names: set[str]) -> bool:
    target = catalog.table(key.to_table)
    return target is not None and target is not table and target.qualified.casefold() in names


class _Renewal:
    """One table: shuffles what stands beside its keys, then adds rows."""

    def __init__(self, mine: Rows, done: Mapping[str, Rows], catalog: Catalog, random: Random) -> None:
        self._rows, self._random = mine.rows, random
        self._width = len(mine.table.columns)
        table = mine.table
        keys = [mine.at(names) for names in (table.primary_key, *table.unique) if names]
        self._unique = [key for key in dict.fromkeys(keys) if key]
        held = {position for key in self._unique for position in key}
        self._references: list[tuple[tuple[int, ...], list[tuple[Any, ...]]]] = []
        for key in table.foreign_keys:
            target = catalog.table(key.to_table)
            parent = done.get(target.qualified) if target is not None else None
            if parent is None:
                continue
            at = mine.at(key.columns)
            offered = sorted(
                {tuple(row[p] for p in parent.at(key.to_columns)) for row in parent.rows}, key=repr
            )
            offered = [each for each in offered if None not in each]
            if offered:
                self._references.append((at, offered))
        referring = {position for at, _ in self._references for position in at}
        self._free_references = [at for at, _ in self._references if not held & set(at)]
        self._payload = [p for p in range(self._width) if p not in held and p not in referring]
        self._key_payload = sorted(held - referring)
        self._distinct = {p for p in self._payload if self._is_distinct(p)}
        lengths = [_LENGTH.search(column.type) for column in table.columns]
        self._spans: dict[int, tuple[int, int, int]] = {}
        self._longest = [int(found.group(1)) if found else None for found in lengths]

    def renew(self) -> None:
        original = [list(row) for row in self._rows]
        blocks = [*self._free_references, *_blocks(original, self._payload)]
        for block in blocks:
            order = self._random.sample(range(len(original)), len(original))
            for row, source in zip(self._rows, order, strict=True):
                for position in block:
                    row[position] = original[source][position]
        self._grow(original, blocks)

    def _grow(self, original: list[Row], blocks: list[tuple[int, ...]]) -> None:
        share = self._random.uniform(*_SHARE)
        added = min(_MOST, max(1, round(len(original) * share)))
        taken = [{tuple(row[p] for p in key) for row in self._rows} for key in self._unique]
        used = {p: {row[p] for row in self._rows} for p in (*self._distinct, *self._key_payload)}
        self._spans = {p: _span(values, added) for p, values in used.items()}
        for _ in range(added):
            for _attempt in range(20):
                row = self._new_row(original, blocks, used)
                marks = [tuple(row[p] for p in key) for key in self._unique]
                if not any(mark in seen for mark, seen in zip(marks, taken, strict=True)):
                    break
            else:
                continue
            for mark, seen in zip(marks, taken, strict=True):
                seen.add(mark)
            for position, seen_values in used.items():
                seen_values.add(row[position])
            self._rows.append(row)

    def _new_row(self, original: list[Row], blocks: list[tuple[int, ...]], used: dict[int, set[Any]]) -> Row:
        row: Row = [None] * self._width
        for block in blocks:
            source = self._random.choice(original)
            for position in block:
                row[position] = source[position]
        template = self._random.choice(original)
        for position in self._key_payload:
            single = any(key == (position,) for key in self._unique)
            row[position] = (
                self._fresh(position, template[position], used[position]) if single else template[position]
            )
        for position in sorted(self._distinct):
            row[position] = self._fresh(position, row[position], used[position])
        for at, offered in self._references:
            # As often without a reference as the rows there are.
            chosen = self._random.choice(offered)
            if any(template[p] is None for p in at):
                chosen = tuple(template[p] for p in at)
            for position, value in zip(at, chosen, strict=True):
                row[position] = value
        return row

    def _fresh(self, position: int, value: Any, used: set[Any]) -> Any:
        """A value like this one that no row has; the same where there is no way to make one."""
        if isinstance(value, int) and not isinstance(value, bool):
            return self._fresh_number(position, value, used)
        if isinstance(value, float):
            return round(value * self._random.uniform(0.8, 1.25), 3)
        if isinstance(value, str):
            return self._fresh_text(value, used, self._longest[position])
        return value

    def _fresh_number(self, position: int, value: int, used: set[Any]) -> int:
        low, high, top = self._spans[position]
        drawn = (self._random.randint(low, top) for _ in range(20))
        return next((n for n in chain(drawn, range(high + 1, top + 1)) if n not in used), value)

    def _fresh_text(self, value: str, used: set[Any], room: int | None) -> str:
        """Digits for digits; other text with a number in its midst, inside the room; dates and the like stay.

        In its midst: what looks for the old text anywhere inside must not find the new one.
        """
        if value.isdigit():
            drawn = (f"{self._random.randrange(10 ** len(value)):0{len(value)}d}" for _ in range(20))
            return next((said for said in drawn if said not in used), value)
        if _NUMERIC.fullmatch(value):
            return value
        half = len(value) // 2 or 1
        for n in range(2, len(used) + 3):
            over = max(0, len(value) + len(str(n)) - room) if room is not None else 0
            said = f"{value[:half]}{n}{value[half + over :]}"
            if said not in used and (room is None or len(said) <= room):
                return said
        return value

    def _is_distinct(self, position: int) -> bool:
        values = [row[position] for row in self._rows]
        return len(set(map(repr, values))) == len(values)


def _span(values: set[Any], added: int) -> tuple[int, int, int]:
    """The lowest and highest whole number there is, and up to where new ones go: inside the column's range."""
    numbers = [v for v in values if isinstance(v, int)] or [0]
    low, high = min(numbers), max(numbers)
    bound = next((most for most in _HIGHEST if high <= most), high)
    return low, high, min(bound, high + max(10, (high - low) // 4, 2 * added))


def _blocks(rows: list[Row], positions: Sequence[int]) -> list[tuple[int, ...]]:
    """Columns that are shuffled together: one that repeats itself, with those that its value determines."""
    looked = rows[:_LOOK]
    blocks: list[list[int]] = []
    for position in positions:
        home = next((block for block in blocks if any(_bound(looked, position, p) for p in block)), None)
        if home is None:
            blocks.append([position])
        else:
            home.append(position)
    return [tuple(block) for block in blocks]


def _bound(rows: list[Row], one: int, other: int) -> bool:
    return _determines(rows, one, other) or _determines(rows, other, one)


def _determines(rows: list[Row], one: int, other: int) -> bool:
    """Whether equal values here mean equal values there, shown by values that repeat and by more than one of them."""
    seen: dict[Any, Any] = {}
    for row in rows:
        key, value = repr(row[one]), repr(row[other])
        if seen.setdefault(key, value) != value:
            return False
    return len(set(seen.values())) > 1 and len(seen) <= len(rows) // 2
