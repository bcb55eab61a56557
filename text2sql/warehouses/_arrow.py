"""Rows into Arrow, inside the row and byte caps, whatever the engine calls its types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from text2sql.types import Limits, unique_names

_EXACT_FLOAT = 2**53


def take(batches: Iterable[pa.RecordBatch], schema: pa.Schema, limits: Limits) -> tuple[pa.Table, bool]:
    """Read batches until a cap is reached. Returns the table and whether more rows existed.

    Batches come lazily: reading stops as soon as a cap is reached, so the rest is never computed.
    """
    taken: list[pa.RecordBatch] = []
    rows = size = 0
    truncated = False
    for batch in batches:
        fitting = _fitting(batch.slice(0, limits.rows - rows), limits.bytes - size)
        taken.append(fitting)
        rows += fitting.num_rows
        size += fitting.nbytes
        if fitting.num_rows < batch.num_rows:
            truncated = True
            break
    table = pa.Table.from_batches(taken, schema=schema)
    return table.rename_columns(unique_names(table.column_names)), truncated


def _fitting(batch: pa.RecordBatch, room: int) -> pa.RecordBatch:
    """The longest prefix of the batch whose buffers fit in `room` bytes."""
    if batch.nbytes <= room:
        return batch
    low, high = 0, batch.num_rows
    while low < high:
        middle = (low + high + 1) // 2
        if batch.slice(0, middle).nbytes <= room:
            low = middle
        else:
            high = middle - 1
    return batch.slice(0, low)


def plain(table: pa.Table) -> pa.Table:
    """Turn what only an engine would want into what a reader expects.

    Whole decimals (DuckDB sums integers into 128 bits) become int64 where every value fits; dictionaries
    become their values; a column of nothing but NULL becomes text.
    """
    for position, field in enumerate(table.schema):
        column = table.column(position)
        changed = column
        if pa.types.is_decimal(field.type) and field.type.scale == 0:
            changed = _whole(column)
        elif pa.types.is_dictionary(field.type):
            changed = column.cast(field.type.value_type)
        elif pa.types.is_null(field.type):
            changed = column.cast(pa.string())
        if changed is not column:
            table = table.set_column(position, field.name, changed)
    return table


def _whole(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        return column


def from_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """A table of dynamically typed rows (SQLite): each column gets the narrowest type that holds all it has.

    Integers and floats together are floats (text where an integer is too big to be exact); anything mixed with
    text is text; bytes alone are binary, with anything else text (undecodable bytes replaced).
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = [_column(values) for values in columns]
    return pa.Table.from_arrays(arrays, names=unique_names(list(names)))


def _column(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values}
    kinds.discard(type(None))
    if kinds == {int}:
        return pa.array(values, pa.int64())
    if kinds == {float} or (kinds == {int, float} and _exact(values)):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds == {bytes}:
        return pa.array(values, pa.binary())
    return pa.array([as_text(value) for value in values], pa.string())


def _exact(values: Sequence[Any]) -> bool:
    return all(abs(value) <= _EXACT_FLOAT for value in values if type(value) is int)


def as_text(value: object) -> str | None:
    """A stored value as text; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def size_of(row: Sequence[Any]) -> int:
    """About how many bytes a row of Python values holds."""
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in row)
