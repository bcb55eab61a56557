"""Opening what a command needs, with progress on standard error where a person watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app.commands.output import Terminal
from app.errors import SettingsError
from app.settings import Settings, has_config
from app.wiring import Application, Stores, open_application, open_stores
from retrieval.types import Progress as Report

SAID = 3
"""Problems of the semantic model that are named; `status` names all."""


@contextmanager
def application(settings: Settings, *, quiet: bool = False) -> Iterator[Application]:
    """The wired application of a home that was set up. Raises `SettingsError` where none was."""
    require_home(settings)
    with progress(quiet=quiet) as report:
        opened = open_application(settings, progress=report)
    with opened:
        if not quiet:
            _say(opened.problems(), settings)
        yield opened


def _say(problems: list[str], settings: Settings) -> None:
    """What of the semantic model cannot be used, beside the answer: a typing error should not pass for a decline."""
    console = Terminal(stderr=True, soft_wrap=True)
    for problem in problems[:SAID]:
        console.print(f"{settings.semantic_model}: {escape(problem)}", style="yellow", highlight=False)
    if len(problems) > SAID:
        console.print(
            f"… and {len(problems) - SAID} more: `bunmyaku status`", style="yellow", highlight=False
        )


@contextmanager
def relational(settings: Settings) -> Iterator[Stores]:
    """The stores alone, for commands that ask nothing of the warehouse."""
    with open_stores(settings) as opened:
        yield opened


def require_home(settings: Settings) -> None:
    """Raises `SettingsError` where no home was set up."""
    if not has_config(settings.home):
        raise SettingsError(
            "Nothing is set up here yet",
            where=str(settings.home),
            todo="Run `bunmyaku init --warehouse … --docs …` on your own data, or `bunmyaku demo`.",
        )


def _unwatched(stage: str, done: int, total: int) -> None:
    """Nobody watches."""
    del stage, done, total


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Report]:
    """A bar per stage on standard error; silent when quiet or when nobody watches."""
    console = Console(stderr=True)
    if quiet or not sys.stderr.isatty():
        yield _unwatched
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or None)
            bars.update(tasks[stage], completed=done, total=total or None)

        yield report
