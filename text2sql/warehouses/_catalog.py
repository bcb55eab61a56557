"""The last steps of reading a catalogue, the same for every engine: profiles, inferred keys, fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from text2sql.keys import with_inferred_keys
from text2sql.profiling import Budget, Query, profiled
from text2sql.types import Catalog, Dialect, Table


def finished(
    dialect: Dialect,
    tables: Sequence[Table],
    query: Query,
    *,
    default_schema: str = "",
    default_catalog: str = "",
    infer: bool = True,
    budget: Budget | None = None,
    left_out: tuple[str, ...] = (),
) -> Catalog:
    """The catalogue of these tables, with profiles, and with keys inferred where a table declares none."""
    known = profiled(tables, dialect, query, budget)
    if infer:
        known = with_inferred_keys(known, dialect, query)
    return Catalog(
        dialect=dialect,
        tables=tuple(known),
        default_schema=default_schema,
        default_catalog=default_catalog,
        fingerprint=fingerprint(known),
        left_out=left_out,
    )


def fingerprint(tables: Sequence[Table]) -> str:
    """A hash over names, types and keys: profiles and row counts do not change it."""
    shape = [
        [
            t.qualified, t.kind, [[c.name, c.type, c.nullable] for c in t.columns], t.primary_key, t.unique,
            [[k.columns, k.to_table, k.to_columns] for k in t.foreign_keys],
        ]
        for t in sorted(tables, key=lambda t: t.qualified)
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:16]
