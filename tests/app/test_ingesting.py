"""From a home's settings to who may find each document."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.ingesting import folders_of, ingest_folders
from app.settings import load as load_settings
from app.wiring import Stores
from retrieval.postgres.database import Database
from retrieval.stores import build
from retrieval.types import Clock, Principal, SearchResult, SemanticQuery

GUEST, MANAGER = Principal("guest"), Principal("mo", roles=("manager",))
CLOSED = "documents: [{match: '*internal/*', roles: [manager]%s}, {match: shop, roles: [everyone]}]"


@pytest.fixture
def opened(home: Path, database: Database, clock: Clock) -> Stores:
    (home / "docs" / "internal").mkdir(parents=True)
    (home / "docs" / "internal" / "plan.md").write_text("Peaches will cost nine.", encoding="utf-8")
    (home / "docs" / "fruit.md").write_text("Pears cost five.", encoding="utf-8")
    config = {"documents": [{"name": "shop", "path": "docs"}], "policy": "policy.yaml", "embeddings": "none"}
    (home / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    store = build("pgvector", {"database": database, "model": None})
    return Stores(load_settings(home, environment={}), database, None, store, clock)


def run(opened: Stores, marks: str) -> dict[str, object]:
    (opened.settings.home / "policy.yaml").write_text(CLOSED % marks, encoding="utf-8")
    return ingest_folders(opened, folders_of(opened.settings, []))


def find(opened: Stores, text: str, principal: Principal) -> SearchResult:
    return opened.store.search(SemanticQuery(text, principal))


def test_a_mark_in_the_policy_is_taken_up_by_the_next_run(opened: Stores) -> None:
    assert run(opened, "")["documents"] == 2
    assert find(opened, "peaches", GUEST) == SearchResult(())
    report = run(opened, ", discoverable: true, owner: fruit@shop")
    assert (report["documents"], report["relabelled"], report["unchanged"]) == (0, 1, 2)
    assert find(opened, "peaches", GUEST) == SearchResult((), 1, ("fruit@shop",))
    assert len(find(opened, "peaches", MANAGER).passages) == 1
    assert find(opened, "pears", GUEST).withheld == 0
    assert run(opened, "")["relabelled"] == 1
    assert find(opened, "peaches", GUEST) == SearchResult(())


def test_who_may_read_is_taken_up_by_the_next_run_too(opened: Stores) -> None:
    run(opened, "")
    boss = Principal("bo", roles=("director",))
    assert find(opened, "peaches", boss) == SearchResult(())
    policy = opened.settings.home / "policy.yaml"
    policy.write_text(
        "documents: [{match: '*internal/*', roles: [director]}, {match: shop, users: [guest]}]",
        encoding="utf-8",
    )
    report = ingest_folders(opened, folders_of(opened.settings, []))
    assert (report["documents"], report["relabelled"], report["unchanged"]) == (0, 2, 2)
    assert len(find(opened, "peaches", boss).passages) == 1
    assert find(opened, "peaches", MANAGER) == SearchResult(())
    assert len(find(opened, "pears", GUEST).passages) == 1
    assert find(opened, "pears", MANAGER) == SearchResult(())
