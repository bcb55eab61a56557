"""`bunmyaku ingest`: folders into the lake and the semantic store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app import settings as configuration
from app.commands.opening import progress, relational
from app.commands.output import Terminal, write_json
from app.errors import SettingsError
from app.ingesting import folders_of, ingest_folders, show_report


def command(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders or files; none: those of the settings file.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write the report here, as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Bring documents in: only what changed is read again, what cannot be read is quarantined with a reason."""
    settings = configuration.load()
    folders = folders_of(settings, paths or [])
    if not folders:
        raise SettingsError(
            "There is nothing to ingest",
            where="config.yaml: documents",
            todo="Name a folder: `bunmyaku ingest FOLDER`.",
        )
    with relational(settings) as stores, progress(quiet=as_json) as bar:
        found = ingest_folders(stores, folders, progress=bar)
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    if as_json:
        write_json(found)
    else:
        show_report(found, Terminal())
