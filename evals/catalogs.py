"""Catalogues of the databases of sets; packed databases are unpacked into a folder that goes afterwards."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from evals.errors import EvalError
from evals.suites.databases import Source, Suite
from text2sql.ddl import catalog_from_ddl
from text2sql.types import Catalog, Dialect, Table
from text2sql.warehouses import open_warehouse


class Catalogs:
    """A context manager over the databases of sets: files to open, catalogues read once."""

    def __init__(self) -> None:
        self._read: dict[Source, Catalog] = {}
        self._unpacked: dict[Path, Path] = {}

    def __enter__(self) -> Self:
        self._scratch = Path(tempfile.mkdtemp(prefix="bunmyaku-eval-"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def file(self, path: Path) -> Path:
        """The file itself, unpacked where it is packed. Raises `EvalError`."""
        if path.suffix != ".gz":
            return path
        if path not in self._unpacked:
            target = self._scratch / f"{len(self._unpacked)}-{path.stem}"
            try:
                with gzip.open(path) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file)
            except (OSError, EOFError) as error:
                raise EvalError("A database cannot be unpacked", where=str(path), todo=str(error)) from error
            self._unpacked[path] = target
        return self._unpacked[path]

    def of(self, suite: Suite, db: str) -> Catalog:
        """Tables of one database: with profiles and inferred keys where its rows are in files, else from its DDL."""
        source = suite.sources[db]
        if source not in self._read:
            self._read[source] = self._catalog(suite, source)
        return self._read[source]

    def _catalog(self, suite: Suite, source: Source) -> Catalog:
        if suite.engine == "sqlite":
            return _profiled(self.file(source.path))
        declared = catalog_from_ddl(
            self.file(source.path).read_text(encoding="utf-8", errors="replace"), suite.engine
        )
        folders = {path.parent for _, path in source.tables}
        return _with_rows(declared, _profiled(folders.pop())) if len(folders) == 1 else declared


def united(catalogs: Iterable[tuple[str, Catalog]], dialect: Dialect) -> Catalog:
    """One catalogue of many databases: each table under its database's name as its schema."""
    tables = []
    for db, catalog in catalogs:
        for table in catalog.tables:
            keys = tuple(
                replace(key, to_table=f"{db}.{key.to_table.rpartition('.')[2]}") for key in table.foreign_keys
            )
            tables.append(replace(table, schema=db, catalog="", foreign_keys=keys))
    return Catalog(dialect, tuple(tables))


def _profiled(path: Path) -> Catalog:
    warehouse = open_warehouse(path)
    try:
        return warehouse.catalog()
    finally:
        warehouse.close()


def _with_rows(declared: Catalog, seen: Catalog) -> Catalog:
    """The declared tables with the profiles and keys that files of their rows show."""

    def known(table: Table) -> Table:
        rows = seen.table(table.name)
        if rows is None:
            return table
        profiles = {column.name.casefold(): column.profile for column in rows.columns}
        columns = tuple(replace(c, profile=profiles.get(c.name.casefold())) for c in table.columns)
        keys = table.foreign_keys or rows.foreign_keys
        return replace(table, columns=columns, rows=rows.rows, foreign_keys=keys)

    return replace(declared, tables=tuple(map(known, declared.tables)))
