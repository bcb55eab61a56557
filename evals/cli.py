"""`bunmyaku eval …`: one command a module of `evals/commands/`, found by its name."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import typer

from evals import commands

command = typer.Typer(
    name="eval",
    help="Measure: drafting, retrieval, linking, the guard, gold sets, whole answers; compare with a baseline.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _mount() -> None:
    for info in pkgutil.iter_modules(commands.__path__):
        if not info.name.startswith("_"):
            module = import_module(f"{commands.__name__}.{info.name}")
            command.command(info.name)(module.command)


_mount()
