"""DuckDB's PIVOT and UNPIVOT that stand where a query does, put into the form that stands behind a table, word by word.

`PIVOT t ON a IN (1, 2) USING sum(b) GROUP BY c` is `SELECT * FROM t PIVOT (sum(b) FOR a IN (1, 2) GROUP BY c)`, and
`UNPIVOT t ON a, b INTO NAME n VALUE v` is `SELECT * FROM t UNPIVOT (v FOR n IN (a, b))`; both give the same columns.
https://duckdb.org/docs/stable/sql/statements/pivot
"""

from __future__ import annotations

from sqlglot import Token, TokenType

from text2sql.guard.refusal import Refused

T = TokenType
_OPENING = frozenset({T.L_PAREN, T.L_BRACKET, T.L_BRACE})
_CLOSING = frozenset({T.R_PAREN, T.R_BRACKET, T.R_BRACE})
_STARTED = frozenset({T.SELECT, T.FROM, T.VALUES})
_BEHIND = frozenset({T.ORDER_BY, T.LIMIT, T.OFFSET, T.UNION, T.EXCEPT, T.INTERSECT})
_BOUND = 20
"""How many PIVOT stand inside each other at the most: each is looked for anew."""


def as_table_pivots(tokens: list[Token]) -> list[Token]:
    """The words with every PIVOT and UNPIVOT behind a table. Raises `Refused` with code node or syntax."""
    for _ in range(_BOUND):
        start = _next(tokens)
        if start is None:
            return tokens
        tokens = _moved(tokens, start)
    raise Refused("too_deep", "Too many PIVOT in one statement.", tokens[0].start, "PIVOT")


def _next(tokens: list[Token]) -> int | None:
    """Where a PIVOT starts a query."""
    started = [False]
    for index, token in enumerate(tokens):
        kind = token.token_type
        if kind in _OPENING:
            started.append(kind != T.L_PAREN)
        elif kind in _CLOSING and len(started) > 1:
            started.pop()
        elif kind in (T.PIVOT, T.UNPIVOT) and not started[-1] and _begins(tokens, index):
            return index
        elif kind in _STARTED:
            started[-1] = True
    return None


def _begins(tokens: list[Token], index: int) -> bool:
    """At the start, behind a parenthesis, or behind the WITH queries."""
    before = tokens[index - 1].token_type if index else T.L_PAREN
    return before == T.L_PAREN or (before == T.R_PAREN and _with_opens(tokens, index))


def _with_opens(tokens: list[Token], index: int) -> bool:
    depth = 0
    for token in reversed(tokens[:index]):
        depth += (token.token_type in _CLOSING) - (token.token_type in _OPENING)
        if depth < 0:
            return False
        if depth == 0 and token.token_type == T.WITH:
            return True
    return False


def _like(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end)


def _moved(tokens: list[Token], start: int) -> list[Token]:
    word = tokens[start]
    end, marks = _clauses(tokens, start)
    on = marks.get(T.ON)
    if on is None or not _source(tokens[start + 1 : on]):
        raise Refused("syntax", "PIVOT takes one table or sub-query, then ON.", word.start, word.text)
    source, rest = tokens[start + 1 : on], sorted((at, kind) for kind, at in marks.items() if at >= on)
    edges = [*(at for at, _ in rest), end]
    parts = {kind: tokens[at + 1 : edges[i + 1]] for i, (at, kind) in enumerate(rest)}
    body = _unpivot(parts, word) if word.token_type == T.UNPIVOT else _pivot(parts, word)
    opening = [_like(word, T.SELECT, "SELECT"), _like(word, T.STAR, "*"), _like(word, T.FROM, "FROM")]
    group = [tokens[marks[T.GROUP_BY]], *parts[T.GROUP_BY]] if T.GROUP_BY in parts else []
    whole = [*opening, *source, word, _like(word, T.L_PAREN, "("), *body, *group, _like(word, T.R_PAREN, ")")]
    return [*tokens[:start], *whole, *tokens[end:]]


def _clauses(tokens: list[Token], start: int) -> tuple[int, dict[TokenType, int]]:
    """Where this PIVOT ends, and its own ON, USING, INTO and GROUP BY."""
    depth, marks = 0, dict[TokenType, int]()
    for index in range(start + 1, len(tokens)):
        kind = tokens[index].token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth < 0 or (depth == 0 and kind in _BEHIND):
            return index, marks
        if depth == 0 and kind in (T.ON, T.USING, T.INTO, T.GROUP_BY):
            if kind in marks:
                raise Refused(
                    "syntax", "PIVOT takes one table or sub-query, then ON.", tokens[index].start, "ON"
                )
            marks[kind] = index
    return len(tokens), marks


def _source(source: list[Token]) -> bool:
    """A table's name, or something in parentheses, with a name for it perhaps."""
    kinds = [token.token_type for token in source]
    if not kinds:
        return False
    if kinds[0] == T.L_PAREN:
        depth = 0
        for index, kind in enumerate(kinds):
            depth += (kind in _OPENING) - (kind in _CLOSING)
            if depth == 0:
                return T.L_PAREN not in kinds[index + 1 :] and T.COMMA not in kinds[index + 1 :]
        return False
    return all(kind in (T.DOT, T.ALIAS) or (source[i].text.isidentifier() or kind == T.IDENTIFIER) for i, kind in enumerate(kinds)) and (
        not {T.JOIN, T.COMMA} & set(kinds)
    )  # fmt: skip


def _items(words: list[Token]) -> list[list[Token]]:
    """What stands between the commas."""
    items: list[list[Token]] = [[]]
    depth = 0
    for token in words:
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth == 0 and kind == T.COMMA:
            items.append([])
        else:
            items[-1].append(token)
    return items


def _pivot(parts: dict[TokenType, list[Token]], word: Token) -> list[Token]:
    fields = _items(parts[T.ON])
    for field in fields:
        if len(field) < 4 or not any(token.token_type == T.IN for token in field):
            message = (
                "PIVOT's columns must not depend on the data; write its values: ON status IN ('a', 'b')."
            )
            raise Refused("node", message, word.start, word.text)
    if T.INTO in parts:
        raise Refused("syntax", "INTO belongs to UNPIVOT.", word.start, "INTO")
    count = [_like(word, kind, text) for kind, text in ((T.VAR, "count"), (T.L_PAREN, "("), (T.STAR, "*"), (T.R_PAREN, ")"))]  # fmt: skip
    made = parts.get(T.USING) or count
    return [*made, _like(word, T.FOR, "FOR"), *(token for field in fields for token in field)]


def _unpivot(parts: dict[TokenType, list[Token]], word: Token) -> list[Token]:
    name, values = [_like(word, T.VAR, "name")], [_like(word, T.VAR, "value")]
    into = parts.get(T.INTO)
    if into is not None:
        texts = [token.text.lower() for token in into]
        at = texts.index("value", 2) if "value" in texts[2:] else 0
        if texts[:1] != ["name"] or at != 2 or len(into) < 4:
            raise Refused("syntax", "Write INTO NAME name VALUE value.", word.start, "INTO")
        name, values = into[1:2], into[3:]
    if T.USING in parts or T.GROUP_BY in parts:
        raise Refused("syntax", "UNPIVOT has neither USING nor GROUP BY.", word.start, word.text)
    opened, closed = _like(word, T.L_PAREN, "("), _like(word, T.R_PAREN, ")")
    if len(values) > 1:
        values = [opened, *values, closed]
    listed = [_like(word, T.IN, "IN"), opened, *parts[T.ON], closed]
    return [*values, _like(word, T.FOR, "FOR"), *name, *listed]
