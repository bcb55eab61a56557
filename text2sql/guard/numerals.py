"""Numbers as engines read them: `1_000` and `0x1F` are numbers, `1abc` is nothing, and none is a number with a name (save to DuckDB).

The parser takes `SELECT 1_000` for `SELECT 1 AS _000` and PostgreSQL's `0x1F` for a string of bits.
"""

from __future__ import annotations

import re

from sqlglot import Token, TokenType

from text2sql.guard.refusal import Refused

T = TokenType
ODD = re.compile(r"(?<![A-Za-z0-9_$])[0-9][0-9.]*[A-Za-z_]")
"""What a number that goes on as a word looks like; texts and comments may hold it as well."""
_GROUPED = re.compile(r"[0-9]+(_[0-9]+)+")
_BASED = re.compile(r"0([xX](_?[0-9a-fA-F])+|[oO](_?[0-7])+|[bB](_?[01])+)")
_BITS = frozenset({T.HEX_STRING, T.BIT_STRING})
_READS = {
    "postgres": (_GROUPED, _BASED),
    "athena": (_GROUPED, _BASED),
}
"""The forms that an engine takes for a number, beside digits, a point and an exponent."""


def plain_numbers(tokens: list[Token], sql: str, dialect: str) -> list[Token]:
    """The words with such numbers in digits. Raises `Refused` with code syntax for what is no number and no name."""
    if dialect == "duckdb":  # `0x1F` is 0 with a name to it as to the parser, and `1_000` a number to both
        return tokens
    kept: list[Token] = []
    for token in tokens:
        before = kept[-1] if kept else None
        raw = sql[token.start : token.end + 1]
        if before is not None and _goes_on(before, token, sql):
            raw = sql[before.start : token.end + 1]
            kept[-1] = _number(before, token, raw, dialect)
        elif token.token_type in _BITS and raw[:1] == "0" and dialect != "sqlite":
            kept.append(_number(token, token, raw, dialect))
        else:
            kept.append(token)
    return kept


def _goes_on(number: Token, word: Token, sql: str) -> bool:
    """Whether a word stands right behind a number."""
    start = sql[word.start : word.start + 1]
    return (
        number.token_type == T.NUMBER
        and number.end + 1 == word.start
        and word.token_type not in (T.NUMBER, T.STRING, T.IDENTIFIER)
        and (start.isalpha() or start == "_")
    )


def _number(first: Token, last: Token, raw: str, dialect: str) -> Token:
    for form in _READS.get(dialect, ()):
        if form.fullmatch(raw):
            # A leading nought is no octal here.
            value = int(raw.replace("_", ""), 0 if form is _BASED else 10)
            return Token(T.NUMBER, str(value), first.line, first.col, first.start, last.end)
    raise Refused(
        "syntax", f"{raw} is no number and no name here; write it in digits, or a space.", first.start, raw
    )
