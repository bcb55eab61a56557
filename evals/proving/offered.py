"""The proof for any guard, on any database in a file, as one call: what the pytest plugin hands out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from evals.errors import EvalError
from evals.json_lines import read_lines
from evals.proving.bases import DuckdbBase, SqliteBase
from evals.proving.copies import Base
from evals.proving.drawing import drawn
from evals.proving.guards import Guard
from evals.proving.policies import Posed, posed
from evals.proving.proof import Pair, Proof
from retrieval.types import Principal
from text2sql.policy import load, parse

_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True)
class Finding:
    """A pair that does not hold, as a person reads it."""

    text: str


def check(
    guard: Guard,
    database: Path,
    queries: Path | Iterable[str],
    *,
    policies: str | Path = "random",
    callers: Sequence[Principal] = (),
    seeds: int = 5,
    refusals: bool = True,
) -> list[Finding]:
    """What does not hold, [] where everything does.

    `queries`: texts, or a file of them (`.sql`: parted by semicolons at the ends of lines; `.jsonl`: `sql` or `gold_sql`).
    `policies`: `random` (from seeds 1 to `seeds`), a file, or YAML; a policy of one's own is asked for `callers`.
    `refusals`: whether it also counts when a statement is refused that runs on the copy and is taken without a policy.
    Raises `EvalError` where there is nothing to prove.
    """
    texts = list(dict.fromkeys(read_queries(queries) if isinstance(queries, Path) else queries))
    if not texts:
        raise EvalError("There are no queries to prove the guard with", where=str(queries))
    with closing(open_base(database)) as base:
        proof = Proof(guard, base)
        return [
            Finding(told(pair, under))
            for under in _policies(policies, callers, seeds, base)
            for pair in proof.pairs(under, texts)
            if pair.outcome == "differs" or (refusals and pair.outcome == "refused")
        ]


def _policies(policies: str | Path, callers: Sequence[Principal], seeds: int, base: Base) -> list[Posed]:
    if policies == "random":
        return [drawn(base.catalog, base.data, seed) for seed in range(1, seeds + 1)]
    is_file = isinstance(policies, Path) or "\n" not in policies
    policy = load(Path(policies)) if is_file else parse(str(policies))
    text = Path(policies).read_text(encoding="utf-8") if is_file else str(policies)
    if not callers:
        raise EvalError("A policy of one's own needs callers", todo="Say for whom: roles and attributes.")
    return [posed(policy, text, caller, base.catalog) for caller in callers]


def open_base(path: Path) -> SqliteBase | DuckdbBase:
    """A database file, told by its first bytes. Raises `EvalError`, `WarehouseUnavailable`."""
    if not path.is_file():
        raise EvalError("There is no such database", where=str(path), todo="Give an SQLite or DuckDB file.")
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
    return SqliteBase(path) if head == _MAGIC else DuckdbBase(path)


def read_queries(path: Path) -> list[str]:
    """The statements of a file. Raises `EvalError`."""
    if path.suffix in (".jsonl", ".gz"):
        rows = [row for _, row in read_lines(path)]
        return [str(row.get("sql") or row.get("gold_sql") or "") for row in rows]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvalError("The queries cannot be read", where=str(path), todo=str(error)) from error
    return [part.strip() for part in f"{text}\n".split(";\n") if part.strip()]


def find_guard(name: str) -> Guard:
    """`module:callable`. Raises `EvalError`."""
    module, _, attribute = name.partition(":")
    try:
        guard: Guard = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise EvalError("There is no such guard", where=name, todo=str(error)) from error
    return guard


def told(pair: Pair, under: Posed) -> str:
    """A pair that does not hold, with everything to see it again."""
    failure = pair.failure(under)
    lines = [
        f"statement   {pair.sql}",
        f"problem     {pair.problem or f'refused ({pair.how}), and runs on the copy'}",
        f"rewritten   {failure['rewritten'] or '(refused)'}",
        f"parameters  {json.dumps(failure['parameters'], ensure_ascii=False, default=str)}",
        f"caller      {json.dumps(failure['caller'], ensure_ascii=False, default=str)}",
        f"seed        {under.seed if under.seed is not None else '(a policy of your own)'}",
        "policy",
        *(f"    {line}" for line in under.yaml.splitlines()),
    ]
    return "\n".join(lines)
