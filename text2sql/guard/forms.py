"""Other forms of the same statement, put into the one that the parser knows, word by word.

`TABLE t` is `SELECT * FROM t`, any word may be a name after AS in a SELECT list, a text goes on behind a line end,
`U&"n\\0061me"` is a name, and JSON_OBJECT's `KEY k VALUE v` is `k : v`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise

from sqlglot import Token, TokenType

from text2sql.guard.chains import as_calls
from text2sql.guard.json_forms import NAMES, as_plain_json
from text2sql.guard.pivot_forms import as_table_pivots
from text2sql.guard.refusal import Refused

T = TokenType
_TABLES = frozenset({"postgres", "athena"})
"""Engines that know `TABLE t`."""
_BEFORE_QUERY = frozenset({T.L_PAREN, T.UNION, T.INTERSECT, T.EXCEPT, T.ALL, T.DISTINCT})
_ANY_LABEL = frozenset({"postgres", "duckdb", "redshift"})
"""Engines that take any word for a name after AS."""
_CONTINUED = frozenset({"postgres", "duckdb", "redshift"})
"""Engines to which two texts with a line end between them are one."""
_AFTER_LABEL = frozenset(
    {T.COMMA, T.FROM, T.R_PAREN, T.WHERE, T.ORDER_BY, T.LIMIT, T.UNION, T.EXCEPT, T.INTERSECT}
)
_CLAUSES = frozenset({T.FROM, T.WHERE, T.GROUP_BY, T.HAVING, T.ORDER_BY, T.LIMIT, T.WINDOW, T.QUALIFY})
_FUNCTIONS = frozenset({"user", "session_user", "current_date", "current_user"})
"""Words that the generator would put in quotes."""
_CODE = re.compile(r"\\\\|\\\+([0-9a-fA-F]{6})|\\([0-9a-fA-F]{4})")
_CODED = re.compile(r"(?:[^\\\"]|\\\\|\\\+[0-9a-fA-F]{6}|\\[0-9a-fA-F]{4})+")


def as_known(tokens: list[Token], sql: str, dialect: str, reserved: Collection[str]) -> list[Token]:
    """The words in the forms that the parser knows. Raises `Refused` with code syntax."""
    kinds = {token.token_type for token in tokens}
    if T.TABLE in kinds:
        tokens = _tables(tokens, dialect)
    if T.STRING in kinds and dialect in _CONTINUED and "\n" in sql:
        tokens = _continued(tokens, sql)
    if T.AMP in kinds and dialect == "postgres":
        tokens = _coded(tokens)
    if dialect == "duckdb":
        tokens = as_calls(tokens) if T.DOT in kinds else tokens
        tokens = as_table_pivots(tokens) if kinds & {T.PIVOT, T.UNPIVOT} else tokens
    if T.ALIAS in kinds and dialect in _ANY_LABEL:
        tokens = _labels(tokens, dialect, reserved)
    if dialect in ("postgres", "athena"):
        words = {token.text.lower() for token in tokens}
        tokens = _members(tokens) if "json_object" in words else tokens
        tokens = as_plain_json(tokens, dialect) if words & NAMES else tokens
        if "against" in words:
            _not_against(tokens)
    return tokens


def _not_against(tokens: list[Token]) -> None:
    """MySQL's `MATCH (x) AGAINST (y)`, which the parser takes for `x @@ y`."""
    for token, after in pairwise(tokens):
        if token.text.lower() == "against" and after.token_type == T.L_PAREN:
            raise Refused("syntax", "There is no MATCH … AGAINST here.", token.start, token.text)


def _at(token: Token, kind: TokenType, text: str) -> Token:
    return Token(kind, text, token.line, token.col, token.start, token.end)


def _tables(tokens: list[Token], dialect: str) -> list[Token]:
    kept: list[Token] = []
    for index, token in enumerate(tokens):
        before = tokens[index - 1].token_type if index else None
        after = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        starts = before is None or before in _BEFORE_QUERY or before == T.ALIAS
        if token.token_type == T.TABLE and starts and after not in (None, T.L_PAREN) and before != T.ALIAS:
            if dialect not in _TABLES:
                raise Refused("syntax", "Write SELECT * FROM here.", token.start, token.text)
            kept += [_at(token, T.SELECT, "SELECT"), _at(token, T.STAR, "*"), _at(token, T.FROM, "FROM")]
        else:
            kept.append(token)
    return kept


