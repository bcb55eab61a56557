"""What goes to standard output: text that any terminal can take, and JSON that is always one UTF-8 document a line.

A reader who leaves early (`… | head`) is no fault: we end at once, with success and without a word.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Never

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What drives a terminal instead of being shown; the end of a line and a tab are not meant."""


class Terminal(Console):
    """A terminal for a person. Documents, rows and file names cannot drive it: their control characters are dropped."""

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(stderr=stderr, soft_wrap=soft_wrap)
        self.push_render_hook(_Harmless())

    def on_broken_pipe(self) -> None:
        """The reader left; one who does not want to hear of errors changes nothing about them."""
        self.quiet = True
        if not self.stderr:
            _leave()


class _Harmless(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(renderable) for renderable in renderables]


class _Shown:
    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(_CONTROL.sub("", segment.text), segment.style)


def write_json(value: Mapping[str, Any]) -> None:
    """One JSON document on one line, at once. In UTF-8 whatever the terminal's encoding: a program reads it."""
    line = json.dumps(value, ensure_ascii=False, default=str) + "\n"
    try:
        sys.stdout.flush()
        # A lone surrogate has no UTF-8; `\udcff` is how JSON itself spells it.
        sys.stdout.buffer.write(line.encode("utf-8", errors="backslashreplace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _leave()


def tolerate_any_encoding() -> None:
    """A terminal that is not UTF-8 shows what it cannot spell as escapes; without this it would be a fault."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _leave() -> Never:
    # What is still buffered has to go somewhere when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0)
