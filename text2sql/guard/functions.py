"""Step 4: every call is of a function on the dialect's list, with a number of arguments it takes, and of bounded size."""

from __future__ import annotations

import math
import re
from datetime import datetime

from sqlglot import Token, TokenType, exp

from text2sql.guard.allowlist import Allowlist, Kind
from text2sql.guard.arguments import check_arguments
from text2sql.guard.calls import Call, calls
from text2sql.guard.refusal import Refused, instead, nearest

T = TokenType
MAX_GENERATED = 1_000_000
MAX_TOGETHER = 10_000_000
"""Steps of all generators of a statement, multiplied: whether they are crossed is not asked."""
UNKNOWN_STEPS = 1_000
"""What a generator of days between dates that are computed counts for."""
MAX_SIZED = 10_000
LONG = 100
"""A length above this one counts like the steps of a generator: of long texts as many are not made."""
_STEP = re.compile(r"(\d*)\s*(second|minute|hour|day|week|mon|month|quarter|year)s?\b", re.IGNORECASE)
_SECONDS = {
    "second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800, "mon": 2_592_000, "month": 2_592_000,
    "quarter": 7_776_000, "year": 31_536_000,
}  # fmt: skip
_ARITHMETIC = frozenset({T.DASH, T.PLUS, T.L_PAREN, T.R_PAREN, T.COMMA, T.DOT, T.DCOLON, T.STRING, T.NUMBER})


def check_functions(tokens: list[Token], allowed: Allowlist) -> int:
    """Check every call; returns how many there are. Raises `Refused`: function, arguments, unbounded."""
    count, together = 0, 1.0
    for call in calls(tokens):
        count += 1
        _check(call, allowed)
        steps = _multiplies(call, allowed)
        if steps > 1:
            together *= steps
            if together > MAX_TOGETHER:
                raise Refused(
                    "unbounded",
                    f"Generators and long texts may multiply each other; together at most {MAX_TOGETHER} steps.",
                    call.token.start, call.name,
                )  # fmt: skip
    return count


def _multiplies(call: Call, allowed: Allowlist) -> float:
    """How many rows, elements or characters a call makes of one; 1 for what makes none, or a short text."""
    function = allowed.functions.get(call.name)
    kind = function.kind(len(call.arguments)) if function is not None else None
    if kind == "generator":
        return max(1.0, _steps(call))
    length = _number(call.arguments[min(1, len(call.arguments) - 1)]) if kind == "sized" else None
    return length if length is not None and length > LONG else 1.0


def _check(call: Call, allowed: Allowlist) -> None:
    function = allowed.functions.get(call.name)
    if function is None:
        raise unknown_function(call.name, call.token.start, allowed)
    check_arguments(call, allowed.dialect)
    number = call.number
    kind = function.kind(0 if call.star and call.name == "count" else number)
    if kind is None or (call.star and call.name not in ("count", "columns")):
        raise Refused(
            "arguments", f"{call.name}() takes {function.takes()} arguments, not {'*' if call.star else number}.",
            call.token.start, call.name,
        )  # fmt: skip
    if call.distinct and len(call.arguments[0]) == 1:
        raise Refused("arguments", f"{call.name}(DISTINCT) of what?", call.token.start, call.name)
    if call.distinct and kind != "aggregate" and allowed.dialect != "sqlite":
        raise Refused("arguments", f"{call.name}() takes no DISTINCT.", call.token.start, call.name)
    if call.distinct and number != 1 and kind == "aggregate" and allowed.dialect == "sqlite":
        raise Refused(
            "arguments", f"{call.name}(DISTINCT …) takes exactly one argument.", call.token.start, call.name
        )
    _check_after(call, kind, allowed)
    if kind == "sized" and not _small(call.arguments[min(1, number - 1)], MAX_SIZED):
        raise Refused(
            "unbounded", f"The length given to {call.name}() must be a number up to {MAX_SIZED}, written out.",
            call.token.start, call.name,
        )  # fmt: skip
    if kind == "formatted" and not _plain_format(call.arguments[0]):
        raise Refused(
            "unbounded", f"The format given to {call.name}() must be a string with widths below 1000, written out.",
            call.token.start, call.name,
        )  # fmt: skip
    if kind == "generator" and not _bounded(call):
        raise Refused(
            "unbounded",
            f"{call.name}() must have its bounds written out, with at most {MAX_GENERATED} steps, or dates a day or more apart.",
            call.token.start, call.name,
        )  # fmt: skip


