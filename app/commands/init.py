"""`bunmyaku init`: a home for a person's own warehouse and documents."""

from __future__ import annotations

import getpass
import itertools
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
import yaml

from app import settings as configuration
from app.commands.opening import application, progress, relational
from app.commands.output import Terminal
from app.errors import SettingsError
from app.ingesting import folders_of, ingest_folders, show_report
from app.settings import CONFIG, Settings
from text2sql.bootstrap import first_model, first_policy
from text2sql.semantics import dump
from text2sql.warehouses import is_server, open_warehouse


def command(
    warehouse: Annotated[
        str | None,
        typer.Option(
            "--warehouse",
            help="duckdb:///…, sqlite:///…, postgresql://…, a database file, or a folder of CSV/Parquet.",
        ),
    ] = None,
    docs: Annotated[Path | None, typer.Option("--docs", help="A folder of documents.")] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write over the files of an earlier init (kept as *.bak, *.bak2 …)."),
    ] = False,
) -> None:
    """Set up a home: infer keys, write a first semantic model and policy, ingest the documents."""
    if warehouse is None and docs is None:
        raise SettingsError(
            "There is nothing to set up", where="init", todo="Give --warehouse, --docs, or both."
        )
    if warehouse is not None and not warehouse.strip():
        raise SettingsError("--warehouse is empty", where="init", todo="Name a file, a folder or a URL.")
    if docs is not None and not docs.is_dir():
        raise SettingsError("--docs is not a folder", where=str(docs), todo="Name a folder that exists.")
    home = configuration.home_folder()
    console = Terminal()
    if configuration.has_config(home) and not force:
        raise SettingsError(
            "This home is set up already",
            where=str(home),
            todo="Choose another with BUNMYAKU_HOME, edit its files, or write them again with --force.",
        )
    files = _files(warehouse, docs)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    # What a new home lacks (weights, room on the disk, a server) is met before the first file makes it one.
    with nullcontext() if configuration.has_config(home) else relational(configuration.load(home)):
        for name, content in files.items():
            _write(home / name, content)
            console.print(f"wrote {home / name}", highlight=False)
        _fill(configuration.load(home), console)
    console.print('Ask: [bold]bunmyaku ask "…"[/]   Chat: [bold]bunmyaku ui[/]')


def _fill(settings: Settings, console: Terminal) -> None:
    """Ingest the documents, index the catalogue, and say what was found."""
    if settings.documents:
        with relational(settings) as stores, progress() as bar:
            show_report(ingest_folders(stores, folders_of(settings, []), progress=bar), console)
    with application(settings) as app:
        side = app.warehousing
        if side is not None:
            catalog = side.warehouse.catalog()
            joins = ", ".join(f"{j.from_} → {j.to}" for j in side.model.joins) or "none found"
            console.print(
                f"{len(catalog.tables)} tables, {len(side.model.metrics)} metrics; joins: {joins}",
                highlight=False,
            )


def _files(warehouse: str | None, docs: Path | None) -> dict[str, str]:
    """Every file of the new home, made before the first one is written."""
    user = _login()
    config: dict[str, object] = {"users": {"file": "users.yaml"}, "default_user": user}
    files = {
        "users.yaml": yaml.safe_dump(
            {"users": [{"id": user, "name": user, "roles": ["owner"]}]}, allow_unicode=True
        )
    }
    if docs is not None:
        config["documents"] = [{"name": "docs", "path": str(docs.absolute())}]
    if warehouse is not None:
        url = _absolute(warehouse)
        opened = open_warehouse(
            configuration.warehouse_override() or url, cache=configuration.home_folder() / "cache"
        )
        try:
            catalog = opened.catalog()
        finally:
            opened.close()
        config |= {"warehouse": url, "semantic_model": "semantic.yaml", "policy": "policy.yaml"}
        name = Path(url.partition("?")[0]).name.split(".")[0] or "model"
        files["semantic.yaml"] = dump(first_model(catalog, name))
        files["policy.yaml"] = first_policy(catalog, user)
    return {**files, CONFIG: yaml.safe_dump(config, allow_unicode=True, sort_keys=False)}


def _absolute(warehouse: str) -> str:
    if is_server(warehouse):
        return warehouse
    scheme, separator, rest = warehouse.partition(":///")
    return (
        f"{scheme}:///{Path(rest).absolute()}" if separator else str(Path(warehouse).expanduser().absolute())
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the system has no entry for this user, and no variable names it
        return f"user-{os.getuid()}"


def _write(path: Path, content: str) -> None:
    """The whole file or nothing of it (a full disk); what was there is kept under a name of its own."""
    new = path.with_name(f"{path.name}.new")
    try:
        new.touch(mode=0o600)  # a warehouse's URL may hold a password
        new.write_text(content, encoding="utf-8")
        if path.exists():
            path.rename(_free(path))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _free(path: Path) -> Path:
    """`semantic.yaml.bak`, or the first of `.bak2`, `.bak3`, … that is not there: each --force keeps its own."""
    names = itertools.chain(["bak"], (f"bak{number}" for number in itertools.count(2)))
    return next(kept for name in names if not (kept := path.with_name(f"{path.name}.{name}")).exists())