def _continued(tokens: list[Token], sql: str) -> list[Token]:
    kept: list[Token] = []
    for token in tokens:
        before = kept[-1] if kept else None
        if before is not None and before.token_type == token.token_type == T.STRING:
            gap = sql[before.end + 1 : token.start]
            plain = sql[before.start : before.start + 1] == "'" == sql[token.start : token.start + 1]
            if plain and gap.isspace() and "\n" in gap:
                whole = before.text + token.text
                kept[-1] = Token(T.STRING, whole, before.line, before.col, before.start, token.end)
                continue
        kept.append(token)
    return kept


def _coded(tokens: list[Token]) -> list[Token]:
    """`U&"…"`, whose codes are letters."""
    kept: list[Token] = []
    for index, token in enumerate(tokens):
        if (
            token.token_type == T.IDENTIFIER
            and len(kept) > 1
            and kept[-1].token_type == T.AMP
            and kept[-2].text in ("U", "u")
            and kept[-2].end + 1 == kept[-1].start
            and kept[-1].end + 1 == token.start
        ):
            codes = [int(six or four, 16) for six, four in _CODE.findall(token.text) if six or four]
            escaped = index + 1 < len(tokens) and tokens[index + 1].text.lower() == "uescape"
            proper = all(0 < c < 0xD800 or 0xE000 <= c <= 0x10FFFF for c in codes)
            if escaped or not proper or _CODED.fullmatch(token.text) is None:
                raise Refused("syntax", 'Write this as an ordinary "…" name.', token.start, token.text[:20])
            first = kept[-2]
            kept[-2:] = [
                Token(
                    T.IDENTIFIER,
                    _CODE.sub(_letter, token.text),
                    first.line,
                    first.col,
                    first.start,
                    token.end,
                )
            ]
        else:
            kept.append(token)
    return kept


def _letter(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else "\\"


def _labels(tokens: list[Token], dialect: str, reserved: Collection[str]) -> list[Token]:
    """`AS select` in a SELECT list as `AS "select"`."""
    kept: list[Token] = []
    listing = [False]
    for index, token in enumerate(tokens):
        kind = token.token_type
        before = tokens[index - 1].token_type if index else None
        after = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        taken = token.text.lower() in reserved or token.text.lower() in _FUNCTIONS
        word = kind != T.IDENTIFIER and before == T.ALIAS and taken
        if word and listing[-1] and (after is None or after in _AFTER_LABEL):
            name = token.text if dialect == "duckdb" else token.text.lower()
            kept.append(_at(token, T.IDENTIFIER, name))
            continue
        if kind == T.L_PAREN:
            listing.append(False)
        elif kind == T.R_PAREN and len(listing) > 1:
            listing.pop()
        elif kind == T.SELECT:
            listing[-1] = True
        elif kind in _CLAUSES:
            listing[-1] = False
        kept.append(token)
    return kept


def _members(tokens: list[Token]) -> list[Token]:
    """JSON_OBJECT([KEY] key VALUE value) as JSON_OBJECT(key : value)."""
    kept: list[Token] = []
    opened: list[bool] = []
    for index, token in enumerate(tokens):
        kind, word = token.token_type, token.text.lower()
        if kind == T.L_PAREN:
            opened.append(index > 0 and tokens[index - 1].text.lower() == "json_object")
        elif kind == T.R_PAREN and opened:
            opened.pop()
        elif (
            opened
            and opened[-1]
            and kind not in (T.IDENTIFIER, T.STRING)
            and kept
            and index + 1 < len(tokens)
        ):
            begins = kept[-1].token_type in (T.L_PAREN, T.COMMA)
            after = tokens[index + 1].token_type
            if (
                word == "value"
                and not begins
                and kept[-1].token_type != T.DOT
                and after not in (T.COMMA, T.R_PAREN)
            ):
                kept.append(_at(token, T.COLON, ":"))
                continue
            if word == "key" and begins and after in (T.STRING, T.VAR, T.IDENTIFIER):
                continue
        kept.append(token)
    return kept
