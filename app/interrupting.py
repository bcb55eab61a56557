"""Ctrl-C, remembered: compiled code can turn it into an error of its own, which is no fault then."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
"""What the process ends with, as shells have it."""

_pressed = threading.Event()


def watch() -> None:
    """Remember Ctrl-C from now on, and raise `KeyboardInterrupt` as before; whoever ignores it goes on doing so."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _press)


def pressed() -> bool:
    """Whether it was pressed."""
    return _pressed.is_set()


def leave(end: SystemExit) -> None:
    """End the process at once where a statement that was stopped still runs in it; else nothing happens.

    The engine under it would be taken down while it works, or wait for it. What we print ourselves is out by then.
    """
    runs = sys.modules.get("text2sql.warehouses._runs")
    if runs is None or not runs.abandoned():
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))


def _press(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    signal.default_int_handler(number, frame)
