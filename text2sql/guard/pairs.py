"""Words that no engine, or not this one, takes side by side; and the branches of CASE, word by word.

The parser reads over some of these and would write the statement out mended.
"""

from __future__ import annotations

from sqlglot import Token, TokenType

from text2sql.guard.refusal import Refused

T = TokenType
_STRICT = frozenset({"postgres", "redshift", "athena"})
"""Engines to which a '…' is never a name."""
_NAMES = frozenset({T.VAR, T.IDENTIFIER})
_NAMES_FOLLOW = frozenset({T.FROM, T.JOIN, T.ALIAS})
_OPERANDS = frozenset({T.VAR, T.IDENTIFIER, T.NUMBER, T.STRING, T.R_PAREN, T.R_BRACKET})
_ENDS = frozenset(
    {
        T.R_PAREN,
        T.COMMA,
        T.FROM,
        T.WHERE,
        T.GROUP_BY,
        T.HAVING,
        T.ORDER_BY,
        T.LIMIT,
        T.ALIAS,
        T.JOIN,
        T.ON,
        T.AND,
        T.OR,
    }
)
_NO_OPERANDS = _ENDS | {T.WHEN, T.THEN, T.ELSE, T.END}
_COMPARISONS = frozenset({T.EQ, T.NEQ, T.LT, T.GT, T.LTE, T.GTE})
_NO_LIST = frozenset(
    {
        T.WHERE,
        T.AND,
        T.OR,
        T.ON,
        T.SELECT,
        T.FROM,
        T.JOIN,
        T.WHEN,
        T.GROUP_BY,
        T.ORDER_BY,
        T.PARTITION_BY,
        T.HAVING,
    }
)
"""Words after which a bracket opens a name as SQL Server and SQLite write it."""
_LISTS_FOLLOW = _OPERANDS | {T.ARRAY, T.L_BRACKET, T.COMMA, T.MAP}
_NO_SUCH = {
    T.RLIKE: (frozenset({"regexp", "rlike"}), frozenset({"postgres", "redshift", "athena", "duckdb"})),
    T.EQ: (frozenset({"=="}), _STRICT),
    T.DIV: (frozenset({"div"}), frozenset({"postgres", "redshift", "athena", "duckdb"})),
}
SAYS_LATER = frozenset({*_NO_SUCH, T.STRING, T.L_BRACKET})
SAYS_EARLIER = frozenset(
    {T.STAR, T.DOT, T.ALIAS, T.PLUS, T.ANY, T.SOME, T.L_PAREN, T.PARTITION_BY, T.BETWEEN}
)
"""Second and first words of the pairs that `check_pair` has something to say of: most pairs need no look."""
BRANCHING = frozenset({T.CASE, T.WHEN, T.THEN, T.ELSE, T.END})
_FRAME_PARTS = frozenset({T.AND, T.R_PAREN})
_FRAME_ENDS = frozenset({"preceding", "following", "row"})


def check_pair(before: Token | None, previous: Token, token: Token, dialect: str, *, in_query: bool) -> None:
    """Raises `Refused` with code syntax where `token` cannot follow `previous`, which follows `before`.

    `in_query`: between these parentheses stands a SELECT, so that FROM is not that of EXTRACT(… FROM '…').
    """
    kind, last = token.token_type, previous.token_type
    if kind in _NO_SUCH:
        words, dialects = _NO_SUCH[kind]
        if dialect in dialects and token.text.lower() in words:
            raise _refused(f"{token.text.upper()} is not known to {dialect}.", token)
    compared = (
        last == T.FROM and before is not None and before.token_type == T.DISTINCT
    )  # IS DISTINCT FROM 'x'
    named = dialect in _STRICT and last in _NAMES_FOLLOW and in_query and not compared
    if kind == T.STRING and (last == T.DOT or named) and dialect != "sqlite":
        raise _refused("A name stands in double quotes, not in single ones.", token)
    whole_table = dialect == "postgres" and before is not None and before.token_type in _NAMES  # FROM t *
    multiplied = before is not None and before.token_type in _OPERANDS and not whole_table
    if last == T.STAR and multiplied and kind in _ENDS:
        raise _refused("* with nothing to multiply by.", previous)
    if last == T.DOT and kind in (T.L_PAREN, T.L_BRACKET):
        raise _refused(f"{token.text} after a point.", token)
    if last == T.ALIAS and (kind in (T.COMMA, T.R_PAREN) or (kind in _ENDS and dialect == "sqlite")):
        raise _refused("AS with nothing after it.", previous)
    _check_called(before, previous, token, dialect)


def _check_called(before: Token | None, previous: Token, token: Token, dialect: str) -> None:
    kind, last = token.token_type, previous.token_type
    bracket = kind == T.L_BRACKET and dialect in _STRICT and last not in _LISTS_FOLLOW
    if bracket and (last in _NO_LIST or not previous.text[:1].isalpha()):
        raise _refused("A name stands in double quotes, a list after ARRAY.", token)
    if last == T.PLUS and kind in _NO_OPERANDS:
        raise _refused("+ with nothing after it.", previous)
    if (
        last in (T.ANY, T.SOME)
        and kind != T.L_PAREN
        and before is not None
        and before.token_type in _COMPARISONS
    ):
        raise _refused(f"{previous.text.upper()} is followed by a query or a list in parentheses.", token)
    filtering = last == T.L_PAREN and before is not None and before.token_type == T.FILTER
    # To Trino `filter(array, x -> …)` is a function of lists as well.
    if filtering and kind != T.WHERE and dialect not in ("duckdb", "athena"):
        raise _refused("FILTER is followed by (WHERE …).", token)
    if last == T.PARTITION_BY and kind in (T.ORDER_BY, T.R_PAREN):
        raise _refused("PARTITION BY with nothing after it.", previous)
    if last == T.BETWEEN and kind == T.BETWEEN:
        raise _refused("BETWEEN after BETWEEN.", token)
    if last == T.ALIAS and kind == T.STRING and dialect in _STRICT:
        raise _refused("A name stands in double quotes, not in single ones.", token)


def check_frame(previous: Token, token: Token, *, between: bool) -> None:
    """`ROWS UNBOUNDED PRECEDING AND …` lacks its BETWEEN, `BETWEEN UNBOUNDED AND …` its side."""
    if token.token_type not in _FRAME_PARTS:
        return
    word = previous.text.lower()
    if word == "unbounded" or (token.token_type == T.AND and word in _FRAME_ENDS and not between):
        raise _refused("A frame is ROWS BETWEEN n PRECEDING AND n FOLLOWING, or ROWS n PRECEDING.", previous)


def _refused(message: str, token: Token) -> Refused:
    return Refused("syntax", message, token.start, token.text)


class Branches:
    """CASE … WHEN … THEN … END: whether each WHEN has its THEN."""

    def __init__(self) -> None:
        self._open: list[bool] = []
        """For each CASE that is not ended, whether a WHEN waits for its THEN."""

    def next(self, token: Token) -> None:
        """Raises `Refused` with code syntax."""
        kind = token.token_type
        if kind == T.CASE:
            self._open.append(False)
        elif not self._open:
            return
        elif kind == T.WHEN:
            if self._open[-1]:
                raise _refused("The WHEN before this one has no THEN.", token)
            self._open[-1] = True
        elif kind == T.THEN:
            if not self._open[-1]:
                raise _refused("THEN without WHEN.", token)
            self._open[-1] = False
        elif kind in (T.ELSE, T.END):
            if self._open[-1]:
                raise _refused("WHEN … has no THEN.", token)
            if kind == T.END:
                self._open.pop()
