"""The words of a draft in one spelling: what an engine reads as the same, the steps after this one see as the same.

Only what is provably read so is respelt; anything odd about it is refused or left as it stands.
"""

from __future__ import annotations

import re
from functools import cache

from sqlglot import Token, TokenType
from sqlglot.dialects import Dialect as SqlglotDialect

from text2sql.guard.affinity import affinity
from text2sql.guard.calls import is_call
from text2sql.guard.numerals import ODD, plain_numbers
from text2sql.guard.refusal import Refused

T = TokenType
_ESCAPES = {
    r"\\": "\\", r"\'": "'", "''": "'", r"\n": "\n", r"\t": "\t", r"\r": "\r", r"\b": "\b", r"\f": "\f",
}  # fmt: skip
_ESCAPE = re.compile(r"\\.|''", re.DOTALL)
_ESCAPED = re.compile(r"[eE]'(?P<text>(?:[^\\']|\\[\\'ntrbf]|'')*)'")
_DOLLARS = re.compile(r"\$(?P<tag>(?:[A-Za-z_][A-Za-z_0-9]*)?)\$(?P<text>.*)\$(?P=tag)\$", re.DOTALL)
_STRINGS = {
    "postgres": frozenset({T.BYTE_STRING, T.HEREDOC_STRING, T.UNICODE_STRING}),
    "duckdb": frozenset({T.BYTE_STRING, T.HEREDOC_STRING}),
}
_UNICODE = re.compile(r"[uU]&'(?P<text>(?:[^\\']|''|\\\\|\\[0-9a-fA-F]{4}|\\\+[0-9a-fA-F]{6})*)'")
_CODE = re.compile(r"''|\\\\|\\(?:\+(?P<six>[0-9a-fA-F]{6})|(?P<four>[0-9a-fA-F]{4}))")
_KEY = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_ARROWS = frozenset({T.ARROW, T.DARROW})
_NAMED = frozenset({T.VAR, T.IDENTIFIER, T.NUMBER, T.R_PAREN, T.R_BRACKET})
_ODD_SPACE = re.compile(r"[^\x00-\x7f]")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_AFFINITIES = {"INT": T.INT, "TEXT": T.TEXT, "BLOB": T.VARBINARY, "REAL": T.DOUBLE, "NUMERIC": T.VAR}
"""The word of a type for each of SQLite's five."""
_QUOTED = frozenset({T.IDENTIFIER, T.STRING})
_PLAINED = _QUOTED | {T.NUMBER}
_POINTED = re.compile(r"\.\d")
_CONVERTS = re.compile(r"cast|::", re.IGNORECASE)
_TEXT_TYPES = frozenset({"varchar", "char", "text", "bpchar"})


def as_read(tokens: list[Token], sql: str, dialect: str) -> list[Token]:
    """The words as the engine reads them. Raises `Refused` with code syntax for a string it may read otherwise."""
    if dialect != "duckdb" and not sql.isascii():
        _spaced(tokens, sql)
    if ODD.search(sql) is not None:
        tokens = plain_numbers(tokens, sql, dialect)
    if "--" in sql or "/*" in sql:
        tokens = _phrases(tokens, dialect)
    if _POINTED.search(sql) is not None:
        tokens = _numbers(tokens)
    strings = _STRINGS.get(dialect)
    if strings is not None and any(token.token_type in strings for token in tokens):
        tokens = [_plain_string(token, sql) if token.token_type in strings else token for token in tokens]
        for index, token in enumerate(tokens[1:]):
            if token.token_type == T.VAR and token.text.lower() == "uescape":
                raise Refused(
                    "syntax", "Write this as an ordinary '…' string.", tokens[index].start, "UESCAPE"
                )
    if dialect == "sqlite":
        tokens = [
            _plain(token, index, tokens) if token.token_type in _PLAINED else token
            for index, token in enumerate(tokens)
        ]
    if dialect == "duckdb":
        tokens = _backticks(tokens, sql) if "`" in sql else tokens
        tokens = [_path(token, tokens[index - 1]) if index else token for index, token in enumerate(tokens)]
    if dialect not in ("duckdb", "sqlite") or _CONVERTS.search(sql) is None:
        return tokens
    return _without_lengths(_types(tokens) if dialect == "sqlite" else tokens, dialect)


