"""What is wrong with gold: each question on its own, then each beside the others.

fails             the engine does not run it                    slow            no result in the time given
empty             no row                                        null            nothing but NULL
cut               LIMIT cuts between rows that are equal in order (or has no ORDER BY): which come is chance
ties              listed by ORDER BY, but equal rows stand in any order: comparing as a list is chance
order_sensitive   other rows when the engine reads tables backwards (SQLite: a column that is not grouped)
nondeterministic  depends on the clock or on chance
alternatives      statements called equally right give other rows
ambiguous         the same words asked of the same database have another result elsewhere in the set
duplicate         the same words and the same result as an earlier question
constant          the same result on other instances of the data: a guess would be right
mutants           small mistakes in it go unnoticed: they give the same rows on this data
unparsed          cannot be read, so that ties and mutants were not looked for
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlglot import parse_one
from sqlglot.errors import SqlglotError

from evals.cases import Case
from evals.comparing import is_ordered
from evals.drafting.opened import Opened, opened
from evals.drafting.places import Place
from evals.mutants import mutants
from evals.order_free import changing, settled_both_ways, ungrouped_both_ways
from retrieval.language import fold
from text2sql.errors import QueryTimeout, WarehouseError
from text2sql.same_rows import Grid, same_rows

VERSION = "audit 1"
CODES = (
    "fails", "slow", "empty", "null", "cut", "ties", "order_sensitive", "nondeterministic", "alternatives",
    "ambiguous", "duplicate", "constant", "mutants", "unparsed",
)  # fmt: skip
MUTANT_SECONDS = 2.0
ALTERNATIVES = 16
"""Alternatives that are run, of those that a set spells out."""
_ROWS_TO_MUTATE = 20_000
_MARKS = re.compile(r"[\s?.!,;:。、？！]+")


@dataclass(frozen=True, slots=True)
class Audited:
    """A question, its database, and other instances of it."""

    case: Case
    place: Place
    instances: tuple[Place, ...] = ()
    seconds: float = 5.0
    mutate: bool = True


def audit(item: Audited) -> dict[str, Any]:
    """One question as a row: its findings, each with a code and what was seen."""
    started = time.perf_counter()
    case, at = item.case, opened(item.place)
    row: dict[str, Any] = {"id": case.id, "db": case.db, "status": "ok", "findings": []}
    found: list[dict[str, str]] = row["findings"]
    try:
        wanted = at.gold(case.gold[0], item.seconds)
    except QueryTimeout as error:
        found.append(_finding("slow", error.what))
        return {**row, "seconds": time.perf_counter() - started}
    except WarehouseError as error:
        found.append(_finding("fails", error.what))
        return {**row, "seconds": time.perf_counter() - started}
    row.update(rows=wanted.height, result=digest(wanted), asked=asked(case.question))
    if wanted.empty:
        found.append(_finding("null" if wanted.height else "empty", f"{wanted.height} rows"))
    if when := changing(case.gold[0], case.dialect):
        found.append(_finding("nondeterministic", ", ".join(when)))
    found += _unsettled(item, at, wanted)
    found += _alternatives(item, at, wanted)
    found += _constant(item, wanted)
    if item.mutate and not wanted.empty:
        survivors, tried = _survivors(item, at, wanted)
        kinds = Counter(kind for kind, _ in survivors)
        row.update(mutants=tried, survivors=dict(sorted(kinds.items())))
        if survivors:
            kind, sql = survivors[0]
            found.append(_finding("mutants", f"{len(survivors)} of {tried}, as {kind}: {sql[:200]}"))
    return {**row, "seconds": time.perf_counter() - started}


def asked(question: str) -> str:
    """A question as it is compared with others: without case, width and marks."""
    return _MARKS.sub(" ", fold(question)).strip()


def digest(grid: Grid) -> str:
    """The rows of a result in any order, floats to 6 digits, as 16 hex digits."""
    columns = [[round(v, 6) if isinstance(v, float) else v for v in column] for column in grid.columns]
    rows = sorted(repr(row) for row in zip(*columns, strict=True))
    return hashlib.sha256(repr((len(grid.columns), rows)).encode()).hexdigest()[:16]


def among_others(rows: Sequence[dict[str, Any]]) -> None:
    """Add what only the whole set shows: questions asked twice, with the same result or with another."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        if row.get("asked"):
            groups.setdefault((row["db"], row["asked"]), []).append(row)
    for group in groups.values():
        first = group[0]
        for row in group[1:]:
            if row["result"] == first["result"]:
                row["findings"].append(_finding("duplicate", f"as {first['id']}"))
        if len({row["result"] for row in group}) > 1:
            for row in group:
                others = [other["id"] for other in group if other["result"] != row["result"]]
                row["findings"].append(_finding("ambiguous", f"other rows than {', '.join(others[:5])}"))


