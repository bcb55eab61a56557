"""A folder of CSV, TSV and Parquet files (also packed with gzip) as one warehouse: a table a file.

The files are loaded into a DuckDB file, which is then opened like any other: read-only, nothing outside reachable.
With a cache folder that file is kept and used again while names, sizes and times of the files stay the same;
without one it lives in a temporary folder and goes when the warehouse is closed.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from text2sql.errors import WarehouseUnavailable
from text2sql.warehouses._catalog_cache import CatalogCache
from text2sql.warehouses._loading import PARQUET, TEXT, files_of, load
from text2sql.warehouses._shared import MEMORY, options
from text2sql.warehouses.duckdb import DuckDbWarehouse

_FORMAT = 1
"""Raised when loading changes, so that older caches are not used."""


class FolderWarehouse(DuckDbWarehouse):
    """Raises `WarehouseUnavailable` when there is nothing to load, or a file cannot be (naming file and line)."""

    def __init__(
        self, folder: Path, *, cache: Path | None = None, memory: int = MEMORY, infer_keys: bool = True
    ) -> None:
        self.folder = folder
        self._old: list[duckdb.DuckDBPyConnection] = []
        self._temporary = tempfile.TemporaryDirectory(prefix="bunmyaku-") if cache is None else None
        self._cache = Path(self._temporary.name) if self._temporary else cache or Path()
        try:
            super().__init__(self._loaded(memory), memory=memory, infer_keys=infer_keys)
        except BaseException:
            if self._temporary:
                self._temporary.cleanup()
            raise
        self.where = str(folder)

    def _loaded(self, memory: int) -> Path:
        """The DuckDB file for the folder as it is now, made when it is not there yet."""
        files = self._files()
        target = self._cache / f"{self._prefix()}-{_key(files)}.duckdb"
        if target.is_file():
            return target
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".loading-", dir=self._cache) as building:
            built = Path(building) / target.name
            load(files, built, memory)
            built.replace(target)  # a reader sees the whole file or none
        for old in self._cache.glob(f"{self._prefix()}-*.duckdb"):
            if old != target:
                old.unlink(missing_ok=True)
        return target

    def _prefix(self) -> str:
        return hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]

    def _files(self) -> list[Path]:
        try:
            files = files_of(self.folder)
        except OSError as error:
            raise WarehouseUnavailable(
                f"The folder cannot be read: {error.strerror}",
                where=str(self.folder),
                todo="Check the path of the warehouse.",
            ) from error
        if not files:
            raise WarehouseUnavailable(
                "There is no file to load in the folder",
                where=str(self.folder),
                todo=f"Put files there that end in {', '.join(TEXT[:2] + PARQUET[:1])}.",
            )
        return files

    def _reopen(self) -> None:
        """Load again when a file was added, changed or removed; statements under way end on the old data."""
        path = self._loaded(self._memory)
        if path == self.path:
            return
        self._old.append(self._connection)
        self.path = path
        self._connection = self._connect()
        self._let_go()

    def _let_go(self) -> None:
        """Close what was replaced, except where a statement still runs: DuckDB refuses, and we ask again later."""
        for connection in list(self._old):
            with suppress(duckdb.Error):
                connection.close()
                self._old.remove(connection)

    def _close(self) -> None:
        self._let_go()
        super()._close()
        if self._temporary:
            self._temporary.cleanup()


def _key(files: list[Path]) -> str:
    stats = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(repr((_FORMAT, stats)).encode()).hexdigest()[:16]


def build(settings: Mapping[str, Any]) -> FolderWarehouse:
    """From settings `path` (a folder, or one file of it) and, optionally, `cache` (a folder) and `memory`."""
    cache = settings.get("cache")
    opened = FolderWarehouse(
        Path(settings["path"]), cache=Path(cache) if cache else None, **options(settings)
    )
    if cache:
        opened.kept = CatalogCache(Path(cache), opened.folder)
    return opened
