"""Step 2: what the parser forgives and engines do not, seen in the order of the words.

sqlglot reads clauses in any order, trailing commas, and two strings side by side; it would write them out
mended. What the caller wrote must be valid as written, or we would be running another statement than theirs.
"""

from __future__ import annotations

from sqlglot import Token, TokenType

from text2sql.guard.pairs import BRANCHING, SAYS_EARLIER, SAYS_LATER, Branches, check_frame, check_pair
from text2sql.guard.refusal import Refused

T = TokenType
_RANKS: dict[TokenType, int] = {
    T.FROM: 1, T.JOIN: 1, T.WHERE: 2, T.GROUP_BY: 3, T.HAVING: 4, T.WINDOW: 5, T.QUALIFY: 6, T.ORDER_BY: 7,
    T.LIMIT: 8, T.OFFSET: 8, T.FETCH: 8,
}  # fmt: skip
_REPEATABLE = frozenset({T.JOIN, T.OFFSET, T.LIMIT, T.FETCH})
_SET_OPERATIONS = frozenset({T.UNION, T.INTERSECT, T.EXCEPT})
_AFTER_COMMA = frozenset({T.FROM, T.R_PAREN, T.WHERE, T.GROUP_BY, T.ORDER_BY, T.HAVING, T.LIMIT, T.COMMA})
_TRAILING_COMMAS = frozenset({"duckdb"})


_NEEDS_MORE = frozenset(
    {T.WHERE, T.GROUP_BY, T.HAVING, T.ORDER_BY, T.LIMIT, T.ON, T.FROM, T.JOIN, T.AND, T.OR, T.NOT}
)
_NEVER_LAST = _NEEDS_MORE | {
    T.COMMA, T.DOT, T.ALIAS, T.IN, T.LIKE, T.BETWEEN, T.IS, T.EQ, T.NEQ, T.LT, T.GT, T.LTE, T.GTE, T.PLUS, T.DASH, T.SLASH,
    T.DPIPE, T.CASE, T.WHEN, T.THEN, T.ELSE, T.DISTINCT, T.UNION, T.INTERSECT, T.EXCEPT, T.USING, T.OVER, T.L_PAREN,
    T.INNER, T.CROSS, T.NATURAL, T.GLOB, T.COLLATE, T.EXISTS, T.WITH, T.PARTITION_BY, T.FILTER,
}  # fmt: skip
_CONDITIONS = frozenset({T.ON, T.USING})
_STRUCTURE = frozenset({T.L_PAREN, T.R_PAREN, T.SELECT, *_SET_OPERATIONS, *_CONDITIONS, *_RANKS})
"""Words that open, close or begin something; `_follow` passes over all others."""
_UNCONDITIONAL = frozenset({T.CROSS, T.NATURAL, T.POSITIONAL})
_NO_COMMA_AFTER = frozenset(
    {
        T.SELECT,
        T.DISTINCT,
        T.L_PAREN,
        T.FROM,
        T.GROUP_BY,
        T.ORDER_BY,
        T.WHERE,
        T.COMMA,
        T.HAVING,
        T.LIMIT,
        T.ON,
        T.AND,
        T.OR,
    }
)
_NEVER_PAIRED = frozenset(
    {
        (T.FROM, T.DOT),
        (T.JOIN, T.DOT),
        (T.NOT, T.IS),
        (T.NUMBER, T.NUMBER),
        (T.PLUS, T.STAR),
        (T.DASH, T.STAR),
    }
)
_SHIFTS = frozenset({(T.GT, T.GT), (T.LT, T.LT)})
"""Two words to the tokenizer, one to engines: only where they touch."""
_DIRECTIONS = frozenset({T.ASC, T.DESC})
_FOLLOWED = _NEEDS_MORE | _NO_COMMA_AFTER | _DIRECTIONS | _SET_OPERATIONS | {T.STRING, T.COMMA, T.IN, T.STAR} | {
    first for first, _ in _NEVER_PAIRED | _SHIFTS
}  # fmt: skip
"""First words of the pairs that `_pair` has something to say of, whatever the dialect."""
_TYPED = frozenset({T.DATE, T.TIME, T.DATETIME, T.TIMESTAMP, T.TIMESTAMPTZ})
_ROWS = frozenset({"row", "rows"})
_WINDOWS = frozenset({"over", "as"})
_STARTS_PART = frozenset({T.SELECT, T.VALUES, T.ALL, T.DISTINCT, T.L_PAREN, T.FROM, T.WITH})
_STARTS_PART_SQLITE = frozenset({T.SELECT, T.VALUES, T.ALL})


