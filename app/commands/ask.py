"""`bunmyaku ask`: one question, answered in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app import settings as configuration
from app.commands.exits import OUTCOMES
from app.commands.opening import application
from app.commands.output import Terminal, write_json
from app.rendering import show


def command(
    question: Annotated[
        str, typer.Argument(help="The question, in English or Japanese; `-` reads standard input.")
    ],
    user: Annotated[str | None, typer.Option("--user", help="Who asks (an id known to the home).")] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", help="Continue this conversation.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer record as JSON.")] = False,
) -> None:
    """Ask a question; see the answer, the rows, the SQL, the sources and the checks passed."""
    text = sys.stdin.buffer.read().decode("utf-8", errors="replace") if question == "-" else question
    with application(configuration.load(), quiet=as_json) as app:
        record = app.assistant.answer(text, app.principal(user), conversation_id=conversation)
        model = app.warehousing.model if app.warehousing else None
    if as_json:
        write_json(record.to_json())
    else:
        show(record, Terminal(), model)
    raise typer.Exit(OUTCOMES[record.outcome])
