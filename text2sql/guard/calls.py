"""Function calls as they are written: which names are called, with how many arguments, in the words themselves.

The tree knows functions under the parser's names (`IFNULL` becomes Coalesce), so names and numbers of
arguments are taken from the words: those are what the engine reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import Token, TokenType

T = TokenType
_STRUCTURE = frozenset(
    [
        "in",
        "and",
        "or",
        "not",
        "on",
        "where",
        "from",
        "join",
        "select",
        "as",
        "over",
        "filter",
        "using",
        "values",
        "having",
        "limit",
        "offset",
        "when",
        "then",
        "else",
        "case",
        "between",
        "like",
        "ilike",
        "is",
        "union",
        "all",
        "any",
        "some",
        "intersect",
        "except",
        "distinct",
        "with",
        "recursive",
        "qualify",
        "window",
        "group",
        "escape",
        "sets",
        "cube",
        "rollup",
        "lateral",
        "pivot",
        "unpivot",
        "for",
        "exclude",
        "rename",
        "materialized",
        "glob",
        "regexp",
        "match",
        "similar",
        "at",
        "collate",
        "interval",
        "div",
        "by",
        "set",
        "to",
        "end",
        "rows",
        "fetch",
        "only",
        "cross",
        "inner",
        "outer",
        "full",
        "natural",
        "within",
        "returning",
    ]
)
_BETWEEN = frozenset({"symmetric", "asymmetric"})
_NAMED = frozenset({T.VAR, T.IDENTIFIER})
_SPOKEN = {
    "substring": frozenset({"from", "for"}),
    "overlay": frozenset({"placing", "from", "for"}),
    "position": frozenset({"in"}),
}
"""Words that may stand where a comma would: SUBSTRING(text FROM 2 FOR 3)."""
_OPENING = frozenset({T.L_PAREN, T.L_BRACKET, T.L_BRACE})
_CLOSING = frozenset({T.R_PAREN, T.R_BRACKET, T.R_BRACE})


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`; each argument is its words. `star` for `count(*)`."""

    name: str
    token: Token
    arguments: tuple[list[Token], ...]
    filtered: bool = False
    """FILTER (…) stands after it."""
    windowed: bool = False
    """OVER stands after it."""
    in_order: bool = False
    """WITHIN GROUP (…) stands after it."""

    @property
    def star(self) -> bool:
        """Whether the only argument is `*`."""
        return len(self.arguments) == 1 and [t.token_type for t in self.arguments[0]] == [T.STAR]

    @property
    def number(self) -> int:
        """How many arguments there are, those after a word like FROM among them."""
        words = _SPOKEN.get(self.name)
        if words is None or len(self.arguments) != 1:
            return len(self.arguments)
        depth, number = 0, 1
        before: Token | None = None
        for token in self.arguments[0]:
            kind = token.token_type
            depth += (kind in _OPENING or kind == T.CASE) - (kind in _CLOSING or kind == T.END)
            compared = before is not None and before.token_type == T.DISTINCT  # IS DISTINCT FROM
            number += depth == 0 and token.text.lower() in words and kind != T.IDENTIFIER and not compared
            before = token
        return number

    @property
    def distinct(self) -> bool:
        """Whether the arguments start with DISTINCT."""
        return (
            bool(self.arguments) and bool(self.arguments[0]) and self.arguments[0][0].token_type == T.DISTINCT
        )


def calls(tokens: list[Token]) -> Iterator[Call]:
    """Every call, in the order of the words."""
    brackets = _brackets(tokens)
    for index in range(len(tokens) - 1):
        if tokens[index + 1].token_type == T.L_PAREN and is_call(tokens, index):
            token = tokens[index]
            commas, end = brackets[index + 1]
            arguments = _arguments(tokens, index + 2, commas, end)
            yield Call(token.text.lower(), token, arguments, *_after(tokens, end + 1))


def _brackets(tokens: list[Token]) -> dict[int, tuple[list[int], int]]:
    """For each opening bracket the commas of its own level and where it closes: the end where it does not."""
    found: dict[int, tuple[list[int], int]] = {}
    opened: list[tuple[int, list[int]]] = []
    for index, token in enumerate(tokens):
        kind = token.token_type
        if kind in _OPENING:
            opened.append((index, []))
        elif opened and kind == T.COMMA:
            opened[-1][1].append(index)
        elif opened and kind in _CLOSING:
            start, commas = opened.pop()
            found[start] = commas, index
    found.update((start, (commas, len(tokens))) for start, commas in opened)
    return found


