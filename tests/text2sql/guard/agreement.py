"""What the guard says of a draft beside what the engine says when it prepares it.

    python -m tests.text2sql.guard.agreement sqlite [--folder DIR] [--count N] [--seed N] [--show N]

`--folder`: a text2sql set (`questions.jsonl`, `databases/`, `predictions/`) to make mistakes in; without it, the
awkward schema of the tests. What the guard refuses on purpose (see `INTENDED`) is not counted.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import psycopg

from retrieval.types import Principal
from tests.text2sql.guard.mutating import mutant
from tests.text2sql.guard.slips import FOLDER, Names
from text2sql.ddl import catalog_from_ddl
from text2sql.guard import SqlGuard
from text2sql.guard.allowlist import allowlist
from text2sql.types import Catalog, Dialect, Verdict
from text2sql.warehouses import open_warehouse

SCHEMA = (FOLDER / "schema.sql").read_text(encoding="utf-8")
CALLER = Principal("eval")
INTENDED = frozenset({
    "not_a_query", "not_read_only", "placeholder", "hint", "recursion", "unbounded", "too_deep", "too_long", "whole_row",
    "collation",
})  # fmt: skip
"""Codes of refusals that are not about whether the engine would run it."""
Prepare = Callable[[str], str]
"""The engine's complaint, "" for none."""


@dataclass
class Cells:
    """The four cells, and what is in the two that should be empty: by the engine's or the guard's complaint."""

    agreed_runs: int = 0
    agreed_fails: int = 0
    passed: list[tuple[str, str, str]] = field(default_factory=list)
    """Fails, but the guard lets it pass: mistake, complaint of the engine, draft."""
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    """Runs, but the guard refuses it: mistake, complaint of the guard, draft."""
    intended: Counter[str] = field(default_factory=Counter)

    @property
    def recall(self) -> float:
        """Share of the failing drafts that are refused."""
        return self.agreed_fails / max(1, self.agreed_fails + len(self.passed))

    @property
    def precision(self) -> float:
        """Share of the refused drafts that fail."""
        return self.agreed_fails / max(1, self.agreed_fails + len(self.refused))

    @property
    def kept(self) -> float:
        """Share of the running drafts that are accepted."""
        return self.agreed_runs / max(1, self.agreed_runs + len(self.refused))

    def add(self, mistake: str, draft: str, verdict: Verdict, complaint: str, dialect: Dialect) -> None:
        """Count one draft."""
        if not verdict.allowed and on_purpose(verdict, dialect):
            self.intended[verdict.violations[0].code] += 1
        elif verdict.allowed and complaint:
            self.passed.append((mistake, complaint, draft))
        elif verdict.allowed:
            self.agreed_runs += 1
        elif complaint:
            self.agreed_fails += 1
        else:
            found = verdict.violations[0]
            self.refused.append((mistake, f"{found.code}: {found.message}", draft))


def on_purpose(verdict: Verdict, dialect: Dialect) -> bool:
    """Whether a refusal is of something that the engine may well run."""
    found = verdict.violations[0]
    if found.code in INTENDED:
        return True
    if found.code == "many_statements" or (found.code == "node" and found.subject == "Match"):
        return True  # drivers differ; MATCH wants tables that we have none of
    if dialect == "sqlite" and found.code == "unknown_column" and found.subject.startswith('"'):
        return True  # SQLite takes it for a text
    excluded = allowlist(dialect).excluded
    return found.code == "function" and found.subject.lower() in excluded


def compare(
    seeds: Sequence[str], names: Names, catalog: Catalog, prepare: Prepare, count: int, chance: random.Random
) -> Cells:
    """So many mutants of the seeds through guard and engine."""
    guard, cells = SqlGuard(), Cells()
    done: set[str] = set()
    tries = 0
    while len(done) < count and tries < count * 4:
        tries += 1
        made = mutant(chance.choice(seeds), chance.choice(seeds), names, chance)
        if made is None or made[1] in done:
            continue
        mistake, draft = made
        done.add(draft)
        cells.add(mistake, draft, guard.check(draft, catalog, CALLER), prepare(draft), catalog.dialect)
    return cells


def names_of(catalog: Catalog) -> Names:
    """The names of a catalogue as statements write them."""
    columns = {c.name for t in catalog.tables for c in t.columns}
    return Names([_written(t.name) for t in catalog.tables], sorted(_written(c) for c in columns))


def _written(name: str) -> str:
    return name if name.isidentifier() and name.islower() else f'"{name}"'


def seeds(dialect: Dialect) -> list[str]:
    """The seed queries for an engine, over the awkward schema."""
    files = [FOLDER / "everywhere.sql", FOLDER / f"{dialect}.sql"]
    return [s.strip() for f in files for s in f.read_text(encoding="utf-8").split(";\n") if s.strip()]


def awkward(dialect: Dialect) -> Catalog:
    """The catalogue of the awkward schema."""
    return catalog_from_ddl(SCHEMA, dialect)


# Engines.


