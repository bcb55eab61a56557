"""Forms that the parser knows in every dialect and one engine's grammar has not: they would be run in another form.

https://trino.io/docs/current/sql/select.html, https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html
"""

from __future__ import annotations

import re

from sqlglot import Token, TokenType, exp

from text2sql.guard.allowlist import Allowlist
from text2sql.guard.refusal import Refused

T = TokenType
_PLAIN_INTERVAL = re.compile(r"\s*[-+]?[\d:.\s-]+")
_BY_COUNT = frozenset({"sqlite"})
"""Engines that know `LIMIT skipped, count`."""
_NUMBERED = frozenset({"postgres", "redshift", "athena"})
"""Engines to which the length of an INTERVAL is a text."""
_CLOSING = frozenset({T.R_PAREN, T.R_BRACKET, T.R_BRACE})
_OPENING = frozenset({T.L_PAREN, T.L_BRACKET, T.L_BRACE})
_NO_LISTS = frozenset({"athena", "redshift"})
"""Engines whose grammar is narrower than PostgreSQL's: no ANY of a list, no MATERIALIZED."""
_FIELDS = frozenset(
    [
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "day_of_month",
        "day_of_week",
        "dow",
        "day_of_year",
        "doy",
        "year_of_week",
        "yow",
        "hour",
        "minute",
        "second",
        "timezone_hour",
        "timezone_minute",
    ]
)
"""What Trino's EXTRACT takes out of a date."""


def check_absent(tokens: list[Token], dialect: str) -> None:
    """Raises `Refused` with code syntax at the first word of a form that the engine has not."""
    for index, token in enumerate(tokens):
        kind = token.token_type
        if kind == T.LIMIT:
            _limit(tokens, index, dialect)
        elif kind == T.INTERVAL and dialect in _NUMBERED:
            _interval(tokens, index, dialect)
        elif kind == T.FETCH and dialect != "sqlite":
            _fetch(tokens, index)
        elif kind == T.ROLLUP and tokens[index - 1].token_type == T.WITH:
            raise _refused("Write GROUP BY ROLLUP (…), not WITH ROLLUP.", token)
        elif kind == T.FILTER and dialect == "redshift":
            raise _refused("Redshift has no FILTER; aggregate a CASE.", token)
        elif dialect in _NO_LISTS and token.text.lower() == "materialized" and _names_how(tokens, index):
            raise _refused("MATERIALIZED is not known here; leave it out.", token)


def _names_how(tokens: list[Token], index: int) -> bool:
    """Whether it stands in `WITH x AS [NOT] MATERIALIZED (…)`."""
    return tokens[index].token_type != T.IDENTIFIER and tokens[index - 1].token_type in (T.ALIAS, T.NOT)


def _limit(tokens: list[Token], index: int, dialect: str) -> None:
    depth = 0
    for token in tokens[index + 1 :]:
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if depth < 0 or kind in (T.UNION, T.EXCEPT, T.INTERSECT):
            return
        if depth == 0 and kind == T.COMMA:
            if dialect not in _BY_COUNT and tokens[index - 1].token_type != T.COMMA:
                raise _refused("Write LIMIT n OFFSET m here.", token)
            return
        if depth == 0 and kind == T.OFFSET and dialect == "athena":
            raise _refused("Trino's OFFSET stands before LIMIT.", token)


def _interval(tokens: list[Token], index: int, dialect: str) -> None:
    after = tokens[index + 1 : index + 4]
    if after and after[0].token_type in (T.DASH, T.PLUS):
        after = after[1:]
    if after and after[0].token_type == T.NUMBER:
        raise _refused(f"Write INTERVAL '{after[0].text}' with a unit here.", after[0])
    if after and after[0].token_type == T.STRING and dialect == "athena":
        named = len(after) > 1 and after[1].token_type not in (T.STRING, T.NUMBER) and after[1].text.isalpha()
        if not named or _PLAIN_INTERVAL.fullmatch(after[0].text) is None:
            raise _refused(
                "Trino's intervals have one unit, outside of the text: INTERVAL '1' DAY.", after[0]
            )


def _fetch(tokens: list[Token], index: int) -> None:
    """FETCH FIRST … ROWS is followed by ONLY or WITH TIES."""
    words = [token.text.lower() for token in tokens[index + 1 : index + 12]]
    end = next((at for at, word in enumerate(words) if word in ("row", "rows")), None)
    if (
        end is not None
        and words[end + 1 : end + 2] != ["only"]
        and words[end + 1 : end + 3] != ["with", "ties"]
    ):
        raise _refused("FETCH FIRST n ROWS is followed by ONLY.", tokens[index])


def _refused(message: str, token: Token) -> Refused:
    return Refused("syntax", message, token.start, token.text)


# What stands in the tree.


def check_quantified(node: exp.Expr, allowed: Allowlist) -> None:
    """Trino and Redshift compare with ANY or ALL values of a query alone, and with no list of patterns."""
    if allowed.dialect not in _NO_LISTS:
        return
    if not isinstance(node.this, exp.Query) or isinstance(node.parent, exp.Like | exp.ILike):
        word = type(node).__name__.upper()
        raise Refused("syntax", f"{word} is followed by a query in parentheses here.", node, word)
    if isinstance(node.parent, exp.NullSafeEQ | exp.NullSafeNEQ):
        raise Refused("syntax", "IS DISTINCT FROM compares with one value.", node, "DISTINCT")


def check_frame_kind(node: exp.Expr, allowed: Allowlist) -> None:
    """Redshift counts the rows of a frame, and knows nothing nearer by value."""
    if allowed.dialect != "redshift":
        return
    sides = [node.args.get("start"), node.args.get("end")]
    if node.args.get("kind") == "GROUPS" or node.args.get("exclude") or (
        node.args.get("kind") == "RANGE" and any(isinstance(side, exp.Expr) for side in sides)
    ):  # fmt: skip
        raise Refused("syntax", "Redshift's frames count ROWS.", node, "RANGE")


def check_field(node: exp.Expr, allowed: Allowlist) -> None:
    """EXTRACT takes out what the engine knows."""
    if allowed.dialect == "athena" and node.this.name.lower() not in _FIELDS:
        raise Refused("syntax", f"Trino takes no {node.this.name} out of a date.", node, node.this.name)


def check_list(node: exp.Expr, allowed: Allowlist) -> None:
    """Redshift's arrays are made by ARRAY(…)."""
    if allowed.dialect == "redshift" and node.args.get("bracket_notation"):
        raise Refused("syntax", "Redshift writes ARRAY(1, 2).", node, "ARRAY")


def check_windows(node: exp.Expr, allowed: Allowlist) -> None:
    """Two windows of one name."""
    del allowed
    names = [window.this.name.lower() for window in node.args.get("windows") or ()]
    for name in names:
        if names.count(name) > 1:
            raise Refused("duplicate_name", f"Two windows are called {name}; rename one.", node, name)
