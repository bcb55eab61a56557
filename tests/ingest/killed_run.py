"""A run of its own, for the test that kills it: `python -m …killed_run DSN FOLDER LAKE`. Says `ready` when it starts."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from ingest.lake import Lake
from ingest.pipeline import ingest
from ingest.sources.folder import FolderSource
from retrieval.postgres.database import open_database
from retrieval.stores import build


def main() -> None:
    dsn, folder, lake = sys.argv[1:]
    with open_database(Path(lake), dsn) as database:
        store = build("pgvector", {"database": database, "model": None})
        print("ready", flush=True)
        report = ingest(
            FolderSource("shop", Path(folder)),
            database=database,
            lake=Lake(Path(lake)),
            store=store,
            model=None,
            clock=lambda: datetime(2026, 11, 20, tzinfo=UTC),
            labels={"everyone"},
            progress=lambda stage, done, _total: print(stage, done, flush=True),
        )
        print("done", report.documents, flush=True)


if __name__ == "__main__":
    main()
