"""What queries cost: a budget for each caller and day, what may be told of an estimate, and what was agreed to.

A query that runs has been paid for first: `Budget.reserve` takes what it could use at the most, in one step that two
questions cannot both win, and `Budget.spend` settles afterwards what it did use. A day is that of the time zone in
the settings; what is left of it is nobody's the day after.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp

from retrieval.types import Clock, Principal
from text2sql.types import Catalog, Estimate, Limits, Verdict

TOO_EXPENSIVE = "too_expensive"
CONFIRM = "confirm"
BUDGET_SPENT = "budget_spent"
CHANGED = "changed"
_LEAST = 0.1
"""Seconds below which no query is begun."""
MOST = 10**15
"""Rows that one query is booked with at the most: estimates of cross joins know no bounds."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Queries run, seconds they took, rows they read or met by the engine's estimate."""

    queries: int = 0
    seconds: float = 0.0
    rows: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.queries + other.queries, self.seconds + other.seconds, self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class Daily:
    """What one caller may spend a day. None: no limit of that kind."""

    queries: int | None = None
    seconds: float | None = None
    rows: int | None = None

    def first_over(self, spent: Spent) -> str:
        """The first kind of which this would be too much; "" where it is within all of them."""
        for one in fields(self):
            most = getattr(self, one.name)
            if most is not None and getattr(spent, one.name) > most:
                return one.name
        return ""


@dataclass(frozen=True)
class DailyLimits:
    """What callers may spend a day: `default`, or what their roles give them.

    Of several roles that are named the most generous counts, for each kind.
    """

    default: Daily = Daily()
    roles: Mapping[str, Daily] = field(default_factory=dict)

    def of(self, principal: Principal) -> Daily:
        """What this caller may spend a day."""
        own = [self.roles[role] for role in principal.roles if role in self.roles]
        return _most_generous(own) if own else self.default


def _most_generous(found: Sequence[Daily]) -> Daily:
    def most(values: list[float | None]) -> float | None:
        return None if None in values else max(value for value in values if value is not None)

    queries, seconds, rows = (most([getattr(one, f.name) for one in found]) for f in fields(Daily))
    return Daily(
        int(queries) if queries is not None else None, seconds, int(rows) if rows is not None else None
    )


@dataclass(frozen=True, slots=True)
class Booking:
    """A reservation by its id, with the seconds that it holds until it is settled."""

    id: str
    seconds: float


class Budget(Protocol):
    """Keeps count of what callers spent, by day. Safe between threads; a shared one between processes too."""

    def left(self, principal: Principal, day: date) -> Daily:
        """What this caller may still spend on that day."""
        ...

    def reserve(self, principal: Principal, day: date, wanted: Spent, booking: str = "") -> bool:
        """Book all of it, or nothing and say False: in one step, whoever else asks at the moment.

        A budget that outlives this process gives the seconds of a `booking` back by itself should nobody settle it.
        """
        ...

    def spend(self, principal: Principal, day: date, spent: Spent, settled: Booking | None = None) -> None:
        """Book it without asking; negative figures give back what was reserved and not used.

        `settled`: the reservation that this is the last word on.
        """
        ...


class MemoryBudget:
    """A budget in memory: for one process, and for tests. It forgets with the process."""

    def __init__(self, limits: DailyLimits) -> None:
        self._limits = limits
        self._spent: dict[tuple[str, str, date], Spent] = defaultdict(Spent)
        self._lock = threading.Lock()

    def left(self, principal: Principal, day: date) -> Daily:
        """What this caller may still spend on that day."""
        with self._lock:
            return remaining(self._limits.of(principal), self._spent[_key(principal, day)])

    def reserve(self, principal: Principal, day: date, wanted: Spent, booking: str = "") -> bool:
        """Book all of it, or nothing and say False."""
        del booking  # ends with the process
        with self._lock:
            after = self._spent[_key(principal, day)] + wanted
            if self._limits.of(principal).first_over(after):
                return False
            self._spent[_key(principal, day)] = after
            return True

    def spend(self, principal: Principal, day: date, spent: Spent, settled: Booking | None = None) -> None:
        """Book it without asking."""
        del settled
        with self._lock:
            self._spent[_key(principal, day)] += spent


def _key(principal: Principal, day: date) -> tuple[str, str, date]:
    return principal.tenant, principal.id, day


