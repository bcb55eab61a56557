"""CSV and TSV: each row a sentence of its own where the columns have names, so that a row alone says what it is."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from ingest.building import TextBuilder, one_line
from ingest.decoding import decode
from ingest.limits import Budget
from ingest.media import CSV, TSV
from ingest.types import Parsed

_NUMBER = re.compile(r"[-+]?[\d.,]+%?|\d{4}-\d\d?-\d\d?.*")
_DELIMITERS = ",;\t|"


class DelimitedParser:
    """Reads `text/csv` and `text/tab-separated-values`; the delimiter is found, not believed."""

    version = 1
    media_types = frozenset({CSV, TSV})

    def parse(self, raw: bytes, media_type: str, budget: Budget) -> Parsed:
        """Rows as `name: value; …`, or as plain rows where the first one holds no names."""
        text = decode(raw)
        rows = _rows(text, "\t" if media_type == TSV else "")
        builder = TextBuilder(budget.limits.text_chars)
        head = list(islice(rows, 1))
        names = _names(head[0]) if head else None
        if names is None:
            builder.table(_until_full(chain(head, rows), budget), first_is_header=False)
            return builder.build()
        lines, size = [], 0
        for row in rows:
            line = sentence(names, row)
            if line:
                lines.append(line)
                size += len(line) + 1
            if size > budget.limits.text_chars:
                break
        if not lines:
            builder.paragraph(" | ".join(names))
        builder.paragraph("\n".join(lines), kind="list")
        return builder.build()


def sentence(names: Sequence[str], row: Sequence[str]) -> str:
    """One row in words; cells without a name stand alone, empty cells are left out."""
    parts = []
    for index, cell in enumerate(row):
        value = one_line(cell, 4000)
        name = names[index] if index < len(names) else ""
        if value:
            parts.append(f"{name}: {value}" if name else value)
    return "; ".join(parts)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(1 << 24)
    sample = text[:20_000].splitlines()[:50]
    if not delimiter:
        # The delimiter that cuts most lines into the same number (> 1) of cells.
        delimiter = max(_DELIMITERS, key=lambda mark: _agreement(sample, mark))
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, skipinitialspace=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        if any(cell.strip() for cell in row):
            yield row


def _agreement(lines: list[str], mark: str) -> tuple[int, int]:
    counts = [line.count(mark) for line in lines if line.strip()]
    common = max(set(counts), key=counts.count, default=0)
    return (counts.count(common) if common else 0, common)


def _names(row: Sequence[str]) -> list[str] | None:
    """The first row as column names: at least one, all different, none a number; else None."""
    names = [one_line(cell, 200) for cell in row]
    said = [name for name in names if name]
    if not said or len(set(said)) < len(said) or len(said) * 2 < len(names):
        return None
    return None if any(_NUMBER.fullmatch(name) for name in said) else names


def _until_full(rows: Iterator[list[str]], budget: Budget) -> Iterator[list[str]]:
    size = 0
    for row in rows:
        size += sum(map(len, row))
        yield row
        if size > budget.limits.text_chars:
            return


def build(_settings: Mapping[str, Any]) -> DelimitedParser:
    """There is nothing to set."""
    return DelimitedParser()