def _check_after(call: Call, kind: Kind, allowed: Allowlist) -> None:
    """OVER, FILTER and WITHIN GROUP stand after what takes them."""
    where, name = call.token.start, call.name
    if call.windowed and kind not in ("aggregate", "window"):
        raise Refused(
            "window",
            f"{name}() cannot stand before OVER: it is no aggregate or window function.",
            where,
            name,
        )
    if call.filtered and kind != "aggregate":
        raise Refused("arguments", f"FILTER stands after an aggregate; {name}() is none.", where, name)
    if call.windowed and call.distinct and not allowed.distinct_windows:
        raise Refused("window", f"{name}(DISTINCT …) OVER is not known to {allowed.dialect}.", where, name)
    if call.in_order and name not in allowed.in_order:
        raise Refused("arguments", f"WITHIN GROUP cannot stand after {name}().", where, name)
    if name in allowed.always_in_order and not call.in_order:
        raise Refused("arguments", f"{name}() needs WITHIN GROUP (ORDER BY …).", where, name)


def unknown_function(name: str, where: exp.Expr | int, allowed: Allowlist) -> Refused:
    """Why a function is not allowed: because of what it does, where that is known, or because it is on no list."""
    offered = allowed.counterparts.get(name) or nearest(name, allowed.functions)
    why = allowed.why_not(name)
    if why:
        offered = allowed.counterparts.get(name, ())
        return Refused(
            "function", f"{name}() is not allowed here: it {why}.{instead(offered)}", where, name, offered
        )
    message = f"{name}() is not among the functions allowed on {allowed.dialect}."
    return Refused("function", message + instead(offered), where, name, offered)


def _small(argument: list[Token], limit: int) -> bool:
    return len(argument) == 1 and argument[0].token_type == T.NUMBER and _number(argument) is not None and (
        0 <= (_number(argument) or 0) <= limit
    )  # fmt: skip


def _plain_format(argument: list[Token]) -> bool:
    if len(argument) != 1 or argument[0].token_type != T.STRING:
        return False
    text = argument[0].text
    return "*" not in text and not re.search(r"\d{4}", text) and not re.search(r"\{[^}]*\{", text)


def _number(argument: list[Token]) -> float | None:
    sign = 1.0
    if argument and argument[0].token_type in (T.DASH, T.PLUS):
        sign = -1.0 if argument[0].token_type == T.DASH else 1.0
        argument = argument[1:]
    if len(argument) != 1 or argument[0].token_type != T.NUMBER:
        return None
    try:
        return sign * float(argument[0].text)
    except ValueError:
        return None


def _counted(call: Call) -> float | None:
    """Steps of a generator whose bounds are all numbers."""
    numbers = [_number(argument) for argument in call.arguments]
    known = [n for n in numbers if n is not None]
    if len(known) != len(numbers):
        return None
    start, stop, step = [0.0, *known, 1.0][:3] if len(known) == 1 else [*known, 1.0][:3]
    return abs(stop - start) / abs(step) if step != 0 else math.inf


def _steps(call: Call) -> float:
    """Steps of a generator that is bounded."""
    counted = _counted(call)
    if counted is not None:
        return counted
    seconds = _seconds(call)
    first, last = (_instant(argument) for argument in call.arguments[:2])
    if not seconds or first is None or last is None:
        return UNKNOWN_STEPS
    return abs((last - first).total_seconds()) / seconds


def _bounded(call: Call) -> bool:
    counted = _counted(call)
    if counted is not None:
        return counted <= MAX_GENERATED
    # With a step of days the bounds are dates, whatever they are made of: an engine's calendar ends somewhere.
    return all(_date_like(argument) for argument in call.arguments) and _dates_bounded(call)


def _date_like(argument: list[Token]) -> bool:
    for token in argument:
        if token.token_type in _ARITHMETIC:
            # Four digits are enough for any year or number of days; more could reach another age.
            if token.token_type in (T.NUMBER, T.STRING) and re.search(r"\d{5}", token.text):
                return False
        elif not token.text.replace("_", "").replace(".", "").isalnum():
            return False
    return True


def _seconds(call: Call) -> int | None:
    """The step between dates."""
    if len(call.arguments) < 3:
        return None
    match = _STEP.search(" ".join(token.text for token in call.arguments[2]))
    return int(match[1] or 1) * _SECONDS[match[2].lower()] if match is not None else None


def _dates_bounded(call: Call) -> bool:
    seconds = _seconds(call)
    if seconds is None:
        return False
    if seconds >= _SECONDS["day"]:
        return True
    first, last = (_instant(argument) for argument in call.arguments[:2])
    return seconds > 0 and first is not None and last is not None and (
        abs((last - first).total_seconds()) / seconds <= MAX_GENERATED
    )  # fmt: skip


def _instant(argument: list[Token]) -> datetime | None:
    strings = [token.text for token in argument if token.token_type == T.STRING]
    if len(strings) != 1 or any(t.token_type in (T.DASH, T.PLUS) for t in argument):
        return None
    try:
        return datetime.fromisoformat(strings[0]).replace(tzinfo=None)
    except ValueError:
        return None
