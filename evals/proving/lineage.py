"""What a statement reads, as the guard says and as SQLite itself does: its authorizer is asked for every column it resolves.

The two are compared under five rules, each of which is counted:
- a table of which no column is read (`COUNT(*)`, `SELECT 1`) is reported by the authorizer with an empty column;
- what a view reads is reported inside the view, and the view's own columns beside it: only the view was named;
- `rowid` has no name in a catalogue, save that it is the column that is the integer key;
- the columns that USING and NATURAL compare are asked for on the side that is shown, if any: of the tables beside such a
  join, neither these columns nor, where there is no other, the table need agree.
- a WITH query called like a table, of which no column is read, is told like that table.
A WITH query that is never used is not resolved by SQLite at all: the statement is compared without it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlglot import exp

from evals.proving.reading import tree_of
from text2sql.types import Catalog

Reads = frozenset[tuple[str, str]]
"""(table, column), folded; column "" for the table itself."""


@dataclass(frozen=True)
class Read:
    """What SQLite read: tables and columns, and which rules were needed to say so."""

    tables: frozenset[str]
    columns: Reads
    rules: frozenset[str]


@dataclass(frozen=True)
class Lineage:
    """Whether both say the same; `problem` is what differs, `rules` what had to be allowed for."""

    same: bool
    rules: tuple[str, ...] = ()
    problem: str = ""


def read_by_sqlite(connection: sqlite3.Connection, sql: str, catalog: Catalog) -> Read | None:
    """What preparing the statement reads; None where SQLite does not take it."""
    asked: set[tuple[str, str, str]] = set()

    def ask(action: int, table: str | None, column: str | None, _: str | None, inside: str | None) -> int:
        if action == sqlite3.SQLITE_READ:
            asked.add(((table or "").lower(), (column or "").lower(), (inside or "").lower()))
        return sqlite3.SQLITE_OK

    # Another text than any that was prepared before: a statement that is kept is not asked for again.
    connection.set_authorizer(ask)
    try:
        connection.execute(f"EXPLAIN {sql}").close()
    except (sqlite3.Error, sqlite3.Warning):
        return None
    finally:
        connection.set_authorizer(None)
    views = {t.name.lower() for t in catalog.tables if t.kind == "view"}
    known = {t.name.lower(): {c.name.lower() for c in t.columns} for t in catalog.tables}
    direct = {(table, column) for table, column, inside in asked if inside not in views}
    rules = {"view"} if len(direct) < len({(t, c) for t, c, _ in asked}) else set()
    if any(not column for _, column in direct):
        rules.add("no column")
    if any(column == "rowid" and column not in known.get(table, ()) for table, column in direct):
        rules.add("rowid")
    columns = frozenset((t, c) for t, c in direct if c in known.get(t, ()))
    return Read(frozenset(t for t, _ in direct if t in known), columns, frozenset(rules))


def compared(
    sql: str, tables: tuple[str, ...], columns: tuple[str, ...], read: Read, catalog: Catalog
) -> Lineage:
    """The guard's tables and `table.column`s beside what SQLite read."""
    said = frozenset(name.lower() for name in tables)
    named = frozenset(_pair(column, said) for column in columns)
    missing = (read.tables - said, read.columns - named)
    more = (said - read.tables, named - read.columns)
    rules = set(read.rules)
    if any(missing) or any(more):
        free, named_with = _merged(sql, catalog)
        beside = {table for table, _ in free}
        if (missing[1] | more[1]) & free or more[0] & beside:
            rules.add("USING")
        # A WITH query of which no column is read is told by its name, as a table is.
        unread = missing[0] & named_with - {table for table, _ in read.columns}
        rules |= {"WITH of a table's name"} if unread else set()
        missing = (missing[0] - unread, missing[1] - free)
        more = (more[0] - beside, more[1] - free)
    problem = "; ".join(
        f"{label}: {', '.join(sorted(map(_told, found)))}"
        for label, found in (
            ("SQLite alone reads", missing[0] | missing[1]), ("the guard alone names", more[0] | more[1]),
        )
        if found
    )  # fmt: skip
    return Lineage(not problem, tuple(sorted(rules)), problem)


def _told(found: str | tuple[str, str]) -> str:
    return found if isinstance(found, str) else ".".join(found)


def _pair(column: str, tables: frozenset[str]) -> tuple[str, str]:
    """`table.column` parted where a table of the statement ends: names may hold dots."""
    folded = column.lower()
    owner = max((t for t in tables if folded.startswith(f"{t}.")), key=len, default=folded.rpartition(".")[0])
    return owner, folded[len(owner) + 1 :]


def _merged(sql: str, catalog: Catalog) -> tuple[Reads, frozenset[str]]:
    """The columns that USING and NATURAL may read without SQLite asking for them; names of WITH queries."""
    tree = tree_of(sql, "sqlite")
    if tree is None:
        return frozenset(), frozenset()
    known = {t.name.lower(): {c.name.lower() for c in t.columns} for t in catalog.tables}
    may: set[tuple[str, str]] = set()
    for join in tree.find_all(exp.Join):
        using = {each.name.lower() for each in join.args.get("using") or ()}
        if not using and join.args.get("method") != "NATURAL":
            continue
        right = join.this.name.lower() if isinstance(join.this, exp.Table) else ""
        around = join.parent_select
        others = {node.name.lower() for node in around.find_all(exp.Table)} if around is not None else set()
        columns = using or {c for t in others | {right} for c in known.get(t, ())}
        may |= {(t, c) for t in others | {right} for c in columns & known.get(t, set())}
    return frozenset(may), frozenset(cte.alias.lower() for cte in tree.find_all(exp.CTE))
