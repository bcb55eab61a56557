"""What a row predicate of a policy means, in plain Python and SQL's three values: nothing here knows of the guard.

Engines differ in how a stored value meets a constant (SQLite's affinities and collations, dates written as text) and
in whether LIKE tells upper from lower case; `Ways` says how.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from evals.proving.ways import Ways, as_number

Row = Mapping[str, Any]
Bound = Mapping[str, tuple[Any, ...]]
"""The caller's attributes: name -> values."""
Truth: TypeAlias = bool | None
Operator = Literal["=", "<>", "<", "<=", ">", ">="]
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Operand(Protocol):
    """A value for each row."""

    def value(self, row: Row, bound: Bound) -> Any:
        """It, None for NULL."""
        ...


@dataclass(frozen=True)
class Stored:
    """A column of the table."""

    column: str

    def value(self, row: Row, bound: Bound) -> Any:
        """What is stored."""
        del bound
        return row[self.column]


@dataclass(frozen=True)
class Constant:
    """A literal."""

    constant: Any

    def value(self, row: Row, bound: Bound) -> Any:
        """The literal."""
        del row, bound
        return self.constant


@dataclass(frozen=True)
class Attribute:
    """The caller's one value of an attribute."""

    name: str

    def value(self, row: Row, bound: Bound) -> Any:
        """The caller's value."""
        del row
        return bound[self.name][0]


@dataclass(frozen=True)
class Computed:
    """Something computed of other values."""

    function: Callable[..., Any]
    operands: tuple[Operand, ...]

    def value(self, row: Row, bound: Bound) -> Any:
        """The function of its operands' values."""
        return self.function(*(each.value(row, bound) for each in self.operands))


class Condition(Protocol):
    """True, false or not known for each row."""

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """Whether the row passes; None is SQL's unknown."""
        ...


@dataclass(frozen=True)
class Compare:
    """`left operator right`."""

    left: Operand
    operator: Operator
    right: Operand

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """By the engine's order of values."""
        found = _order(self.left, self.right, row, bound, ways)
        return None if found is None else _COMPARE[self.operator](found, 0)


def _order(left: Operand, right: Operand, row: Row, bound: Bound, ways: Ways) -> int | None:
    a, b = left.value(row, bound), right.value(row, bound)
    if isinstance(left, Stored):
        return ways.order(a, b, left.column)
    if isinstance(right, Stored):
        found = ways.order(b, a, right.column)
        return None if found is None else -found
    return ways.order(a, b)


@dataclass(frozen=True)
class OneOf:
    """`left IN (…)`; an attribute that is a list stands for its values."""

    left: Operand
    members: tuple[Operand, ...]

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """True for any equal member; unknown where one of them is."""
        each: list[Operand] = []
        for member in self.members:
            if isinstance(member, Attribute):
                each += [Constant(value) for value in bound[member.name]]
            else:
                each.append(member)
        return _any([_equal(_order(self.left, m, row, bound, ways)) for m in each])


def _equal(order: int | None) -> Truth:
    return None if order is None else order == 0


@dataclass(frozen=True)
class Like:
    """`left LIKE pattern`."""

    left: Operand
    pattern: Operand

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """By the engine's LIKE."""
        return ways.like(self.left.value(row, bound), self.pattern.value(row, bound))


@dataclass(frozen=True)
class IsNull:
    """`left IS NULL`."""

    left: Operand

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """Never unknown."""
        del ways
        return self.left.value(row, bound) is None


@dataclass(frozen=True)
class Both:
    """`a AND b …`."""

    parts: tuple[Condition, ...]

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """False where one is."""
        found = [part.holds(row, bound, ways) for part in self.parts]
        return False if False in found else None if None in found else True


@dataclass(frozen=True)
class Either:
    """`a OR b …`."""

    parts: tuple[Condition, ...]

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """True where one is."""
        return _any([part.holds(row, bound, ways) for part in self.parts])


def _any(found: list[Truth]) -> Truth:
    return True if True in found else None if None in found else False


@dataclass(frozen=True)
class Not:
    """`NOT a`."""

    part: Condition

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """Unknown stays unknown."""
        found = self.part.holds(row, bound, ways)
        return None if found is None else not found


@dataclass(frozen=True)
class Holds:
    """A value that is itself a truth: a boolean column."""

    operand: Operand

    def holds(self, row: Row, bound: Bound, ways: Ways) -> Truth:
        """Zero is false."""
        del ways
        found = self.operand.value(row, bound)
        return None if found is None else bool(as_number(found))
