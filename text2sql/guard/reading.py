"""Step 1: exactly one statement, in the warehouse's own dialect, of bounded length and depth, that starts a query."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache

from sqlglot import Token, TokenType, exp
from sqlglot.dialects import Dialect as SqlglotDialect
from sqlglot.errors import ParseError, TokenError

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.forms import as_known
from text2sql.guard.quantified import QUANTIFIERS, quantified
from text2sql.guard.refusal import Refused
from text2sql.guard.spelling import as_read, like

MAX_LENGTH = 50_000
MAX_TOKENS = 8_000
MAX_DEPTH = 80
"""Parentheses inside parentheses: the parser calls itself for each."""

_HINT = "A comment that engines read as a hint or as code; remove it."
_STARTS = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN, TokenType.VALUES})
_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_ENDS_LIMIT = frozenset(
    {TokenType.OFFSET, TokenType.COMMA, TokenType.UNION, TokenType.INTERSECT, TokenType.EXCEPT}
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A draft as read: its text, its words without the closing semicolon, its tree."""

    sql: str
    tokens: list[Token]
    tree: exp.Expr


@cache
def speaker(dialect: str) -> SqlglotDialect:
    """sqlglot's tokenizer, parser and generator of one dialect."""
    # Its complaints quote the draft; what is wrong is said in the verdict alone.
    logger = logging.getLogger("sqlglot")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return SqlglotDialect.get_or_raise(dialect)


def read(sql: str, allowed: Allowlist) -> Statement:
    """Read the draft. Raises `Refused` with code empty, too_long, not_text, many_statements, not_a_query or syntax."""
    if not sql.strip():
        raise Refused("empty", "There is no statement here; write one SELECT.")
    if len(sql) > MAX_LENGTH:
        raise Refused(
            "too_long", f"The statement is longer than {MAX_LENGTH} characters; ask for less at once.", 0
        )
    if "\x00" in sql:
        raise Refused("not_text", "The statement holds a NUL character; remove it.", sql.index("\x00"))
    tokens = _tokens(sql, allowed)
    _bounded(tokens)
    tree = parse(sql, _whole_limits(tokens, allowed.dialect), allowed.dialect)
    return Statement(sql, tokens, _one_limit(tree) if allowed.dialect == "duckdb" else tree)


def _tokens(sql: str, allowed: Allowlist) -> list[Token]:
    try:
        tokens = list(speaker(allowed.dialect).tokenize(sql))
    except TokenError as error:
        raise Refused("syntax", "A quote or a comment is not closed.", cause=str(error)) from error
    if "--" in sql or "/*" in sql:
        _uncommented(tokens)
    tokens = as_known(as_read(tokens, sql, allowed.dialect), sql, allowed.dialect, allowed.reserved)
    closing = 0
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        last, closing = tokens.pop(), closing + 1
    if closing > 1 and allowed.dialect == "sqlite":  # its driver takes the second for another statement
        raise Refused("many_statements", "There is more than one semicolon at the end.", last.start, ";")
    if not tokens:
        raise Refused("empty", "There is no statement here; write one SELECT.")
    unwanted = {TokenType[name] for name in allowed.tokens}
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            raise Refused("many_statements", "There is more than one statement; send one.", token.start, ";")
        if token.token_type == TokenType.HINT:
            raise Refused("hint", _HINT, token.start)
        if token.token_type in unwanted:
            raise Refused("syntax", f"{allowed.tokens[token.token_type.name]}.", token.start, token.text)
    first = tokens[0]
    if first.token_type == TokenType.L_PAREN and allowed.dialect == "sqlite":
        raise Refused("syntax", "SQLite takes no statement in parentheses; leave them out.", first.start, "(")
    if first.token_type not in _STARTS and not (
        first.token_type == TokenType.FROM and allowed.dialect == "duckdb"
    ):
        raise Refused(
            "not_a_query",
            f"{first.text.upper()} is not a query; only SELECT runs here.",
            first.start,
            first.text,
        )
    return tokens


