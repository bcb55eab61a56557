"""Warehouses: one file an engine, found by its name; `open_warehouse` finds the engine from a URL or a path.

A module of this folder whose name has no leading underscore is a warehouse and offers
`build(settings: Mapping) -> Warehouse`; the entry-point group `bunmyaku.warehouses` adds others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from retrieval.plugins import Members
from retrieval.types import Principal
from text2sql.errors import WarehouseUnavailable
from text2sql.types import Warehouse
from text2sql.warehouses._urls import ALIASES, FILES, is_server, redacted

__all__ = ["build", "is_server", "names", "open_warehouse", "redacted"]

_MEMBERS = Members(__name__, __path__, "warehouse of the kind", WarehouseUnavailable)
names = _MEMBERS.names
_TABLE_FILES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
"""A single file of a folder is a folder of one."""
_NEARLY_A_SERVER = re.compile(r"(?i)^\s*postgres\w*:|\bpassword\s*=")
_MAGIC = {b"SQLite format 3\x00": (0, "sqlite"), b"DUCK": (8, "duckdb")}
"""First bytes -> (their offset, the engine)."""


def build(name: str, settings: Mapping[str, Any]) -> Warehouse:
    """Open the warehouse of that name. Raises `WarehouseUnavailable`, also when there is none of that name."""
    built: Warehouse = _MEMBERS.build(name, settings)
    return built


def open_warehouse(url: str | Path, *, cache: Path | None = None, memory: int | None = None) -> Warehouse:
    """Open `postgresql://…`, `duckdb:///path`, `sqlite:///path`, a database file, or a folder of CSV and Parquet files.

    `cache` is a folder where loaded files and the catalogues of files may be kept between starts; `memory` is in bytes.
    Raises `WarehouseUnavailable` when it is missing, locked or not a database, saying what to do. Of a URL no message shows the password.
    """
    settings: dict[str, Any] = {} if memory is None else {"memory": memory}
    text = str(url)
    scheme, separator, rest = text.partition("://")
    if separator and not isinstance(url, Path):
        if scheme not in FILES:
            return build(ALIASES.get(scheme, scheme), {**settings, "url": text})
        return build(scheme, {**settings, "path": _path_of(unquote(rest)), "cache": cache})
    if _NEARLY_A_SERVER.search(text) and not isinstance(
        url, Path
    ):  # and not said again: a password may be in it
        raise WarehouseUnavailable(
            "This is neither a path nor the URL of a server",
            todo="Write postgresql://user:password@host:5432/database.",
        )
    path = Path(text).expanduser()
    return build(_sniff(path), {**settings, "path": path, "cache": cache})


def session_for(warehouse: Warehouse, principal: Principal, tag: str) -> Warehouse:
    """A view on the warehouse for one caller and one question, where it offers any; else the warehouse itself."""
    opens: Callable[[Principal, str], Warehouse] | None = getattr(warehouse, "session", None)
    return opens(principal, tag) if opens is not None else warehouse


def _path_of(rest: str) -> Path:
    """What stands after `engine://`: `/relative` or `//absolute`; one slash is absolute where only that exists."""
    path = Path(rest.removeprefix("/")).expanduser()
    return Path(rest) if not path.exists() and Path(rest).exists() else path


def _sniff(path: Path) -> str:
    if path.is_dir() or path.name.casefold().endswith(_TABLE_FILES):
        return "folder"
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise WarehouseUnavailable(
            "There is no such file or folder", where=str(path), todo="Check the path of the warehouse."
        ) from None
    except OSError as error:
        raise WarehouseUnavailable(
            f"The file cannot be read: {error.strerror}", where=str(path), todo="Check its rights."
        ) from error
    for magic, (offset, name) in _MAGIC.items():
        if head[offset:].startswith(magic):
            return name
    raise WarehouseUnavailable(
        "The file is neither a DuckDB nor an SQLite database",
        where=str(path),
        todo="Give a .duckdb or .sqlite file, or the folder that holds the CSV or Parquet files.",
    )
