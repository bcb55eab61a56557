"""URLs of warehouses: which ones lead to a file, and how one is shown without its password."""

from __future__ import annotations

import re

FILES = frozenset({"duckdb", "sqlite", "folder"})
"""Schemes followed by a path."""
ALIASES = {"postgresql": "postgres"}
"""Schemes that are another name of a warehouse."""


def is_server(warehouse: str) -> bool:
    """Whether this is the URL of a server (or of something unknown), not a path or a `file-engine:///path`."""
    scheme, separator, _ = warehouse.partition("://")
    return bool(separator) and scheme not in FILES


def redacted(warehouse: str) -> str:
    """The warehouse as people may see it: without any password, also where the URL cannot be read."""
    if not is_server(warehouse):
        return warehouse
    scheme, _, rest = warehouse.partition("://")
    credentials, at, place = rest.rpartition("@")  # a password may hold any character, encoded or not
    place, mark, query = place.partition("?")
    kept = "&".join(
        pair for pair in query.split("&") if pair and "pass" not in pair.partition("=")[0].casefold()
    )
    user = re.split("[:/?]", credentials)[0]
    return f"{scheme}://{user}{at}{place}{mark if kept else ''}{kept}"
