"""Tables, columns, keys and comments of a PostgreSQL database, as far as the role may SELECT them.

Partitions are left out (their parent stands for them), and so are system schemas, the schema of our own wall (its key
signs every caller's context), temporary tables and what an extension brought along. Foreign tables are taken like views: a row count of one may be work for another server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from text2sql.families import family
from text2sql.profiling import Budget, Query
from text2sql.row_security.context import MARK
from text2sql.types import Catalog, Column, ForeignKey, Table, TypeFamily, differing_in_case
from text2sql.warehouses._catalog import finished
from text2sql.warehouses._postgres_session import Facts

_BUDGET = Budget(cells=4_000_000)
"""PostgreSQL sorts to count distinct values: an order of magnitude slower than a column store."""
_READABLE = f"""
c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE')
AND NOT starts_with(coalesce(obj_description(n.oid, 'pg_namespace'), ''), '{MARK}')
AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""
_FROM = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
_RELATIONS = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), ''),
    CASE c.relkind
        WHEN 'p' THEN (
            SELECT sum(greatest(leaf.reltuples, 0))::bigint FROM pg_partition_tree(c.oid) t
            JOIN pg_class leaf ON leaf.oid = t.relid WHERE t.isleaf)
        ELSE nullif(greatest(c.reltuples, -1), -1)::bigint END,
    c.relispopulated
{_FROM} WHERE {_READABLE} ORDER BY n.nspname, c.relname"""  # noqa: S608 - constant text
_GRANTED = "AND has_column_privilege(c.oid, a.attnum, 'SELECT')"
_COLUMNS = f"""
SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
    coalesce(col_description(a.attrelid, a.attnum), ''), t.typcategory::text,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END
{_FROM} JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE {_READABLE} AND a.attnum > 0 AND NOT a.attisdropped {_GRANTED}
ORDER BY a.attrelid, a.attnum"""
_UNIQUE = f"""
SELECT i.indrelid, i.indisprimary, (i.indkey::int2[])[0:i.indnkeyatts - 1]
{_FROM} JOIN pg_index i ON i.indrelid = c.oid
WHERE {_READABLE} AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
ORDER BY i.indrelid, i.indexrelid"""
_FOREIGN = f"""
SELECT k.conrelid, k.conkey, k.confrelid, k.confkey
{_FROM} JOIN pg_constraint k ON k.conrelid = c.oid
WHERE {_READABLE} AND k.contype = 'f' AND k.conparentid = 0 ORDER BY k.conrelid, k.conname"""

_CATEGORIES: dict[str, TypeFamily] = {"B": "boolean", "E": "text", "S": "text", "I": "text"}
"""`pg_type.typcategory` -> family. Numbers (N) and dates (D) are told by name, what a user made (U) in `_USER`."""
_USER: dict[str, TypeFamily] = {"uuid": "text", "bytea": "binary"}

_Names = dict[tuple[str, int], str]


def read_catalog(query: Query, facts: Facts, schemas: Sequence[str], *, infer: bool) -> Catalog:
    """Read everything a caller could name; `query` runs a statement and returns its rows. `schemas`: () for all."""
    tables, alike = read_tables(query, schemas)
    return finished(
        "postgres", tables, query, default_schema=facts.schema, default_catalog=facts.database,
        infer=infer, budget=_BUDGET, left_out=alike,
    )  # fmt: skip


def read_tables(
    query: Query, schemas: Sequence[str], *, withheld: bool = False
) -> tuple[list[Table], tuple[str, ...]]:
    """The tables without anything that is measured, and the names of those left out.

    `withheld`: also what the role may not SELECT, for a reader behind a wall: a star stands for those columns too.
    """
    relations = [row for row in query(_RELATIONS) if not schemas or row[1] in schemas]
    names: _Names = {}
    columns: dict[str, list[Column]] = defaultdict(list)
    for table, number, name, kind, nullable, comment, category, base in query(
        _COLUMNS.replace(_GRANTED, "") if withheld else _COLUMNS
    ):
        names[table, number] = name
        columns[table].append(Column(name, kind, _family(category, base), bool(nullable), comment))
    unique: dict[str, list[tuple[bool, tuple[str, ...]]]] = defaultdict(list)
    for table, primary, numbers in query(_UNIQUE):
        if (key := _named(names, table, numbers)) is not None:
            unique[table].append((primary, key))
    listed = {row[0]: f"{row[1]}.{row[2]}" for row in relations if columns[row[0]]}
    foreign: dict[str, list[ForeignKey]] = defaultdict(list)
    for table, own, other, referred in query(_FOREIGN):
        key, to = _named(names, table, own), _named(names, other, referred)
        if key is not None and to is not None and other in listed:
            foreign[table].append(ForeignKey(key, listed[other], to))
    tables = [
        _table(row, columns[row[0]], unique[row[0]], foreign[row[0]]) for row in relations if row[0] in listed
    ]
    alike = differing_in_case(tables)  # policy and semantic model name tables in any case
    return [table for table in tables if table.qualified not in alike], alike


def with_withheld(catalog: Catalog, query: Query, schemas: Sequence[str]) -> Catalog:
    """The catalogue with all columns of its tables: who may see which is the policy's to say, and the wall's to hold."""
    whole = {table.qualified: table for table in read_tables(query, schemas, withheld=True)[0]}
    tables = tuple(_filled(table, whole[table.qualified]) for table in catalog.tables)
    return replace(catalog, tables=tables)


def _filled(table: Table, whole: Table) -> Table:
    return replace(table, columns=tuple(table.column(c.name) or c for c in whole.columns))


def _table(
    row: tuple[Any, ...],
    columns: Iterable[Column],
    unique: Sequence[tuple[bool, tuple[str, ...]]],
    foreign: Iterable[ForeignKey],
) -> Table:
    _, schema, name, relkind, comment, rows, populated = row
    stored = relkind in ("r", "p") or (relkind == "m" and populated)
    return Table(
        name=name,
        columns=tuple(columns),
        schema=schema,
        primary_key=next((key for primary, key in unique if primary), ()),
        unique=tuple(dict.fromkeys(key for primary, key in unique if not primary)),
        foreign_keys=tuple(foreign),
        rows=rows if stored else None,
        comment=comment,
        kind="table" if stored else "view",
    )


def _family(category: str, base: str) -> TypeFamily:
    if category == "N":
        return "integer" if base == "oid" else family(base)
    if category == "D":
        return family(base)
    if category == "U":
        return _USER.get(base, "other")
    return _CATEGORIES.get(category, "other")


def _named(names: _Names, table: str, numbers: Sequence[int]) -> tuple[str, ...] | None:
    """The columns of these numbers; None when the role may not see one of them."""
    found = [names.get((table, number)) for number in numbers]
    return tuple(name for name in found if name is not None) if found and None not in found else None
