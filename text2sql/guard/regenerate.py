"""Step 7: only text that we wrote runs, and it says what the tree says.

The text is read back and compared with the tree, word for word with the draft, and its functions are looked up
again: whatever the generator dropped, changed or made up is refused.
"""

from __future__ import annotations

import re
from collections import Counter

from sqlglot import Token, TokenType, exp

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.faithful import settle, write
from text2sql.guard.functions import check_functions
from text2sql.guard.reading import Statement, parse, speaker
from text2sql.guard.refusal import Refused

_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_EXACT = frozenset({TokenType.STRING, TokenType.IDENTIFIER})
_VALUES = frozenset({TokenType.STRING, TokenType.NUMBER})
_CASTS = frozenset({"cast", "try_cast"})
_FREE = frozenset(
    {
        "nulls",
        "last",
        "asc",
        "interval",
        "time",
        "zone",
        "group",
        "array",
        "within",
        "at",
        "exclude",
        "bernoulli",
        "system",
        "reservoir",
    }
)
_ARROWS = frozenset({TokenType.ARROW, TokenType.DARROW})
_PYFORMAT = frozenset({"postgres", "redshift"})
_OURS = re.compile(r"%(?!\(policy_\w+\)s)")


def write_out(
    tree: exp.Expr, statement: Statement, allowed: Allowlist, *, bound: bool, schemas: frozenset[str]
) -> str:
    """The text to run; `bound`: parameters go with it; `schemas`: names that rewriting may drop. Raises `Refused` with code changed. Uses the tree up."""
    dialect = allowed.dialect
    if bound and dialect in _PYFORMAT and any("%(policy_" in token.text for token in statement.tokens):
        raise Refused("placeholder", "Placeholders are bound by the guard alone; write another text.")
    settle(tree, dialect)
    meant = hash(tree)
    text = write(tree, dialect)
    # sqlglot's tokenizer looks for `$tag$ strings $tag$` after every `$` and may lose its way; it reads `:name` as well.
    readable = text.replace("$policy_", ":policy_") if bound and dialect == "duckdb" else text
    tokens = list(speaker(dialect).tokenize(readable))
    if not _same(statement.tokens, tokens):
        _kept(statement.tokens, tokens, allowed.words | _FREE | schemas)
        check_functions(tokens, allowed)
        again = parse(readable, tokens, dialect)
        settle(again, dialect)
        if hash(again) != meant:
            raise Refused("changed", "Written out again, this says something else; write it another way.")
    return _OURS.sub("%%", text) if bound and dialect in _PYFORMAT else text


def _same(draft: list[Token], text: list[Token]) -> bool:
    """Whether these are the same words, so that they say the same without being read again."""
    if len(draft) != len(text):
        return False
    return all(
        a.token_type == b.token_type
        and (a.text == b.text or (a.token_type not in _EXACT and a.text.lower() == b.text.lower()))
        for a, b in zip(draft, text, strict=True)
    )


def _kept(draft: list[Token], text: list[Token], free: frozenset[str]) -> None:
    """Every name, string and number of the draft is in the text, as often as it was."""
    have = _words(text, free, intervals=True)
    for word, times in _words(draft, free, intervals=False).items():
        if have[word] < times and word not in free:
            where = next(t for t in draft if t.text.lower() == word)
            message = f"{where.text} would be lost or changed; write it another way."
            raise Refused("changed", message, where.start, where.text)


def _words(tokens: list[Token], free: frozenset[str], *, intervals: bool) -> Counter[str]:
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
        elif (kind in _VALUES and (intervals or not _of_interval(tokens, index))) or (
            kind in _NAMES and not in_type and _is_name(tokens, index, free)
        ):
            found[word] += 1
            if intervals and index and tokens[index - 1].token_type in _ARROWS:
                found[word.removeprefix("$.")] += 1  # `x -> 'key'` may be written `x -> '$.key'`
    return found


def _of_interval(tokens: list[Token], index: int) -> bool:
    """`INTERVAL '6 months'` may be written `INTERVAL '6' MONTHS`."""
    return index > 0 and tokens[index - 1].token_type == TokenType.INTERVAL


def _is_name(tokens: list[Token], index: int, free: frozenset[str]) -> bool:
    token = tokens[index]
    if token.token_type == TokenType.IDENTIFIER:
        return True
    after = tokens[index + 1].token_type if index + 1 < len(tokens) else None
    before = tokens[index - 1].token_type if index else None
    return after != TokenType.L_PAREN and before != TokenType.DCOLON and token.text.lower() not in free