@contextmanager
def sqlite_engine(path: Path | None = None) -> Iterator[Prepare]:
    """EXPLAIN on a SQLite database, and its first row: some errors (MATCH) show only then. Without a path, the awkward schema."""
    connection = sqlite3.connect(f"file:{path}?mode=ro" if path else ":memory:", uri=path is not None)
    if path is None:
        connection.executescript(SCHEMA)
        for table in awkward("sqlite").tables:
            connection.execute(f'INSERT INTO "{table.name}" VALUES ({", ".join("1" * len(table.columns))})')
        connection.commit()
    connection.execute("PRAGMA query_only = on")

    def prepare(draft: str) -> str:
        try:
            connection.execute(f"EXPLAIN {draft}")
            connection.set_progress_handler(lambda: 1, 100_000)
            connection.execute(draft).fetchone()
        except (sqlite3.Error, sqlite3.Warning, UnicodeError, ValueError) as error:
            return "" if str(error) == "interrupted" else str(error) or type(error).__name__
        finally:
            connection.set_progress_handler(None, 0)
        return ""

    with closing(connection):
        yield prepare


@contextmanager
def duckdb_engine(schema: str = SCHEMA) -> Iterator[Prepare]:
    """EXPLAIN on DuckDB, which holds this schema."""
    with duckdb.connect() as connection:
        connection.execute(schema)
        connection.execute("SET enable_external_access = false")

        def prepare(draft: str) -> str:
            try:
                if len(connection.extract_statements(draft)) != 1:
                    return "not one statement"
                connection.execute(f"EXPLAIN {draft}")
            except duckdb.Error as error:
                return str(error).split("\n")[0] or "failed"
            return ""

        yield prepare


@contextmanager
def postgres_engine(url: str, schema: str = SCHEMA) -> Iterator[Prepare]:
    """EXPLAIN on PostgreSQL, in a transaction that is undone."""
    with psycopg.connect(url) as connection:
        connection.execute(schema.encode())

        def prepare(draft: str) -> str:
            try:
                with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                    cursor.execute(b"PREPARE draft AS " + draft.encode())
                    cursor.execute(b"EXPLAIN EXECUTE draft")
            except psycopg.Error as error:
                return str(error).split("\n")[0] or "failed"
            finally:
                connection.execute(b"DEALLOCATE ALL")
            return ""

        yield prepare
        connection.rollback()


# The long way.


def _sets(folder: Path) -> dict[str, list[str]]:
    """Statements of a set by database: its gold and what was predicted for it."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found[row["db"]].append(row.get("gold_sql_sqlite") or row["gold_sql"])
    for path in sorted((folder / "predictions").glob("*.jsonl")) if (folder / "predictions").is_dir() else ():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found[row["db"]].append(row["pred_sql"])
    return found


def _of_folder(folder: Path, count: int, chance: random.Random) -> Cells:
    together = Cells()
    sets = _sets(folder)
    for db, statements in sets.items():
        paths = [folder / d / f"{db}.sqlite" for d in ("databases", "sqlite")]
        path = next((p for p in paths if p.exists()), None)
        if path is None:
            continue
        warehouse = open_warehouse(f"sqlite:///{path}")
        catalog = warehouse.catalog()
        with sqlite_engine(path) as prepare:
            share = max(1, count // len(sets))
            running = [s for s in statements if s and s.strip() and not prepare(s)]
            cells = compare(running, names_of(catalog), catalog, prepare, share, chance)
        warehouse.close()
        together.agreed_runs += cells.agreed_runs
        together.agreed_fails += cells.agreed_fails
        together.passed += [(m, c, f"[{db}] {d}") for m, c, d in cells.passed]
        together.refused += [(m, c, f"[{db}] {d}") for m, c, d in cells.refused]
        together.intended += cells.intended
    return together


def _print(cells: Cells, show: int) -> None:
    counts = (
        f"fails and refused {cells.agreed_fails}, runs and accepted {cells.agreed_runs}, "
        f"fails and accepted {len(cells.passed)}, runs and refused {len(cells.refused)}, on purpose {dict(cells.intended)}"
    )
    lines = [
        counts,
        f"recall {cells.recall:.4f}, precision of refusal {cells.precision:.4f}, running kept {cells.kept:.4f}",
    ]
    for title, found in (("FAILS, ACCEPTED", cells.passed), ("RUNS, REFUSED", cells.refused)):
        classes: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for mistake, complaint, draft in found:
            classes["".join(" " if c.isdigit() else c for c in complaint)[:46]].append(
                (f"{mistake}: {complaint}", draft)
            )
        for _, members in sorted(classes.items(), key=lambda item: -len(item[1])):
            lines.append(f"{title} {len(members)}×: {members[0][0]}")
            lines += [f"      {draft!r}" for _, draft in members[:show]]
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="agreement", description=__doc__)
    parser.add_argument("dialect", choices=["sqlite", "duckdb", "postgres"])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--url", default="", help="a PostgreSQL database that may be written to")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    if given.folder is not None:
        _print(_of_folder(given.folder, given.count, chance), given.show)
        return
    engines = {
        "sqlite": sqlite_engine,
        "duckdb": duckdb_engine,
        "postgres": lambda: postgres_engine(given.url),
    }
    catalog = awkward(given.dialect)
    with engines[given.dialect]() as prepare:
        _print(
            compare(seeds(given.dialect), names_of(catalog), catalog, prepare, given.count, chance),
            given.show,
        )


if __name__ == "__main__":
    main()
