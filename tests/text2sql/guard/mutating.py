"""Mistakes made in queries on purpose: what a model, a slip or a cut makes of a statement that runs.

Works on the text with a reader of its own, so that what the guard's parser misreads is not misread here as well.
Each mistake is a function of (words, other words, names, chance) that gives new words, or None where it has no place.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_WORD = re.compile(
    r"""\s+ | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | \d+\.?\d* | \w+
      | ->> | <> | != | == | <= | >= | \|\| | << | >> | -> | :: | .""",
    re.VERBOSE | re.DOTALL,
)
_CLAUSES = ("FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT")
_KEYWORDS = frozenset(
    """select from where group by having order limit offset join inner left right full outer cross natural on using as and or not
    in is null like between exists case when then else end union all intersect except distinct with recursive over partition
    asc desc values cast glob collate""".split()
)
_AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "total", "group_concat"})

Words = list[str]
Chance = random.Random


@dataclass(frozen=True)
class Names:
    """What may be named: tables, and columns as a statement would write them."""

    tables: Sequence[str]
    columns: Sequence[str]


Mistake = Callable[[Words, Words, Names, Chance], "Words | None"]


def words(sql: str) -> Words:
    """The words of a text; white space is one word as well."""
    return _WORD.findall(sql)


def solid(text: Words) -> list[int]:
    """Where the words are that are not white space."""
    return [i for i, word in enumerate(text) if not word.isspace()]


def _is_name(word: str) -> bool:
    return word[0] in '"`[' or (word[0].isalpha() or word[0] == "_") and word.lower() not in _KEYWORDS


def _names(text: Words) -> list[int]:
    return [i for i in solid(text) if _is_name(text[i])]


def _pick(chance: Chance, places: Sequence[int]) -> int | None:
    return chance.choice(places) if places else None


def _with(text: Words, at: int, *new: str, take: int = 1) -> Words:
    return [*text[:at], *new, *text[at + take :]]


def drop(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, solid(text))
    return None if at is None else _with(text, at)


def double(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, solid(text))
    return None if at is None else _with(text, at, text[at], " ", text[at])


def swap(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    places = solid(text)
    if len(places) < 2:
        return None
    k = chance.randrange(len(places) - 1)
    new = list(text)
    new[places[k]], new[places[k + 1]] = new[places[k + 1]], new[places[k]]
    return new


def cut(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, solid(text)[1:])
    return None if at is None else text[:at]


def cut_inside(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    whole = "".join(text)
    return [whole[: chance.randrange(len(whole) // 2, len(whole))]]


def misspell(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, [i for i in _names(text) if len(text[i]) > 3])
    if at is None:
        return None
    word = text[at]
    k = chance.randrange(1, len(word) - 1)
    changed = chance.choice(
        [word[:k] + word[k + 1 :], word[:k] + word[k] + word[k:], word[:k] + "_" + word[k:]]
    )
    return _with(text, at, changed)


def other_name(text: Words, other: Words, names: Names, chance: Chance) -> Words | None:
    at = _pick(chance, _names(text))
    found = _names(other)
    choices = [
        chance.choice(names.columns),
        chance.choice(names.tables),
        *([other[chance.choice(found)]] if found else []),
    ]
    return None if at is None else _with(text, at, chance.choice(choices))


def swap_names(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    found = _names(text)
    if len(found) < 2:
        return None
    a, b = chance.sample(found, 2)
    new = list(text)
    new[a], new[b] = new[b], new[a]
    return new


def _qualified(text: Words) -> list[int]:
    return [i for i in _names(text) if i + 2 < len(text) and text[i + 1] == "." and text[i + 2] != "."]


def unqualify(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, _qualified(text))
    return None if at is None else _with(text, at, take=2)


def qualify(text: Words, other: Words, names: Names, chance: Chance) -> Words | None:
    at = _pick(chance, _names(text))
    qualifiers = [text[i] for i in _qualified(text)] + [chance.choice(names.tables), "T9"]
    return None if at is None else _with(text, at, chance.choice(qualifiers), ".", text[at])


def rename_alias(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    after_as = [
        i + 2 for i in solid(text) if text[i].lower() == "as" and i + 2 < len(text) and _is_name(text[i + 2])
    ]
    at = _pick(chance, after_as)
    same = [text[i] for i in after_as]
    return None if at is None else _with(text, at, chance.choice(["zz", *same]))


def drop_alias(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, [i for i in solid(text) if text[i].lower() == "as" and i + 2 < len(text)])
    return None if at is None else _with(text, at, take=3)


def drop_clause(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    starts = [i for i in solid(text) if text[i].upper() in _CLAUSES]
    at = _pick(chance, starts)
    if at is None:
        return None
    return text[:at] + text[_end(text, at, starts) :]


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
    return text[:a] + text[b : _end(text, b, starts)] + [" "] + text[a:b] + text[_end(text, b, starts) :]


def double_clause(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    starts = [i for i in solid(text) if text[i].upper() in _CLAUSES]
    at = _pick(chance, starts)
    if at is None:
        return None
    end = _end(text, at, starts)
    return text[:end] + [" "] + text[at:end] + [" "] + text[end:]


def borrow_clause(text: Words, other: Words, _n: Names, chance: Chance) -> Words | None:
    starts = [i for i in solid(other) if other[i].upper() in _CLAUSES[1:]]
    mine = [i for i in solid(text) if text[i].upper() in _CLAUSES]
    if not starts or not mine:
        return None
    at, place = chance.choice(starts), chance.choice(mine)
    place = _end(text, place, mine)
    return text[:place] + [" "] + other[at : _end(other, at, starts)] + [" "] + text[place:]


def aggregate_in(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, [i for i in _names(text) if i + 1 >= len(text) or text[i + 1] not in "(."])
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
    at = _pick(chance, [i for i in solid(text) if text[i][0] in "'\"`[" or _is_name(text[i])])
    if at is None:
        return None
    bare = text[at].strip("'\"`[]") or "x"
    left, right = chance.choice(["''", '""', "``", "[]", "  ", "‘’", "“”", "「」"])
    return _with(text, at, f"{left}{bare}{right}".strip())


def drop_quote(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, [i for i in solid(text) if text[i][0] in "'\"`["])
    return (
        None if at is None else _with(text, at, chance.choice([text[at][1:], text[at][:-1], text[at][1:-1]]))
    )


def requote(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    """Every name in another dialect's quotes, or every string in double ones."""
    style = chance.choice(["``", "[]", '""', "''"])
    which = '`"[' if style != "''" else '"'
    return [style[0] + w[1:-1] + style[1] if w[0] in which and len(w) > 1 else w for w in text]


