"""Our own suites: questions with what a right answer holds, as YAML (`cases:`) or JSON Lines (a case a line).

cases:
  - id: revenue-2025
    question: What was the revenue in fiscal year 2025?
    user: ana                       # who asks; the home's default user where none is named
    sql: SELECT …                   # or result, documents, facts, must_decline, must_withhold; several may be combined
    tags: [figures]

Read strictly: what is misspelt is an error with its line, never an expectation that nobody checks.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from evals.errors import SuiteError
from evals.json_lines import read_lines
from retrieval.language import detect
from retrieval.yaml_files import read_yaml

Kind = Literal["answer", "decline", "withhold"]
ROUTES = ("documents", "query", "both", "clarify", "decline")
_HEAD = frozenset({"version", "name", "cases"})
_EXPECTATIONS = ("sql", "result", "documents", "facts", "must_decline", "must_withhold", "route")


@dataclass(frozen=True)
class HouseCase:
    """One question with its expectations; what is empty or None is not checked.

    `documents` and `facts` are lists of alternatives: of each list one must be cited, or stand in the text.
    `secrets` and the values of `secrets_sql` (run without any policy) must appear nowhere in what the asker gets.
    """

    id: str
    question: str
    language: str
    where: str
    user: str = ""
    sql: tuple[str, ...] = ()
    """The gold statement, then alternatives that are just as right."""
    result: tuple[Mapping[str, Any], ...] | None = None
    ordered: bool = False
    documents: tuple[tuple[str, ...], ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()
    kind: Kind = "answer"
    secrets: tuple[str, ...] = ()
    secrets_sql: str = ""
    route: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class HouseSuite:
    """A suite: its name and its cases, in the order of the file."""

    name: str
    cases: tuple[HouseCase, ...]


def load(path: Path) -> HouseSuite:
    """Read a suite. Raises `SuiteError` naming file and line, and what to write instead."""
    name, entries = _jsonl(path) if path.suffix in (".jsonl", ".gz") else _yaml(path)
    cases: dict[str, HouseCase] = {}
    for where, raw in entries:
        case = _case(raw, where)
        if case.id in cases:
            raise SuiteError(
                f"The id {case.id!r} is there twice", where=f"{where}; first {cases[case.id].where}",
                todo="Give each case its own id.",
            )  # fmt: skip
        cases[case.id] = case
    if not cases:
        raise SuiteError("The suite has no cases", where=str(path), todo="Write at least one under `cases:`.")
    return HouseSuite(name, tuple(cases.values()))


def _jsonl(path: Path) -> tuple[str, list[tuple[str, Any]]]:
    return path.name.partition(".")[0], list(read_lines(path))


def _yaml(path: Path) -> tuple[str, list[tuple[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8")
        whole, node = read_yaml(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError("The suite cannot be read", where=str(path), todo=str(error)) from error
    except yaml.YAMLError as error:
        raise SuiteError("The suite is not YAML", where=str(path), todo=str(error)) from error
    if not isinstance(whole, dict) or not isinstance(whole.get("cases"), list):
        raise SuiteError(
            "The suite has no list of cases",
            where=str(path),
            todo="Write `cases:` and a case an entry under it.",
        )
    _known(whole, _HEAD, str(path))
    lines = [
        f"{path}, line {item.start_mark.line + 1}"
        for key, value in (node.value if isinstance(node, yaml.MappingNode) else [])
        if key.value == "cases"
        for item in value.value
    ]
    return str(whole.get("name") or path.stem), list(zip(lines, whole["cases"], strict=True))


def _case(raw: Any, where: str) -> HouseCase:
    if not isinstance(raw, dict):
        raise SuiteError("A case is names with values", where=where, todo="Write `id: …` and `question: …`.")
    _known(raw, frozenset(_FIELDS), where)
    read = {name: _FIELDS[name](value, f"{where}: {name}") for name, value in raw.items()}
    for name in ("id", "question"):
        if not read.get(name):
            raise SuiteError(f"A case has no {name}", where=where, todo=f"Write `{name}: …`.")
    if not any(read.get(name) not in (None, "", (), False) for name in _EXPECTATIONS):
        raise SuiteError(
            f"Nothing is expected of case {read['id']!r}", where=where,
            todo=f"Write one of {', '.join(_EXPECTATIONS)}.",
        )  # fmt: skip
    decline, withhold = read.pop("must_decline", False), read.pop("must_withhold", False)
    alternatives = read.pop("alternatives", ())
    if (decline or withhold) and any(read.get(name) for name in ("sql", "result", "documents", "facts")):
        raise SuiteError(
            "A case that must not be answered cannot expect an answer", where=where,
            todo="Keep either must_decline or must_withhold, or the answer.",
        )  # fmt: skip
    if decline and withhold:
        raise SuiteError("A case cannot both decline and withhold", where=where, todo="Keep one of them.")
    if alternatives and not read.get("sql"):
        raise SuiteError("Alternatives to no statement", where=where, todo="Write the first one as `sql:`.")
    kind: Kind = "withhold" if withhold else "decline" if decline else "answer"
    sql = tuple(statement for statement in (read.pop("sql", ""), *alternatives) if statement)
    language = read.pop("language", "") or detect(read["question"])
    return HouseCase(**read, sql=sql, kind=kind, language=language, where=where)


def _known(raw: Mapping[Any, Any], names: frozenset[str], where: str) -> None:
    for name in raw:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            todo = f"Write {near[0]!r}." if near else f"Known: {', '.join(sorted(names))}."
            raise SuiteError(f"Unknown key {str(name)!r}", where=where, todo=todo)


def _wrong(wanted: str, value: Any, where: str) -> SuiteError:
    return SuiteError(
        f"{json.dumps(value, ensure_ascii=False, default=str)[:80]} is not {wanted}",
        where=where,
        todo=f"Give {wanted}.",
    )


def _text(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong("a text", value, where)
    return str(value).strip()


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong("true or false", value, where)
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    return tuple(_text(item, where) for item in (value if isinstance(value, list) else [value]))


def _alternatives(value: Any, where: str) -> tuple[tuple[str, ...], ...]:
    """`[a, [b, c]]`: a must be there, and one of b and c."""
    if not isinstance(value, list) or not value or any(item == [] for item in value):
        raise _wrong("a list of texts, or of lists of alternatives", value, where)
    return tuple(_texts(item, where) for item in value)


def _rows(value: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _wrong("a list of rows (name: value)", value, where)
    return tuple(value)


def _one_of(*known: str) -> Callable[[Any, str], str]:
    def read(value: Any, where: str) -> str:
        if value not in known:
            raise _wrong(f"one of {', '.join(known)}", value, where)
        return str(value)

    return read


_FIELDS: dict[str, Callable[[Any, str], Any]] = {
    "id": _text, "question": _text, "user": _text, "language": _one_of("en", "ja"), "sql": _text,
    "alternatives": _texts, "result": _rows, "ordered": _flag, "documents": _alternatives, "facts": _alternatives,
    "must_decline": _flag, "must_withhold": _flag, "secrets": _texts, "secrets_sql": _text,
    "route": _one_of(*ROUTES), "tags": _texts,
}  # fmt: skip


def tagged(suite: HouseSuite, tags: tuple[str, ...]) -> Iterator[HouseCase]:
    """The cases that carry one of these tags; all of them where none is named."""
    return (case for case in suite.cases if not tags or set(tags) & set(case.tags))