def is_call(tokens: list[Token], index: int) -> bool:
    """Whether the word before an opening parenthesis calls a function."""
    token = tokens[index]
    text = token.text
    if token.token_type == T.IDENTIFIER:
        pass  # a quoted name that is called is a call
    elif (
        token.token_type == T.STRING
        or not (text[:1].isalpha() or text[:1] == "_")
        or " " in text
        or (text.lower() in _STRUCTURE and not _filter_of_a_list(tokens, index))
    ):
        return False
    before = tokens[index - 1] if index else None
    if before is None:
        return True
    if before.token_type in (T.ALIAS, T.DCOLON, T.R_PAREN, *_NAMED):
        return False  # a type, or an alias with its columns: neither calls anything
    if before.token_type == T.TABLE_SAMPLE or (before.token_type == T.STRING and text.lower() == "columns"):
        return False  # JSON_TABLE(…, '$[*]' COLUMNS (…))
    if before.token_type == T.NUMBER and text.lower() == "percent":
        return False  # USING SAMPLE 10 PERCENT (bernoulli)
    if before.token_type == T.BETWEEN and text.lower() in _BETWEEN:
        return False
    if before.token_type == T.STAR and text.lower() == "replace":
        return not (index > 1 and tokens[index - 2].token_type in (T.SELECT, T.COMMA, T.DISTINCT, T.DOT))
    return not _names_a_cte(tokens, index)


def _filter_of_a_list(tokens: list[Token], index: int) -> bool:
    return tokens[index].text.lower() == "filter" and tokens[index + 2].token_type != T.WHERE


def _names_a_cte(tokens: list[Token], index: int) -> bool:
    """`WITH name(columns) AS (…)`."""
    before = tokens[index - 1]
    if before.token_type not in (T.WITH, T.RECURSIVE, T.COMMA):
        return False
    end = _closing(tokens, index + 1)
    return end + 1 < len(tokens) and tokens[end + 1].token_type == T.ALIAS and _opens(tokens, end + 2)


def _opens(tokens: list[Token], index: int) -> bool:
    # AS (, AS MATERIALIZED (, AS NOT MATERIALIZED (
    return any(t.token_type == T.L_PAREN for t in tokens[index : index + 3])


def _closing(tokens: list[Token], opening: int) -> int:
    depth = 0
    for index in range(opening, len(tokens)):
        kind = tokens[index].token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth == 0:
            return index
    return len(tokens)


def _arguments(tokens: list[Token], start: int, commas: list[int], end: int) -> tuple[list[Token], ...]:
    """The words of each argument."""
    if start >= end:
        return ()
    if _query(tokens[start : start + 1]):
        return (tokens[start:end],)
    edges = [start - 1, *commas, end]
    return tuple(tokens[a + 1 : b] for a, b in pairwise(edges))


def _query(argument: list[Token]) -> bool:
    """EXISTS (SELECT a, b …): its commas are the query's."""
    return bool(argument) and argument[0].token_type in (T.SELECT, T.WITH, T.VALUES)


def _after(tokens: list[Token], index: int) -> tuple[bool, bool, bool]:
    """What stands after a call: FILTER (…), OVER, WITHIN GROUP (…), in any order."""
    filtered = in_order = False
    while index + 1 < len(tokens):
        word = tokens[index].text.lower()
        if word == "over" and tokens[index].token_type != T.IDENTIFIER:
            return filtered, True, in_order
        if word in ("ignore", "respect") and tokens[index + 1].text.lower() == "nulls":
            index += 2
        elif word == "filter" and tokens[index + 1].token_type == T.L_PAREN:
            filtered, index = True, _closing(tokens, index + 1) + 1
        elif word == "within" and tokens[index + 1].text.lower() == "group":
            in_order, index = True, _closing(tokens, index + 2) + 1
        elif word == "within group":
            in_order, index = True, _closing(tokens, index + 1) + 1
        else:
            break
    return filtered, False, in_order
