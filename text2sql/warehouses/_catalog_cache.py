"""A catalogue kept between starts, for warehouses that are files: profiling a large one takes longer than asking.

Kept under what the file looks like (size, time, header) and how catalogues are read (our own code): when either
changes, it is read again. The file holds values of the warehouse, so only its owner may read it; one that is damaged
or of another make is as good as none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from text2sql.types import Catalog, Column, ForeignKey, Profile, Table

_HEADER = 12_288
"""Bytes in which SQLite counts its changes and DuckDB its checkpoints."""
_SETTLED = 2.0
"""Seconds since the last change from which a file's time tells a later one apart."""


def stamp(path: Path, beside: Sequence[str] = ()) -> str | None:
    """What a database file looks like now, with the files of these endings beside it; None where it may not be kept.

    That is: it cannot be read, or was changed a moment ago.
    """
    digest = hashlib.sha256(_reader().encode())
    try:
        for file in (path, *(path.with_name(path.name + ending) for ending in beside)):
            if file != path and not file.exists():
                continue
            found = file.stat()
            if time.time() - found.st_mtime < _SETTLED:
                return None
            digest.update(f"{file.name} {found.st_size} {found.st_mtime_ns}\0".encode())
        with path.open("rb") as opened:
            digest.update(opened.read(_HEADER))
    except OSError:
        return None
    return digest.hexdigest()


@cache
def _reader() -> str:
    """Changes whenever the code that reads catalogues does."""
    own = Path(__file__).parent
    files = [
        own.parent / name for name in ("profiling.py", "keys.py", "key_names.py", "types.py", "families.py")
    ]
    digest = hashlib.sha256()
    for path in sorted([*files, *own.glob("_*catalog*.py"), own / "_column_types.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class CatalogCache:
    """One warehouse's catalogue in a folder of the home."""

    def __init__(self, folder: Path, path: Path) -> None:
        """`path`: the warehouse's file."""
        name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
        self._file = folder / f"catalog-{name}.json"

    def load(self, mark: str) -> Catalog | None:
        """What was kept under this mark, None where nothing usable was."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            return _catalog(found["catalog"]) if found["mark"] == mark else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def keep(self, mark: str, catalog: Catalog) -> None:
        """Keep it in place of what was there; a folder that cannot be written keeps nothing."""
        text = json.dumps({"mark": mark, "catalog": _plain(catalog)}, ensure_ascii=False)
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".catalog-")  # readable by us alone
            try:
                with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                    file.write(text)
                Path(name).replace(self._file)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise


def _plain(catalog: Catalog) -> dict[str, Any]:
    found = dataclasses.asdict(catalog)
    del found["_index"]
    return found


def _catalog(found: dict[str, Any]) -> Catalog:
    tables = tuple(_table(table) for table in found["tables"])
    return Catalog(**{**found, "tables": tables, "left_out": tuple(found["left_out"])})


def _table(found: dict[str, Any]) -> Table:
    keys = tuple(
        ForeignKey(**{**key, "columns": tuple(key["columns"]), "to_columns": tuple(key["to_columns"])})
        for key in found["foreign_keys"]
    )
    return Table(
        **{
            **found,
            "columns": tuple(_column(column) for column in found["columns"]),
            "primary_key": tuple(found["primary_key"]),
            "unique": tuple(tuple(names) for names in found["unique"]),
            "foreign_keys": keys,
        }
    )


def _column(found: dict[str, Any]) -> Column:
    profile = found["profile"]
    kept = Profile(**{**profile, "values": tuple(profile["values"])}) if profile else None
    return Column(**{**found, "profile": kept})
