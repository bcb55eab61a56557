"""What a statement reads, as the guard says and as SQLite itself does: its authorizer is asked for every column it resolves.

The two are compared under four rules, each of which is counted:
- a table of which no column is read (`COUNT(*)`, `SELECT 1`) is reported by the authorizer with an empty column;
- what a view reads is reported inside the view, and the view's own columns beside it: only the view was named;
- `rowid` has no name in a catalogue, save that it is the column that is the integer key;
- a WITH query that is never used is not resolved by SQLite at all, and the right side of USING and NATURAL is not asked
  for: the guard, which reads everything that is written, may name more, and only there.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

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


def compared(sql: str, tables: tuple[str, ...], columns: tuple[str, ...], read: Read) -> Lineage:
    """The guard's tables and `table.column`s beside what SQLite read."""
    said = frozenset(name.lower() for name in tables)
    named = frozenset(_pair(column, said) for column in columns)
    missing = (read.tables - said, read.columns - named)
    more = (said - read.tables, named - read.columns)
    rules = set(read.rules)
    if any(more) and not any(missing):
        unused, merged, joined = _unread(sql)
        left = {pair for pair in more[1] if pair[0] not in unused and pair[1] not in merged}
        if not left and more[0] <= unused | joined:
            rules |= ({"unused WITH"} if unused else set()) | ({"USING"} if joined else set())
            more = (frozenset(), frozenset())
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


def _unread(sql: str) -> tuple[set[str], set[str], set[str]]:
    """Tables of WITH queries that nothing uses; columns that USING merges; tables right of USING and NATURAL."""
    try:
        tree = parse_one(sql, read="sqlite")
    except (SqlglotError, RecursionError):
        return set(), set(), set()
    named = [node.name.lower() for node in tree.find_all(exp.Table)]
    unused: set[str] = set()
    for cte in tree.find_all(exp.CTE):
        if cte.alias.lower() not in named:
            unused |= {node.name.lower() for node in cte.find_all(exp.Table)}
    merged: set[str] = set()
    joined: set[str] = set()
    for join in tree.find_all(exp.Join):
        merged |= {each.name.lower() for each in join.args.get("using") or ()}
        if join.args.get("using") or join.args.get("method") == "NATURAL":
            joined.add(join.this.name.lower())
    return unused, merged, joined
