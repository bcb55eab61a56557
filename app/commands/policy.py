"""`bunmyaku policy`: is the file right, what does a caller see, and the database's own roles and row security to match."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table as Grid

from app import settings as configuration
from app.commands import policy_apply
from app.commands.callers import everyone, policy_meant
from app.commands.exits import Exit
from app.commands.output import Terminal, write_json
from app.directory import principal as read_principal
from app.errors import SettingsError, UnknownUser
from app.settings import Settings
from retrieval.types import Principal
from text2sql.policy import Policy
from text2sql.policy_checking import Finding, examine
from text2sql.policy_showing import Sight, sight
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse

group = typer.Typer(
    help="Check the policy file, show what a caller sees, and apply it to a PostgreSQL warehouse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
group.command("apply")(policy_apply.command)
_FILE = typer.Option("--policy", help="The policy file; else the one of the settings.")
_JSON = typer.Option("--json", help="One JSON document, for programs.")
_WAREHOUSE = typer.Option(
    "--warehouse", help="Where the catalogue is read; else the warehouse of the settings."
)


@group.command("check")
def check(
    file: Annotated[Path | None, _FILE] = None,
    warehouse: Annotated[str | None, _WAREHOUSE] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Say everything that is wrong with the policy for this warehouse and these users; ends with 2 where something is."""
    settings = configuration.load()
    policy = policy_meant(file, settings)
    catalog, walled = _catalog(settings, warehouse)
    found = examine(policy, catalog, everyone(settings))
    if walled:  # the reader of a wall does not see what is hidden from all
        found = [finding for finding in found if not finding.unnamed]
    problems = [finding for finding in found if finding.severity == "problem"]
    if as_json:
        write_json(
            {"policy": policy.title, "problems": _listed(problems), "remarks": _listed(found, "remark")}
        )
    else:
        _say(policy, found, problems, walled=walled)
    if problems:
        raise typer.Exit(Exit.usage)


def _listed(found: list[Finding], severity: str = "problem") -> list[dict[str, str]]:
    return [{"place": f.place, "what": f.what} for f in found if f.severity == severity]


def _say(policy: Policy, found: list[Finding], problems: list[Finding], *, walled: bool) -> None:
    console = Terminal(soft_wrap=True)
    for finding in found:
        style = "[red]problem[/]" if finding.severity == "problem" else "[yellow]remark[/] "
        console.print(f"{style} {escape(str(finding))}", highlight=False)
    if walled:
        console.print("Names were not checked: this role sees only what the wall shows. Give --warehouse.")
    console.print(
        f"{escape(policy.title)}: {len(policy.tables)} tables, {len(problems)} problems", highlight=False
    )


@group.command("show")
def show(
    user: Annotated[str | None, typer.Option("--user", help="The id of a caller of the settings.")] = None,
    roles: Annotated[str | None, typer.Option("--roles", help="Or roles, comma-separated…")] = None,
    attributes: Annotated[
        str | None, typer.Option("--attributes", help="… and attributes as a JSON object.")
    ] = None,
    file: Annotated[Path | None, _FILE] = None,
    warehouse: Annotated[str | None, _WAREHOUSE] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Show what a caller sees: tables, the rows and columns of each, what is masked, and documents."""
    settings = configuration.load()
    policy = policy_meant(file, settings)
    caller = _caller(settings, user, roles, attributes)
    catalog, _ = _catalog(settings, warehouse)
    seen = sight(policy, catalog, caller)
    if as_json:
        write_json({"caller": _described(caller), **seen.document()})
    else:
        _print(caller, policy, seen)


def _caller(settings: Settings, user: str | None, roles: str | None, attributes: str | None) -> Principal:
    if (user is None) == (roles is None and attributes is None):
        raise SettingsError("Whose sight is it?", where="policy show", todo="Give --user, or --roles.")
    if user is None:
        try:
            given: Any = json.loads(attributes or "{}")
        except json.JSONDecodeError as error:
            raise SettingsError("--attributes is not JSON", where=str(attributes), todo=str(error)) from error
        held = [role.strip() for role in (roles or "").split(",") if role.strip()]
        return read_principal({"id": "somebody", "roles": held, "attributes": given}, "--attributes")
    known = [caller for caller in everyone(settings) or () if caller.id == user]
    if len(known) != 1:
        raise UnknownUser(f"There is no user {user!r}", where="config.yaml: users", todo="Or give --roles.")
    return known[0]


def _described(caller: Principal) -> dict[str, Any]:
    return {"id": caller.id, "roles": list(caller.roles), "attributes": dict(caller.attributes)}


def _print(caller: Principal, policy: Policy, seen: Sight) -> None:
    console = Terminal(soft_wrap=True)
    held = f"roles {', '.join(caller.roles) or 'none'}; attributes {json.dumps(dict(caller.attributes))}"
    console.print(
        f"[bold]{escape(caller.id)}[/] under {escape(policy.title)}: {escape(held)}", highlight=False
    )
    grid = Grid("table", "rows", "columns", "masked", "hidden", box=None, pad_edge=False)
    for table in seen.tables:
        masked = "\n".join(f"{name}: {mask}" for name, mask in table.masked.items())
        cells = (table.name, "\nor ".join(table.rows), _joined(table.columns), masked, _joined(table.hidden))
        grid.add_row(*(escape(cell) for cell in cells))
    Terminal().print(grid if seen.tables else "No table.")
    for name, owner in seen.discoverable.items():
        console.print(f"withheld, may be learnt of: {escape(name)} (ask {escape(owner or 'nobody')})")
    for match, how in seen.documents.items():
        console.print(f"documents {escape(match)}: {how}", highlight=False)
    console.print(f"labels: {escape(_joined(seen.labels))}", highlight=False)


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)


def _catalog(settings: Settings, url: str | None) -> tuple[Catalog, bool]:
    """The catalogue, and whether it is read through a wall."""
    if url is None and not settings.warehouse:
        raise SettingsError("There is no warehouse", where="config.yaml: warehouse", todo="Give --warehouse.")
    opened = open_warehouse(url or settings.warehouse_url(), cache=settings.home / "cache")
    try:
        return opened.catalog(), bool(getattr(opened, "walled", False))
    finally:
        opened.close()
