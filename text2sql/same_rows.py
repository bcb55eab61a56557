"""When two results are the same, whichever way their queries were written.

Columns may stand in another order (names are never compared), rows too unless `ordered`. Nothing else is forgiven:
a column more or less makes two results different, unless `columns="subset"` allows the second one to show more.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

TOLERANCE = 1e-6
"""Relative; two numbers that differ by less are equal where one of them is not whole."""
_ABSOLUTE = 1e-9
_STEPS = 2_000
"""Ways to pair columns that are tried before two results count as different."""
_GREEDY = 200
"""Rows with the same exact part that are paired one by one where sorting does not pair them."""
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[ T]00:00:00(?:\.0+)?")

Column = tuple[Any, ...]


@dataclass(frozen=True)
class Grid:
    """A result as columns of plain values: None, int, float, str, bytes. `height` is the number of rows."""

    columns: tuple[Column, ...]
    height: int

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], width: int) -> Grid:
        """From rows; `width` tells how many columns there are where there are no rows."""
        columns = tuple(zip(*rows, strict=True)) if rows else ((),) * width
        return cls(tuple(tuple(map(plain_value, column)) for column in columns), len(rows))

    @classmethod
    def of_table(cls, table: pa.Table) -> Grid:
        """From an Arrow table."""
        columns = (tuple(map(plain_value, column.to_pylist())) for column in table.columns)
        return cls(tuple(columns), table.num_rows)

    @property
    def empty(self) -> bool:
        """Whether it says nothing: no rows, or nothing but NULL in them."""
        return all(value is None for column in self.columns for value in column)

    @cached_property
    def inexact(self) -> tuple[bool, ...]:
        """Which columns hold a number that is not an integer."""
        return tuple(any(isinstance(value, float) for value in column) for column in self.columns)


def plain_value(value: Any) -> Any:  # noqa: PLR0911 - one line a type
    """A value as it is compared: times as ISO text (midnight as its date), decimals and intervals as numbers."""
    if value is None or isinstance(value, int):
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, str):
        match = _MIDNIGHT.fullmatch(value)
        return match.group(1) if match else value
    if isinstance(value, Decimal):
        value = int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return plain_value(naive.isoformat(" "))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, list | tuple):
        return str([plain_value(each) for each in value])
    return json.dumps(value, sort_keys=True, default=str) if isinstance(value, dict) else str(value)


def same_rows(
    first: Grid,
    second: Grid,
    *,
    ordered: bool = False,
    columns: Literal["exact", "subset"] = "exact",
    tolerance: float = TOLERANCE,
) -> bool:
    """Whether both hold the same rows: as a multiset, or one by one where `ordered`.

    The columns of `first` are paired with columns of `second`, each with its own. `exact`: as many on both sides;
    `subset`: `second` may have more. Integers equal floats; NULL equals NULL; a date equals its ISO text.
    """
    if first.height != second.height:
        return False
    wide, wider = len(first.columns), len(second.columns)
    if wide > wider or (columns == "exact" and wide != wider):
        return False
    if first.height == 0:
        return True
    return _Pairing(first, second, ordered, tolerance).possible()


class _Pairing:
    """The search for a column of `second` for each of `first`: those that fit few are tried first."""

    def __init__(self, first: Grid, second: Grid, ordered: bool, tolerance: float) -> None:
        self._first, self._second, self._tolerance = first, second, tolerance
        self._ordered = ordered
        self._bags: dict[Column, Counter[Any]] = {}
        self._steps = 0
        self._fits = [
            [j for j in range(len(second.columns)) if self._fit(i, j)] for i in range(len(first.columns))
        ]
        self._order = sorted(range(len(self._fits)), key=lambda i: len(self._fits[i]))

    def possible(self) -> bool:
        return all(self._fits) and self._extend([])

    def _fit(self, i: int, j: int) -> bool:
        a, b = self._first.columns[i], self._second.columns[j]
        if a == b:
            return True
        if not (self._first.inexact[i] or self._second.inexact[j]):
            return not self._ordered and self._bag(a) == self._bag(b)
        if self._ordered:
            return all(_close(x, y, self._tolerance) for x, y in zip(a, b, strict=True))
        return _same_bag([((), (x,)) for x in a], [((), (y,)) for y in b], self._tolerance)

    def _bag(self, column: Column) -> Counter[Any]:
        if column not in self._bags:
            self._bags[column] = Counter(column)
        return self._bags[column]

    def _extend(self, chosen: list[int]) -> bool:
        """Pair the next column, given those chosen for the ones before it in `_order`."""
        if len(chosen) == len(self._order):
            return True
        tried: set[Column] = set()
        for j in self._fits[self._order[len(chosen)]]:
            column = self._second.columns[j]
            if j in chosen or column in tried:  # of equal columns one is as good as the other
                continue
            tried.add(column)
            self._steps += 1
            if self._steps > _STEPS:
                return False
            # In order, columns that agree one by one make rows that do.
            if (self._ordered or self._rows_agree([*chosen, j])) and self._extend([*chosen, j]):
                return True
        return False

    def _rows_agree(self, chosen: list[int]) -> bool:
        if len(chosen) == 1:
            return True
        mine = self._order[: len(chosen)]
        loose = [self._first.inexact[i] or self._second.inexact[j] for i, j in zip(mine, chosen, strict=True)]
        a = [self._first.columns[i] for i in mine]
        b = [self._second.columns[j] for j in chosen]
        if not any(loose):
            return Counter(zip(*a, strict=True)) == Counter(zip(*b, strict=True))
        return _same_bag(_parts(a, loose), _parts(b, loose), self._tolerance)


Parted = tuple[tuple[Any, ...], tuple[Any, ...]]
"""A row as what must be equal and what must be close."""


def _parts(columns: Sequence[Column], loose: Sequence[bool]) -> list[Parted]:
    return [
        (
            tuple(v for v, free in zip(row, loose, strict=True) if not free),
            tuple(v for v, free in zip(row, loose, strict=True) if free),
        )
        for row in zip(*columns, strict=True)
    ]


def _same_bag(a: Iterable[Parted], b: Iterable[Parted], tolerance: float) -> bool:
    """Whether the rows can be paired so that each pair is equal, and close where it may be."""
    left, right = _grouped(a), _grouped(b)
    if left.keys() != right.keys():
        return False
    return all(_paired(rows, right[key], tolerance) for key, rows in left.items())


def _grouped(rows: Iterable[Parted]) -> dict[Any, list[tuple[Any, ...]]]:
    """Rows by what must be equal; NULL and text among the numbers are part of that."""
    groups: dict[Any, list[tuple[Any, ...]]] = {}
    for exact, free in rows:
        fixed = tuple(None if isinstance(v, int | float) else (v,) for v in free)
        numbers = tuple(v for v in free if isinstance(v, int | float))
        groups.setdefault((exact, fixed), []).append(numbers)
    return groups


def _paired(a: list[tuple[Any, ...]], b: list[tuple[Any, ...]], tolerance: float) -> bool:
    if len(a) != len(b):
        return False
    if all(_all_close(x, y, tolerance) for x, y in zip(sorted(a), sorted(b), strict=True)):
        return True
    if len(a) > _GREEDY or len(a[0]) < 2:
        return False
    rest = list(b)
    for row in a:
        found = next((k for k, other in enumerate(rest) if _all_close(row, other, tolerance)), None)
        if found is None:
            return False
        rest.pop(found)
    return True


def _all_close(a: Sequence[Any], b: Sequence[Any], tolerance: float) -> bool:
    return all(_close(x, y, tolerance) for x, y in zip(a, b, strict=True))


def _close(a: Any, b: Any, tolerance: float) -> bool:
    if a == b:
        return True
    if not (isinstance(a, int | float) and isinstance(b, int | float)):
        return False
    return abs(a - b) <= max(tolerance * max(abs(a), abs(b)), _ABSOLUTE)
