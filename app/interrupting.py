"""Ctrl-C, remembered: compiled code can turn it into an error of its own, which is no fault then."""

from __future__ import annotations

import signal
import threading
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


def _press(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    signal.default_int_handler(number, frame)
