"""Step 7: only text that we wrote runs, and it says what the tree says.

The text is read back and compared with the tree, word for word with the draft, and its functions are looked up
again: whatever the generator dropped, changed or made up is refused.
"""

from __future__ import annotations

import re
from collections import Counter

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError
from sqlglot.tokens import Token, TokenType

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.functions import check_functions
from text2sql.guard.reading import Statement, parse, speaker
from text2sql.guard.refusal import Refused

_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_VALUES = frozenset({TokenType.STRING, TokenType.NUMBER})
_CASTS = frozenset({"cast", "try_cast"})
_FREE = frozenset({"nulls", "last", "asc", "interval", "time", "zone", "group", "array"})
_PYFORMAT = frozenset({"postgres", "redshift"})
_OURS = re.compile(r"%(?!\(policy_\w+\)s)")


def regenerate(tree: exp.Expr, statement: Statement, allowed: Allowlist, *, bound: bool) -> str:
    """The text to run; `bound`: parameters go with it. Raises `Refused` with code changed."""
    dialect = allowed.dialect
    if dialect == "sqlite":
        _affinities(tree)
    try:
        text = tree.sql(
            dialect=dialect, comments=False, normalize_functions=False, unsupported_level=ErrorLevel.RAISE
        )
    except UnsupportedError as error:
        raise Refused(
            "changed", "This cannot be written out faithfully; write it another way.", cause=str(error)
        ) from error
    tokens = list(speaker(dialect).tokenize(text))
    _kept(statement.tokens, tokens, allowed.words | _FREE)
    check_functions(tokens, allowed)
    again = parse(text, tokens, dialect)
    if dialect == "sqlite":
        _affinities(again)
    if again != tree:
        raise Refused("changed", "Written out again, this says something else; write it another way.")
    return _OURS.sub("%%", text) if bound and dialect in _PYFORMAT else text


def _kept(draft: list[Token], text: list[Token], free: frozenset[str]) -> None:
    """Every name, string and number of the draft is in the text, as often as it was."""
    have = _words(text, free)
    for word, times in _words(draft, free).items():
        if have[word] < times:
            where = next(t for t in draft if t.text.lower() == word)
            raise Refused(
                "changed",
                f"{where.text} would be lost or changed; write it another way.",
                where.start,
                where.text,
            )


def _words(tokens: list[Token], free: frozenset[str]) -> Counter[str]:
    """Names, strings and numbers; not what the generator may spell its own way: functions, types and bare units."""
    found: Counter[str] = Counter()
    opened: list[str] = []
    in_type = False
    for index, token in enumerate(tokens):
        kind, word = token.token_type, token.text.lower()
        if kind == TokenType.L_PAREN:
            opened.append(tokens[index - 1].text.lower() if index else "")
        elif kind == TokenType.R_PAREN:
            closed = opened.pop() if opened else ""
            in_type = in_type and closed not in _CASTS
        elif kind == TokenType.ALIAS:
            in_type = bool(opened) and opened[-1] in _CASTS
        elif (kind in _VALUES and word not in free) or (
            kind in _NAMES and not in_type and _is_name(tokens, index, free)
        ):
            found[word] += 1
    return found


def _is_name(tokens: list[Token], index: int, free: frozenset[str]) -> bool:
    token = tokens[index]
    if token.token_type == TokenType.IDENTIFIER:
        return True
    after = tokens[index + 1].token_type if index + 1 < len(tokens) else None
    before = tokens[index - 1].token_type if index else None
    return after != TokenType.L_PAREN and before != TokenType.DCOLON and token.text.lower() not in free


def _affinities(tree: exp.Expr) -> None:
    """SQLite knows five types; each CAST is written with the one that its type name means there."""
    for cast in tree.find_all(exp.Cast):
        cast.set("to", _affinity(cast.args["to"]))


def _affinity(declared: exp.Expr) -> exp.DataType:
    kind = declared.this
    name = kind.value if isinstance(kind, exp.DType) else str(kind)
    if kind == exp.DType.USERDEFINED:
        name = str(declared.args.get("kind") or "")
    if kind == exp.DType.VARBINARY:
        name = "BLOB"
    name = name.upper()
    if "INT" in name:
        return exp.DataType(this=exp.DType.INT)
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return exp.DataType(this=exp.DType.TEXT)
    if "BLOB" in name:
        return exp.DataType(this=exp.DType.VARBINARY)
    if any(part in name for part in ("REAL", "FLOA", "DOUB")):
        return exp.DataType(this=exp.DType.DOUBLE)
    return exp.DataType(this=exp.DType.USERDEFINED, kind="NUMERIC")