def arguments(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, [i + 1 for i in _names(text) if i + 1 < len(text) and text[i + 1] == "("])
    if at is None:
        return None
    return _with(text, at, chance.choice(["(1, ", "(", "()", "(*, ", "(DISTINCT ", "(ALL ", "(, "]))


def function(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, [i for i in _names(text) if i + 1 < len(text) and text[i + 1] == "("])
    return None if at is None else _with(text, at, chance.choice(_FUNCTIONS))


_FUNCTIONS = """YEAR MONTH DATEDIFF DATE_FORMAT TO_CHAR CONCAT CONCAT_WS LEFT RIGHT LEN LENGTH CHAR_LENGTH NVL ISNULL IFNULL IF IIF COALESCE
STDDEV STDEV VARIANCE MEDIAN NOW GETDATE CURDATE DATE_TRUNC DATE_PART STRING_AGG LISTAGG ARRAY_AGG SUBSTRING SUBSTR SUBSTRING_INDEX
CHARINDEX POSITION STRPOS INSTR LOCATE LPAD RPAD REPEAT REVERSE INITCAP SPLIT_PART REGEXP_REPLACE REGEXP_MATCHES FORMAT TRUNCATE TRUNC CEIL
CEILING FLOOR MOD POWER SQRT RAND RANDOM GREATEST LEAST ANY_VALUE FIRST LAST STRFTIME JULIANDAY DATE TIME DATETIME TIMESTAMPDIFF
DATE_ADD DATE_SUB ADD_MONTHS AGE EXTRACT CAST CONVERT TRY_CAST GROUP_CONCAT TOTAL COUNT SUM AVG MIN MAX ROUND ABS LOWER UPPER TRIM LTRIM
REPLACE UNICODE ASCII CHAR CHR HEX QUOTE TYPEOF PRINTF ROW_NUMBER RANK NTILE LAG LEAD FIRST_VALUE PERCENT_RANK CUME_DIST""".split()  # fmt: skip