def _starts_part(dialect: str) -> frozenset[TokenType]:
    """What may follow UNION; SQLite knows neither parentheses nor DISTINCT there."""
    return _STARTS_PART_SQLITE if dialect == "sqlite" else _STARTS_PART


class _Level:
    """What has been seen between one pair of parentheses."""

    __slots__ = ("between", "called", "in_query", "joins", "opening", "rank")

    def __init__(self, called: str = "", opening: Token | None = None) -> None:
        self.opening = opening
        self.called = called
        """The word before the parenthesis: SQL's own POSITION(a IN b) is not IN's list."""
        self.between = False
        self.in_query = False
        self.rank = 0
        self.joins: list[Token] = []
        """Joins that still want their ON or USING."""

    def query(self) -> None:
        self.in_query, self.rank = True, 0


def check_wording(tokens: list[Token], dialect: str) -> None:
    """Raises `Refused` with code syntax at the first word that stands where no engine wants it."""
    levels = [_Level()]
    before: Token | None = None
    previous: Token | None = None
    branches = Branches()
    for index, token in enumerate(tokens):
        kind = token.token_type
        if kind in BRANCHING:
            branches.next(token)
        if previous is not None:
            if kind in SAYS_LATER or previous.token_type in SAYS_EARLIER:
                check_pair(before, previous, token, dialect, in_query=levels[-1].in_query)
            if levels[-1].called in _WINDOWS:
                check_frame(previous, token, between=levels[-1].between)
        if kind == T.BETWEEN:
            levels[-1].between = True
        if kind in _STRUCTURE:
            _follow(levels, tokens, index, previous, dialect)
        if previous is not None:
            _pair(previous, token, dialect, levels[-1])
        before, previous = previous, token
    _joined(levels[0], dialect)
    if levels[-1].opening is not None:
        raise Refused("syntax", "This parenthesis is not closed.", levels[-1].opening.start, "(")
    if previous is not None and previous.token_type in _NEVER_LAST:
        raise Refused(
            "syntax", f"{previous.text.upper()} with nothing after it.", previous.start, previous.text
        )


def _follow(
    levels: list[_Level], tokens: list[Token], index: int, previous: Token | None, dialect: str
) -> None:
    """Keep track of parentheses, clauses and joins at this word."""
    token = tokens[index]
    kind = token.token_type
    if kind == T.L_PAREN:
        levels.append(_Level(previous.text.lower() if previous is not None else "", token))
    elif kind == T.R_PAREN:
        closed = _closed(levels, token, previous)
        _joined(closed, dialect)
        if closed.called == "over" and index + 1 < len(tokens) and tokens[index + 1].token_type == T.OVER:
            raise Refused("syntax", "A second OVER.", tokens[index + 1].start, "OVER")
    elif kind == T.SELECT:
        levels[-1].query()
    elif kind in _SET_OPERATIONS:
        _joined(levels[-1], dialect)
        _set_operation(levels[-1], token)
    elif kind in _CONDITIONS and levels[-1].joins:
        levels[-1].joins.pop()
    elif kind in _RANKS and not _distinct_from(tokens, index):
        _clause(levels[-1], token, dialect)
        _join(levels[-1], tokens, index, dialect)


def _closed(levels: list[_Level], token: Token, previous: Token | None) -> _Level:
    """The level that a parenthesis closes; the parser lets some calls go unclosed, and some close twice."""
    if len(levels) == 1:
        raise Refused("syntax", "A closing parenthesis without its opening one.", token.start, ")")
    level = levels.pop()
    if level.called == "using" and previous is level.opening:
        raise Refused("syntax", "USING names columns.", token.start, ")")
    return level


def _join(level: _Level, tokens: list[Token], index: int, dialect: str) -> None:
    if tokens[index].token_type != T.JOIN:
        if _RANKS[tokens[index].token_type] > 1:
            _joined(level, dialect)
    elif not any(t.token_type in _UNCONDITIONAL for t in tokens[max(0, index - 3) : index]):
        level.joins.append(tokens[index])


def _joined(level: _Level, dialect: str) -> None:
    """Every join has its condition; only SQLite lets one go without."""
    if level.joins and dialect != "sqlite":
        raise Refused("syntax", "This JOIN has neither ON nor USING.", level.joins[-1].start, "JOIN")
    level.joins.clear()


