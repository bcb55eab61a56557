"""What PostgreSQL's errors mean to the asker. Only the primary message is ever shown, and never a stored value.

DETAIL and HINT quote rows and suggest columns that the caller may not see. The messages of data errors quote
values in the server's own language and quotation marks, so they are replaced as a whole.
"""

from __future__ import annotations

import re

import psycopg

from text2sql.errors import QueryCancelled, QueryTimeout, WarehouseError, WarehouseUnavailable
from text2sql.warehouses._postgres_address import Address
from text2sql.warehouses._shared import without_values

_HUGE = {"53100", "53200", "53400", "54000", "54001"}
_LOST = {"57P01", "57P02", "57P03", "57P05", "08000", "08003", "08006", "25P03", "25P04"}
_SPEAKING = {"42", "0A"}
"""Classes whose messages speak of the statement alone: names, types, syntax, what is not supported."""


def failed(error: psycopg.Error, sql: str, where: str, seconds: float) -> WarehouseError:
    """The error for a statement that nobody stopped from this side."""
    state = error.sqlstate or ""
    message = error.diag.message_primary or ""
    if state == "57014":
        return _stopped_by_server(message, where, seconds)
    if state == "55P03":
        return WarehouseError(
            "A table of the query is locked by another program", where=where, todo="Try again in a moment."
        )
    if state in ("25006", "25001"):
        return WarehouseError("PostgreSQL refused the statement: it does more than read", where=where)
    if state in _HUGE:
        return WarehouseError(
            "The query needs more memory or disk than it may use", where=where, todo="Ask for less at once."
        )
    if state == "40001":
        return WarehouseError(
            "The server cancelled the query to apply changes", where=where, todo="Try again."
        )
    if state in _LOST or (not state and isinstance(error, psycopg.OperationalError)):
        return WarehouseUnavailable(
            "The connection to PostgreSQL broke while the query ran",
            where=where,
            todo="Try again; the server may be restarting.",
        )
    if state[:2] in _SPEAKING:
        return WarehouseError(without_values(message, sql), where=where)
    kind = type(error).__name__
    return WarehouseError(
        f"PostgreSQL stopped the query ({kind}, {state or 'no code'}): a stored value does not fit the expression",
        where=where,
        todo="Use another expression, or leave such rows out.",
    )


def _stopped_by_server(message: str, where: str, seconds: float) -> WarehouseError:
    if "timeout" in message:
        return QueryTimeout(
            f"The query was stopped after {seconds:g} seconds",
            where=where,
            todo="Ask for a shorter period or fewer rows, or raise the time limit.",
        )
    return QueryCancelled("The query was cancelled on the server", where=where)


def unreachable(error: psycopg.Error, address: Address) -> WarehouseUnavailable:
    """Why there is no connection, and what to do. libpq's messages name host, port, user and database only."""
    text, state = str(error), error.sqlstate or ""
    what, todo = "", ""
    if state in ("28P01", "28000") or "authentication failed" in text or "no password supplied" in text:
        what = f"The PostgreSQL server refuses the user {address.user!r} or the password"
        todo = "Check the warehouse's URL (BUNMYAKU_WAREHOUSE may hold it) and the server's pg_hba.conf."
    elif state == "3D000" or ("database" in text and "does not exist" in text):
        what = f"There is no database {address.database!r} on this server"
        todo = "Check the name at the end of the warehouse's URL."
    elif state == "42501" or "permission denied for database" in text:
        what = f"The user {address.user!r} may not connect to the database {address.database!r}"
        todo = "Let an administrator GRANT CONNECT on it."
    elif state == "53300" or "too many" in text or "remaining connection slots" in text:
        what = "The PostgreSQL server has no connection left"
        todo = "Try again, or raise max_connections or the role's CONNECTION LIMIT."
    elif state == "57P03" or "the database system is" in text:
        what = "The PostgreSQL server is starting or stopping"
        todo = "Try again in a moment."
    elif re.search(r"\binvalid (connection option|\w+ value|port number)", text):
        what, todo = "A parameter of the warehouse's URL is not known", "Check what stands after the `?`."
    else:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        what = f"The PostgreSQL server cannot be reached: {lines[-1] if lines else type(error).__name__}"
        todo = "Check that it runs, that host and port of the URL are right, and that nothing blocks the way."
    return WarehouseUnavailable(what, where=address.where, todo=todo)
