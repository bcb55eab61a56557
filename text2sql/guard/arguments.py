"""How the arguments of a call are written: what the parser reads over and engines do not take."""

from __future__ import annotations

import re

from sqlglot import TokenType

from text2sql.guard.calls import Call
from text2sql.guard.refusal import Refused

T = TokenType
_TAKES_QUERY = frozenset({"exists", "not", "array", "any", "all", "some", "in"})
"""Words before a query in parentheses; to a function it is one argument, with parentheses of its own."""
_CLOCK = frozenset({"current_date", "current_time", "current_timestamp"})
_COUNTS_SOMETHING = frozenset({"postgres", "redshift", "athena"})
_UNITS = frozenset({"date_trunc", "date_part", "date_diff", "datediff", "date_sub", "datesub"})
_AGGREGATES_LISTS = frozenset({"aggregate", "array_aggr", "array_aggregate", "list_aggr", "list_aggregate"})
_NAMED_IN_TEXT = _AGGREGATES_LISTS | {
    "from_json",
    "from_json_strict",
    "json_transform",
    "json_transform_strict",
}
"""Functions of DuckDB that are told the name of an aggregate, or of types, in a text."""
_PLAIN_AGGREGATES = frozenset(
    [
        "avg",
        "bool_and",
        "bool_or",
        "count",
        "first",
        "last",
        "max",
        "mean",
        "median",
        "min",
        "mode",
        "product",
        "stddev",
        "sum",
        "variance",
    ]
)
"""What may be named in a text: what each does with a list is at sight."""
_STRUCTURE = re.compile(r'[\w\s{}\[\]":,().]*')
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
    if name in _NAMED_IN_TEXT and dialect == "duckdb":
        _check_named(call)
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


def _check_named(call: Call) -> None:
    """The name is written out, and that of an aggregate which is allowed here."""
    where, name = call.token.start, call.name
    second = call.arguments[1] if len(call.arguments) > 1 else []
    text = second[0].text if len(second) == 1 and second[0].token_type == T.STRING else None
    if name in _AGGREGATES_LISTS:
        if text is not None and text.lower() in _PLAIN_AGGREGATES:
            return
        raise Refused(
            "function",
            f"{name}() takes the name of a plain aggregate such as 'sum', written out.",
            where,
            name,
        )
    if text is None or _STRUCTURE.fullmatch(text) is None:
        raise Refused("function", f"{name}() takes a structure of types, written out.", where, name)
