"""Mistakes made in queries on purpose: what a model, a slip or a cut makes of a statement that runs.

Works on the text with a reader of its own, so that what the guard's parser misreads is not misread here as well.
Each mistake is a function of (words, other words, names, chance) that gives new words, or None where it has no place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from tests.text2sql.guard.slips import (
    FOLDER,
    KEYWORDS,
    Chance,
    Mistake,
    Names,
    Words,
    cut,
    cut_inside,
    double,
    drop,
    drop_alias,
    is_name,
    misspell,
    name_places,
    other_name,
    pick,
    put,
    qualify,
    rename_alias,
    solid,
    swap,
    swap_names,
    unqualify,
    words,
)  # fmt: skip

_CLAUSES = ("FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT")


def drop_clause(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    starts = [i for i in solid(text) if text[i].upper() in _CLAUSES]
    at = pick(chance, starts)
    if at is None:
        return None
    return [*text[:at], *text[_end(text, at, starts) :]]


def _end(text: Words, at: int, starts: Sequence[int]) -> int:
    depth = 0
    for i in range(at + 1, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth < 0 or (depth == 0 and i in starts):
            return i
    return len(text)


def swap_clauses(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    starts = [i for i in solid(text) if text[i].upper() in _CLAUSES]
    if len(starts) < 2:
        return None
    k = chance.randrange(len(starts) - 1)
    a, b = starts[k], starts[k + 1]
    end = _end(text, b, starts)
    return [*text[:a], *text[b:end], " ", *text[a:b], *text[end:]]


def double_clause(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    starts = [i for i in solid(text) if text[i].upper() in _CLAUSES]
    at = pick(chance, starts)
    if at is None:
        return None
    end = _end(text, at, starts)
    return [*text[:end], " ", *text[at:end], " ", *text[end:]]


def borrow_clause(text: Words, other: Words, _n: Names, chance: Chance) -> Words | None:
    starts = [i for i in solid(other) if other[i].upper() in _CLAUSES[1:]]
    mine = [i for i in solid(text) if text[i].upper() in _CLAUSES]
    if not starts or not mine:
        return None
    at, place = chance.choice(starts), chance.choice(mine)
    place = _end(text, place, mine)
    return [*text[:place], " ", *other[at : _end(other, at, starts)], " ", *text[place:]]


def aggregate_in(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in name_places(text) if i + 1 >= len(text) or text[i + 1] not in "(."])
    start = at
    if at is None or start is None:
        return None
    if at > 1 and text[at - 1] == ".":
        start = at - 2
    function = chance.choice(["MAX", "COUNT", "SUM", "AVG", "GROUP_CONCAT", "ROW_NUMBER", "RANK"])
    return [*text[:start], f"{function}(", *text[start : at + 1], ")", *text[at + 1 :]]


def window_in(text: Words, other: Words, names: Names, chance: Chance) -> Words | None:
    made = aggregate_in(text, other, names, chance)
    if made is None:
        return None
    at = next(i for i in range(len(made)) if made[i].endswith("("))
    close = next(i for i in range(at, len(made)) if made[i] == ")")
    return [
        *made[: close + 1],
        chance.choice([" OVER ()", " OVER w", " OVER (ORDER BY 1)"]),
        *made[close + 1 :],
    ]


def quoting(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in solid(text) if text[i][0] in "'\"`[" or is_name(text[i])])
    if at is None:
        return None
    bare = text[at].strip("'\"`[]") or "x"
    left, right = chance.choice(["''", '""', "``", "[]", "  ", "‘’", "“”", "「」"])
    return put(text, at, f"{left}{bare}{right}".strip())


def drop_quote(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in solid(text) if text[i][0] in "'\"`["])
    return None if at is None else put(text, at, chance.choice([text[at][1:], text[at][:-1], text[at][1:-1]]))


def requote(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    """Every name in another dialect's quotes, or every string in double ones."""
    style = chance.choice(["``", "[]", '""', "''"])
    which = '`"[' if style != "''" else '"'
    return [style[0] + w[1:-1] + style[1] if w[0] in which and len(w) > 1 else w for w in text]


