"""The budget in the relational store: shared by every process of a home, and safe between them.

What a query may use at the most is booked in one statement that holds the row's lock and books nothing where it
would be too much, so that of two questions that ask for the last of a budget one is refused.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, timedelta

from app.settings import DailyBudget, DailySettings
from retrieval.postgres.database import Database
from retrieval.types import Clock, Principal
from text2sql.cost import Booking, Daily, DailyLimits, Purse, Spent, remaining

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
_GIVE_BACK = """
WITH gone AS (
    DELETE FROM app.query_leases WHERE tenant = %(tenant)s AND user_id = %(user)s AND until < %(now)s
    RETURNING day, seconds
)
UPDATE app.query_spend AS spend SET seconds = spend.seconds - back.seconds
FROM (SELECT day, sum(seconds) AS seconds FROM gone GROUP BY day) AS back
WHERE spend.tenant = %(tenant)s AND spend.user_id = %(user)s AND spend.day = back.day
"""
_LEASE = """
INSERT INTO app.query_leases (id, tenant, user_id, day, seconds, until)
VALUES (%(id)s, %(tenant)s, %(user)s, %(day)s, %(seconds)s, %(until)s)
"""
_GRACE = timedelta(minutes=1)
"""Beyond a query's own time limit, after which nobody will settle its reservation any more."""


class StoredBudget:
    """A budget in `app.query_spend`. Raises `StoreUnavailable`.

    A reservation is a lease: where the process that made it is gone, its seconds come back once its query must have
    ended; the query itself and what it may have read stay spent.
    """

    def __init__(self, database: Database, limits: DailyLimits, clock: Clock) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    def left(self, principal: Principal, day: date) -> Daily:
        """What this caller may still spend on that day, after what was never settled has been given back."""
        with self._database.connection() as connection:
            connection.execute(
                _GIVE_BACK, {"tenant": principal.tenant, "user": principal.id, "now": self._clock()}
            )
            row = connection.execute(
                "SELECT queries, seconds, rows FROM app.query_spend"
                " WHERE tenant = %s AND user_id = %s AND day = %s",
                (principal.tenant, principal.id, day),
            ).fetchone()
        spent = Spent(int(row[0]), float(row[1]), int(row[2])) if row else Spent()
        return remaining(self._limits.of(principal), spent)

    def reserve(self, principal: Principal, day: date, wanted: Spent, booking: str = "") -> bool:
        """Book all of it, or nothing and say False."""
        most = self._limits.of(principal)
        if most.first_over(wanted):  # the first booking of a day meets no row to be held against
            return False
        values = {f"most_{one.name}": getattr(most, one.name) for one in fields(Daily)}
        with self._database.connection() as connection:
            booked = connection.execute(
                _BOOK + _WITHIN + "RETURNING 1", {**_values(principal, day, wanted), **values}
            ).fetchone()
            if booked is not None and booking:
                until = self._clock() + timedelta(seconds=wanted.seconds) + _GRACE
                lease = {"id": booking, "until": until}
                connection.execute(_LEASE, {**_values(principal, day, wanted), **lease})
        return booked is not None

    def spend(self, principal: Principal, day: date, spent: Spent, settled: Booking | None = None) -> None:
        """Book it without asking; negative figures give back. What a lease gave back already is booked again."""
        with self._database.connection() as connection:
            if settled is not None:
                ended = connection.execute(
                    "DELETE FROM app.query_leases WHERE id = %s RETURNING 1", (settled.id,)
                ).fetchone()
                if ended is None:
                    spent = spent + Spent(0, settled.seconds, 0)
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
    return Purse(StoredBudget(database, limits, clock), limits, clock, settings.time_zone)


def _daily(settings: DailySettings) -> Daily:
    return Daily(settings.queries, settings.seconds, settings.rows)
