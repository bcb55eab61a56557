"""What to say when a PostgreSQL server given by DSN, or the database in it, cannot be used. Never with a password."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from retrieval.errors import StoreUnavailable

CONNECT_SECONDS = 10
"""How long a connection attempt may take where the DSN does not say."""


def parse(dsn: str, name: str) -> dict[str, str]:
    """The parts of a DSN (URL or key=value), with `name` as database where it names none.

    Raises StoreUnavailable for text that is no DSN; the text itself is not repeated, it may hold a password.
    """
    try:
        parts = {key: str(value) for key, value in conninfo_to_dict(dsn).items() if value is not None}
    except psycopg.Error as error:
        raise StoreUnavailable(
            "The database DSN cannot be read",
            todo="Write it as postgresql://user:password@host:port/database.",
        ) from error
    parts.setdefault("dbname", name)
    parts.setdefault("connect_timeout", str(CONNECT_SECONDS))
    parts.setdefault("application_name", "bunmyaku")
    return parts


def place(parts: dict[str, str]) -> str:
    """Where a DSN leads, without secrets: `host:port/database`."""
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    return f"{host}:{parts.get('port', '5432')}/{parts.get('dbname', '')}"


def with_database(parts: dict[str, str], name: str) -> str:
    """A connection string to another database of the same server."""
    return make_conninfo(**{**parts, "dbname": name})


def cannot_connect(error: psycopg.Error, parts: dict[str, str]) -> StoreUnavailable:
    """The sentence for a connection that could not be made."""
    where = place(parts)
    text = str(error)
    if (
        error.sqlstate in {"28P01", "28000"}
        or "password authentication failed" in text
        or "no password" in text
    ):
        user = parts.get("user", "")
        return StoreUnavailable(
            f"The PostgreSQL server refuses the user {user!r} or the password",
            where=where,
            todo="Check the user and password of the DSN and the server's pg_hba.conf.",
        )
    if error.sqlstate == "3D000" or ("does not exist" in text and "database" in text):
        return StoreUnavailable(
            f"The database {parts.get('dbname')!r} does not exist and cannot be made",
            where=where,
            todo="Ask the server's administrator to create it, or name another one in the DSN.",
        )
    if error.sqlstate == "53300" or "too many clients" in text:
        return StoreUnavailable(
            "The PostgreSQL server has no connection left",
            where=where,
            todo="Try again, or raise max_connections.",
        )
    reason = text.strip().splitlines()[-1].strip() if text.strip() else type(error).__name__
    return StoreUnavailable(
        f"The PostgreSQL server cannot be reached: {reason}",
        where=where,
        todo="Check that it runs, that host and port of the DSN are right, and that nothing blocks the way.",
    )


def lacks_pgvector(parts: dict[str, str], installed: str | None) -> StoreUnavailable:
    """The sentence for a server without pgvector, or with one too old for `sparsevec` and `halfvec`."""
    what = "has no pgvector" if installed is None else f"has pgvector {installed}, and 0.7 or newer is needed"
    return StoreUnavailable(
        f"The PostgreSQL server {what}",
        where=place(parts),
        todo="Install pgvector there (https://github.com/pgvector/pgvector), or leave the DSN out to use the embedded server.",
    )