def keyword(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, [i for i in solid(text) if text[i].lower() in _KEYWORDS])
    return None if at is None else _with(text, at, chance.choice(sorted(_KEYWORDS)).upper())


def insert(text: Words, other: Words, _n: Names, chance: Chance) -> Words | None:
    at = _pick(chance, solid(text))
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
    at = _pick(chance, places)
    return None if at is None else _with(text, at, chance.choice(_OPERATORS))


_OPERATORS = """== != <> <=> ~ ~* !~ =~ ^ ** // % & | << >> || && <= >= => =< := :: -> ->> @> IS LIKE ILIKE GLOB REGEXP MATCH RLIKE IN DIV MOD
AND OR XOR , . =""".split() + ["IS NOT", "NOT LIKE", "IS DISTINCT FROM", "SIMILAR TO", "NOT IN", "NOT GLOB", "IS NOT DISTINCT FROM", "= ANY", "= ALL"]  # fmt: skip


def foreign(text: Words, other: Words, _n: Names, chance: Chance) -> Words | None:
    whole = "".join(text)
    sub = "".join(other)
    kind = chance.choice(_FOREIGN)
    if "{}" in kind[1]:
        return [kind[1].replace("{}", whole).replace("{2}", sub)]
    changed, n = re.subn(kind[0], lambda m: m.expand(kind[1]), whole, count=1, flags=re.IGNORECASE)
    return [changed] if n else None


