"""What the tests of a whole run share: a folder, and `run`, which ingests it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.lake import Lake
from ingest.pipeline import ingest
from ingest.sources.folder import FolderSource
from ingest.types import Report
from retrieval.postgres.database import Database
from retrieval.stores import build
from retrieval.types import Clock, Principal, SearchResult, SemanticQuery, SemanticStore

Run = Callable[..., Report]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
def store(database: Database) -> SemanticStore:
    return build("pgvector", {"database": database, "model": None})


@pytest.fixture
def run(folder: Path, database: Database, lake: Lake, store: SemanticStore, clock: Clock) -> Run:
    def run(**changes: Any) -> Report:
        settings: dict[str, Any] = {
            "database": database,
            "lake": lake,
            "store": store,
            "model": None,
            "clock": clock,
            "labels": {"everyone"},
            **changes,
        }
        return ingest(settings.pop("source", None) or FolderSource("shop", folder), **settings)

    return run


@pytest.fixture
def find(store: SemanticStore) -> Callable[..., SearchResult]:
    def find(text: str, principal: Principal | None = None) -> SearchResult:
        return store.search(SemanticQuery(text, principal or Principal("ana", roles=("analyst",)), limit=50))

    return find
