"""`bunmyaku policy apply`: roles, grants and row security of a PostgreSQL warehouse, written to match the policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from app import settings as configuration
from app.commands.callers import everyone, policy_meant
from app.commands.exits import Exit
from app.commands.output import Terminal
from app.errors import SettingsError
from app.settings import Settings
from retrieval.types import EVERYONE
from text2sql.row_security.postgres import Administration, Plan
from text2sql.warehouses import is_server


def command(
    file: Annotated[
        Path | None, typer.Option("--policy", help="The policy file; else the one of the settings.")
    ] = None,
    dsn: Annotated[
        str | None,
        typer.Option("--dsn", help="The warehouse's URL as an administrator; else that of the settings."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the SQL and change nothing.")] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take away everything that was applied, and nothing else.")
    ] = False,
    prefix: Annotated[
        str, typer.Option("--prefix", help="What the names of its roles begin with.")
    ] = "bunmyaku",
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="Holds the reader's password; else one is made.")
    ] = None,
    computed_masks: Annotated[
        bool, typer.Option("--computed-masks", help="Grant also columns that only the guard can mask.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Bind the owners of the tables too (FORCE ROW LEVEL SECURITY).")
    ] = False,
) -> None:
    """Write roles, grants and row security to match the policy, in one transaction; a second run changes nothing."""
    settings = configuration.load()
    with Administration(_address(dsn, settings), prefix=prefix) as administration:
        if remove:
            plan = administration.removal()
        else:
            policy = policy_meant(file, settings)
            held = [caller.roles for caller in everyone(settings) or ()]
            plan = administration.plan(
                policy, held, computed=computed_masks, force=force, password=_password(password_file)
            )
        if not dry_run and not plan.refusals:
            administration.run(plan)
    _say(plan, dry_run=dry_run, remove=remove, where=administration.where)
    if plan.refusals:
        raise typer.Exit(Exit.usage)


def _password(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        found = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("The password cannot be read", where=str(file), todo=str(error)) from error
    if not found:
        raise SettingsError("The file of the password is empty", where=str(file), todo="Write it there.")
    return found


def _address(dsn: str | None, settings: Settings) -> str:
    url = dsn or settings.warehouse_url()
    if not is_server(url):
        raise SettingsError(
            "Only a server keeps roles and row security of its own",
            where="policy apply",
            todo="Give --dsn postgresql://admin@host/database; for a file the guard stands alone.",
        )
    return url


def _say(plan: Plan, *, dry_run: bool, remove: bool, where: str) -> None:
    console = Terminal(soft_wrap=True)
    for problem in plan.refusals:
        console.print(f"[red]problem[/] {escape(problem)}", highlight=False)
    for remark in plan.remarks:
        console.print(f"[yellow]remark[/]  {escape(remark)}", highlight=False)
    if plan.refusals:
        console.print("Nothing was changed.")
        return
    if dry_run:
        for statement in plan.statements:
            console.print(f"{escape(str(statement))};", highlight=False)
    done = "would run" if dry_run else "ran"
    count = len(plan.statements)
    console.print(
        f"{count} statements {done} at {escape(where)}" if count else "Nothing to change.", highlight=False
    )
    if remove or dry_run:
        return
    for name, roles in sorted(plan.roles.items()):
        console.print(f"  {escape(name)}: {escape(' + '.join(sorted(roles - {EVERYONE})) or EVERYONE)}")
    if plan.password:
        console.print(
            f"The warehouse is to be opened as {escape(plan.reader)}, password {escape(plan.password)} "
            "(shown once; put it into the URL or into a password file of libpq).",
            highlight=False,
        )
