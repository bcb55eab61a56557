"""Statements for the fuzz tests: how many, from which seed, and what mutation makes of them."""

from __future__ import annotations

import os
import random
import re

from tests.text2sql.guard.cases import shop
from text2sql.guard.allowlist import DIALECTS
from text2sql.types import Catalog

SCALE = int(os.environ.get("FUZZ_SCALE", "1"))
"""How many times the statements of the long tests."""
START = int(os.environ.get("FUZZ_SEED", "0"))
"""The first seed: a failure names its own, and `FUZZ_SEED=n` begins with it."""
CATALOGS: dict[str, Catalog] = {dialect: shop(dialect) for dialect in DIALECTS}  # type: ignore[arg-type]


def mutated(text: str, other: str, draw: random.Random, *, gently: bool = False) -> str:
    """The statement after one or two small changes: of characters, of words, of names, or with a piece of another.

    `gently`: such as leave a statement more often than not, which is then another than was meant.
    """
    ways = ["names", "names", "names", "word", "swap", "drop", "splice", "cut", "insert", "tail"]
    for _ in range(draw.choice([1, 1, 2])):
        way = draw.choice(["names", "alike", "alike", "alike", "graft"] if gently else ways)
        if way in ("alike", "graft"):
            text = _alike(text, draw) if way == "alike" else _graft(text, other, draw)
            continue
        words = text.split(" ")
        at, place = draw.randrange(max(1, len(text))), draw.randrange(len(words))
        theirs = other.split(" ")
        start = draw.randrange(len(theirs))
        if way == "names":
            found = [
                m
                for m in re.finditer(r"[A-Za-z_][A-Za-z_0-9]*|'[^']*'|\\d+", text)
                if not m.group().isupper()
            ]
            if found:
                one = draw.choice(found)
                text = text[: one.start()] + draw.choice(_NAMES) + text[one.end() :]
        elif way == "cut":
            text = text[:at] + text[at + draw.randint(1, 5) :]
        elif way == "insert":
            text = text[:at] + draw.choice(_SOUP) + text[at:]
        elif way == "swap":
            other_place = draw.randrange(len(words))
            words[place], words[other_place] = words[other_place], words[place]
            text = " ".join(words)
        elif way == "tail":
            text = text[:at] + other[draw.randrange(max(1, len(other))) :]
        else:
            put = {
                "word": [draw.choice(_SOUP)],
                "drop": [],
                "splice": theirs[start : start + draw.randint(1, 8)],
            }[way]
            words[place : place + 1] = put
            text = " ".join(words)
    return text


_KINDS = (
    re.compile(r"\b[a-z_]\w*\.[a-z_]\w*\b", re.IGNORECASE),
    re.compile(r"'[^']*'"),
    re.compile(r"\b\d+\b"),
    re.compile(r"<>|!=|<=|>=|=|<|>"),
    re.compile(r"\b(?:AND|OR)\b"),
    re.compile(r"\b(?:MIN|MAX|COUNT|SUM)(?=\()"),
    re.compile(r"\b(?:LEFT|RIGHT|FULL|INNER) (?=JOIN)"),
    re.compile(r"\b(?:UNION ALL|UNION|EXCEPT|INTERSECT)\b"),
)


def _alike(text: str, draw: random.Random) -> str:
    """One thing in the place of another of its kind: a name, a literal, an operator, an aggregate, a side."""
    found = [list(kind.finditer(text)) for kind in _KINDS]
    several = [matches for matches in found if len(matches) > 1]
    if not several:
        return text
    one, two = draw.sample(draw.choice(several), 2)
    return text[: one.start()] + two.group() + text[one.end() :]


def _graft(text: str, other: str, draw: random.Random) -> str:
    """What stands in one pair of parentheses in the place of what stands in another."""
    mine, theirs = (
        _groups(text),
        [text[a:b] for a, b in _groups(text)] + [other[a:b] for a, b in _groups(other)],
    )
    if not mine:
        return text
    start, end = draw.choice(mine)
    return text[:start] + draw.choice(theirs) + text[end:]


def _groups(text: str) -> list[tuple[int, int]]:
    opened: list[int] = []
    found = []
    for at, character in enumerate(text):
        if character == "(":
            opened.append(at)
        elif character == ")" and opened:
            found.append((opened.pop(), at + 1))
    return found


def soup(draw: random.Random) -> str:
    """Words of the language in any order, beginning like a query."""
    return draw.choice(["SELECT ", "WITH ", "(", "VALUES ", "FROM ", ""]) + " ".join(
        draw.choice(_SOUP) for _ in range(draw.randint(1, 25))
    )


_NAMES = (
    "secrets", "secret", "secret.secrets", "other.secrets", "other.main.secrets", "touch()", "secret.touch()", "'canary.csv'", "sqlite_master",
    "pg_class", "sales", "stores", "units", "note", "amount", "store_id", "sold_on", "1", "NULL", "'a'", "(SELECT 1)", "(units)", "sales.units", "t1", "t2", "rowid", "ctid", "oid", "tableoid", "*",
)  # fmt: skip
_SOUP = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "UNION", "ALL", "WITH", "AS", "(", ")", ",", "*", "sales", "stores",
    "units", "note", "store_id", "1", "'a'", "''", "=", "<", "||", "::", "->>", "->", "JOIN", "LEFT JOIN", "ON", "USING", "LATERAL", "NATURAL",
    "secrets", "secret", "secret.secrets", "other.secrets", "other.main.secrets", "touch()", "secret.touch()", "'canary.csv'", "canary.csv",
    "read_csv('canary.csv')", "sqlite_master", "pg_class", "pg_catalog", ".", ";", "--", "/*", "*/", "$$", "$1", "?", ":x", "@", "E'\\''", "U&'\\0041'",
    "\x00", "\ud800", "\u200b", "ｓｅｌｅｃｔ", "“", "«", "\\", "`", "[", "]", '"', "'", "{", "}", "NULL", "CAST(1 AS text)", "COUNT(*)", "OVER ()",
    "FOR UPDATE", "INTO", "DELETE", "INSERT INTO", "RETURNING", "VALUES (1)", "EXISTS", "IN", "NOT", "AND", "OR", "CASE WHEN", "THEN", "END", "RECURSIVE",
)  # fmt: skip
