"""Sets of questions over databases, told by what their folder holds, never by its name.

    databases/<db>.sqlite[.gz]                          SQLite                       (Spider and its like)
    sqlite/<db>.sqlite[.gz], schemas/<db>.postgres.sql  SQLite, or PostgreSQL        (defog)
    schema.postgres.sql, csv/<table>.csv[.gz]           PostgreSQL, one database

Questions are `questions.jsonl`, or any other file of that form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.cases import Case, Engine, read_cases, spread
from evals.errors import SuiteError
from evals.json_lines import found

_SQLITE = (".sqlite", ".sqlite3", ".db")
_SCRIPT = ".postgres.sql"
_ONE = "schema.postgres.sql"


@dataclass(frozen=True, slots=True)
class Source:
    """What a database is made of: an SQLite file (packed or not), or a script and CSV files to copy into its tables."""

    path: Path
    tables: tuple[tuple[str, Path], ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of it."""
        return (self.path, *(path for _, path in self.tables))


@dataclass(frozen=True, slots=True)
class Suite:
    """Questions and the databases that they are asked of, all of one engine."""

    name: str
    engine: Engine
    cases: tuple[Case, ...]
    sources: Mapping[str, Source]
    files: tuple[Path, ...]
    root: Path


def load(
    folder: Path, questions: Path | None = None, engine: Engine | None = None, limit: int | None = None
) -> Suite:
    """Read a set. `questions` lies under the current folder or that of the set; `engine`: where there are two.

    Raises `SuiteError` naming the file, the line, and what there is instead.
    """
    if not folder.is_dir():
        raise SuiteError("There is no such folder", where=str(folder), todo="Give the folder of a set.")
    asked = _questions(folder, questions)
    offered = _offered(folder)
    chosen = engine or next(iter(offered), None)
    if chosen is None or chosen not in offered:
        raise SuiteError(
            f"The set has no databases for {chosen}"
            if offered
            else "The folder has none of the known layouts",
            where=str(folder),
            todo=f"It has them for {', '.join(offered)}."
            if offered
            else "It should hold `databases/`, or `sqlite/` or `schemas/`, or `schema.postgres.sql`.",
        )
    cases = spread(read_cases(asked, chosen), limit)
    sources = _sources(folder, chosen, cases)
    for case in cases:
        if case.db not in sources:
            raise SuiteError(
                f"There is no database {case.db!r} for the question {case.id!r}",
                where=str(folder),
                todo=f"There are: {_some(sources)}.",
            )
    used = [sources[db] for db in sorted({case.db for case in cases})]
    files = tuple(dict.fromkeys([asked, *(path for source in used for path in source.files)]))
    return Suite(f"{folder.resolve().name}/{asked.name.split('.')[0]}", chosen, cases, sources, files, folder)


def _questions(folder: Path, questions: Path | None) -> Path:
    if questions is None:
        return found(folder, "questions.jsonl")
    for path in (questions, folder / questions):
        if path.is_file():
            return path
    raise SuiteError("There is no such file of questions", where=str(questions), todo=f"Look into {folder}.")


def _offered(folder: Path) -> tuple[Engine, ...]:
    """The engines that the set has databases for, the one to prefer first."""
    if _named(folder / "databases", _SQLITE):
        return ("sqlite",)
    engines: list[Engine] = []
    if _named(folder / "sqlite", _SQLITE):
        engines.append("sqlite")
    if _named(folder / "schemas", (_SCRIPT,)) or (folder / _ONE).is_file():
        engines.append("postgres")
    return tuple(engines)


def _sources(folder: Path, engine: Engine, cases: Sequence[Case]) -> dict[str, Source]:
    if engine == "sqlite":
        files = _named(folder / "databases", _SQLITE) or _named(folder / "sqlite", _SQLITE)
        return {db: Source(path) for db, path in files.items()}
    scripts = _named(folder / "schemas", (_SCRIPT,))
    if scripts:
        return {db: Source(path) for db, path in scripts.items()}
    tables = tuple(_named(folder / "csv", (".csv",)).items())
    return {db: Source(folder / _ONE, tables) for db in sorted({case.db for case in cases})}


def _named(folder: Path, endings: tuple[str, ...]) -> dict[str, Path]:
    """Name -> file, for files with one of these endings, packed or not."""
    result: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        bare = path.name.removesuffix(".gz")
        ending = next((each for each in endings if bare.endswith(each)), None)
        if ending and path.is_file():
            result.setdefault(bare.removesuffix(ending), path)
    return result


def _some(names: Mapping[str, Source]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