def _uncommented(tokens: list[Token]) -> None:
    """Take the comments off the words, so that no message of ours quotes one. Raises `Refused` with code hint."""
    for token in tokens:
        if token.comments:
            if any(comment[:1] in ("!", "+") for comment in token.comments):
                raise Refused("hint", _HINT, token.start)
            token.comments.clear()


def _bounded(tokens: list[Token]) -> None:
    if len(tokens) > MAX_TOKENS:
        raise Refused("too_long", f"The statement has more than {MAX_TOKENS} words; ask for less at once.", 0)
    depth = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth > MAX_DEPTH:
            raise Refused("too_deep", f"More than {MAX_DEPTH} levels deep; write it flatter.", token.start)


def _whole_limits(tokens: list[Token], dialect: str) -> list[Token]:
    """`LIMIT a % b` put into parentheses: the parser takes the sign for DuckDB's LIMIT by percentage."""
    if dialect == "duckdb" or not any(t.token_type == TokenType.MOD for t in tokens):
        return tokens
    patched: list[Token] = []
    closing: list[int] = []
    depth = 0
    for index, token in enumerate(tokens):
        kind = token.token_type
        ends = kind in _ENDS_LIMIT or kind in _CLOSING
        if closing and depth == closing[-1] and ends:
            closing.pop()
            patched.append(like(token, TokenType.R_PAREN, ")"))
        depth += (kind in _OPENING) - (kind in _CLOSING)
        patched.append(token)
        if kind == TokenType.LIMIT and _divides(tokens, index + 1):
            closing.append(depth)
            patched.append(like(token, TokenType.L_PAREN, "("))
    return patched + [like(tokens[-1], TokenType.R_PAREN, ")") for _ in closing]


def _divides(tokens: list[Token], start: int) -> bool:
    """Whether what LIMIT is given here has a `%` of its own, outside of parentheses."""
    depth = 0
    for token in tokens[start:]:
        kind = token.token_type
        if depth == 0 and (kind == TokenType.MOD or kind in _ENDS_LIMIT or kind in _CLOSING):
            return kind == TokenType.MOD
        depth += (kind in _OPENING) - (kind in _CLOSING)
    return False


def _one_limit(tree: exp.Expr) -> exp.Expr:
    """`FETCH FIRST n ROWS ONLY` as the `LIMIT n` that it is, and that it would be written as."""
    for fetch in list(tree.find_all(exp.Fetch)):
        options = fetch.args.get("limit_options")
        more = options is not None and (options.args.get("percent") or options.args.get("with_ties"))
        if fetch.args.get("count") is not None and not more and isinstance(fetch.parent, exp.Query):
            fetch.replace(exp.Limit(expression=fetch.args["count"]))
    return tree


def parse(sql: str, tokens: list[Token], dialect: str) -> exp.Expr:
    """The one tree of these words. Raises `Refused` with code syntax or many_statements."""
    try:
        trees = speaker(dialect).parser().parse(tokens, sql)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        highlight = str(first.get("highlight") or "")
        near = f" near {highlight!r}" if highlight else ""
        message = f"This is not {dialect} as it is written{near}: {first.get('description', 'it cannot be parsed')}."
        at = len(str(first.get("start_context") or "")) if len(sql) < 100 else _at(first, sql)
        raise Refused("syntax", message, at if highlight else None, highlight) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # The parser stumbles over some texts instead of refusing them.
        message = f"This is not {dialect} as it is written: it cannot be parsed."
        raise Refused("syntax", message, cause=type(error).__name__) from error
    if len(trees) != 1 or trees[0] is None:
        raise Refused("many_statements", "There is more than one statement; send one.")
    tree: exp.Expr = trees[0]
    return quantified(tree) if any(t.text.lower() in QUANTIFIERS for t in tokens) else tree


def _at(error: dict[str, object], sql: str) -> int | None:
    """Offset of an error that tells its line and the column where its word ends."""
    line, column = error.get("line"), error.get("col")
    if not isinstance(line, int) or not isinstance(column, int):
        return None
    lines = sql.split("\n")
    return sum(len(text) + 1 for text in lines[: line - 1]) + max(
        0, column - len(str(error.get("highlight") or ""))
    )
