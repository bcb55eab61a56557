"""File locks that the kernel releases when their holder dies, however it dies.

A lock belongs to an *open file*, not to a process: whoever inherits the descriptor holds the lock too. That is used
on purpose: the server's processes inherit a locked descriptor, so "is any of them still alive" is one system call
that no reused process id can fool.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

_FIRST_PAUSE = 0.005  # seconds between two tries, growing to _LONGEST_PAUSE
_LONGEST_PAUSE = 0.05


class FileLock:
    """One advisory lock on one file, shared or exclusive. Closing it (or dying) releases it.

    Raises OSError when the file cannot be opened; symbolic links are not followed.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        self.fd = os.open(path, flags, 0o600)

    def try_shared(self) -> bool:
        """Take it beside other shared holders; False when someone holds it exclusively."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take it alone; False when anyone holds it. A shared lock held through this object is given up."""
        return self._try(fcntl.LOCK_EX)

    def wait_shared(self, timeout: float) -> bool:
        """Like `try_shared`, for at most `timeout` seconds."""
        return self._wait(fcntl.LOCK_SH, timeout)

    def wait_exclusive(self, timeout: float) -> bool:
        """Like `try_exclusive`, for at most `timeout` seconds."""
        return self._wait(fcntl.LOCK_EX, timeout)

    def unlock(self) -> None:
        """Release for every holder of this open file, children included. Use `close` to leave others alone."""
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Release this process's hold. Safe to call twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def _try(self, mode: int) -> bool:
        try:
            fcntl.flock(self.fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self, mode: int, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while not self._try(mode):
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return True


def held(path: Path) -> bool:
    """Whether anyone holds the lock of this file exclusively. A missing file is held by nobody."""
    try:
        with FileLock(path, create=False) as lock:
            return not lock.try_shared()
    except FileNotFoundError:
        return False


def in_use(path: Path) -> bool:
    """Whether anyone holds the lock of this file at all, shared or exclusive."""
    try:
        with FileLock(path, create=False) as lock:
            return not lock.try_exclusive()
    except FileNotFoundError:
        return False
