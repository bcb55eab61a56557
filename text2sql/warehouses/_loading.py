"""Loads a folder of CSV, TSV and Parquet files into one DuckDB file.

External access is on only in the connection that loads, and only files named here are given to it: one whose name
DuckDB would take for a pattern is handed over under a plain name.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from text2sql.errors import WarehouseUnavailable
from text2sql.profiling import quoted
from text2sql.types import unique_names
from text2sql.warehouses._column_types import cast, decide, harmonised
from text2sql.warehouses._shared import without_values
from text2sql.warehouses._text_files import inspect, transcode

TEXT = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".tab.gz")
PARQUET = (".parquet", ".pq")
_LINE_LIMIT = 32 * 1024**2
_PATTERN = re.compile(r"[*?\[\]{}\\]")
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}


def files_of(folder: Path) -> list[Path]:
    """The files that become tables, by name; other files are left alone. A file stands for itself."""
    if folder.is_file():
        return [folder]
    found = (p for p in folder.iterdir() if p.is_file() and not p.name.startswith((".", "~", "_")))
    return sorted(p for p in found if p.name.casefold().endswith(TEXT + PARQUET))


def table_names(files: Iterable[Path]) -> list[str]:
    """A table name a file: its stem with what no identifier holds as `_`, unique whatever the case."""
    stems = []
    for path in files:
        stem = re.sub(r"(?i)(\.(csv|tsv|tab|parquet|pq))?(\.gz)?$", "", path.name)
        name = re.sub(r"\W+", "_", stem).strip("_") or "table"
        stems.append(f"t_{name}" if name[0].isdigit() else name)
    folded = unique_names([stem.casefold() for stem in stems])
    return [stem + wide[len(stem.casefold()) :] for stem, wide in zip(stems, folded, strict=True)]


def load(files: list[Path], target: Path, memory: int) -> None:
    """Write `target`, a DuckDB file with one table a file. Raises `WarehouseUnavailable` naming file and line."""
    with tempfile.TemporaryDirectory(prefix="bunmyaku-") as temporary:
        config = {**_CONFIG, "memory_limit": f"{memory // 1024**2}MiB", "temp_directory": temporary}
        with duckdb.connect(str(target), config=config) as connection:
            loader = _Loader(connection, Path(temporary))
            for path, name in zip(files, table_names(files), strict=True):
                loader.add(path, name)
            loader.finish()


class _Loader:
    def __init__(self, connection: duckdb.DuckDBPyConnection, staging: Path) -> None:
        self.connection = connection
        self.staging = staging
        self.types: dict[str, dict[str, str]] = {}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.connection.execute(sql).fetchall())

    def add(self, path: Path, name: str) -> None:
        try:
            if path.name.casefold().endswith(PARQUET):
                source = _literal(str(self._staged(path, ".parquet")))
                self.rows(f"CREATE TABLE {quoted(name)} AS SELECT * FROM read_parquet({source})")  # noqa: S608
            else:
                self._add_text(path, name)
        except duckdb.Error as error:
            raise _bad_file(path, str(error)) from error

    def _add_text(self, path: Path, name: str) -> None:
        text = inspect(path)
        if text.encoding in ("utf-8", "utf-8-sig"):
            plain = self._staged(path, ".csv.gz" if path.suffix.casefold() == ".gz" else ".csv")
        else:
            plain = self.staging / f"{len(self.types)}.csv"
            transcode(path, text.encoding, plain)
        columns = ", ".join(f"{_literal(column)}: 'VARCHAR'" for column in text.columns)
        options = (
            f"auto_detect=false, columns={{{columns}}}, delim={_literal(text.delimiter)}, quote='\"', escape='\"', "
            f"header={str(text.header).lower()}, skip={text.skip}, comment='', strict_mode=true, "
            f"null_padding=false, nullstr='', max_line_size={_LINE_LIMIT}"
        )
        # Text first, in a temporary table: types are decided over all rows, and never by the engine's sniffer.
        self.rows(
            f"CREATE TEMPORARY TABLE {quoted('text ' + name)} AS "  # noqa: S608 - quoted names and literals
            f"SELECT * FROM read_csv({_literal(str(plain))}, {options})"
        )
        self.types[name] = decide(self.rows, f"temp.{quoted('text ' + name)}", text.columns)

    def _staged(self, path: Path, suffix: str) -> Path:
        """The path itself, or a plain name for one that holds characters of a pattern."""
        if not _PATTERN.search(str(path)):
            return path
        plain = self.staging / f"staged-{len(list(self.staging.iterdir()))}{suffix}"
        try:
            plain.symlink_to(path.resolve())
        except OSError:  # systems where links need rights
            shutil.copyfile(path, plain)
        return plain

    def finish(self) -> None:
        for name, columns in harmonised(self.types).items():
            chosen = ", ".join(cast(column, kind) for column, kind in columns.items())
            raw = f"temp.{quoted('text ' + name)}"
            self.rows(f"CREATE TABLE {quoted(name)} AS SELECT {chosen} FROM {raw}")  # noqa: S608 - quoted names
            self.rows(f"DROP TABLE {raw}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _bad_file(path: Path, message: str) -> WarehouseUnavailable:
    todo = "Mend the file, or take it out of the folder."
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if line is None:
        what = without_values(message, "").replace(str(path), path.name)
        return WarehouseUnavailable(f"The file cannot be loaded: {what}", where=str(path), todo=todo)
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if columns is not None:
        what = f"has {columns[2]} columns where the header has {columns[1]}"
    elif "unterminated quote" in message:
        what = "opens a quote that is never closed"
    elif "Maximum line size" in message:
        what = f"is longer than {_LINE_LIMIT // 1024**2} MB"
    else:
        what = "does not follow the CSV rules"
    return WarehouseUnavailable(f"Line {line[1]} {what}", where=f"{path}:{line[1]}", todo=todo)
