"""The budget in the relational store: shared by every process of a home, and safe between them.

What a query may use at the most is booked in one statement that holds the row's lock and books nothing where it
would be too much, so that of two questions that ask for the last of a budget one is refused.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date

from app.settings import DailyBudget, DailySettings
from retrieval.postgres.database import Database
from retrieval.types import Clock, Principal
from text2sql.cost import Daily, DailyLimits, Purse, Spent, remaining

_BOOK = """
INSERT INTO app.query_spend AS spend (tenant, user_id, day, queries, seconds, rows)
VALUES (%(tenant)s, %(user)s, %(day)s, %(queries)s, %(seconds)s, %(rows)s)
ON CONFLICT (tenant, user_id, day) DO UPDATE SET
    queries = spend.queries + excluded.queries,
    seconds = spend.seconds + excluded.seconds,
    rows = spend.rows + excluded.rows
"""
_WITHIN = """
WHERE (%(most_queries)s::bigint IS NULL OR spend.queries + excluded.queries <= %(most_queries)s)
    AND (%(most_seconds)s::double precision IS NULL OR spend.seconds + excluded.seconds <= %(most_seconds)s)
    AND (%(most_rows)s::numeric IS NULL OR spend.rows + excluded.rows <= %(most_rows)s)
"""


class StoredBudget:
    """A budget in `app.query_spend`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database, limits: DailyLimits) -> None:
        self._database = database
        self._limits = limits

    def left(self, principal: Principal, day: date) -> Daily:
        """What this caller may still spend on that day."""
        with self._database.connection() as connection:
            row = connection.execute(
                "SELECT queries, seconds, rows FROM app.query_spend"
                " WHERE tenant = %s AND user_id = %s AND day = %s",
                (principal.tenant, principal.id, day),
            ).fetchone()
        spent = Spent(int(row[0]), float(row[1]), int(row[2])) if row else Spent()
        return remaining(self._limits.of(principal), spent)

    def reserve(self, principal: Principal, day: date, wanted: Spent) -> bool:
        """Book all of it, or nothing and say False."""
        most = self._limits.of(principal)
        if most.first_over(wanted):  # the first booking of a day meets no row to be held against
            return False
        values = {f"most_{one.name}": getattr(most, one.name) for one in fields(Daily)}
        with self._database.connection() as connection:
            booked = connection.execute(
                _BOOK + _WITHIN + "RETURNING 1", {**_values(principal, day, wanted), **values}
            ).fetchone()
        return booked is not None

    def spend(self, principal: Principal, day: date, spent: Spent) -> None:
        """Book it without asking; negative figures give back."""
        with self._database.connection() as connection:
            connection.execute(_BOOK, _values(principal, day, spent))


def _values(principal: Principal, day: date, spent: Spent) -> dict[str, object]:
    return {
        "tenant": principal.tenant, "user": principal.id, "day": day,
        "queries": spent.queries, "seconds": spent.seconds, "rows": spent.rows,
    }  # fmt: skip


def purse_of(settings: DailyBudget, database: Database, clock: Clock) -> Purse | None:
    """What the settings say of budgets, kept in the home's store; None where nothing is limited."""
    limits = DailyLimits(_daily(settings), {role: _daily(own) for role, own in settings.roles.items()})
    if all(daily == Daily() for daily in (limits.default, *limits.roles.values())):
        return None
    return Purse(StoredBudget(database, limits), limits, clock, settings.time_zone)


def _daily(settings: DailySettings) -> Daily:
    return Daily(settings.queries, settings.seconds, settings.rows)
