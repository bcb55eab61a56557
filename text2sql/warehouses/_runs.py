"""Runs that can be stopped, and callers who get control back whether the engine notices or not.

An engine looks whether it was interrupted between rows, never within one call of a function: comparing two texts of
20 MB can take an hour. So each statement runs in a thread of its own. Whoever asked waits beside it, can be
interrupted there (Ctrl-C), and is let go soon after the statement was stopped; a statement that has not noticed
until then is abandoned: interrupted again and again, its result thrown away. Few may be abandoned at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Literal, TypeVar

from text2sql.errors import WarehouseError, WarehouseUnavailable

T = TypeVar("T")
StopReason = Literal["timeout", "cancel", "close", "memory"]
AGAIN = 0.05
"""Seconds between interrupts: one that arrives before the engine has started the statement is lost."""
_WEIGH = 0.1
"""Seconds between two looks at the memory in use."""
_GIVE_UP = 0.6
"""Seconds that a stopped statement has to end before its caller is let go."""
ABANDONED = 3
"""Statements that may go on after their callers were let go; with so many, a warehouse takes no further ones."""
_here = threading.local()
_abandoned = 0
_counting = threading.Lock()


def abandoned() -> int:
    """Statements of this process that were stopped and still run: its end must not wait for them."""
    return _abandoned


class Run:
    """One statement under way. A watcher thread interrupts it at the time limit, or when told to stop."""

    def __init__(
        self,
        owner: object,
        interrupt: Callable[[], None],
        seconds: float | None,
        heavy: Callable[[], bool] | None = None,
    ) -> None:
        self.owner = owner
        self.reason: StopReason | None = None
        self.since: float | None = None
        """When it was told to stop, by `time.monotonic`."""
        self.abandoned = False
        self._interrupt = interrupt
        self._seconds = seconds
        self._heavy = heavy
        self._wake = threading.Event()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="bunmyaku-run", daemon=True)

    def __enter__(self) -> Run:
        call: Call[object] | None = getattr(_here, "call", None)
        if call is not None:
            call.joined(self)
        self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._wake.set()
        self._watcher.join()  # no interrupt may reach the next statement on the same connection

    def stop(self, reason: StopReason) -> None:
        """Interrupt the statement; returns at once, from any thread."""
        self._reasoned(reason)
        self._wake.set()

    def _reasoned(self, reason: StopReason) -> None:
        self.since = self.since or time.monotonic()
        self.reason = self.reason or reason

    def _watch(self) -> None:
        self._wait()
        while not self._done.is_set():
            self._interrupt()
            self._done.wait(AGAIN)

    def _wait(self) -> None:
        """Until it ends, is told to stop, or has to be stopped."""
        until = time.monotonic() + self._seconds if self._seconds is not None else None
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            step = left if self._heavy is None else min(_WEIGH, _WEIGH if left is None else left)
            if self._wake.wait(step):
                break
            if until is not None and time.monotonic() >= until:
                self._reasoned("timeout")
                break
            if self._heavy is not None and self._heavy():
                self._reasoned("memory")
                break


class Call(Generic[T]):
    """One piece of work in a thread of its own, waited for by the thread that asked."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.over = False
        """Whether nobody waits for it any more."""
        self.run: Run | None = None
        self._unwanted = False

    def joined(self, run: Run) -> None:
        """Its statement begins; called in the thread of the work."""
        self.run = run
        if self._unwanted:
            run.stop("cancel")

    def wait(self, left: Callable[[], None]) -> T:
        """The work's result or error. Raises `TimeoutError` when it was stopped and goes on all the same.

        `left` is called once such work has ended after all, in its own thread.
        """
        threading.Thread(target=self._do, args=(left,), name="bunmyaku-statement", daemon=True).start()
        try:
            while not self._done.wait(AGAIN):
                if self._overdue() and self._abandon():
                    raise TimeoutError
        except KeyboardInterrupt:
            self._unwanted = True
            if self.run is not None:
                self.run.stop("cancel")
            try:
                self._done.wait(_GIVE_UP)
            finally:  # whoever presses Ctrl-C twice does not wait for it either
                self._abandon()
            raise
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # it holds this frame, and this frame holds it
        return self._result[0]

    def _overdue(self) -> bool:
        since = self.run.since if self.run else None
        return since is not None and time.monotonic() - since > _GIVE_UP

    def _do(self, left: Callable[[], None]) -> None:
        global _abandoned  # noqa: PLW0603 - what the end of the process has to know
        _here.call = self
        try:
            self._result.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        with self._lock:
            self._done.set()
            over = self.over
        if over:
            self._result.clear()
            self._error = None
            with _counting:
                _abandoned -= 1
            left()

    def _abandon(self) -> bool:
        """Let go of the work; False when it ended at this moment."""
        global _abandoned  # noqa: PLW0603 - as above
        with self._lock:
            if self._done.is_set():
                return False
            self.over = True
            if self.run is not None:
                self.run.abandoned = True
            with _counting:
                _abandoned += 1
            return True


class Calls:
    """The calls of one warehouse, and how many of them were abandoned."""

    def __init__(self) -> None:
        self._left = 0
        self._lock = threading.Lock()

    def do(self, work: Callable[[], T], stopped: Callable[[Run], WarehouseError | None], where: str) -> T:
        """The work's result. Raises its errors, that of a stop, and `WarehouseUnavailable` when too much goes on."""
        with self._lock:
            if self._left >= ABANDONED:
                raise WarehouseUnavailable(
                    "The engine is still busy with queries that were stopped",
                    where=where,
                    todo="Ask again in a while; the statements concerned are in the log.",
                )
        call = Call(work)
        try:
            return call.wait(self._ended)
        except TimeoutError:
            error = stopped(call.run) if call.run else None
            raise error or WarehouseError("The query was stopped", where=where) from None
        finally:
            if call.over:
                with self._lock:
                    self._left += 1

    def _ended(self) -> None:
        with self._lock:
            self._left -= 1
