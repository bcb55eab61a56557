"""What systems predicted for the questions of a set: JSON Lines of `{"id", "db", "pred_sql"}`, a file a system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.cases import Case
from evals.errors import SuiteError
from evals.json_lines import read_lines
from evals.reading import names


@dataclass(frozen=True, slots=True)
class Predictions:
    """One system. `missing`: questions without a prediction, which count as wrong; `unknown`: ids of no question."""

    name: str
    path: Path
    sql: Mapping[str, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]


def read_predictions(
    paths: Sequence[Path], cases: Sequence[Case], *, sampled: bool
) -> tuple[Predictions, ...]:
    """Every system, in the order given; a folder stands for the `.jsonl` files in it.

    `sampled`: not all questions of the set are asked, so ids of others are no wonder. Raises `SuiteError` naming
    file and line where a line is broken, an id stands twice, a database is another, or no id is one of the set.
    """
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise SuiteError("There are no predictions", todo="Give --predictions FILE, once for each system.")
    known = {case.id: case for case in cases}
    labels = [name.removesuffix(".gz").removesuffix(".jsonl") for name in names(files)]
    return tuple(_read(path, label, known, sampled) for path, label in zip(files, labels, strict=True))


def _read(path: Path, name: str, known: Mapping[str, Case], sampled: bool) -> Predictions:
    found: dict[str, str] = {}
    seen: set[str] = set()
    for where, row in read_lines(path):
        key, sql = row.get("id"), row.get("pred_sql")
        # A file that calls it something else would count as predicting nothing.
        if not isinstance(key, str | int) or "pred_sql" not in row or not isinstance(sql, str | None):
            raise SuiteError("A prediction needs `id` and `pred_sql`", where=where)
        key = str(key)
        if key in seen:
            raise SuiteError(f"The id {key!r} is there twice", where=where)
        seen.add(key)
        case = known.get(key)
        if case is not None and row.get("db", case.db) != case.db:
            raise SuiteError(f"The question {key!r} is about {case.db!r}, not {row['db']!r}", where=where)
        if case is not None and sql and sql.strip():
            found[key] = sql
    if not seen & known.keys():
        raise SuiteError(
            "None of the predictions is for a question of the set",
            where=str(path),
            todo="Check that it was made for these questions.",
        )
    missing = tuple(key for key in known if key not in found)
    return Predictions(name, path, found, missing, () if sampled else tuple(sorted(seen - known.keys())))
