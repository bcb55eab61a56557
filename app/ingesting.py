"""Folders into the lake and the store, with the access labels that the policy gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.settings import Settings
from app.wiring import Stores
from ingest import sources
from ingest.lake import Lake
from ingest.pipeline import ingest
from ingest.types import Labels, Report
from retrieval.types import EVERYONE, Access, Progress
from text2sql.policy import load as load_policy

SHOWN = 20


@dataclass(frozen=True)
class Folder:
    """A folder (or single file) to ingest, under the name that its deletions are decided within."""

    name: str
    path: Path


def folders_of(settings: Settings, paths: Sequence[Path]) -> list[Folder]:
    """The folders named, or those of the settings file when none is.

    A path that the settings file knows keeps its name there; any other is named by where it is, so that two
    folders called `docs` do not delete each other's documents.
    """
    configured = [Folder(entry.name, settings.path(entry.path)) for entry in settings.documents]
    if not paths:
        return configured
    known = {folder.path.resolve(): folder for folder in configured}
    return [known.get(path.resolve()) or Folder(_name(path), path) for path in paths]


def ingest_folders(
    stores: Stores, folders: Sequence[Folder], progress: Progress | None = None
) -> dict[str, Any]:
    """Ingest each folder in turn; one report over all of them, in the form that `--report` writes."""
    reports: list[Report] = []
    lake = Lake(stores.settings.home / "lake")
    for folder in folders:
        source = sources.build("folder", {"name": folder.name, "path": folder.path})
        labels = _labels(stores.settings)
        reports.append(
            ingest(
                source,
                database=stores.database,
                lake=lake,
                store=stores.store,
                model=stores.model,
                clock=stores.clock,
                progress=progress,
                labels=labels,
            )
        )
    return sum(reports, Report()).to_json()


def show_report(report: dict[str, Any], console: Console) -> None:
    """The report in a few lines, the first quarantined documents named."""
    console.print(
        f"{report['documents']} documents read ({report['chunks']} chunks), {report['unchanged']} unchanged,"
        f" {report['deleted']} deleted, {len(report['quarantined'])} in quarantine, {report['seconds']:.1f} s",
        highlight=False,
    )
    for notice in report.get("notices", []):
        console.print(f"  note: {escape(notice)}", highlight=False)
    for entry in report["quarantined"][:SHOWN]:
        console.print(f"  quarantined {escape(entry['uri'])}: {escape(entry['reason'])}", highlight=False)
    if len(report["quarantined"]) > SHOWN:
        console.print(
            f"  … and {len(report['quarantined']) - SHOWN} more (--report writes all)", highlight=False
        )


def _labels(settings: Settings) -> Labels:
    """Who may read each document: what the policy says; everyone where there is no policy at all."""
    if not settings.policy:
        return frozenset({EVERYONE})
    policy = load_policy(settings.path(settings.policy))

    def of(uri: str) -> Access:
        # A rule may name the source, the whole uri, or `source/path` as people write it.
        path = uri.partition(":")[2]
        source = path.partition("/")[0]
        return policy.access_to_document(source, path, uri)

    return of


def _name(path: Path) -> str:
    resolved = path.resolve()
    return f"{resolved.name or 'root'}-{hashlib.sha256(str(resolved).encode()).hexdigest()[:6]}"
