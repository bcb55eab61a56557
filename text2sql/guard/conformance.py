"""Statements as data, by class: a guard must refuse every hostile one and allow every legitimate one.

A folder of a schema beside it (`../shop.schema.sql`), and in it `hostile/*.sql` and `legitimate/*.sql`, one file a class.
A block is `-- dialect:` (one or several, by comma), `-- why:`, then the statement up to the next blank line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from text2sql.errors import ConformanceError
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Verdict

Kind = Literal["hostile", "legitimate"]
KINDS: tuple[Kind, ...] = ("hostile", "legitimate")
SCHEMA = "shop.schema.sql"
_HEADERS = ("-- dialect: ", "-- why: ")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement on one dialect. `number` counts the blocks of its file from 1."""

    kind: Kind
    group: str
    file: Path
    number: int
    dialect: str
    why: str
    sql: str

    @property
    def digest(self) -> str:
        """Names the text, wherever it moves to: the first 12 hexadecimal digits of its SHA-256."""
        return hashlib.sha256(self.sql.encode("utf-8")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a guard made of a statement. `reason` is its own: the codes and messages, or what it would have run."""

    statement: Statement
    allowed: bool
    reason: str

    @property
    def right(self) -> bool:
        """A hostile one refused, a legitimate one allowed."""
        return self.allowed == (self.statement.kind == "legitimate")


@dataclass(frozen=True, slots=True)
class Score:
    """How many of a class came out right on one dialect."""

    kind: Kind
    group: str
    dialect: str
    right: int
    of: int


def read_file(file: Path, kind: Kind) -> list[Statement]:
    """Every statement of a file, once for each of its dialects, in order. Raises `ConformanceError`."""
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConformanceError("The statements cannot be read", where=str(file), todo=str(error)) from error
    found: list[Statement] = []
    number, block = 0, list[str]()
    # Only "\n" ends a line: a carriage return or a vertical tab is part of a statement, and stays as it is.
    for line in [*text.split("\n"), ""]:
        if line:
            block.append(line)
        elif block:
            number += 1
            found += _statements(block, file, kind, number)
            block = []
    return found


def _statements(block: list[str], file: Path, kind: Kind, number: int) -> list[Statement]:
    if len(block) < 3 or any(not line.startswith(mark) for line, mark in zip(block, _HEADERS, strict=False)):
        raise ConformanceError(
            f"Block {number} does not begin with `-- dialect:`, `-- why:` and a statement",
            where=str(file),
            todo="Write both lines, then the statement, without a blank line between them.",
        )
    dialects, why = (line.removeprefix(mark).strip() for line, mark in zip(block, _HEADERS, strict=False))
    names = [name.strip() for name in dialects.split(",")]
    for name in names:
        if name not in DIALECTS:
            raise ConformanceError(
                f"Block {number} is for {name!r}, a dialect we do not know",
                where=str(file),
                todo=f"Write one of {', '.join(DIALECTS)}.",
            )
    sql = "\n".join(block[2:])
    return [Statement(kind, file.stem, file, number, name, why, sql) for name in names]


def read_folder(folder: Path, dialects: Iterable[str] = DIALECTS) -> list[Statement]:
    """`hostile/*.sql` and `legitimate/*.sql` of a folder, for these dialects. Raises `ConformanceError`."""
    wanted = set(dialects)
    files = [(file, kind) for kind in KINDS for file in sorted((folder / kind).glob("*.sql"))]
    found = [s for file, kind in files for s in read_file(file, kind) if s.dialect in wanted]
    if not found:
        raise ConformanceError(
            "No statement to check",
            where=str(folder),
            todo="Give a folder with hostile/*.sql and legitimate/*.sql, and a dialect they have.",
        )
    return found


def judge(statements: Iterable[Statement], check: Callable[[str, str], Verdict]) -> list[Outcome]:
    """What a guard, `check(sql, dialect)`, makes of each statement."""
    found = []
    for statement in statements:
        verdict = check(statement.sql, statement.dialect)
        reason = verdict.sql if verdict.allowed else "; ".join(
            f"{violation.code}: {violation.message}" for violation in verdict.violations
        )  # fmt: skip
        found.append(Outcome(statement, verdict.allowed, reason))
    return found


def score(outcomes: Iterable[Outcome]) -> list[Score]:
    """Per class and dialect, in the order they come."""
    counts: dict[tuple[Kind, str, str], list[int]] = {}
    for outcome in outcomes:
        s = outcome.statement
        count = counts.setdefault((s.kind, s.group, s.dialect), [0, 0])
        count[0] += outcome.right
        count[1] += 1
    return [Score(*key, right, of) for key, (right, of) in counts.items()]
