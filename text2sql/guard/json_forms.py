"""SQL/JSON's constructors where the parser reads another form of the same, word by word.

PostgreSQL's `JSON_OBJECTAGG(k : v)` is `json_object_agg(k, v)`, and `json_object_agg_strict` where what is NULL is
absent; `JSON_ARRAY(a ABSENT ON NULL)` says what holds anyway, and `JSON_ARRAY(a NULL ON NULL)` is `json_build_array(a)`.
https://www.postgresql.org/docs/current/functions-json.html
"""

from __future__ import annotations

from sqlglot import Token, TokenType

T = TokenType
_OPENING = frozenset({T.L_PAREN, T.L_BRACKET, T.L_BRACE})
_CLOSING = frozenset({T.R_PAREN, T.R_BRACKET, T.R_BRACE})
NAMES = frozenset({"json_objectagg", "json_array"})


def as_plain_json(tokens: list[Token], dialect: str) -> list[Token]:
    """The words with these calls in the form that the parser knows; what it does not know stays as it is."""
    done = list(tokens)
    index = 0
    while index + 1 < len(done):
        name = done[index].text.lower()
        if (
            done[index + 1].token_type == T.L_PAREN
            and done[index].token_type != T.IDENTIFIER
            and name in NAMES
        ):
            end = _closing(done, index + 1)
            inside, clause = _null_clause(done[index + 2 : end])
            if name == "json_array" and clause and (clause == "absent" or dialect == "postgres"):
                called = "json_array" if clause == "absent" else "json_build_array"
                done[index:end] = [_like(done[index], called), done[index + 1], *inside]
            elif name == "json_objectagg" and dialect == "postgres":
                pair = _pair(inside)
                if pair is not None:
                    called = "json_object_agg_strict" if clause == "absent" else "json_object_agg"
                    done[index:end] = [_like(done[index], called), done[index + 1], *pair]
        index += 1
    return done


def _like(token: Token, text: str) -> Token:
    return Token(T.VAR, text, token.line, token.col, token.start, token.end)


def _closing(tokens: list[Token], opening: int) -> int:
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].token_type in _OPENING) - (tokens[index].token_type in _CLOSING)
        if depth == 0:
            return index
    return len(tokens)


def _null_clause(inside: list[Token]) -> tuple[list[Token], str]:
    """What is before `NULL ON NULL` or `ABSENT ON NULL` at the end, and its first word."""
    words = [token.text.lower() for token in inside[-3:]]
    if words[1:] == ["on", "null"] and words[0] in ("null", "absent") and len(inside) > 3:
        return inside[:-3], words[0]
    return inside, ""


def _pair(inside: list[Token]) -> list[Token] | None:
    """`[KEY] k : v` or `[KEY] k VALUE v` as `k, v`; None where it is neither."""
    depth = 0
    for at, token in enumerate(inside):
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        value = token.text.lower() == "value" and kind not in (T.IDENTIFIER, T.STRING)
        if depth == 0 and 0 < at < len(inside) - 1 and (kind == T.COLON or value):
            named = inside[0].text.lower() == "key" and inside[0].token_type != T.IDENTIFIER and at > 1
            comma = Token(T.COMMA, ",", token.line, token.col, token.start, token.end)
            return [*inside[1 if named else 0 : at], comma, *inside[at + 1 :]]
    return None
