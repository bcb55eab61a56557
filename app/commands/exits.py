"""Exit codes, and how an error becomes a line a person can act on."""

from __future__ import annotations

import enum
import os
import sys
import traceback

from app.commands.output import Terminal
from app.errors import GivenInvalid, QuestionInvalid, SettingsError, UnknownUser
from app.record import Outcome
from ingest.errors import IngestError
from retrieval.errors import BunmyakuError, EmbeddingsUnavailable, StoreUnavailable
from text2sql.errors import DdlError, PolicyError, SemanticModelError, WarehouseUnavailable


class Exit(enum.IntEnum):
    """What the process ends with."""

    done = 0
    fault = 1
    usage = 2
    declined = 3
    refused = 4
    unavailable = 5
    unconfirmed = 6


OUTCOMES: dict[Outcome, Exit] = {
    "answered": Exit.done,
    "no_rows": Exit.done,
    "clarify": Exit.declined,
    "declined": Exit.declined,
    "withheld": Exit.refused,
    "refused": Exit.refused,
    "failed": Exit.unavailable,
    "confirm": Exit.unconfirmed,
}

_USAGE = (
    QuestionInvalid,
    UnknownUser,
    SettingsError,
    GivenInvalid,
    PolicyError,
    SemanticModelError,
    DdlError,
    IngestError,
)
_UNAVAILABLE = (StoreUnavailable, EmbeddingsUnavailable, WarehouseUnavailable)


def report(error: BaseException) -> Exit:
    """Say what happened on standard error; returns the code to end with."""
    console = Terminal(stderr=True, soft_wrap=True)
    if isinstance(error, BunmyakuError):
        console.print(f"[bold red]error:[/] {_plain(error.what)}", highlight=False)
        if error.where:
            console.print(f"  where: {_plain(error.where)}", highlight=False)
        if error.todo:
            console.print(f"  to do: {_plain(error.todo)}", highlight=False)
        if isinstance(error, _UNAVAILABLE):
            return Exit.unavailable
        return Exit.usage if error.bad_input or isinstance(error, _USAGE) else Exit.fault
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        console.print(
            f"[bold red]error:[/] {_plain(error.strerror or str(error))}{_plain(place)}", highlight=False
        )
        return Exit.unavailable
    traceback.print_exception(error, file=sys.stderr)
    console.print("[bold red]error:[/] an unexpected fault; the lines above say where", highlight=False)
    return Exit.fault


def _plain(text: str) -> str:
    return text.replace("[", "\\[").replace(os.linesep, "\n")
