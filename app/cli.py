"""`bunmyaku`: the command line. Mounts its own commands and what other packages offer.

Exit codes: 0 done or answered · 1 an unexpected fault · 2 wrong usage or bad input · 3 declined, nothing found, or a
question back · 4 withheld or refused · 5 something needed is unavailable (store, warehouse, weights) · 6 not run: it
reads so much that a person is asked first, and nobody was there to agree.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from typing import Any

import typer

from app.commands import ask, guard, init, intake, policy, status, ui
from app.commands.exits import report
from app.commands.output import tolerate_any_encoding
from app.interrupting import pressed

COMMANDS = "bunmyaku.commands"
"""Entry-point group: each entry is a function, or a Typer with commands of its own, mounted under its name."""

cli = typer.Typer(
    name="bunmyaku",
    help="Ask your documents and your warehouse; see why the answer can be trusted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
cli.command("init")(init.command)
cli.command("ingest")(intake.command)
cli.command("ask")(ask.command)
cli.command("ui")(ui.command)
cli.add_typer(guard.group, name="guard")
cli.add_typer(policy.group, name="policy")
cli.command("status")(status.command)
cli.command("stop")(status.stop_command)
_OWN = {c.name for c in cli.registered_commands} | {g.name for g in cli.registered_groups}


def _mount(name: str, offered: Any) -> None:
    if isinstance(offered, typer.Typer):
        cli.add_typer(offered, name=name)
    else:
        cli.command(name)(offered)


def main() -> None:
    """Run the command that the arguments name; ends the process. Raises `KeyboardInterrupt`."""
    tolerate_any_encoding()
    if not _OWN.intersection(sys.argv[1:2]):  # one of our own is asked for: the others need not be loaded
        for entry in sorted(entry_points(group=COMMANDS), key=lambda found: found.name):
            _mount(entry.name, entry.load())
    try:
        cli(standalone_mode=True)
    except Exception as error:
        if pressed():
            raise KeyboardInterrupt from error
        sys.exit(report(error))
