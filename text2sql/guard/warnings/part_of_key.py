"""A join by a part of a key of several columns: rows meet that do not belong together."""

from __future__ import annotations

from collections.abc import Iterator

from text2sql.guard.looking import Looking
from text2sql.guard.refusal import position
from text2sql.guard.scope import Source
from text2sql.types import ForeignKey, Warn


def find(looking: Looking) -> Iterator[Warn]:
    """One warning for each declared foreign key of which a join takes some columns and leaves others out."""
    for scope in looking.joining():
        pairs: dict[tuple[int, int], tuple[Source, Source, set[tuple[str, str]]]] = {}
        for link in looking.links(scope):
            for one, other in ((link.left, link.right), (link.right, link.left)):
                held = pairs.setdefault((id(one.source), id(other.source)), (one.source, other.source, set()))
                held[2].add((one.field.name.casefold(), other.field.name.casefold()))
        for near, far, on in pairs.values():
            key = _partly(looking, near, far, on)
            if key is not None:
                whole = " AND ".join(
                    f"{near.alias}.{a} = {far.alias}.{b}"
                    for a, b in zip(key.columns, key.to_columns, strict=False)
                )
                yield Warn(
                    "part_of_key",
                    f"{near.alias} refers to {far.alias} by {len(key.columns)} columns together, and this join takes "
                    f"only some of them: rows meet that do not belong together. Join by {whole}.",
                    position(far.node, looking.facts.sql),
                    f"{near.alias} and {far.alias}",
                    (whole,),
                    "hard",
                )


def _partly(looking: Looking, near: Source, far: Source, on: set[tuple[str, str]]) -> ForeignKey | None:
    if near.table is None or far.table is None:
        return None
    partly = None
    for key in near.table.foreign_keys:
        if looking.tables.catalog.table(key.to_table) is not far.table or key.inferred:
            continue
        if not (
            looking.tables.sees(near.table, key.columns) and looking.tables.sees(far.table, key.to_columns)
        ):
            continue
        columns = {(a.casefold(), b.casefold()) for a, b in zip(key.columns, key.to_columns, strict=False)}
        if columns <= on:
            return None  # another key joins them whole
        if columns & on:
            partly = key
    joined = {name for _, name in on}
    unique = (far.table.primary_key, *far.table.unique)
    if any(key and joined.issuperset(name.casefold() for name in key) for key in unique):
        return None
    return partly
