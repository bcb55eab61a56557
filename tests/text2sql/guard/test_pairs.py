"""The words that a pair is looked at for are all of those that something is said of."""

from __future__ import annotations

from itertools import product

import pytest
from sqlglot import Token, TokenType

from text2sql.guard.allowlist import DIALECTS
from text2sql.guard.pairs import BRANCHING, SAYS_EARLIER, SAYS_LATER, Branches, check_pair
from text2sql.guard.refusal import Refused
from text2sql.guard.wording import _FOLLOWED, _Level, _pair_lists

_BEFORE = (None, TokenType.DISTINCT, TokenType.VAR, TokenType.EQ, TokenType.FILTER, TokenType.NUMBER)
_TEXTS = ("x", "==", "regexp", "div", "(")


def _refused(dialect: str, before: TokenType | None, last: TokenType, kind: TokenType, text: str) -> bool:
    first = None if before is None else Token(before, "x")
    try:
        for in_query in (True, False):
            check_pair(first, Token(last, text), Token(kind, text), dialect, in_query=in_query)
    except Refused:
        return True
    return False


@pytest.mark.parametrize("dialect", DIALECTS)
def test_pairs_that_are_passed_over_are_never_refused(dialect: str) -> None:
    silent = [(a, b) for a, b in product(TokenType, repeat=2) if not (a in SAYS_EARLIER or b in SAYS_LATER)]
    wrong = [
        (last, kind)
        for (last, kind), before in product(silent, _BEFORE[:3])
        if _refused(dialect, before, last, kind, "x")
    ]
    assert wrong == []
    loud = [(a, b) for a, b in product(TokenType, repeat=2) if a in SAYS_EARLIER or b in SAYS_LATER]
    assert any(_refused(dialect, b, last, kind, t) for (last, kind), b, t in product(loud, _BEFORE, _TEXTS))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_follows_other_words_is_never_refused(dialect: str) -> None:
    for last, kind in product(TokenType, repeat=2):
        if last not in _FOLLOWED:
            _pair_lists(Token(last, "x"), Token(kind, "x"), dialect, _Level())


def test_other_words_are_no_branch() -> None:
    branches = Branches()
    branches.next(Token(TokenType.CASE, "case"))
    for kind in TokenType:
        if kind not in BRANCHING:
            branches.next(Token(kind, "x"))
    with pytest.raises(Refused):
        branches.next(Token(TokenType.THEN, "then"))