def _unsettled(item: Audited, at: Opened, wanted: Grid) -> list[dict[str, str]]:
    case, sql = item.case, item.case.gold[0]
    try:
        parse_one(sql, read=case.dialect)
    except (SqlglotError, RecursionError):
        return [_finding("unparsed", "sqlglot cannot read it")]
    both = settled_both_ways(sql, case.dialect, len(wanted.columns))
    results = [_rows(at, text, item.seconds) for text in both] if both else []
    if len(results) == 2 and results[0] is not None and results[1] is not None:
        if not same_rows(results[0], results[1]):
            return [_finding("cut", "rows that are equal in order are cut apart")]
        if is_ordered(sql, case.dialect) and not same_rows(results[0], results[1], ordered=True):
            return [_finding("ties", "equal rows are listed in any order")]
    if item.place.engine == "sqlite":
        either = ungrouped_both_ways(sql, case.dialect)
        ends = [_rows(at, text, item.seconds) for text in either] if either else []
        if len(ends) == 2 and ends[0] is not None and ends[1] is not None and not same_rows(ends[0], ends[1]):
            return [_finding("order_sensitive", "a column beside aggregates is not grouped: any row's value")]
        backwards = _backwards(item.place, sql, len(wanted.columns), item.seconds)
        if backwards is not None and not same_rows(wanted, backwards):
            return [_finding("order_sensitive", "other rows when tables are read backwards")]
    return []


def _alternatives(item: Audited, at: Opened, wanted: Grid) -> list[dict[str, str]]:
    """Alternatives may show other columns of the same rows: each must share its columns with one that agrees."""
    left: list[tuple[str, Grid]] = []
    for sql in item.case.gold[1 : 1 + ALTERNATIVES]:
        other = _rows(at, sql, item.seconds)
        if other is None:
            return [_finding("alternatives", f"does not run: {sql[:200]}")]
        left.append((sql, other))
    agreed = [wanted]
    while joined := [each for each in left if any(_related(each[1], known) for known in agreed)]:
        agreed += [grid for _, grid in joined]
        left = [each for each in left if each not in joined]
    return [_finding("alternatives", f"other rows: {left[0][0][:200]}")] if left else []


def _related(one: Grid, other: Grid) -> bool:
    return same_rows(one, other, columns="subset") or same_rows(other, one, columns="subset")


def _constant(item: Audited, wanted: Grid) -> list[dict[str, str]]:
    if not item.instances or wanted.empty:
        return []
    for place in item.instances:
        other = _rows(opened(place), item.case.gold[0], item.seconds)
        if other is None or not same_rows(wanted, other):
            return []
    return [_finding("constant", f"the same rows on {len(item.instances)} other instances")]


def _survivors(item: Audited, at: Opened, wanted: Grid) -> tuple[list[tuple[str, str]], int]:
    """Mutants that give the same rows, and how many ran; those that fail or take too long are not counted."""
    if wanted.height > _ROWS_TO_MUTATE:
        return [], 0
    ordered = is_ordered(item.case.gold[0], item.case.dialect)
    survivors, tried = [], 0
    for mutant in mutants(item.case.gold[0], item.case.dialect):
        other = _rows(at, mutant.sql, min(item.seconds, MUTANT_SECONDS))
        if other is None:
            continue
        tried += 1
        if same_rows(wanted, other, ordered=ordered):
            survivors.append((mutant.kind, mutant.sql))
    return survivors, tried


def _rows(at: Opened, sql: str, seconds: float) -> Grid | None:
    try:
        return at.gold(sql, seconds)
    except WarehouseError:
        return None


def _backwards(place: Place, sql: str, width: int, seconds: float) -> Grid | None:
    """The rows when SQLite reads tables from their end wherever no order is asked for."""
    until = time.monotonic() + seconds
    try:
        with closing(sqlite3.connect(f"file:{quote(place.url)}?mode=ro&immutable=1", uri=True)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            connection.execute("PRAGMA reverse_unordered_selects = ON")
            connection.set_progress_handler(lambda: time.monotonic() > until, 20_000)
            return Grid.of(connection.execute(sql).fetchall(), width)
    except (sqlite3.Error, sqlite3.Warning, OverflowError):
        return None


def _finding(code: str, seen: str) -> dict[str, str]:
    return {"code": code, "seen": seen}
