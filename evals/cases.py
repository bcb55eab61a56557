"""Questions with what would be a right answer, read from JSON Lines.

    {"id", "db", "question", "gold_sql", …}       answered with SQL
    {"id", "db", "question", "expected": "refuse"} the database cannot tell

Optional: `lang`, `gold_sql_alternatives` (equally right), `gold_sql_raw` (`{a,b}`: any choice of these columns),
`gold_sql_sqlite` (the same for SQLite), `ordered`, `columns` (`exact`, `subset`), `schema_only_db`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from evals.comparing import is_query, spelled_out, statements, to_sqlite
from evals.errors import SuiteError
from evals.json_lines import read_lines
from retrieval.language import detect
from retrieval.types import Language

Engine = Literal["sqlite", "postgres"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `gold`: statements of which any would do, the set's own first; () where it has none to run.

    `ordered`: None to see it from each gold statement. `unscored`: why no score can be had, "" where one can.
    """

    id: str
    db: str
    question: str
    language: Language
    gold: tuple[str, ...]
    dialect: Engine
    expected: Literal["answer", "refuse"] = "answer"
    ordered: bool | None = None
    columns: Literal["exact", "subset"] = "exact"
    unscored: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def read_cases(path: Path, engine: Engine) -> tuple[Case, ...]:
    """Every question of a file, in its order. Raises `SuiteError` naming file and line."""
    cases: dict[str, Case] = {}
    for where, row in read_lines(path):
        case = _case(row, engine, where)
        if case.id in cases:
            raise SuiteError(f"The question id {case.id!r} is there twice", where=where)
        cases[case.id] = case
    if not cases:
        raise SuiteError("There are no questions in the file", where=str(path))
    return tuple(cases.values())


def spread(cases: Sequence[T], limit: int | None) -> tuple[T, ...]:
    """At most `limit` of them, evenly spread, always the same ones. Raises `SuiteError` below 1."""
    if limit is not None and limit < 1:
        raise SuiteError("A limit is at least 1", where=f"--limit {limit}")
    if limit is None or limit >= len(cases):
        return tuple(cases)
    return tuple(cases[at * len(cases) // limit] for at in range(limit))


def _case(row: Mapping[str, Any], engine: Engine, where: str) -> Case:
    name, db, question = row.get("id"), row.get("db"), row.get("question")
    if not isinstance(name, str | int) or not isinstance(db, str) or not isinstance(question, str):
        raise SuiteError("A question needs `id`, `db` and `question`", where=where)
    expected = row.get("expected", "answer")
    if expected not in ("answer", "refuse"):
        raise SuiteError("`expected` is `answer` or `refuse`", where=where)
    if row.get("columns", "exact") not in ("exact", "subset"):
        raise SuiteError("`columns` is `exact` or `subset`", where=where)
    gold = _gold(row, engine) if expected == "answer" else ()
    if expected == "answer" and not gold:
        raise SuiteError("A question needs `gold_sql`, or `expected: refuse`", where=where)
    unscored = "schema_only_db" if row.get("schema_only_db") else ""
    if gold and not unscored and not is_query(gold[0], engine):
        unscored = "gold_not_a_query"
    language = row.get("lang")
    return Case(
        id=str(name),
        db=db,
        question=question,
        language=language if language in ("en", "ja") else detect(question),
        gold=gold,
        dialect=engine,
        expected=expected,
        ordered=row.get("ordered"),
        # Sets that name optional columns mean that others may stand beside the ones they ask for.
        columns=row.get("columns") or ("subset" if "gold_sql_raw" in row else "exact"),
        unscored=unscored,
        extra={key: row[key] for key in ("category",) if row.get(key)},
    )


def _gold(row: Mapping[str, Any], engine: Engine) -> tuple[str, ...]:
    """The set's statement for this engine, then every other that it calls as good."""
    native = str(row.get("dialect") or engine)
    own = row.get("gold_sql")
    others = [each for each in row.get("gold_sql_alternatives") or () if isinstance(each, str)]
    raw = row.get("gold_sql_raw")
    for statement in statements(raw) if isinstance(raw, str) else ():
        others += spelled_out(statement)
    if engine == "sqlite" and native == "postgres":
        own = row.get("gold_sql_sqlite") or (to_sqlite(own) if isinstance(own, str) else None)
        others = [said for each in others if (said := to_sqlite(each))]
    if not isinstance(own, str) or not own.strip():
        return ()
    texts = [statements(each) for each in (own, *others)]
    if not texts[0]:
        return ()
    return tuple(dict.fromkeys("; ".join(text) for text in texts if text))
