"""What the guard says of the text2sql sets: published gold must be allowed, drafts that fail should be refused.

- gold: every one must be allowed, and on SQLite what we write out must give the gold's result (of spider_train
  every N-th);
- published drafts of 21 systems on spider: those that fail in SQLite should be refused, those that run allowed;
- statements that do more than read: all refused.
By static checks alone: nothing is asked of the engine.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.types import Catalog, Dialect, Verdict

CALLER = Principal("bench")
SECONDS = 3.0


@dataclass
class Tally:
    """How a set went: statements, refusals by code, results that differ, milliseconds a check."""

    checked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    different: int = 0
    times: list[float] = field(default_factory=list)

    def check(self, sql: str, catalog: Catalog) -> Verdict:
        started = time.perf_counter()
        verdict = SqlGuard().check(sql, catalog, CALLER)
        self.times.append((time.perf_counter() - started) * 1000)
        self.checked += 1
        if not verdict.allowed:
            self.refused[verdict.violations[0].code] += 1
        return verdict

    def __str__(self) -> str:
        ordered = sorted(self.times) or [0.0]
        p50, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        refused = f"{sum(self.refused.values())} {dict(self.refused) or ''}"
        compared = f"; {self.different} of {self.compared} results differ" if self.compared else ""
        return f"{self.checked} checked, refused {refused}{compared}; p50 {p50:.2f} ms, p95 {p95:.2f} ms"


@cache
def database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


@cache
def catalog_of(path: Path) -> Catalog:
    sql = (
        "SELECT sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    )
    return catalog_from_ddl(";\n".join(row[0] for row in database(path).execute(sql)), "sqlite")


@cache
def catalog_of_ddl(path: Path, dialect: Dialect) -> Catalog:
    return catalog_from_ddl(path.read_text(encoding="utf-8"), dialect)


def run(path: Path, sql: str) -> Counter[str] | str:
    """The rows as a bag, or the engine's complaint."""
    connection, until = database(path), time.monotonic() + SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
    try:
        return Counter(map(repr, connection.execute(sql).fetchall()))
    except sqlite3.Error as error:
        return str(error)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def gold_of_sqlite(folder: Path, every: int) -> Tally:
    tally = Tally()
    for number, line in enumerate(lines(folder / "questions.jsonl")):
        path = folder / "databases" / f"{line['db']}.sqlite"
        if not path.exists() or not line["gold_executes"]:
            continue
        compare(tally, path, line["gold_sql"], wanted=number % every == 0)
    return tally


def compare(tally: Tally, path: Path, sql: str, *, wanted: bool = True) -> None:
    verdict = tally.check(sql, catalog_of(path))
    if not verdict.allowed:
        print(f"   refused {verdict.violations[0].code}: {sql[:160]}")
    elif wanted and not isinstance(gold := run(path, sql), str):
        tally.compared += 1
        if run(path, verdict.sql) != gold:
            tally.different += 1
            print(f"   differs: {sql[:160]}\n        as: {verdict.sql[:160]}")


def gold_of_defog(folder: Path) -> tuple[Tally, Tally]:
    postgres, sqlite = Tally(), Tally()
    for line in lines(folder / "questions.jsonl"):
        verdict = postgres.check(
            line["gold_sql"], catalog_of_ddl(folder / "schemas" / f"{line['db']}.postgres.sql", "postgres")
        )
        if not verdict.allowed:
            print(f"   refused {verdict.violations[0].code}: {line['gold_sql'][:160]}")
        if line["gold_sqlite_executes"]:
            compare(sqlite, folder / "sqlite" / f"{line['db']}.sqlite", line["gold_sql_sqlite"])
    return postgres, sqlite


def shop_of_japan(folder: Path) -> tuple[Tally, Tally]:
    catalog = catalog_of_ddl(folder / "schema.postgres.sql", "postgres")
    reads, writes = Tally(), Tally()
    for line in lines(folder / "questions.jsonl"):
        if not line["read_only_select"]:
            writes.check(line["gold_sql"], catalog)
        elif line["gold_executes"]:
            reads.check(line["gold_sql"], catalog)
    return reads, writes


def drafts(folder: Path) -> None:
    """Published drafts: what the engine refuses should be refused, what it runs allowed."""
    tally, outcome = Tally(), Counter[tuple[bool, bool]]()
    for file in sorted((folder / "predictions").glob("*.jsonl")):
        for line in lines(file):
            path = folder / "databases" / f"{line['db']}.sqlite"
            fails = isinstance(run(path, line["pred_sql"]), str)
            allowed = tally.check(line["pred_sql"], catalog_of(path)).allowed
            outcome[fails, allowed] += 1
            if fails == allowed:
                print(
                    f"   {'fails but passes' if fails else 'runs but is refused'}: {line['pred_sql'][:160]}"
                )
    caught, passed, stopped = outcome[True, False], outcome[True, True], outcome[False, False]
    precision, recall = caught / ((caught + stopped) or 1), caught / ((caught + passed) or 1)
    print(f"drafts of spider: {caught + passed} fail, {passed} of them pass; {stopped} that run are refused")
    print(f"   precision {precision:.3f}, recall {recall:.3f}; {tally}")


def show(data: Path, every: int) -> None:
    """Print the figures of every set that is in the folder."""
    if (data / "spider").is_dir():
        print(f"gold of spider: {gold_of_sqlite(data / 'spider', 1)}")
    if (data / "spider_train").is_dir():
        print(f"gold of spider_train: {gold_of_sqlite(data / 'spider_train', every)}")
    if (data / "defog").is_dir():
        postgres, sqlite = gold_of_defog(data / "defog")
        print(f"gold of defog, PostgreSQL: {postgres}\ngold of defog, SQLite: {sqlite}")
    if (data / "jp_supermarket_pos").is_dir():
        reads, writes = shop_of_japan(data / "jp_supermarket_pos")
        print(f"gold of jp_supermarket_pos: {reads}\nits tasks that write: {writes}")
    if (data / "spider").is_dir():
        drafts(data / "spider")
