"""How the arguments of a call are written: what the parser reads over and engines do not take."""

from __future__ import annotations

from sqlglot import TokenType

from text2sql.guard.calls import Call
from text2sql.guard.refusal import Refused

T = TokenType
_TAKES_QUERY = frozenset({"exists", "not", "array", "any", "all", "some", "in"})
"""Words before a query in parentheses; to a function it is one argument, with parentheses of its own."""
_CLOCK = frozenset({"current_date", "current_time", "current_timestamp"})
_COUNTS_SOMETHING = frozenset({"postgres", "redshift", "athena"})
_UNITS = frozenset({"date_trunc", "date_part", "date_diff", "datediff", "date_sub", "datesub"})
_CLOCK_IS_CALLED = frozenset({"duckdb"})


def check_arguments(call: Call, dialect: str) -> None:
    """Raises `Refused` with code syntax or arguments."""
    where, name = call.token.start, call.name
    if name in _CLOCK and not call.arguments and dialect not in _CLOCK_IS_CALLED:
        raise Refused("syntax", f"{name} is written without parentheses.", where, name)
    if name == "count" and not call.arguments and dialect in _COUNTS_SOMETHING:
        raise Refused("arguments", "count() of what? Write count(*).", where, name)
    if name in _UNITS and call.arguments and dialect != "sqlite":
        unit = call.arguments[0]
        if len(unit) == 1 and unit[0].token_type == T.IDENTIFIER:
            message = f"The unit given to {name}() is a text: '{unit[0].text}'."
            raise Refused("arguments", message, unit[0].start, unit[0].text)
    for index, argument in enumerate(call.arguments):
        first = argument[0].token_type if argument else None
        if index and first in (T.DISTINCT, T.ALL):
            word = argument[0].text.upper()
            raise Refused("arguments", f"{word} stands before the first argument.", argument[0].start, word)
        if first in (T.SELECT, T.WITH) and name not in _TAKES_QUERY:
            message = f"A query given to {name}() stands in parentheses of its own: {name}((SELECT …))."
            raise Refused("syntax", message, where, name)
        if (first == T.STAR and len(call.arguments) > 1 and len(argument) == 1) or (
            (first == T.DISTINCT or (first == T.ALL and dialect != "duckdb"))
            and len(argument) == 2
            and argument[1].token_type == T.STAR
        ):
            message = f"* in {name}() stands alone: name the columns."
            raise Refused("arguments", message, argument[-1].start, "*")
