"""What a PostgreSQL session is set to before any text runs in it, and what is known of the role.

Everything is set for one transaction only and ends with it, so neither the role's defaults nor an earlier run can
loosen it, and nothing depends on a proxy handing out the same server process again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from text2sql.types import Limits
from text2sql.warehouses._postgres_connections import Connection

_GRACE = 2.0
"""Seconds after our own time limit at which the server stops by itself, should we be gone."""
_PINNED = {
    "search_path": "pg_catalog, pg_temp",  # every name is qualified; no function or operator can be slipped in
    "standard_conforming_strings": "on",  # the guard reads a backslash as a backslash
    "transform_null_equals": "off",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "row_security": "on",
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "120s",
}
_FACTS = """
SELECT current_database(), current_user, coalesce(current_schema(), 'public'), current_setting('TimeZone'),
    rolsuper, coalesce(has_parameter_privilege(current_user, 'temp_file_limit', 'SET'), false),
    EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
        AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
FROM pg_catalog.pg_roles WHERE rolname = current_user"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen when the warehouse was opened. `schema` is what an unqualified name means."""

    database: str
    role: str
    schema: str
    zone: str
    superuser: bool
    limits_disk: bool
    writes: bool


def look(connection: Connection, schemas: Sequence[str]) -> Facts:
    """Ask the server; a connection as the role has it, before anything is set."""
    older = connection.info.server_version < 150000
    text = _FACTS
    if older:
        text = text.replace(
            "coalesce(has_parameter_privilege(current_user, 'temp_file_limit', 'SET'), false)", "false"
        )
    rows = connection.execute(text.encode()).fetchall()
    database, role, schema, zone, superuser, disk, writing = rows[0]
    return Facts(
        database, role, schemas[0] if schemas else schema, _zone(zone), superuser == "t",
        disk == "t" or superuser == "t", writing == "t",
    )  # fmt: skip


def _zone(name: str) -> str:
    """The session's time zone where it has a name that others know, else UTC: the instants are the same."""
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, LookupError):
        return "UTC"


def beginning(facts: Facts, limits: Limits, memory: int, name: str = "bunmyaku") -> str:
    """The words that begin a run's transaction; `name` is shown in the server's log, of letters, digits, `_`, `-`."""
    memory = min(memory, limits.memory)
    settings = {
        **_PINNED,
        "application_name": name,
        "statement_timeout": f"{max(1, round((limits.seconds + _GRACE) * 1000))}ms",
        "work_mem": f"{max(4096, min(memory // 16, 256 * 1024**2) // 1024)}kB",
    }
    if facts.limits_disk:
        settings["temp_file_limit"] = f"{max(1024**2, 2 * memory // 1024)}kB"
    lines = "".join(f"SET LOCAL {name} = {_value(name, value)};" for name, value in settings.items())
    return f"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;{lines}"


def _value(name: str, value: str) -> str:
    return value if name == "search_path" else f"'{value}'"


def notes(facts: Facts) -> tuple[str, ...]:
    """Sentences for an administrator; empty for a role that may only read."""
    advice = "Every run is a read-only transaction all the same; give a role with SELECT alone (docs/warehouses.md)."
    if facts.superuser:
        return (f"The role {facts.role} is a superuser. {advice}",)
    if facts.writes:
        return (f"The role {facts.role} may write to tables. {advice}",)
    return ()
