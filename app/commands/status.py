"""`bunmyaku status` and `bunmyaku stop`."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from app import settings as configuration
from app.commands.exits import Exit
from app.commands.opening import relational, require_home
from app.commands.output import Terminal, write_json
from app.errors import SettingsError
from app.models import open_model
from app.settings import Settings
from retrieval.errors import BunmyakuError
from retrieval.postgres.embedded import status as server_status
from retrieval.postgres.embedded import stop as stop_server
from text2sql.policy import load as load_policy
from text2sql.row_security import behind
from text2sql.semantics import check
from text2sql.semantics import load as load_model
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse, redacted


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the home, the store, the warehouse and the models in use."""
    settings = configuration.load()
    require_home(settings)
    found = gather(settings)
    unreachable = found.pop("unreachable")
    if as_json:
        write_json({**found, "unreachable": unreachable})
    else:
        _show(found)
    if unreachable:
        raise typer.Exit(Exit.unavailable)


def _show(found: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in found.items():
        table.add_row(name.replace("_", " "), escape(_shown(value)))
    Terminal().print(table)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return "\n".join(value) if isinstance(value, list) else str(value)


def gather(settings: Settings) -> dict[str, Any]:
    """What `status` shows; a part that cannot be reached says why instead of hiding the rest.

    `unreachable` names those parts.
    """
    before = server_status(settings.home) if settings.database.dsn is None else None
    found: dict[str, Any] = {
        "home": str(settings.home),
        "server": "an own PostgreSQL, by DSN" if before is None else before.state,
        "embeddings": settings.embeddings,
        "model": settings.model.name,
        "policy": settings.policy or "none",
        "unreachable": [],
    }
    try:
        open_model(settings.model, settings.home)
    except SettingsError as error:
        found["model"] = str(error)
        found["unreachable"].append("model")
    try:
        with relational(settings) as stores:
            stats = stores.store.stats()
            found["store"] = {"documents": stats.documents, "chunks": stats.chunks, **stats.by_kind}
            with stores.database.connection() as connection:
                row = connection.execute("SELECT count(*) FROM app.answer_records").fetchone()
            found["answers"] = row[0] if row else 0
    except BunmyakuError as error:
        found["store"] = str(error)
        found["unreachable"].append("store")
    try:
        found |= _warehouse(settings)
    except BunmyakuError as error:
        found["warehouse"] = str(error)
        found["unreachable"].append("warehouse")
    return found


def _warehouse(settings: Settings) -> dict[str, Any]:
    """The warehouse, and how well the semantic model fits it. Raises `WarehouseError`."""
    if not settings.warehouse:
        return {"warehouse": "none"}
    warehouse = open_warehouse(settings.warehouse_url(), cache=settings.home / "cache")
    try:
        catalog = warehouse.catalog()
        if settings.policy:
            behind(warehouse, load_policy(settings.path(settings.policy)))
        notes = list(getattr(warehouse, "notes", tuple)())
    finally:
        warehouse.close()
    shown = {"dialect": catalog.dialect, "tables": len(catalog.tables), "at": redacted(settings.warehouse)}
    noted: dict[str, Any] = {"warehouse_notes": notes} if notes else {}
    if catalog.left_out:
        noted["tables_left_out"] = list(catalog.left_out)
    return {"warehouse": shown, **noted, "semantic_model": _model(settings, catalog)}


def _model(settings: Settings, catalog: Catalog) -> str | list[str]:
    if not settings.semantic_model:
        return "none"
    try:
        problems = check(load_model(settings.path(settings.semantic_model)), catalog)
    except BunmyakuError as error:
        return str(error)
    return problems or settings.semantic_model


def stop_command() -> None:
    """Stop the embedded server of this home; whoever asks next starts it again."""
    settings = configuration.load()
    console = Terminal()
    if settings.database.dsn is not None:
        console.print("This home uses a PostgreSQL of its own by DSN; it is not ours to stop.")
        return
    console.print("stopped" if stop_server(settings.home) else "was not running")