def _spaced(tokens: list[Token], sql: str) -> None:
    """A space that is not ASCII is part of a word to most engines, and ends one to the tokenizer."""
    end = 0
    for token in tokens:
        gap = sql[end : token.start]
        # What the tokenizer leaves out: spaces and comments, in which anything may stand.
        if not gap.isascii() and (odd := _ODD_SPACE.search(_COMMENT.sub("", gap))):
            message = (
                "A space that is none to the engine (such as a full-width one); write an ordinary space."
            )
            raise Refused("syntax", message, end + gap.index(odd.group()), odd.group())
        end = token.end + 1


def _phrases(tokens: list[Token], dialect: str) -> list[Token]:
    """`GROUP /* … */ BY` as the one word that it is to the parser where nothing but space stands between."""
    phrases = two_words(dialect)
    kept: list[Token] = []
    for token in tokens:
        before = kept[-1] if kept else None
        if before is not None and before.token_type not in _QUOTED and token.token_type not in _QUOTED:
            phrase = f"{before.text} {token.text}".upper()
            if phrase in phrases and before.end + 1 < token.start:
                kept[-1] = Token(phrases[phrase], phrase, before.line, before.col, before.start, token.end)
                continue
        kept.append(token)
    return kept


@cache
def two_words(dialect: str) -> dict[str, TokenType]:
    """The words of a dialect that the parser takes as one, such as GROUP BY."""
    words = SqlglotDialect.get_or_raise(dialect).tokenizer_class.KEYWORDS
    return {phrase: kind for phrase, kind in words.items() if phrase.count(" ") == 1}


def _numbers(tokens: list[Token]) -> list[Token]:
    """`.5` as `0.5`."""
    kept: list[Token] = []
    for token in tokens:
        before = kept[-1] if kept else None
        if (
            token.token_type == T.NUMBER
            and before is not None
            and before.token_type == T.DOT
            and before.end + 1 == token.start
            and not (len(kept) > 1 and kept[-2].end + 1 == before.start and kept[-2].token_type in _NAMED)
        ):
            kept[-1] = Token(T.NUMBER, f"0.{token.text}", before.line, before.col, before.start, token.end)
        else:
            kept.append(token)
    return kept


def _plain_string(token: Token, sql: str) -> Token:
    """`E'…'`, `U&'…'` and `$$…$$` as the ordinary strings they stand for: read from the draft, in full or not at all."""
    raw = sql[token.start : token.end + 1]
    escaped, dollars, coded = _ESCAPED.fullmatch(raw), _DOLLARS.fullmatch(raw), _UNICODE.fullmatch(raw)
    if escaped is not None:
        return like(token, T.STRING, _ESCAPE.sub(lambda m: _ESCAPES[m.group()], escaped["text"]))
    if dollars is not None and f"${dollars['tag']}$" not in dollars["text"]:
        return like(token, T.STRING, dollars["text"])
    found = [m["six"] or m["four"] for m in _CODE.finditer(coded["text"])] if coded is not None else []
    codes = [int(code, 16) for code in found if code]
    # Halves of a pair and what is no character at all are the engine's business: it refuses them, or joins them.
    if coded is not None and all(0 < c < 0xD800 or 0xE000 <= c <= 0x10FFFF for c in codes):
        return like(token, T.STRING, _CODE.sub(_character, coded["text"]))
    raise Refused("syntax", "Write this as an ordinary '…' string.", token.start, raw[:20])


def _character(match: re.Match[str]) -> str:
    code = match["six"] or match["four"]
    return chr(int(code, 16)) if code else "'" if match.group() == "''" else "\\"


def _plain(token: Token, index: int, tokens: list[Token]) -> Token:
    """What SQLite reads as a name, a call or a path of JSON though it is written as something else."""
    kind = token.token_type
    if kind == T.STRING:
        after = tokens[index + 1].token_type if index + 1 < len(tokens) else None
        before = tokens[index - 1].token_type if index else None
        if after == T.DOT:  # 'T1'.name
            return like(token, T.IDENTIFIER, token.text)
        if before in _ARROWS and _KEY.fullmatch(token.text):
            return like(token, T.STRING, f"$.{token.text}")
    elif kind == T.NUMBER:
        if index and tokens[index - 1].token_type in _ARROWS and token.text.isdigit():
            return like(token, T.STRING, f"$[{token.text}]")
    elif kind == T.IDENTIFIER and tokens[index + 1 : index + 2] and tokens[index + 1].text == "(":
        called = _KEY.fullmatch(token.text) is not None and is_call(tokens, index)
        return like(token, T.VAR, token.text) if called else token  # "count"(*)
    return token


