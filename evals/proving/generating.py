"""Generated statements beside the real ones, over the catalogue of each database."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from evals.drafting.places import Place
from evals.proving.bases import to_duckdb
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse

if TYPE_CHECKING:
    from evals.proving.running import Engine


def made(
    texts: Mapping[tuple[Engine, str], list[str]],
    found: Mapping[str, Place],
    scratch: Path,
    wanted: int,
    seed: int,
) -> None:
    """Add so many generated statements to those of each database, none twice."""
    if not wanted:
        return
    from evals.proving.grammar import Maker

    for (kind, db), statements in texts.items():
        path = found[db].url
        if kind == "duckdb":
            to_duckdb(Path(path), scratch / f"{db}.duckdb")
            path = str(scratch / f"{db}.duckdb")
        maker = Maker(_catalog(path), kind, seed, steady=True)
        known = dict.fromkeys(statements)
        for _ in range(wanted):
            known[maker.query()] = None
        statements[:] = known


def _catalog(path: str) -> Catalog:
    with closing(open_warehouse(path)) as warehouse:
        return warehouse.catalog()
