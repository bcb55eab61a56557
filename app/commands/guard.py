"""`bunmyaku guard`: the guard alone, as a filter of JSON lines; and its conformance, as a command of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app import settings as configuration
from app.commands import conformance
from app.commands.output import write_json
from app.directory import principal as read_principal
from app.errors import SettingsError
from retrieval.types import Principal
from text2sql.ddl import catalog_from_ddl
from text2sql.errors import DdlError
from text2sql.guard.lines import check_lines
from text2sql.policy import load as load_policy
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse

DIALECTS = ("duckdb", "sqlite", "postgres", "athena", "redshift")

group = typer.Typer(invoke_without_command=True, pretty_exceptions_enable=False, rich_markup_mode="rich")
group.command("conformance")(conformance.command)


@group.callback()
def command(
    context: typer.Context,
    dialect: Annotated[
        str | None, typer.Option("--dialect", help=f"One of {', '.join(DIALECTS)}. Required to check lines.")
    ] = None,
    ddl: Annotated[Path | None, typer.Option("--ddl", help="File of CREATE TABLE statements.")] = None,
    warehouse: Annotated[
        str | None, typer.Option("--warehouse", help="A warehouse to read the catalogue from.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="Policy file; without it every table is readable.")
    ] = None,
    user: Annotated[
        str | None, typer.Option("--user", help='The caller as JSON: {"id","roles","attributes"}.')
    ] = None,
) -> None:
    """Read JSON lines {"id","sql"} on standard input; print a verdict a line."""
    if context.invoked_subcommand is not None:
        if any(option is not None for option in (dialect, ddl, warehouse, policy, user)):
            raise typer.BadParameter(f"Options of {context.invoked_subcommand} come after its name.")
        return
    if dialect is None:
        raise typer.BadParameter("Missing option '--dialect'.")
    catalog = _catalog(dialect, ddl, warehouse)
    rules = load_policy(policy) if policy else None
    caller = _caller(user)
    lines = (line.decode("utf-8", errors="replace") for line in sys.stdin.buffer)
    for verdict in check_lines(lines, dialect=dialect, catalog=catalog, principal=caller, policy=rules):
        write_json(verdict)  # at once: a caller may wait for each verdict before it writes the next line


def _catalog(dialect: str, ddl: Path | None, warehouse: str | None) -> Catalog | None:
    """None for a dialect we do not know: each line is then refused with that reason."""
    if (ddl is None) == (warehouse is None):
        raise SettingsError(
            "The guard needs a catalogue", where="guard", todo="Give either --ddl or --warehouse."
        )
    if dialect not in DIALECTS:
        return None
    if ddl is not None:
        try:
            text = ddl.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise DdlError("The DDL file cannot be read", where=str(ddl), todo=str(error.strerror)) from error
        return catalog_from_ddl(text, dialect)  # type: ignore[arg-type]  # checked just above
    opened = open_warehouse(configuration.load().warehouse_url() if warehouse == "home" else str(warehouse))
    try:
        return opened.catalog()
    finally:
        opened.close()


def _caller(user: str | None) -> Principal:
    if user is None:
        return Principal(id="local")
    try:
        raw: Any = json.loads(user)
    except json.JSONDecodeError as error:
        raise SettingsError("--user is not JSON", where=user, todo=str(error)) from error
    if not isinstance(raw, dict):
        raise SettingsError(
            "--user is not a JSON object", where=user, todo='Write {"id": "ana", "roles": […]}.'
        )
    return read_principal({"id": "local", **raw}, "--user")