def _backticks(tokens: list[Token], sql: str) -> list[Token]:
    """`` `name` ``, which DuckDB reads as a name and the tokenizer does not."""
    kept: list[Token] = []
    opened: Token | None = None
    for token in tokens:
        if token.text == "`" and token.token_type == T.UNKNOWN:
            if opened is None:
                opened = token
            else:
                name = sql[opened.start + 1 : token.start]
                kept.append(Token(T.IDENTIFIER, name, opened.line, opened.col, opened.start, token.end))
                opened = None
        elif opened is None:
            kept.append(token)
    return tokens if opened is not None else kept


def _path(token: Token, before: Token) -> Token:
    """`x ->> 'key'` as `x ->> '$.key'`, which says the same to DuckDB; not after `->`, which may begin a lambda's body."""
    if before.token_type == T.DARROW and token.token_type == T.STRING and _KEY.fullmatch(token.text):
        return like(token, T.STRING, f"$.{token.text}")
    return token


def _types(tokens: list[Token]) -> list[Token]:
    """CAST(x AS UNSIGNED BIG INT): SQLite takes any words for a type, and reads one of five out of them."""
    kept: list[Token] = []
    casts: list[bool] = []
    for index, token in enumerate(tokens):
        kind = token.token_type
        if kind == T.L_PAREN:
            casts.append(index > 0 and tokens[index - 1].text.lower() == "cast")
        elif kind == T.R_PAREN and casts:
            casts.pop()
        elif casts and casts[-1] and index > 1 and kept[-1].end + 1 < token.start and _typed(kept, token):
            name = affinity(f"{kept[-1].text} {token.text}")
            place = kept.pop()
            kept.append(Token(_AFFINITIES[name], name, place.line, place.col, place.start, token.end))
            continue
        kept.append(token)
    return kept


def _typed(kept: list[Token], token: Token) -> bool:
    """Whether this is the next word of the type that begins after AS."""
    words = kept[-1].token_type not in _QUOTED and token.token_type not in _QUOTED
    plain = _KEY.fullmatch(kept[-1].text) and _KEY.fullmatch(token.text)
    return words and bool(plain) and kept[-2].token_type == T.ALIAS


def _without_lengths(tokens: list[Token], dialect: str) -> list[Token]:
    """CAST(x AS VARCHAR(20)) without the length: DuckDB reads over those of texts, SQLite over all there are."""
    kept: list[Token] = []
    opened: list[bool] = []
    skipping = False
    for index, token in enumerate(tokens):
        kind = token.token_type
        if skipping:
            skipping = kind != T.R_PAREN
            continue
        if kind == T.L_PAREN:
            if (opened and opened[-1] and _length(tokens, index, dialect)) or _short(tokens, index, dialect):
                skipping = True
                continue
            opened.append(index > 0 and tokens[index - 1].text.lower() in ("cast", "try_cast"))
        elif kind == T.R_PAREN and opened:
            opened.pop()
        kept.append(token)
    return kept


def _short(tokens: list[Token], opening: int, dialect: str) -> bool:
    """Whether this is the length of `x::VARCHAR(20)`."""
    if dialect != "duckdb" or opening < 2 or tokens[opening - 2].token_type != T.DCOLON:
        return False
    end = [t.token_type for t in tokens[opening + 1 : opening + 3]] == [T.NUMBER, T.R_PAREN]
    return end and tokens[opening - 1].text.lower() in _TEXT_TYPES and tokens[opening + 1].text.isdigit()


def _length(tokens: list[Token], opening: int, dialect: str) -> bool:
    """Whether `AS type (n[, m])` closes the CAST here."""
    if opening < 2 or tokens[opening - 2].token_type != T.ALIAS:
        return False
    if tokens[opening - 1].token_type in (T.STRING, T.IDENTIFIER, T.NUMBER):
        return False
    if dialect == "duckdb" and tokens[opening - 1].text.lower() not in _TEXT_TYPES:
        return False
    for many in ([T.NUMBER], [T.NUMBER, T.COMMA, T.NUMBER]) if dialect == "sqlite" else ([T.NUMBER],):
        end = [*many, T.R_PAREN, T.R_PAREN]
        if [t.token_type for t in tokens[opening + 1 : opening + 1 + len(end)]] == end:
            return all(
                t.text.isdigit() for t in tokens[opening + 1 : opening + 1 + len(many)] if t.text != ","
            )
    return False


def like(token: Token, kind: TokenType, text: str) -> Token:
    """The same place with another word."""
    return Token(kind, text, token.line, token.col, token.start, token.end)