_FOREIGN = [
    (r"\bSELECT\b", "SELECT TOP 3"), (r"\bSELECT\b", "SELECT ALL"), (r"\bSELECT\b", "SELECT DISTINCT ON (1)"), (r"\bSELECT\b", "SELECT STRAIGHT_JOIN"),
    (r"\bSELECT\b", "SELECT DISTINCT DISTINCT"), (r"\bLIMIT (\d+)\b", r"LIMIT \1, 2"), (r"\bLIMIT (\d+)\b", r"FETCH FIRST \1 ROWS ONLY"),
    (r"\bLIMIT (\d+)\b", r"LIMIT ALL"), (r"\bLIMIT (\d+)\b", r"LIMIT \1 OFFSET 1 ROWS"), (r"\bLIMIT (\d+)\b", r"LIMIT -1"), (r"\bLIMIT (\d+)\b", "LIMIT 50%"),
    (r"\bLIMIT (\d+)\b", r"LIMIT (SELECT 1)"), (r"\bLIMIT (\d+)\b", r"LIMIT 'x'"), (r"\bLIMIT (\d+)\b", r"LIMIT amount"), (r"\bLIMIT (\d+)\b", r"OFFSET \1"),
    (r"$", " WITH ROLLUP"), (r"$", " FOR UPDATE"), (r"$", " NULLS LAST"), (r"$", " WITH TIES"), (r"$", " OPTION (MAXDOP 1)"), (r"$", ";;"), (r"$", "; SELECT 1"), (r"$", " -- done"),
    (r"$", " /* open"), (r"$", " LIMIT 5"), (r"$", " OFFSET 3"), (r"$", " ORDER BY RANDOM()"), (r"$", " ORDER BY nothing"), (r"$", " ORDER BY 9"), (r"$", " ORDER BY COUNT(*)"),
    (r"$", " GROUP BY 1"), (r"$", " HAVING COUNT(*) > 1"), (r"$", " WHERE 1 = 1"), (r"$", " AND 1 = 1"), (r"$", " UNION"), (r"$", ")"), (r"$", "'"), (r"$", '"'),
    (r"\bGROUP BY ([^()]*)", r"GROUP BY ROLLUP (\1)"), (r"\bGROUP BY\b", "GROUP BY ALL"), (r"\bGROUP BY\b", "GROUP BY COUNT(*),"), (r"\bGROUP BY\b", "GROUP"), (r"\bORDER BY\b", "ORDER"),
    (r"\bORDER BY\b", "ORDER BY 1,"), (r"\bORDER BY\b", "ORDER BY 1.5,"), (r"\bORDER BY\b", "ORDER BY 'x',"), (r"\bORDER BY\b", "ORDER BY -1,"), (r"\bORDER BY\b", "ORDER BY COUNT(*),"),
    (r"\bGROUP BY\b", "GROUP BY 'x',"), (r"\bGROUP BY\b", "GROUP BY -1,"), (r"\bGROUP BY\b", "GROUP BY 99,"), (r"\bGROUP BY\b", "GROUP BY 1,"), (r"\bDESC\b", "DESC NULLS LAST"), (r"\bDESC\b", "DESCENDING"),
    (r"\bDESC\b", "NULLS LAST DESC"), (r"\bDESC\b", "DESC DESC"), (r"\bINNER JOIN\b", "INNER LEFT JOIN"), (r"\b(INNER )?JOIN\b", "FULL OUTER JOIN"), (r"\b(INNER )?JOIN\b", "CROSS JOIN"), (r"\b(INNER )?JOIN\b", "OUTER JOIN"),
    (r"\b(INNER )?JOIN\b", "NATURAL JOIN"), (r"\b(INNER )?JOIN\b", "LEFT INNER JOIN"), (r"\b(INNER )?JOIN\b", "STRAIGHT_JOIN"), (r"\b(INNER )?JOIN\b", "LEFT SEMI JOIN"), (r"\b(INNER )?JOIN\b", "JOIN LATERAL"), (r"\b(INNER )?JOIN\b", ", "),
    (r"\b(INNER )?JOIN\b", "NATURAL LEFT OUTER JOIN"), (r"\b(INNER )?JOIN\b", "LEFT OUTER"), (r"\b(INNER )?JOIN\b", "RIGHT JOIN"), (r"\b(INNER )?JOIN\b", "JOIN JOIN"),
    (r"\bON\b", "ON (1) AND"), (r"\bON\b", "USING"), (r"\bON\b", "WHERE"), (r"\bON [^()]*?=[^()]*?(?=$| WHERE| GROUP| ORDER| JOIN| INNER)", "USING (account_id)"), (r"\bON [^()]*?=[^()]*?(?=$| WHERE| GROUP| ORDER| JOIN| INNER)", ""),
    (r"\bWHERE\b", "WHERE COUNT(*) > 1 AND"), (r"\bWHERE\b", "WHERE RANK() OVER (ORDER BY 1) = 1 AND"), (r"\bWHERE\b", "WHERE EXTRACT(YEAR FROM date) = 2000 AND"), (r"\bWHERE\b", "WHERE date > NOW() - INTERVAL '1 day' AND"),
    (r"\bWHERE\b", "WHERE date >= DATE '2020-01-01' AND"), (r"\bWHERE\b", "WHERE date::date > '2020-01-01' AND"), (r"\bWHERE\b", "WHERE TRUE AND"), (r"\bWHERE\b", "WHERE 1 AND"), (r"\bWHERE\b", "WHERE NOT"), (r"\bWHERE\b", "WHERE 'x' AND"),
    (r"\bWHERE\b", "WHERE 1 IN (1, 2) AND"), (r"\bWHERE\b", "WHERE 1 IN () AND"), (r"\bWHERE\b", "WHERE 1 IN 1 AND"), (r"\bWHERE\b", "WHERE 1 = ANY (SELECT 1) AND"), (r"\bWHERE\b", "WHERE 1 > ALL (SELECT 1) AND"), (r"\bWHERE\b", "WHERE (1, 2) = (1, 2) AND"),
    (r"\bWHERE\b", "WHERE (1, 2) = 1 AND"), (r"\bWHERE\b", "WHERE (1, 2) IN ((1, 2)) AND"), (r"\bWHERE\b", "WHERE (1, 2) IN (VALUES (1, 2)) AND"), (r"\bWHERE\b", "WHERE (SELECT 1, 2) AND"), (r"\bWHERE\b", "WHERE 1 IN (SELECT 1, 2) AND"),
    (r"\bWHERE\b", "WHERE 1 BETWEEN 0 AND 2 AND"), (r"\bWHERE\b", "WHERE 1 BETWEEN 0 OR 2 AND"), (r"\bWHERE\b", "WHERE 'a' LIKE 'b' ESCAPE '!' AND"), (r"\bWHERE\b", "WHERE 'a' LIKE 'b' ESCAPE AND"), (r"\bWHERE\b", "WHERE 'a' REGEXP 'b' AND"), (r"\bWHERE\b", "WHERE 'a' MATCH 'b' AND"),
    (r"\bWHERE\b", "WHERE CASE WHEN 1 THEN 2 AND"), (r"\bWHERE\b", "WHERE CASE END AND"), (r"\bWHERE\b", "WHERE IF(1 > 2, 1, 0) AND"), (r"\bWHERE\b", "WHERE x'0g' AND"), (r"\bWHERE\b", "WHERE 0x1F AND"), (r"\bWHERE\b", "WHERE 1e3 > 1. AND .5 < 1 AND"), (r"\bWHERE\b", "WHERE 1_000 > 1 AND"),
    (r"\bWHERE\b", "WHERE 12abc AND"), (r"\bWHERE\b", "WHERE NULL IS NULL AND 1 ISNULL AND 2 NOT NULL AND"), (r"\bWHERE\b", "WHERE 1 IS NOT 2 AND"), (r"\bWHERE\b", "WHERE NOT EXISTS (SELECT) AND"), (r"\bWHERE\b", "WHERE EXISTS (1) AND"), (r"\bWHERE\b", "WHERE ? AND"),
    (r"\bWHERE\b", "WHERE :x AND"), (r"\bWHERE\b", "WHERE CURRENT_DATE > '2000' AND"), (r"\bWHERE\b", "WHERE CURRENT_DATE() > '2000' AND"), (r"\bWHERE\b", "WHERE date('now') > '2000' AND"), (r"\bWHERE\b", "WHERE strftime('%Y', 'now') = '2000' AND"), (r"\bWHERE\b", "WHERE CAST(1 AS NUMERIC(10, 2)) AND"),
    (r"\bWHERE\b", "WHERE CAST(1 AS) AND"), (r"\bWHERE\b", "WHERE CAST(1 AS UNSIGNED) AND"), (r"\bWHERE\b", "WHERE CAST(1 AS DOUBLE PRECISION) AND"), (r"\bWHERE\b", "WHERE CAST(1, INT) AND"), (r"\bWHERE\b", "WHERE CONVERT(INT, 1) AND"), (r"\bWHERE\b", "WHERE (1 AND"), (r"\bWHERE\b", "WHERE 1) AND"),
    (r"\bWHERE\b", "WHERE COUNT(*) OVER () > 1 AND"), (r"\bWHERE\b", "WHERE MAX(1, 2) AND"), (r"\bWHERE\b", "WHERE MAX(1) AND"), (r"\bWHERE\b", "WHERE 1 COLLATE NOCASE AND"), (r"\bWHERE\b", "WHERE 'a' COLLATE utf8 = 'b' AND"), (r"\bWHERE\b", "WHERE RAISE(IGNORE) AND"), (r"\bWHERE\b", "WHERE - - 1 AND ~1 AND + 'a' AND"),
    (r"\bHAVING\b", "HAVING SUM(COUNT(*)) > 1 AND"), (r"\bHAVING\b", "HAVING RANK() OVER (ORDER BY 1) AND"), (r"\bCOUNT\(\*\)", "COUNT()"), (r"\bCOUNT\(\*\)", "COUNT(DISTINCT *)"), (r"\bCOUNT\(\*\)", "COUNT(1, 2)"), (r"\bCOUNT\(\*\)", "SUM(*)"), (r"\bCOUNT\(\*\)", "COUNT(SELECT 1)"), (r"\bCOUNT\(\*\)", "COUNT((SELECT 1))"), (r"\bCOUNT\(\*\)", "MAX(COUNT(*))"),
    (r"\bCOUNT\(\*\)", "COUNT(t.*)"), (r"\bCOUNT\(\*\)", "COUNT(*) OVER (PARTITION BY 1)"), (r"\bCOUNT\(\*\)", "COUNT(*) FILTER (WHERE 1)"), (r"\bCOUNT\(\*\)", "COUNT(*) FILTER 1"), (r"\bCOUNT\(\*\)", "COUNT(ALL 1)"), (r"\bCOUNT\(\*\)", "COUNT (*)"), (r"\bCOUNT\(\*\)", "COUNT(*)::int"), (r"\bCOUNT\(\*\)", "CAST(COUNT(*) AS FLOAT)"),
    (r"'(?P<a>[^']*)'", r'"\g<a>"'), (r"'(?P<a>[^']*)'", r"‘\g<a>’"), (r"'(?P<a>[^']*)'", r"\\'\g<a>\\'"), (r"'(?P<a>[^']*)'", r"E'\g<a>'"), (r"'(?P<a>[^']*)'", r"N'\g<a>'"), (r"'(?P<a>[^']*)'", r"'\g<a>s' house'"), (r"'(?P<a>[^']*)'", r"'it\\'s \g<a>'"), (r"'(?P<a>[^']*)'", r"'\g<a>' 'b'"), (r"'(?P<a>[^']*)'", r"x'\g<a>'"),
    (r"\bAS (\w+)", r"AS '\1'"), (r"\bAS (\w+)", r"AS \1 x"), (r"\bAS (\w+)", r"\1"), (r"\bAS (\w+)", r"AS order"), (r"\bAS (\w+)", r"AS rank"), (r"\bAS (\w+)", r"AS index"), (r"\bAS (\w+)", r"AS 1st"), (r"\bAS (\w+)", r"AS [\1]"), (r"\bAS (\w+)", r"AS"), (r"\bAS (\w+)", r"AS \1(a, b)"), (r"\bAS (\w+)", r"= \1"), (r"\bAS (\w+)", r"AS left"), (r"\bAS (\w+)", r"AS group"),
    (r"", "```sql\n{}\n```"), (r"", "```sql\n{}"), (r"", "{}\n```"), (r"", "Here is the query:\n{}"), (r"", "{}\nThis query counts rows."), (r"", "SQL: {}"), (r"", "{};\nThe answer is above."), (r"", "-- query\n{}"), (r"", "/* c */ {}"), (r"", "({})"), (r"", "({});"), (r"", "EXPLAIN {}"), (r"", "SELECT * FROM ({})"), (r"", "SELECT * FROM ({}) AS z"),
    (r"", "SELECT COUNT(*) FROM ({}) z"), (r"", "SELECT ({})"), (r"", "SELECT 1 WHERE 1 IN ({})"), (r"", "SELECT EXISTS ({})"), (r"", "WITH q AS ({}) SELECT * FROM q"), (r"", "WITH q AS ({}), SELECT * FROM q"), (r"", "WITH q AS {} SELECT * FROM q"), (r"", "WITH q ({}) SELECT * FROM q"), (r"", "WITH q AS ({}) SELECT * FROM r"), (r"", "WITH q AS ({}) q2 AS (SELECT 1) SELECT * FROM q"), (r"", "WITH q(a) AS ({}) SELECT a FROM q"), (r"", "WITH q AS ({}), q AS (SELECT 1) SELECT * FROM q"),
    (r"", "WITH q AS ({})"), (r"", "WITH q AS ({}) SELECT x FROM q"), (r"", "{} UNION {2}"), (r"", "({}) UNION ({2})"), (r"", "{} EXCEPT {2}"), (r"", "{} INTERSECT ALL {2}"), (r"", "{} MINUS {2}"), (r"", "SELECT * FROM ({}) INTERSECT {2}"), (r"", "{} UNION DISTINCT {2}"), (r"", "{} UNION ALL {2} ORDER BY 1"), (r"", "{} {2}"), (r"", "{}; {2}"), (r"", "SELECT a.* FROM ({}) a JOIN ({2}) b"), (r"", "SELECT * FROM ({}) a JOIN ({2}) a"), (r"", "SELECT ({}) - ({2})"), (r"", "SELECT ({}) + 1 AS x FROM drivers"), (r"", "SELECT x.* FROM ({}) AS y"), (r"", "SELECT * FROM ({}), ({2})"),
    (r"\(", "（"), (r",", "，"), (r"=", "＝"), (r" ", "　"), (r" ", "\u00a0"), (r" ", "\u200b"), (r"\bSELECT\b", "ＳＥＬＥＣＴ"), (r",", ", ,"), (r",", ""), (r",", ";"), (r" FROM\b", ", FROM"), (r"\bWHERE\b", "AND"), (r"\bAND\b", "WHERE"), (r"\bAND\b", ","), (r"\bAND\b", "&&"), (r"\bAND\b", "AND AND"), (r"\bAND\b", "AND HAVING"), (r"\bFROM (\S+)", r"FROM \1 NOLOCK (1)"), (r"\bFROM (\S+)", r"FROM \1 TABLESAMPLE (1)"), (r"\bFROM (\S+)", r"FROM \1 INDEXED BY x"), (r"\bFROM (\S+)", r"FROM \1, \1"), (r"\bFROM (\S+)", r"FROM db.\1"), (r"\bFROM (\S+)", r"FROM main.\1"), (r"\bFROM (\S+)", r"FROM (\1)"), (r"\bFROM (\S+)", r"FROM '\1'"), (r"\bFROM (\S+)", r"FROM `\1`"), (r"\bFROM (\S+)", r"FROM \1 AS"), (r"\bFROM (\S+)", r"FROM ONLY \1"), (r"\bFROM (\S+)", r"FROM DUAL, \1"), (r"\bFROM (\S+)", r"FROM \1 a1 a2"), (r"\bFROM (\S+)", r"FROM \1, drivers"), (r"\bFROM (\S+)", r"FROM drivers JOIN \1"),
]  # fmt: skip


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
    at = _pick(chance, [i for i in solid(text) if text[i] in "()"])
    return None if at is None else _with(text, at)


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
    at = _pick(chance, [i for i in solid(text) if _is_name(text[i]) or text[i][0] in "'0123456789"])
    inner = chance.choice(
        [
            "".join(other),
            f"SELECT {chance.choice(names.columns)} FROM {chance.choice(names.tables)}",
            f"SELECT MAX({chance.choice(names.columns)}) FROM {chance.choice(names.tables)} LIMIT 1",
        ]
    )
    return None if at is None else _with(text, at, "(", inner, ")")


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