def remaining(limit: Daily, spent: Spent) -> Daily:
    """The limit less what was spent, never below zero."""
    left = {
        one.name: max(0, getattr(limit, one.name) - getattr(spent, one.name))
        for one in fields(Daily)
        if getattr(limit, one.name) is not None
    }
    return Daily(**left)


@dataclass(frozen=True, slots=True)
class BudgetState:
    """What is told when a budget does not suffice: which kind, how much of how much is left, when it renews."""

    kind: str
    limit: float
    left: float
    wanted: float
    renews: datetime


@dataclass(frozen=True)
class Purse:
    """The budget as the way of a question uses it: with the clock and the time zone that make its days."""

    budget: Budget
    limits: DailyLimits
    clock: Clock
    zone: str = "UTC"

    def day(self) -> date:
        """Today, where the budget renews at midnight."""
        return self.clock().astimezone(ZoneInfo(self.zone)).date()

    def renews(self, day: date) -> datetime:
        """When that day's budget is replaced by the next one's."""
        return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(self.zone))

    def pay(self, principal: Principal, estimate: Estimate, limits: Limits) -> Paid | BudgetState | None:
        """Reserve for one query what it can use at the most; None where this caller's spending is not limited.

        Its time limit is cut to the seconds that are left, so that it can use no more than those.
        """
        most = self.limits.of(principal)
        if most == Daily():
            return None
        day = self.day()
        left = self.budget.left(principal, day)
        seconds = limits.seconds if left.seconds is None else min(limits.seconds, left.seconds)
        wanted = Spent(1, seconds, min(estimate.work or 0, MOST))
        booking = Booking(uuid.uuid4().hex, seconds)
        if seconds >= _LEAST and self.budget.reserve(principal, day, wanted, booking.id):
            return Paid(self, principal, day, wanted, replace(limits, seconds=seconds), booking)
        left = self.budget.left(principal, day)  # what another question took in between is counted
        kind = left.first_over(wanted) or "seconds"
        return BudgetState(
            kind, getattr(most, kind) or 0, getattr(left, kind) or 0, getattr(wanted, kind), self.renews(day)
        )


@dataclass(frozen=True)
class Paid:
    """What was reserved for one query, and the limits that it may run under."""

    purse: Purse
    principal: Principal
    day: date
    wanted: Spent
    limits: Limits
    booking: Booking

    def settle(self, seconds: float, *, ran: bool = True) -> None:
        """Give back the time that was not used; all of it where the query did not come to run."""
        back = Spent(0, min(seconds, self.wanted.seconds) - self.wanted.seconds, 0)
        if not ran:
            back = Spent(-self.wanted.queries, -self.wanted.seconds, -self.wanted.rows)
        self.purse.budget.spend(self.principal, self.day, back, self.booking)


def shown(estimate: Estimate, verdict: Verdict, catalog: Catalog) -> Estimate:
    """What may be told, and decided on, of an estimate: all of it, or bands where a row rule narrows the caller.

    An engine plans with what it knows of the whole table, so that a figure (or none at all: "no row can match")
    would tell of rows that the caller may not see; joined to a large table, even of one. There, nothing of the plan
    is used: every table that is named counts as read whole, tables that nothing joins as multiplied, and that is
    said in bands of 1, 2, 5, 10 … thousand.
    """
    if not verdict.row_rules:
        return estimate
    counts = [table.rows or 0 for name in verdict.tables if (table := catalog.table(name)) is not None]
    most = max(counts, default=0)
    if any(warning.code == "cartesian" for warning in verdict.warnings):
        most = max(most, math.prod(_each(verdict.sql, catalog)))
    return Estimate(rows=_band(most), scanned=_band(sum(counts)), rounded=True)


def _each(sql: str, catalog: Catalog) -> list[int]:
    """Rows of each table as often as the statement names it, one at the least."""
    named = sqlglot.parse_one(sql, dialect=catalog.dialect).find_all(exp.Table)
    found = (catalog.table(f"{one.db}.{one.name}" if one.db else one.name) for one in named)
    return [max(1, table.rows or 0) for table in found if table is not None]


def _band(rows: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 … thousand."""
    size = 1_000
    while True:
        for step in (1, 2, 5):
            if rows <= size * step:
                return size * step
        size *= 10


def statement_hash(verdict: Verdict, principal: Principal) -> str:
    """What a person agrees to: this text with these values, for this caller. SHA-256, hexadecimal."""
    values = sorted((name, repr(value)) for name, value in verdict.parameters.items())
    parts = [principal.tenant, principal.id, verdict.sql, values]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