def arguments(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i + 1 for i in name_places(text) if i + 1 < len(text) and text[i + 1] == "("])
    if at is None:
        return None
    return put(text, at, chance.choice(["(1, ", "(", "()", "(*, ", "(DISTINCT ", "(ALL ", "(, "]))


def function(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in name_places(text) if i + 1 < len(text) and text[i + 1] == "("])
    return None if at is None else put(text, at, chance.choice(_FUNCTIONS))


_FUNCTIONS = ["YEAR", "MONTH", "DATEDIFF", "DATE_FORMAT", "TO_CHAR", "CONCAT", "CONCAT_WS", "LEFT", "RIGHT", "LEN", "LENGTH", "CHAR_LENGTH", "NVL", "ISNULL", "IFNULL", "IF", "IIF", "COALESCE", "STDDEV", "STDEV", "VARIANCE", "MEDIAN", "NOW", "GETDATE", "CURDATE", "DATE_TRUNC", "DATE_PART", "STRING_AGG", "LISTAGG", "ARRAY_AGG", "SUBSTRING", "SUBSTR", "SUBSTRING_INDEX", "CHARINDEX", "POSITION", "STRPOS", "INSTR", "LOCATE", "LPAD", "RPAD", "REPEAT", "REVERSE", "INITCAP", "SPLIT_PART", "REGEXP_REPLACE", "REGEXP_MATCHES", "FORMAT", "TRUNCATE", "TRUNC", "CEIL", "CEILING", "FLOOR", "MOD", "POWER", "SQRT", "RAND", "RANDOM", "GREATEST", "LEAST", "ANY_VALUE", "FIRST", "LAST", "STRFTIME", "JULIANDAY", "DATE", "TIME", "DATETIME", "TIMESTAMPDIFF", "DATE_ADD", "DATE_SUB", "ADD_MONTHS", "AGE", "EXTRACT", "CAST", "CONVERT", "TRY_CAST", "GROUP_CONCAT", "TOTAL", "COUNT", "SUM", "AVG", "MIN", "MAX", "ROUND", "ABS", "LOWER", "UPPER", "TRIM", "LTRIM", "REPLACE", "UNICODE", "ASCII", "CHAR", "CHR", "HEX", "QUOTE", "TYPEOF", "PRINTF", "ROW_NUMBER", "RANK", "NTILE", "LAG", "LEAD", "FIRST_VALUE", "PERCENT_RANK", "CUME_DIST"]  # fmt: skip


def keyword(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in solid(text) if text[i].lower() in KEYWORDS])
    return None if at is None else put(text, at, chance.choice(sorted(KEYWORDS)).upper())


def insert(text: Words, other: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, solid(text))
    found = solid(other)
    new = chance.choice([*(other[chance.choice(found)] for _ in range(3)), *_ODD])
    return None if at is None else [*text[:at], new, " ", *text[at:]]


_ODD = [
    ",",
    "(",
    ")",
    "AS",
    "AND",
    ";",
    "%",
    "NOT",
    "1",
    "NULL",
    "*",
    "x",
    "ASC",
    "DISTINCT",
    "-",
    "+",
    "@",
    "#",
    "$",
    "\\",
    "？",
    "，",
    "（",
]


