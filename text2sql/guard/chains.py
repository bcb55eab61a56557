"""DuckDB's calls chained by dots: `x.lower().replace(' ', '_')` is `replace(lower(x), ' ', '_')`, word by word.

What is called on is whatever stands before the dot: a name, a text, a call, something in parentheses, with its
subscripts. What could be read in another way as well stays as it is, and is refused later.
https://duckdb.org/docs/stable/sql/functions/overview#function-chaining-via-the-dot-operator
"""

from __future__ import annotations

from sqlglot import Token, TokenType

from text2sql.guard.calls import is_call

T = TokenType
_PAIRS = {T.R_PAREN: T.L_PAREN, T.R_BRACKET: T.L_BRACKET, T.R_BRACE: T.L_BRACE}
_NAMES = frozenset({T.VAR, T.IDENTIFIER})
_BEFORE = frozenset(
    {
        T.SELECT, T.DISTINCT, T.COMMA, T.L_PAREN, T.L_BRACKET, T.EQ, T.NEQ, T.LT, T.GT, T.LTE, T.GTE, T.PLUS, T.DASH, T.STAR,
        T.SLASH, T.DIV, T.MOD, T.DPIPE, T.AND, T.OR, T.NOT, T.WHERE, T.ON, T.HAVING, T.QUALIFY, T.CASE, T.WHEN, T.THEN, T.ELSE,
        T.GROUP_BY, T.ORDER_BY, T.PARTITION_BY, T.BETWEEN, T.LIKE, T.ILIKE, T.ARROW, T.COLON, T.USING, T.IN,
    }
)  # fmt: skip
"""Words behind which a value begins."""
_SCHEMAS = frozenset({"main", "temp", "system", "pg_catalog", "information_schema", "memory"})
"""Names before a dot that say where a function is."""


def as_calls(tokens: list[Token]) -> list[Token]:
    """The words with every chained call as an ordinary one."""
    done = list(tokens)
    index = 1
    while index + 2 < len(done):
        name = done[index + 1]
        if (
            done[index].token_type == T.DOT
            and done[index + 2].token_type == T.L_PAREN
            and name.token_type not in (T.STAR, T.STRING, T.NUMBER)
            and name.text.isidentifier()
        ):
            start = _operand(done, index - 1)
            if start is not None:
                operand = done[start:index]
                empty = index + 3 < len(done) and done[index + 3].token_type == T.R_PAREN
                comma = [] if empty else [Token(T.COMMA, ",", name.line, name.col, name.start, name.end)]
                done[start : index + 3] = [name, done[index + 2], *operand, *comma]
        index += 1
    return done


def _operand(tokens: list[Token], last: int) -> int | None:
    """Where the value that ends at `last` begins; None where that is not certain."""
    at = last
    while at >= 0:
        kind = tokens[at].token_type
        if kind in _PAIRS:
            opening = _opening(tokens, at)
            if opening is None:
                return None
            before = opening - 1
            if kind == T.R_PAREN and before >= 0 and is_call(tokens, before):
                at = before
            elif kind == T.R_BRACKET and before >= 0 and _ends_value(tokens[before]):
                at = before
                continue
            else:
                at = opening
        elif kind not in _NAMES and kind != T.STRING and not tokens[at].text.isidentifier():
            return None
        if at > 1 and tokens[at - 1].token_type == T.DOT and kind != T.STRING:
            at -= 2
            continue
        break
    if at < 0 or (at and tokens[at - 1].token_type not in _BEFORE and not _asks(tokens[at - 1])):
        return None
    if at and tokens[at].token_type == T.L_PAREN and tokens[at - 1].token_type == T.IN:
        return None  # the list, not a value
    lone = at == last and tokens[at].token_type in _NAMES and tokens[at].text.lower() in _SCHEMAS
    return None if lone or tokens[at].token_type in _BEFORE - {T.L_PAREN, T.L_BRACKET} else at


def _asks(token: Token) -> bool:
    """`[… FOR x IN y IF condition]`."""
    return token.token_type != T.IDENTIFIER and token.text.lower() == "if"


def _ends_value(token: Token) -> bool:
    return token.token_type in (*_NAMES, T.STRING, T.R_PAREN, T.R_BRACKET)


def _opening(tokens: list[Token], closing: int) -> int | None:
    depth = 0
    for index in range(closing, -1, -1):
        kind = tokens[index].token_type
        depth += (kind in _PAIRS) - (kind in _PAIRS.values())
        if depth == 0:
            return index if kind == _PAIRS[tokens[closing].token_type] else None
    return None
