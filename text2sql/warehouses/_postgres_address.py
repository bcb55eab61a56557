"""Where a PostgreSQL warehouse is: its URL taken apart, and spelled again without the password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from text2sql.errors import WarehouseUnavailable
from text2sql.warehouses._urls import redacted

_SCHEMAS = "schemas"
"""Our own parameter of the URL: the schemas to offer, comma-separated; the first is what a bare name means."""
_DEFAULTS = {
    "connect_timeout": "10",
    "application_name": "bunmyaku",
    # A peer that vanished is noticed within a minute, also while a query runs.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
_FORM = "Write it as postgresql://user:password@host:5432/database, special characters percent-encoded."


@dataclass(frozen=True)
class Address:
    """One database of one server. Neither `where` nor the repr shows the password."""

    where: str
    database: str
    user: str
    schemas: tuple[str, ...] = ()
    conninfo: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: str) -> Address:
        """Raises `WarehouseUnavailable` for text that is no URL of a PostgreSQL; the text is not repeated."""
        bare, _, query = url.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        own = ",".join(value for name, value in pairs if name == _SCHEMAS)
        rest = urlencode([pair for pair in pairs if pair[0] != _SCHEMAS], quote_via=quote)
        before = bare.partition("://")[2].rpartition("@")[0]
        try:
            if "/" in before or "@" in before:  # libpq would take a part of the password for the host
                raise psycopg.ProgrammingError
            found = conninfo_to_dict(f"{bare}?{rest}" if rest else bare)
        except psycopg.Error:  # its text quotes what it could not read: perhaps the password
            raise WarehouseUnavailable(
                "The URL of the PostgreSQL warehouse cannot be read", where=redacted(url), todo=_FORM
            ) from None
        parts = {name: str(value) for name, value in found.items() if value is not None}
        schemas = tuple(dict.fromkeys(name.strip() for name in own.split(",") if name.strip()))
        conninfo = make_conninfo(**{**_DEFAULTS, **parts, "client_encoding": "UTF8"})
        return cls(_place(parts), parts.get("dbname", ""), parts.get("user", ""), schemas, conninfo)


def _place(parts: dict[str, str]) -> str:
    hosts = (parts.get("host") or parts.get("hostaddr") or "localhost").split(",")
    ports = (parts.get("port") or "5432").split(",")
    spelled = ",".join(f"{host}:{ports[min(at, len(ports) - 1)]}" for at, host in enumerate(hosts))
    user = f"{parts['user']}@" if "user" in parts else ""
    return f"postgresql://{user}{spelled}/{parts.get('dbname', '')}"
