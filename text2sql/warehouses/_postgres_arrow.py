"""PostgreSQL's spelling of values into Arrow, column by column, without losing one that Arrow has no room for.

Everything arrives as text. A column gets its type when all of its values fit it; one with `infinity`, a year
before 1 or after 9999, or an interval of months stays text as PostgreSQL spells it. Numbers without a declared
scale (sums, averages) become integers when all are whole, else decimals of the scale they need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import postgres

from text2sql.types import unique_names

_BATCH = 2048
_BATCH_SIZE = 4 * 1024**2
"""Characters."""
_FEW = 256
_NARROW = 256 * 1024
"""Characters: as long as some rows together hold less, more are read before the size is looked at again."""
_WIDTH = 8
_SCALE = 2
"""Digits kept of an average that needs fewer."""
_NEGATIVE = 1024
"""A negative scale, as a typmod has it, begins here; such numbers are whole."""
_INTERVAL = re.compile(r"(?:(-?\d+) days? ?)?(?:([-+])?(\d+):(\d\d):(\d\d(?:\.\d+)?))?")
_MONEY = re.compile(r"(-)?[^\d.,()-]{0,4}(\d{1,3}(?:,\d{3})*)(\.\d\d)?")
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Field:
    """A result column as the server describes it: `modifier` is the typmod, -1 where there is none."""

    name: str
    oid: int
    modifier: int = -1


def batches(rows: Iterable[Sequence[str | None]], width: int) -> Iterator[pa.RecordBatch]:
    """Rows of text into record batches of text, lazily."""
    names = [str(at) for at in range(width)]
    for taken in _bounded(iter(rows)):
        columns = [pa.array(values, pa.string()) for values in zip(*taken, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, names=names)


def _bounded(rows: Iterator[Sequence[str | None]]) -> Iterator[list[Sequence[str | None]]]:
    """Rows in lists that are bounded in number and in size: one value may be a megabyte."""
    taken: list[Sequence[str | None]] = []
    size, few = 0, 1
    while some := list(islice(rows, few)):
        taken += some
        length = sum(len(value) for row in some for value in row if value)
        size += length
        few = min(2 * few, _FEW) if length < _NARROW else 1
        if len(taken) >= _BATCH or size >= _BATCH_SIZE:
            yield taken
            taken, size = [], 0
    if taken:
        yield taken


def text_schema(width: int) -> pa.Schema:
    """The schema of `batches`."""
    return pa.schema([(str(at), pa.string()) for at in range(width)])


def typed(table: pa.Table, fields: Sequence[Field], zone: str) -> pa.Table:
    """The table of text with each column in its type and under its name; repeated names are numbered."""
    columns = [
        _column(table.column(at).combine_chunks(), field.oid, field.modifier, zone)
        for at, field in enumerate(fields)
    ]
    return pa.Table.from_arrays(columns, names=unique_names([field.name for field in fields]))


def _column(texts: pa.Array, oid: int, modifier: int, zone: str) -> pa.Array:
    name = _NAMES.get(oid)
    if name is None:
        element = _ELEMENTS.get(oid)
        return texts if element is None else _arrays(texts, element, zone)
    try:
        if name == "numeric":
            return _numbers(texts, modifier)
        if name == "timestamptz":
            return pc.cast(texts, pa.timestamp("us", tz=zone))
        if name in _CASTS:
            return pc.cast(texts, _CASTS[name])
        read = _PARSED.get(name)
        return texts if read is None else read(texts)
    except (pa.ArrowException, ValueError):
        return texts


def _numbers(texts: pa.Array, modifier: int) -> pa.Array:
    """int64 where all are whole and fit, else the decimal that holds all, else (NaN, infinity) float64."""
    scales = pc.fill_null(pc.subtract(pc.binary_length(texts), pc.add(pc.find_substring(texts, "."), 1)), 0)
    declared = (modifier - 4) & 0x7FF if modifier >= 4 else None
    scale = declared if declared is not None and declared < _NEGATIVE else None
    dotted = pc.any(pc.match_substring(texts, ".")).as_py()
    if not dotted and not scale:
        try:
            return pc.cast(texts, pa.int64())
        except pa.ArrowInvalid:
            return _decimals(texts, 0)
    if scale is None:
        fractions = pc.if_else(pc.match_substring(texts, "."), scales, 0)
        scale = pc.max(fractions).as_py() or 0
        if scale > _SCALE:
            trimmed = pc.utf8_rtrim(texts, characters="0")
            scale = max(_SCALE, scale - (pc.min(_lost(texts, trimmed, scales, scale)).as_py() or 0))
    return _decimals(texts, scale)


def _lost(texts: pa.Array, trimmed: pa.Array, scales: pa.Array, scale: int) -> pa.Array:
    """How many of the last digits of the longest fraction no value needs."""
    needed = pc.subtract(scales, pc.subtract(pc.binary_length(texts), pc.binary_length(trimmed)))
    return pc.if_else(pc.match_substring(texts, "."), pc.subtract(scale, needed), scale)


def _decimals(texts: pa.Array, scale: int) -> pa.Array:
    whole = pc.max(pc.binary_length(pc.replace_substring_regex(texts, r"^-|\..*$", ""))).as_py() or 1
    digits = whole + scale
    if digits > 76 or pc.any(pc.match_substring_regex(texts, "[NI]")).as_py():
        return pc.cast(texts, pa.float64())
    kind = pa.decimal128(38, scale) if digits <= 38 else pa.decimal256(76, scale)
    surplus = pc.replace_substring_regex(texts, rf"(\.\d{{{scale}}})0+$", r"\1")
    return pc.cast(surplus, kind)


def _each(texts: pa.Array, read: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    return pa.array([None if text is None else read(text) for text in texts.to_pylist()], kind)


def _interval(text: str) -> timedelta:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise ValueError("an interval of months has no length")
    days, sign, hours, minutes, seconds = found.groups()
    clock = timedelta(hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0))
    return timedelta(days=int(days or 0)) + (-clock if sign == "-" else clock)


def _money(text: str) -> str:
    found = _MONEY.fullmatch(text)
    if found is None:
        raise ValueError("money of a locale that is not understood")
    sign, whole, fraction = found.groups()
    return f"{sign or ''}{whole.replace(',', '')}{fraction or ''}"


def _arrays(texts: pa.Array, element: int, zone: str) -> pa.Array:
    """One-dimensional arrays as lists; where any value has more dimensions, all stay as they are spelled."""
    offsets, values = [0], []
    for text in texts.to_pylist():
        if text is not None:
            if not text.startswith("{") or "{" in re.sub(r'"(?:[^"\\]|\\.)*"', "", text[1:]):
                return texts
            values += [_element(*found.groups()) for found in _ELEMENT.finditer(text[1:-1])]
        offsets.append(len(values))
    inner = _column(pa.array(values, pa.string()), element, -1, zone)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), inner, mask=texts.is_null())


def _element(quoted: str | None, bare: str | None) -> str | None:
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted)
    return None if bare is not None and bare.upper() == "NULL" else bare


_TYPES = postgres.types
_NAMES = {info.oid: info.name for info in _TYPES}
_ELEMENTS = {info.array_oid: info.oid for info in _TYPES if info.array_oid}
_CASTS = {
    "int2": pa.int64(), "int4": pa.int64(), "int8": pa.int64(), "oid": pa.int64(), "float4": pa.float64(),
    "float8": pa.float64(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
}  # fmt: skip
_PARSED: dict[str, Callable[[pa.Array], pa.Array]] = {
    "bool": lambda texts: pc.equal(texts, "t"),
    "time": lambda texts: _each(texts, time.fromisoformat, pa.time64("us")),
    "interval": lambda texts: _each(texts, _interval, pa.duration("us")),
    "money": lambda texts: _decimals(_each(texts, _money, pa.string()), _SCALE),
    "bytea": lambda texts: _each(texts, lambda text: bytes.fromhex(text.removeprefix("\\x")), pa.binary()),
}
