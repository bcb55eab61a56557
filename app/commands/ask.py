"""`bunmyaku ask`: one question, answered in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app import settings as configuration
from app.commands.exits import OUTCOMES
from app.commands.opening import application
from app.commands.output import Terminal, write_json
from app.confirming import agreed_to
from app.costs import confirm_label
from app.interrupting import pressed
from app.messages import text as message
from app.record import AnswerRecord
from app.rendering import show
from app.walk import Given
from text2sql.attempting import ANYTHING


def command(
    question: Annotated[
        str, typer.Argument(help="The question, in English or Japanese; `-` reads standard input.")
    ],
    user: Annotated[str | None, typer.Option("--user", help="Who asks (an id known to the home).")] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", help="Continue this conversation.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer record as JSON.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Agree beforehand to a query that reads much.")
    ] = False,
) -> None:
    """Ask a question; see the answer, the rows, the SQL, the sources and the checks passed."""
    text = sys.stdin.buffer.read().decode("utf-8", errors="replace") if question == "-" else question
    somebody = not as_json and sys.stdin.isatty() and sys.stderr.isatty()
    with application(configuration.load(), quiet=as_json) as app:
        principal = app.principal(user)
        given = Given(agreed=ANYTHING) if yes else None
        record = app.assistant.answer(text, principal, conversation_id=conversation, given=given)
        if record.confirm and somebody and _agrees(record):
            again = agreed_to(record.to_json())
            record = app.assistant.answer(
                text, principal, conversation_id=record.conversation_id, given=again
            )
        model = app.warehousing.model if app.warehousing else None
    if as_json:
        write_json(record.to_json())
    else:
        show(record, Terminal(), model)
    if record.confirm and not somebody:
        said = message("cost.unconfirmed", record.language)
        Terminal(stderr=True, soft_wrap=True).print(said, style="yellow", highlight=False)
    raise typer.Exit(OUTCOMES[record.outcome])


def _agrees(record: AnswerRecord) -> bool:
    """Asks the person at the terminal. Raises `KeyboardInterrupt`."""
    question = confirm_label(record.to_json(), "cost.confirm_terminal", record.language)
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl-C and the end of the input alike
        if pressed():
            raise KeyboardInterrupt from None
        return False
