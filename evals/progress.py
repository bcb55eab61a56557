"""How far a run has come, on standard error: a bar in a terminal, silence where nobody looks."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """A context manager; `begin` may be called again for the next stage.

    with Progress("answers") as progress:
        run(…, progress=progress)
    """

    def __init__(self, label: str, console: Console | None = None) -> None:
        self._label = label
        self._console = console or Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(label, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, total: int, done: int = 0, label: str = "") -> None:
        """A stage of `total` cases begins, `done` of which are kept from an earlier run."""
        note = f" ({done} kept from an earlier run)" if done else ""
        self._bar.update(self._task, description=f"{label or self._label}{note}", total=total, completed=done)

    def advance(self, n: int = 1) -> None:
        """`n` more cases are done."""
        self._bar.advance(self._task, n)

    def say(self, text: str) -> None:
        """One line above the bar; nothing where there is no terminal."""
        if self._console.is_terminal:
            self._bar.console.print(text, markup=False, highlight=False)
