"""When a rewritten statement says the same of everything as the original of the copy.

Rows compare as multisets, as lists where the statement is ordered; columns stand in their places; floats by tolerance.
Where which rows come is left to the engine (LIMIT or ORDER BY with ties, columns that SQLite takes of any row of a
group), the same statement is asked in forms that leave nothing to it, and every one of those must agree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias

from evals.comparing import is_ordered
from evals.order_free import settled_both_ways, without_limit
from evals.proving.copies import Result
from evals.proving.settling import any_row_both_ways
from text2sql.same_rows import plain_value

Agreement = Literal["equal", "without_limit", "ties_settled", "bare_columns", "both_fail", "differs"]
Sides: TypeAlias = Callable[[str], tuple[Result, Result] | None]
"""Runs a statement on both sides: rewritten on everything, as it is on the copy; None where the guard refuses it."""
TOLERANCE = 1e-6
_ABSOLUTE = 1e-9


def same(first: Result, second: Result, *, ordered: bool = False) -> bool:
    """Whether both hold the same rows, their columns in the same places."""
    if first.width != second.width or len(first.rows) != len(second.rows):
        return False
    if list(first.rows) == list(second.rows):
        return True
    a, b = ([tuple(map(plain_value, row)) for row in side.rows] for side in (first, second))
    if ordered:
        return all(_close_rows(x, y) for x, y in zip(a, b, strict=True))
    return Counter(a) == Counter(b) or _same_bag(a, b)


def _same_bag(a: Sequence[tuple[Any, ...]], b: Sequence[tuple[Any, ...]]) -> bool:
    """As multisets, numbers by tolerance where a column holds floats."""
    inexact = [any(isinstance(row[at], float) for row in (*a, *b)) for at in range(len(a[0]))]
    left, right = _grouped(a, inexact), _grouped(b, inexact)
    return left.keys() == right.keys() and all(
        len(rows) == len(right[key])
        and all(_close_rows(x, y) for x, y in zip(sorted(rows), sorted(right[key]), strict=True))
        for key, rows in left.items()
    )


def _grouped(rows: Sequence[tuple[Any, ...]], inexact: Sequence[bool]) -> dict[Any, list[tuple[Any, ...]]]:
    groups: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        free = [loose and isinstance(value, int | float) for value, loose in zip(row, inexact, strict=True)]
        key = tuple(None if f else (value,) for value, f in zip(row, free, strict=True))
        groups[key].append(tuple(value for value, f in zip(row, free, strict=True) if f))
    return groups


def _close_rows(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return all(x == y or _close(x, y) for x, y in zip(a, b, strict=True))


def _close(a: Any, b: Any) -> bool:
    if not (isinstance(a, float) or isinstance(b, float)):
        return False
    if not (isinstance(a, int | float) and isinstance(b, int | float)):
        return False
    return abs(a - b) <= max(TOLERANCE * max(abs(a), abs(b)), _ABSOLUTE)


def within(part: Result, whole: Result) -> bool:
    """Whether the rows of one are some of the other's, none more often."""
    have = Counter(tuple(map(plain_value, row)) for row in whole.rows)
    have.subtract(Counter(tuple(map(plain_value, row)) for row in part.rows))
    return min(have.values(), default=0) >= 0


def agreement(sql: str, dialect: str, found: Result, wanted: Result, sides: Sides) -> tuple[Agreement, str]:
    """How the two sides agree on a statement, and what is wrong where they do not."""
    if found.failure or wanted.failure:
        if found.failure == wanted.failure:
            return "both_fail", ""
        return "differs", f"rewritten: {_said(found)}; on the copy: {_said(wanted)}"
    ordered = is_ordered(sql, dialect)
    if same(found, wanted, ordered=ordered):
        return "equal", ""
    problem = f"{len(found.rows)} rows and {len(wanted.rows)} on the copy" + _first_difference(found, wanted)
    if found.width != wanted.width:
        return "differs", f"{found.width} columns and {wanted.width} on the copy"
    whole = without_limit(sql, dialect)
    if whole is not None and len(found.rows) == len(wanted.rows):
        both = sides(whole)
        uncut = both is not None and not (both[0].failure or both[1].failure) and same(*both)
        if uncut and both is not None and within(found, both[0]) and within(wanted, both[1]):
            settled = settled_both_ways(sql, dialect, found.width)
            if not ordered or settled is None or _all_agree(settled, dialect, sides):
                return "without_limit", ""
    for name, forms in _forms(sql, dialect, found.width):
        if _all_agree(forms, dialect, sides):
            return name, ""
    return "differs", problem


def _forms(sql: str, dialect: str, width: int) -> Iterator[tuple[Agreement, Sequence[str]]]:
    """The statement in forms that leave less and less to the engine."""
    settled = settled_both_ways(sql, dialect, width)
    if settled is not None:
        yield "ties_settled", settled
    bare = any_row_both_ways(sql) if dialect == "sqlite" else None
    if bare is not None:
        yield "bare_columns", bare
        both = [settled_both_ways(each, dialect, width) for each in bare]
        yield "bare_columns", [form for pair in both if pair is not None for form in pair]


def _all_agree(forms: Sequence[str], dialect: str, sides: Sides) -> bool:
    found = [sides(form) for form in forms]
    return bool(forms) and all(
        both is not None
        and not (both[0].failure or both[1].failure)
        and same(*both, ordered=is_ordered(form, dialect))
        for form, both in zip(forms, found, strict=True)
    )


def _said(result: Result) -> str:
    return f"{result.failure} ({result.said})" if result.failure else f"{len(result.rows)} rows"


def _first_difference(found: Result, wanted: Result) -> str:
    a, b = (Counter(tuple(map(plain_value, row)) for row in side.rows) for side in (found, wanted))
    more, less = next(iter(a - b), None), next(iter(b - a), None)
    told = [f"only rewritten: {more!r}"[:200]] if more is not None else []
    told += [f"only on the copy: {less!r}"[:200]] if less is not None else []
    return "; " + "; ".join(told) if told else "; the same rows in another order"