def operator(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    places = [
        i
        for i in solid(text)
        if text[i] in ("=", "<", ">", "<>", "!=", ">=", "<=", "+", "-", "*", "/", "||", "==")
    ]
    at = pick(chance, places)
    return None if at is None else put(text, at, chance.choice(_OPERATORS))


_OPERATORS = ["==", "!=", "<>", "<=>", "~", "~*", "!~", "=~", "^", "**", "//", "%", "&", "|", "<<", ">>", "||", "&&", "<=", ">=", "=>", "=<", ":=", "::", "->", "->>", "@>", "IS", "LIKE", "ILIKE", "GLOB", "REGEXP", "MATCH", "RLIKE", "IN", "DIV", "MOD", "AND", "OR", "XOR", ",", ".", "=", "IS NOT", "NOT LIKE", "IS DISTINCT FROM", "SIMILAR TO", "NOT IN", "NOT GLOB", "IS NOT DISTINCT FROM", "= ANY", "= ALL"]  # fmt: skip


def foreign(text: Words, other: Words, _n: Names, chance: Chance) -> Words | None:
    whole = "".join(text)
    sub = "".join(other)
    kind = chance.choice(_FOREIGN)
    if "{}" in kind[1]:
        return [kind[1].replace("{}", whole).replace("{2}", sub)]
    changed, n = re.subn(kind[0], lambda m: m.expand(kind[1]), whole, count=1, flags=re.IGNORECASE)
    return [changed] if n else None


def _pairs() -> list[tuple[str, str]]:
    """What other dialects and chatty models write: a pattern and what takes its place, or a frame with {} for the whole."""
    lines = (FOLDER / "foreign.jsonl").read_text(encoding="utf-8").splitlines()
    return [(pattern, written) for pattern, written in map(json.loads, lines)]


_FOREIGN = _pairs()


def span(text: Words, other: Words, _n: Names, chance: Chance) -> Words | None:
    """A stretch of one statement put in place of one in the other."""
    a, b = solid(text), solid(other)
    if len(a) < 3 or len(b) < 3:
        return None
    start, length = chance.randrange(len(a) - 1), chance.randrange(1, 4)
    taken, n = chance.randrange(len(b) - 1), chance.randrange(1, 8)
    end = a[min(start + length, len(a) - 1)]
    last = b[min(taken + n, len(b) - 1)]
    return [*text[: a[start]], *other[b[taken] : last], " ", *text[end:]]


def drop_parenthesis(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in solid(text) if text[i] in "()"])
    return None if at is None else put(text, at)


def wrap(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    """A stretch put into parentheses, with or without a function before it."""
    places = solid(text)
    if len(places) < 3:
        return None
    a, b = sorted(chance.sample(range(len(places)), 2))
    called = chance.choice(["", "", "", *_FUNCTIONS])
    return [*text[: places[a]], f"{called}(", *text[places[a] : places[b] + 1], ")", *text[places[b] + 1 :]]


def subquery(text: Words, other: Words, names: Names, chance: Chance) -> Words | None:
    """A query where a name or a value was."""
    at = pick(chance, [i for i in solid(text) if is_name(text[i]) or text[i][0] in "'0123456789"])
    inner = chance.choice(
        [
            "".join(other),
            f"SELECT {chance.choice(names.columns)} FROM {chance.choice(names.tables)}",
            f"SELECT MAX({chance.choice(names.columns)}) FROM {chance.choice(names.tables)} LIMIT 1",
        ]
    )
    return None if at is None else put(text, at, "(", inner, ")")


MISTAKES: tuple[Mistake, ...] = (
    drop, double, swap, cut, cut_inside, misspell, other_name, swap_names, unqualify, qualify, rename_alias, drop_alias, drop_clause,
    swap_clauses, double_clause, borrow_clause, aggregate_in, window_in, quoting, drop_quote, requote, arguments, function, keyword,
    insert, operator, foreign, foreign, foreign, span, drop_parenthesis, wrap, subquery,
)  # fmt: skip


def mutant(sql: str, other: str, names: Names, chance: Chance) -> tuple[str, str] | None:
    """One mistake (now and then two), its name and what came of it; None where it changed nothing."""
    mistake = chance.choice(MISTAKES)
    made = mistake(words(sql), words(other), names, chance)
    if made is not None and chance.random() < 0.15:
        made = (
            chance.choice(MISTAKES)(words("".join(made)), words(other), names, chance)
            if "".join(made).strip()
            else made
        )
    text = "".join(made) if made is not None else sql
    return None if text == sql or not text.strip() else (mistake.__name__, text)
