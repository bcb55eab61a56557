"""`bunmyaku demo`: build the insurer, ingest its documents, answer four questions, serve the chat."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app import settings as configuration
from app.commands.exits import OUTCOMES, Exit
from app.commands.opening import application, progress, relational
from app.commands.output import Terminal
from app.commands.ui import serve
from app.ingesting import folders_of, ingest_folders, show_report
from app.record import Outcome
from app.rendering import show
from app.wiring import Application
from demo.building import SEED, Built, build_home
from demo.questions import QUESTIONS, Asked, read_questions
from demo.trips import scale_of
from retrieval.postgres.database import open_database

_FACTS = ("policies", "premiums", "claims", "payments", "calls", "campaign_contacts", "trips")


def command(
    customers: Annotated[
        int | None, typer.Option("--customers", min=1, help="How many customers the insurer has (1000).")
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            "--scale",
            help="Rows of the largest table, recorded trips: 1m, 10m, 100m, with customers in keeping.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed makes the same insurer.")] = SEED,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it again even when it is there.")] = False,
    questions: Annotated[
        Path | None,
        typer.Option("--questions", help="Ask the questions of this YAML file instead of the four."),
    ] = None,
    serving: Annotated[
        bool,
        typer.Option(
            "--serve/--no-serve", help="Serve the chat afterwards, where a person is at the terminal."
        ),
    ] = True,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the chat.")] = 8501,
) -> None:
    """Build the demo insurer, ask it four questions, and serve the chat."""
    console = Terminal()
    asked = read_questions(questions) if questions else QUESTIONS
    size = scale_of(customers, scale)
    settings = configuration.load()
    dsn = settings.database.dsn.get_secret_value() if settings.database.dsn else None
    # Held to the end: the steps below open and close their own, and the server need not start for each.
    database = open_database(settings.home, dsn)
    try:
        with progress() as bar:
            built = build_home(
                settings.home, database, size.customers, seed, bar, trips=size.trips, rebuild=rebuild
            )
        _say(built, settings.home, console)
        settings = configuration.load(settings.home)
        with relational(settings) as stores, progress() as bar:
            show_report(ingest_folders(stores, folders_of(settings, []), progress=bar), console)
        with application(settings) as app:
            outcomes = ask(app, asked, console)
    finally:
        database.close()
    unanswered = [outcome for outcome in outcomes if OUTCOMES[outcome] is not Exit.done]
    if serving and sys.stdin.isatty() and sys.stdout.isatty():
        console.print(f"The chat: http://127.0.0.1:{port} (Ctrl-C ends it)", highlight=False)
        raise typer.Exit(serve("127.0.0.1", port))
    raise typer.Exit(Exit.declined if unanswered else Exit.done)


def ask(app: Application, asked: tuple[Asked, ...], console: Console) -> list[Outcome]:
    """Ask each question as its user, and print the answer with what it rests on; returns how each ended."""
    outcomes = []
    for one in asked:
        record = app.assistant.answer(one.question, app.principal(one.user))
        show(record, console, app.warehousing.model if app.warehousing else None)
        outcomes.append(record.outcome)
    return outcomes


def _say(built: Built, home: Path, console: Console) -> None:
    done = "found" if built.reused else "built"
    facts = sum(built.rows[table] for table in _FACTS)
    console.print(
        f"{done} the insurer in {home}: {built.customers:,} customers, {facts:,} rows of facts,"
        f" {built.documents} documents (seed {built.seed})",
        highlight=False,
    )