def _clause(level: _Level, token: Token, dialect: str) -> None:
    if dialect == "duckdb" and token.token_type == T.FROM and not level.in_query:
        return  # FROM t SELECT a
    rank = _RANKS[token.token_type]
    if not level.in_query:
        return
    same_again = rank == level.rank and token.token_type not in _REPEATABLE
    if rank < level.rank or (same_again and token.token_type != T.FROM):
        raise Refused(
            "syntax", f"{token.text.upper()} stands in the wrong place or twice; mind the order of the clauses.",
            token.start, token.text,
        )  # fmt: skip
    level.rank = rank


def _set_operation(level: _Level, token: Token) -> None:
    if level.in_query and level.rank >= _RANKS[T.ORDER_BY]:
        raise Refused(
            "syntax",
            f"ORDER BY and LIMIT come after {token.text.upper()}, not before it.",
            token.start,
            token.text,
        )
    level.in_query, level.rank = False, 0


def _distinct_from(tokens: list[Token], index: int) -> bool:
    """`a IS [NOT] DISTINCT FROM b`."""
    return tokens[index].token_type == T.FROM and index > 1 and tokens[index - 1].token_type == T.DISTINCT and (
        tokens[index - 2].token_type in (T.IS, T.NOT)
    )  # fmt: skip


def _pair_sqlite(previous: Token, token: Token, level: _Level) -> None:
    """What others know and the parser reads over, but SQLite does not take."""
    if token.token_type == T.STRING and previous.token_type in _TYPED:
        message = f"SQLite has no {previous.text.upper()} '…'; write the text alone, or {previous.text.lower()}('…')."
        raise Refused("syntax", message, previous.start, previous.text)
    if level.rank == _RANKS[T.LIMIT] and token.text.lower() in _ROWS and token.token_type != T.IDENTIFIER:
        raise Refused("syntax", "LIMIT and OFFSET take a number alone here.", token.start, token.text)


def _pair(previous: Token, token: Token, dialect: str, level: _Level) -> None:
    if dialect == "sqlite":
        _pair_sqlite(previous, token, level)
    if previous.token_type not in _FOLLOWED:
        return
    if previous.token_type == T.STRING and token.token_type == T.STRING:
        raise Refused("syntax", "Two strings side by side; join them with ||.", token.start, token.text)
    if previous.token_type in _NEEDS_MORE and (token.token_type in _RANKS or token.token_type == T.R_PAREN):
        raise Refused(
            "syntax", f"{previous.text.upper()} with nothing after it.", previous.start, previous.text
        )
    pair = (previous.token_type, token.token_type)
    if pair in _NEVER_PAIRED or (pair in _SHIFTS and previous.end + 1 != token.start):
        raise Refused("syntax", f"{token.text} after {previous.text.upper()}.", token.start, token.text)
    if token.token_type == T.COMMA and previous.token_type in _NO_COMMA_AFTER:
        raise Refused("syntax", "A comma with nothing before it.", token.start, ",")
    if token.token_type == T.ALIAS and (
        previous.token_type == T.COMMA or previous.token_type in _NO_COMMA_AFTER
    ):
        raise Refused("syntax", "AS with nothing before it.", token.start, token.text)
    _pair_lists(previous, token, dialect, level)


def _pair_lists(previous: Token, token: Token, dialect: str, level: _Level) -> None:
    in_list = previous.token_type == T.IN and level.called != "position"
    if in_list and token.token_type != T.L_PAREN and dialect != "duckdb":
        raise Refused(
            "syntax", "IN is followed by values or a query in parentheses.", token.start, token.text
        )
    if dialect == "redshift" and previous.token_type == T.STAR and token.token_type == T.EXCEPT:
        raise Refused("syntax", "Redshift leaves columns out with * EXCLUDE.", token.start, token.text)
    if previous.token_type in _DIRECTIONS and token.token_type in _DIRECTIONS:
        raise Refused(
            "syntax", f"{token.text.upper()} after {previous.text.upper()}.", token.start, token.text
        )
    by_name = (
        dialect == "duckdb" and previous.token_type == T.UNION and token.text.upper() in ("BY", "BY NAME")
    )
    if (
        previous.token_type in _SET_OPERATIONS
        and token.token_type not in _starts_part(dialect)
        and not by_name
    ):
        raise Refused("syntax", f"{previous.text.upper()} is followed by SELECT.", token.start, token.text)
    if previous.token_type == T.COMMA and token.token_type in _AFTER_COMMA:
        closes_list = dialect in _TRAILING_COMMAS and token.token_type != T.COMMA
        if not closes_list:
            raise Refused("syntax", "A comma with nothing after it.", previous.start, ",")
