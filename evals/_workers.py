"""Worker processes, started afresh (never forked from a process with threads), one pipe each.

A pool of the standard library ends as a whole when one of its processes is killed; here only that one is replaced.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self

from evals._attempts import attempt
from evals.errors import EvalError

Job = bytes
"""What a worker is started with: `(work, setup)`, pickled once for all of them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker ended before it had handed back its case."""

    reason: str


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    ready: bool = False


class Crew:
    """A context manager of `size` workers; leaving it ends them all. Raises `EvalError` where one cannot start."""

    def __init__(self, size: int, work: Callable[[Any], Any], setup: Callable[[], None] | None) -> None:
        self.numbers = range(size)
        self._context = multiprocessing.get_context("spawn")
        self._job: Job = pickle.dumps((work, setup))
        self._workers: dict[int, _Worker] = {}

    def __enter__(self) -> Self:
        try:
            for number in self.numbers:
                self.replace(number)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def replace(self, number: int) -> None:
        """Start a worker, in place of the one of that number where there was one."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, self._job), daemon=True)
        process.start()
        theirs.close()  # theirs alone: its end is then the end of the pipe
        self._workers[number] = _Worker(process, ours)

    def hand(self, number: int, name: str, case: Any) -> None:
        """Give an idle worker a case."""
        with contextlib.suppress(OSError):  # it has just ended: `finished` will say so
            self._workers[number].pipe.send((name, case))

    def finished(self) -> Iterator[tuple[int, dict[str, Any] | Ended]]:
        """Wait until at least one worker has something, and give what there is. Raises `EvalError`."""
        pipes = {worker.pipe: number for number, worker in self._workers.items()}
        for pipe in wait(list(pipes)):
            number = pipes[pipe]  # type: ignore[index]  # nothing else was waited for
            worker = self._workers[number]
            try:
                kind, content = worker.pipe.recv()
            except (EOFError, OSError):
                yield number, self._ended(worker)
                continue
            if kind == "unable":
                raise EvalError("A worker could not be set up", where="setup", todo=str(content))
            if kind == "ready":
                worker.ready = True
            else:
                yield number, content

    def _ended(self, worker: _Worker) -> Ended:
        worker.process.join(5)
        code = worker.process.exitcode
        worker.pipe.close()
        if not worker.ready:
            raise EvalError(
                "A worker ended while it started", where=f"exit code {code}", todo="Try again with --jobs 1."
            )
        if code is not None and code < 0:
            return Ended(f"The worker was killed by signal {-code} ({signal.strsignal(-code) or 'unknown'})")
        return Ended(f"The worker ended with {code}")

    def _end(self) -> None:
        for worker in self._workers.values():
            worker.pipe.close()
            worker.process.terminate()
        for worker in self._workers.values():
            worker.process.join(5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()


def _serve(pipe: Connection, job: Job) -> None:
    """The life of a worker: set up, then a case at a time until the other end of the pipe goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started us; it ends us
    try:
        work, setup = pickle.loads(job)  # noqa: S301 - our own bytes
        if setup:
            setup()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - said where it can be read
        pipe.send(("unable", f"{type(error).__name__}: {error}"))
        return
    pipe.send(("ready", None))
    while True:
        try:
            name, case = pipe.recv()
        except (EOFError, OSError):
            return
        row = attempt(work, case, name)
        with contextlib.suppress(OSError):
            pipe.send(("row", row))
