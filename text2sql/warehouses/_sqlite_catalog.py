"""Tables, columns and keys of an SQLite database, from its pragmas."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from text2sql.errors import WarehouseError, WarehouseUnavailable
from text2sql.families import family
from text2sql.profiling import Query, quoted
from text2sql.types import Catalog, Column, ForeignKey, Table, TypeFamily
from text2sql.warehouses._catalog import finished

_RELATIONS = (
    "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual')"
)
_KINDS: dict[str, TypeFamily] = {"integer": "integer", "real": "number", "text": "text", "blob": "binary"}
"""`typeof()` -> family, for columns declared without a type."""


def read_catalog(query: Query, *, infer: bool) -> Catalog:
    """Read everything a caller could name; `query` runs a statement and returns its rows."""
    relations = sorted(
        (name, kind) for name, kind in query(_RELATIONS) if not name.casefold().startswith("sqlite_")
    )
    columns = {name: _columns(query, name) for name, _ in relations}
    tables = []
    for name, kind in relations:
        if not columns[name]:
            continue
        keyed = sorted((row[5], row[1]) for row in columns[name] if row[5])
        tables.append(
            Table(
                name=name,
                columns=tuple(_column(query, name, row) for row in columns[name]),
                primary_key=tuple(column for _, column in keyed),
                unique=_unique(query, name),
                foreign_keys=_foreign_keys(query, name, columns),
                kind="view" if kind == "view" else "table",
            )
        )
    return finished("sqlite", tables, query, infer=infer)


def _columns(query: Query, table: str) -> list[tuple[Any, ...]]:
    """`(cid, name, type, notnull, default, pk, hidden)` a column; hidden ones of virtual tables left out."""
    try:
        rows = query(f"PRAGMA table_xinfo({quoted(table)})")
    except WarehouseUnavailable:
        raise
    except WarehouseError:
        return []  # a view over a column that is gone
    return [row for row in rows if row[6] != 1]


def _column(query: Query, table: str, row: tuple[Any, ...]) -> Column:
    _, name, declared, required, _, primary, _ = row
    found = family(declared or "")
    if not declared:
        kinds = query(
            f"SELECT typeof(v) FROM (SELECT {quoted(name)} AS v FROM {quoted(table)} "  # noqa: S608 - quoted names
            "WHERE v IS NOT NULL LIMIT 1000) GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        )
        found = _KINDS.get(kinds[0][0], "text") if kinds else "text"
    return Column(name, declared or "", found, nullable=not required and not primary)


def _unique(query: Query, table: str) -> tuple[tuple[str, ...], ...]:
    found = []
    for _, index, unique, origin, partial in query(f"PRAGMA index_list({quoted(table)})"):
        if not unique or partial or origin == "pk":
            continue
        names = tuple(row[2] for row in query(f"PRAGMA index_info({quoted(index)})"))
        if None not in names:  # an index over an expression
            found.append(names)
    return tuple(sorted(found))


def _foreign_keys(
    query: Query, table: str, columns: dict[str, list[tuple[Any, ...]]]
) -> tuple[ForeignKey, ...]:
    """Declared references that lead somewhere; names come back as their tables spell them."""
    spelled = {name.casefold(): name for name in columns}
    parts: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in query(f"PRAGMA foreign_key_list({quoted(table)})"):
        parts[row[0]].append(row)
    found = []
    for _, rows in sorted(parts.items(), reverse=True):  # SQLite lists the last declared first
        target = spelled.get(rows[0][2].casefold())
        if target is None:
            continue
        primary = [name for _, name in sorted((row[5], row[1]) for row in columns[target] if row[5])]
        own = [row[3] for row in rows]
        referred = [row[4] for row in rows] if rows[0][4] is not None else primary
        if len(referred) != len(own):
            continue
        names = _spelled(own, columns[table]), _spelled(referred, columns[target])
        if names[0] is not None and names[1] is not None:
            found.append(ForeignKey(names[0], target, names[1]))
    return tuple(found)


def _spelled(names: list[str], columns: list[tuple[Any, ...]]) -> tuple[str, ...] | None:
    known = {row[1].casefold(): row[1] for row in columns}
    found = [known.get(name.casefold()) for name in names]
    return tuple(name for name in found if name is not None) if None not in found else None
