"""When a prediction is right: its rows against those of each gold statement that would do.

Rows compare as multisets, and as lists where the gold statement's outermost query is ordered. Columns may stand in
another order and under other names, but must be the same ones: a column more or less is wrong. Sets that say so
(defog's) allow columns beside the gold's. Two empty results of equal width are equal.
"""

from __future__ import annotations

import re
from itertools import combinations, product

from sqlglot import ErrorLevel, exp, parse, parse_one
from sqlglot.errors import SqlglotError

from text2sql.same_rows import TOLERANCE, Grid, same_rows

__all__ = [
    "TOLERANCE",
    "Grid",
    "is_ordered",
    "is_query",
    "same_rows",
    "spelled_out",
    "statements",
    "to_sqlite",
]

_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST = 64
"""Ways to spell one statement with optional columns."""
_COMMENTS = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_PIECES = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|;|[^'\";/-]+|.", re.DOTALL)


def is_ordered(sql: str, dialect: str) -> bool:
    """Whether the outermost query has an ORDER BY; of text that does not parse, whether its end has one."""
    try:
        tree = parse_one(sql, dialect=dialect)
    except (SqlglotError, RecursionError):
        return bool(re.search(r"\border\s+by\b[^()]*(\([^()]*\)[^()]*)*$", sql, re.IGNORECASE))
    while isinstance(tree, exp.Subquery) and tree.args.get("order") is None:
        tree = tree.this
    return tree.args.get("order") is not None


def is_query(sql: str, dialect: str) -> bool:
    """Whether the text is one query and nothing else."""
    try:
        # A comment behind the last semicolon is a tree of its own, and no statement.
        found = [tree for tree in parse(sql, dialect=dialect) if not isinstance(tree, exp.Semicolon | None)]
    except (SqlglotError, RecursionError):
        return bool(re.match(r"\s*(select|with)\b", sql, re.IGNORECASE)) and len(statements(sql)) == 1
    return len(found) == 1 and isinstance(found[0], exp.Query)


def statements(text: str) -> list[str]:
    """The statements in a text, without their semicolons; those inside quotes and comments are left alone.

    Comments with no statement to them are none.
    """
    found = [""]
    for piece in _PIECES.findall(text):
        if piece == ";":
            found.append("")
        else:
            found[-1] += piece
    return [statement.strip() for statement in found if not _COMMENTS.fullmatch(statement)]


def spelled_out(raw: str) -> list[str]:
    """Every statement that a text with `{a, b}` stands for: any non-empty choice of those columns.

    `{}` (as in GROUP BY) repeats the columns chosen by the first braces. The fullest choice comes first; at most 64.
    """
    groups = [[name.strip() for name in inner.split(",") if name.strip()] for inner in _BRACES.findall(raw)]
    named = [group for group in groups if group]
    if not named:
        return [raw] if not groups else []
    found = []
    for choice in product(*(_choices(group) for group in named)):
        left = iter(choice)
        texts = iter([", ".join(next(left)) if group else ", ".join(choice[0]) for group in groups])
        found.append(_BRACES.sub(lambda _, texts=texts: next(texts), raw))  # type: ignore[misc]  # bound now
        if len(found) == _MOST:
            break
    return found


def _choices(columns: list[str]) -> list[tuple[str, ...]]:
    return [chosen for size in range(len(columns), 0, -1) for chosen in combinations(columns, size)]


def to_sqlite(sql: str) -> str | None:
    """A PostgreSQL statement as SQLite says it, schemas left out; None where that cannot be said."""
    try:
        tree = parse_one(sql, dialect="postgres")
        for node in tree.find_all(exp.Table, exp.Column):
            for part in ("db", "catalog"):
                node.set(part, None)
        return tree.sql(dialect="sqlite", unsupported_level=ErrorLevel.RAISE)
    except (SqlglotError, RecursionError):
        return None
