"""The proof over a whole set: lots of statements of one database, each under random policies, in any worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evals.proving.bases import DuckdbBase, SqliteBase, to_duckdb
from evals.proving.copies import Base
from evals.proving.drawing import drawn
from evals.proving.guards import Asked, answer, verdict
from evals.proving.lineage import compared, read_by_sqlite
from evals.proving.proof import Proof, counted
from evals.proving.with_queries import without_unused
from retrieval.types import Principal

VERSION = "proof 1"
Engine = Literal["sqlite", "duckdb", "postgres"]
_SHOWN = 20
"""Failures of one lot that are told whole."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Statements of one database under policies drawn from these seeds. `path`: a file, or the URL of a server."""

    id: str
    engine: Engine
    db: str
    path: str
    scratch: str
    seeds: tuple[int, ...]
    statements: tuple[str, ...]


_OPEN: dict[tuple[str, str], Base] = {}


def opened(lot: Lot) -> Base:
    """The database of a lot, one at a time kept open in this process."""
    key = lot.engine, lot.path
    if key not in _OPEN:
        close_all()
        _OPEN[key] = _open(lot)
    return _OPEN[key]


def _open(lot: Lot) -> Base:
    if lot.engine == "sqlite":
        return SqliteBase(Path(lot.path))
    if lot.engine == "postgres":
        from evals.proving.postgres_base import PostgresBase

        return PostgresBase(lot.path)
    target = Path(lot.scratch) / f"{lot.db}.duckdb"
    if not target.exists():
        to_duckdb(Path(lot.path), target)
    return DuckdbBase(target)


def close_all() -> None:
    """Let go of what this process has open."""
    while _OPEN:
        _OPEN.popitem()[1].close()


def prove(lot: Lot) -> dict[str, Any]:
    """One lot as a row: outcomes counted, failures with all that is needed to see them again, lineage beside."""
    base = opened(lot)
    proof = Proof(_ours, base)
    counts: Counter[tuple[str, str]] = Counter()
    failures: list[dict[str, Any]] = []
    for seed in lot.seeds:
        posed = drawn(base.catalog, base.data, seed)
        pairs = proof.pairs(posed, lot.statements)
        for outcome, hows in counted(pairs).items():
            counts.update({(outcome, how): n for how, n in hows.items()})
        failures += [pair.failure(posed) for pair in pairs if pair.outcome == "differs"]
    nested: dict[str, dict[str, int]] = {}
    for (outcome, how), n in sorted(counts.items()):
        nested.setdefault(outcome, {})[how] = n
    return {
        "id": lot.id,
        "engine": lot.engine,
        "db": lot.db,
        "status": "ok",
        "statements": len(lot.statements),
        "accepted": sum(proof.accepted(sql) for sql in lot.statements),
        "outcomes": nested,
        "failures": failures[:_SHOWN],
        **({"lineage": _lineage(base, lot.statements)} if isinstance(base, SqliteBase) else {}),
    }


def _ours(sql: str, asked: Asked) -> Any:
    return answer(verdict(sql, asked))


def _lineage(base: SqliteBase, statements: Sequence[str]) -> dict[str, Any]:
    """Of statements that are accepted without a policy, on the original file."""
    rules: Counter[str] = Counter()
    wrong: list[dict[str, str]] = []
    n = 0
    asked = Asked(base.catalog, Principal("anyone"))
    for sql in statements:
        said = verdict(sql, asked)
        read = read_by_sqlite(base.connection, sql, base.catalog) if said.allowed else None
        if read is None:
            continue
        n += 1
        found = compared(sql, said.tables, said.columns, read, base.catalog)
        used = None if found.same else without_unused(sql)
        if used is not None:
            rules["unused WITH"] += 1
            less = verdict(used, asked)
            # All that the guard names of the used part it must name of the whole.
            whole = less.allowed and {*less.tables, *less.columns} <= {*said.tables, *said.columns}
            found = compared(used, less.tables, less.columns, read, base.catalog) if whole else found
        rules.update(found.rules)
        if not found.same:
            wrong.append({"sql": sql, "problem": found.problem})
    return {"n": n, "wrong": len(wrong), "rules": dict(sorted(rules.items())), "failures": wrong[:_SHOWN]}


def summarize(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Over all lots, and for each engine: pairs by outcome, lineage, failures."""
    done = [row for row in rows if row["status"] == "ok"]
    engines = {row["engine"] for row in done}
    whole = _summed(done)
    failures = [
        {"db": row["db"], "engine": row["engine"], **each} for row in done for each in row["failures"]
    ]
    told = [each for row in done for each in row.get("lineage", {}).get("failures", ())]
    return {
        **whole,
        "engines": {e: _summed([row for row in done if row["engine"] == e]) for e in sorted(engines)},
        "failures": failures,
        "lineage_failures": told,
    }


def _summed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    outcomes: dict[str, Counter[str]] = {}
    lineage: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for row in rows:
        for outcome, hows in row["outcomes"].items():
            outcomes.setdefault(outcome, Counter()).update(hows)
        lineage.update({key: row.get("lineage", {}).get(key, 0) for key in ("n", "wrong")})
        rules.update(row.get("lineage", {}).get("rules", {}))
    totals = {outcome: sum(hows.values()) for outcome, hows in outcomes.items()}
    compared_pairs = totals.get("equal", 0) + totals.get("differs", 0)
    return {
        "statements": sum(row["statements"] for row in rows),
        "accepted": sum(row["accepted"] for row in rows),
        "pairs": sum(totals.values()),
        "compared": compared_pairs,
        **{
            name: totals.get(name, 0)
            for name in ("equal", "differs", "refused_rightly", "refused", "excluded")
        },
        "outcomes": {outcome: dict(hows.most_common()) for outcome, hows in sorted(outcomes.items())},
        "lineage": {
            "n": lineage["n"],
            "same": lineage["n"] - lineage["wrong"],
            "share": (lineage["n"] - lineage["wrong"]) / lineage["n"] if lineage["n"] else None,
            "rules": dict(rules.most_common()),
        },
    }
