"""Words of a text, and slips of single words and names: one lost, doubled, misspelt, cut or qualified otherwise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "fixtures" / "guard" / "awkward"
_WORD = re.compile(
    r"""\s+ | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | \d+\.?\d* | \w+
      | ->> | <> | != | == | <= | >= | \|\| | << | >> | -> | :: | .""",
    re.VERBOSE | re.DOTALL,
)
KEYWORDS = frozenset(
    [
        "select",
        "from",
        "where",
        "group",
        "by",
        "having",
        "order",
        "limit",
        "offset",
        "join",
        "inner",
        "left",
        "right",
        "full",
        "outer",
        "cross",
        "natural",
        "on",
        "using",
        "as",
        "and",
        "or",
        "not",
        "in",
        "is",
        "null",
        "like",
        "between",
        "exists",
        "case",
        "when",
        "then",
        "else",
        "end",
        "union",
        "all",
        "intersect",
        "except",
        "distinct",
        "with",
        "recursive",
        "over",
        "partition",
        "asc",
        "desc",
        "values",
        "cast",
        "glob",
        "collate",
    ]
)

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


def is_name(word: str) -> bool:
    return word[0] in '"`[' or ((word[0].isalpha() or word[0] == "_") and word.lower() not in KEYWORDS)


def name_places(text: Words) -> list[int]:
    return [i for i in solid(text) if is_name(text[i])]


def pick(chance: Chance, places: Sequence[int]) -> int | None:
    return chance.choice(places) if places else None


def put(text: Words, at: int, *new: str, take: int = 1) -> Words:
    return [*text[:at], *new, *text[at + take :]]


def drop(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, solid(text))
    return None if at is None else put(text, at)


def double(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, solid(text))
    return None if at is None else put(text, at, text[at], " ", text[at])


def swap(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    places = solid(text)
    if len(places) < 2:
        return None
    k = chance.randrange(len(places) - 1)
    new = list(text)
    new[places[k]], new[places[k + 1]] = new[places[k + 1]], new[places[k]]
    return new


def cut(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, solid(text)[1:])
    return None if at is None else text[:at]


def cut_inside(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    whole = "".join(text)
    return [whole[: chance.randrange(len(whole) // 2, len(whole))]]


def misspell(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in name_places(text) if len(text[i]) > 3])
    if at is None:
        return None
    word = text[at]
    k = chance.randrange(1, len(word) - 1)
    changed = chance.choice(
        [word[:k] + word[k + 1 :], word[:k] + word[k] + word[k:], word[:k] + "_" + word[k:]]
    )
    return put(text, at, changed)


def other_name(text: Words, other: Words, names: Names, chance: Chance) -> Words | None:
    at = pick(chance, name_places(text))
    found = name_places(other)
    choices = [
        chance.choice(names.columns),
        chance.choice(names.tables),
        *([other[chance.choice(found)]] if found else []),
    ]
    return None if at is None else put(text, at, chance.choice(choices))


def swap_names(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    found = name_places(text)
    if len(found) < 2:
        return None
    a, b = chance.sample(found, 2)
    new = list(text)
    new[a], new[b] = new[b], new[a]
    return new


def qualified(text: Words) -> list[int]:
    return [i for i in name_places(text) if i + 2 < len(text) and text[i + 1] == "." and text[i + 2] != "."]


def unqualify(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, qualified(text))
    return None if at is None else put(text, at, take=2)


def qualify(text: Words, other: Words, names: Names, chance: Chance) -> Words | None:
    at = pick(chance, name_places(text))
    qualifiers = [text[i] for i in qualified(text)] + [chance.choice(names.tables), "T9"]
    return None if at is None else put(text, at, chance.choice(qualifiers), ".", text[at])


def rename_alias(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    after_as = [
        i + 2 for i in solid(text) if text[i].lower() == "as" and i + 2 < len(text) and is_name(text[i + 2])
    ]
    at = pick(chance, after_as)
    same = [text[i] for i in after_as]
    return None if at is None else put(text, at, chance.choice(["zz", *same]))


def drop_alias(text: Words, _o: Words, _n: Names, chance: Chance) -> Words | None:
    at = pick(chance, [i for i in solid(text) if text[i].lower() == "as" and i + 2 < len(text)])
    return None if at is None else put(text, at, take=3)
