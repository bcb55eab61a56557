"""A demo home: warehouse, documents, the files that say what they mean and who may see them, and the office tables."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import yaml

from demo.documents import write_documents
from demo.errors import DemoError, NotADemoHome
from demo.office import fill_office, office_mark
from demo.semantic import model_text
from demo.trips import TRIPS_A_CUSTOMER
from demo.warehouse import TABLES, build_warehouse
from retrieval.postgres.database import Database
from retrieval.types import Progress

MARK = "demo.json"
"""File of a home that says the demo made it, and from what."""
WAREHOUSE = "warehouse.duckdb"
DOCUMENTS = "documents"
SEED = 294
"""A seed whose thousand customers look like the larger insurer: every region and plan near its expected figures."""
MANY = 50_000
"""Customers from which on keys of the big tables are no longer declared: checking them takes longer than the rest."""

_FILES = Path(__file__).with_name("files")
_COPIED = ("glossary.yaml", "verified.yaml", "policy.yaml", "situational.yaml")
_CONFIG = {
    "warehouse": WAREHOUSE,
    "documents": [{"name": "kazahaya", "path": DOCUMENTS}],
    "semantic_model": "semantic.yaml",
    "policy": "policy.yaml",
    "glossary": "glossary.yaml",
    "verified": "verified.yaml",
    "situational": "situational.yaml",
    "users": {"sql": "SELECT id, name, language, tenant, roles, attributes FROM insurer.users"},
    "default_user": "ana",
}
_OURS = (WAREHOUSE, DOCUMENTS, "semantic.yaml", *_COPIED, "config.yaml")


@dataclass(frozen=True)
class Built:
    """What a home holds: `rows` by table of the warehouse; `reused` when it was there already."""

    customers: int
    seed: int
    rows: dict[str, int]
    documents: int
    reused: bool = False


def build_home(
    home: Path,
    database: Database,
    customers: int = 1000,
    seed: int = SEED,
    progress: Progress | None = None,
    *,
    trips: int | None = None,
    rebuild: bool = False,
) -> Built:
    """Build the insurer into `home` and into the schema `insurer` of `database`; reuse what the same call built.

    Raises `NotADemoHome` when the home or the database holds something else, `DemoError` for a size that cannot be
    built. An interrupted build leaves the old home, or one that the next call builds again.
    """
    if customers < 1:
        raise DemoError(
            "There must be at least one customer", where=f"--customers {customers}", todo="Give more."
        )
    report = progress or _silent
    trips = customers * TRIPS_A_CUSTOMER if trips is None else trips
    wanted = {"version": version(), "customers": customers, "trips": trips, "seed": seed}
    known = read_mark(home)
    mark = json.dumps(wanted, sort_keys=True)
    if not rebuild and known is not None and known.get("made") == wanted and office_mark(database) == mark:
        return Built(customers, seed, known["rows"], known["documents"], reused=True)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = Path(mkdtemp(prefix=".demo-", dir=home))
    try:
        report("the insurer's data", 0, 1)
        keys = customers < MANY
        build_warehouse(work / WAREHOUSE, customers, seed, keys=keys, trips=trips, progress=report)
        report("the insurer's data", 1, 1)
        report("the insurer's documents", 0, 1)
        papers = write_documents(work / DOCUMENTS, work / WAREHOUSE)
        report("the insurer's documents", 1, 1)
        _write_files(work)
        built = Built(customers, seed, _count(work / WAREHOUSE), len(papers))
        # Marked before the first file moves in: a home half replaced is still known as the demo's.
        _write_mark(home, {})
        report("the insurer's office", 0, 1)
        fill_office(database, work / WAREHOUSE, mark)
        for name in _OURS:
            _replace(work / name, home / name)
        _write_mark(home, {"made": wanted, "rows": built.rows, "documents": built.documents})
        report("the insurer's office", 1, 1)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return built


def version() -> str:
    """A hash over everything that the demo is made from: any change of it builds a home again."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*")):
        if path.suffix in (".py", ".sql", ".yaml", ".md"):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def read_mark(home: Path) -> dict[str, Any] | None:
    """What the demo wrote about this home, None where it has not been yet.

    Raises `NotADemoHome` where the home holds files of the demo's names that are not the demo's.
    """
    mark = home / MARK
    if mark.is_file():
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise NotADemoHome("The demo's mark cannot be read", where=str(mark), todo=str(error)) from error
        return found if isinstance(found, dict) else {}
    taken = [name for name in _OURS if (home / name).exists()]
    if taken:
        raise NotADemoHome(
            f"This home is not the demo's: it has {', '.join(taken)}",
            where=str(home),
            todo="Choose another with BUNMYAKU_HOME.",
        )
    return None


def _write_mark(home: Path, content: dict[str, Any]) -> None:
    """In one move, so that the mark is never half a file."""
    temporary = home / f".{MARK}"
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    temporary.replace(home / MARK)


def _write_files(folder: Path) -> None:
    for name in _COPIED:
        (folder / name).write_bytes((_FILES / name).read_bytes())
    (folder / "semantic.yaml").write_text(model_text(), encoding="utf-8")
    config = yaml.safe_dump(_CONFIG, allow_unicode=True, sort_keys=False)
    (folder / "config.yaml").write_text(config, encoding="utf-8")


def _count(warehouse: Path) -> dict[str, int]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {table: len(connection.table(table)) for table in TABLES}


def _replace(new: Path, old: Path) -> None:
    """Move `new` to where `old` was. A file is replaced in one step, a folder is taken away first."""
    if old.is_dir():
        shutil.rmtree(old)
    new.replace(old)
