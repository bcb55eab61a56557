"""Processes that parse, kept and reused; one that crashes, hangs or eats memory is killed and replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from ingest.errors import LimitExceeded, Unreadable
from ingest.limits import Limits
from ingest.preparing import Prepared
from ingest.splitting import SIZE
from ingest.worker import receive, send

# A text of the largest size, escaped, with its structure; anything longer is no answer of ours.
_LONGEST_ANSWER = 400_000_000
# Fresh processes now and then: what a parser leaks is given back.
_DOCUMENTS_PER_PROCESS = 500


class Readers:
    """`count` processes, each busy with one document at a time. A context manager; leaving it kills them."""

    def __init__(self, limits: Limits | None = None, count: int = 2, size: int = SIZE) -> None:
        self._limits = limits or Limits()
        self._size = size
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="reader")
        self._own = threading.local()
        self._lock = threading.Lock()
        self._running: set[_Process] = set()
        self._closed = False

    def __enter__(self) -> Readers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def submit(self, path: Path, name: str) -> Future[Prepared]:
        """Read the file at `path` as if it were called `name`; the future raises Unreadable with the reason."""
        return self._threads.submit(self._read, path, name)

    def close(self) -> None:
        """Kill every process; work under way ends as Unreadable."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _read(self, path: Path, name: str) -> Prepared:
        process = self._process()
        request = {"path": str(path), "name": name, "limits": self._limits.to_json(), "size": self._size}
        reply = process.ask(request, self._limits.wall_seconds)
        if reply is None:
            self._drop(process)
            raise process.epitaph(self._limits)
        if reply.get("limit") or process.served >= _DOCUMENTS_PER_PROCESS:
            # After running out of memory a process may be in any state.
            self._drop(process)
        if "prepared" in reply:
            return Prepared.from_json(reply["prepared"])
        reason = str(reply.get("reason", "the parser gave no answer"))
        raise LimitExceeded(reason) if reply.get("limit") else Unreadable(reason)

    def _process(self) -> _Process:
        process: _Process | None = getattr(self._own, "process", None)
        if process is None:
            with self._lock:
                if self._closed:
                    raise Unreadable("the run was stopped")
                process = _Process()
                self._running.add(process)
            self._own.process = process
        return process

    def _drop(self, process: _Process) -> None:
        process.kill()
        self._own.process = None
        with self._lock:
            self._running.discard(process)


def _environment(search: str) -> dict[str, str]:
    """What the child is told: where our modules are, and where the system's commands (OCR) are."""
    commands = os.pathsep.join(os.get_exec_path())
    return {"PYTHONPATH": search, "PYTHONDONTWRITEBYTECODE": "1", "PATH": commands}


class _Process:
    """One child and the pipes to it."""

    def __init__(self) -> None:
        package = __package__ or ""
        root = Path(__file__).parents[len(package.split("."))]
        self.served = 0
        self._late = False
        # Nothing of this process's environment (keys, tokens) reaches the one that sees hostile bytes.
        search = os.pathsep.join([str(root), *(entry for entry in sys.path if entry)])
        self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", f"{package}.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
            env=_environment(search) if os.name == "posix" else None,
            start_new_session=os.name == "posix",
        )

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The answer, or None when the process died or was killed at the deadline."""
        self.served += 1
        # Its own alarm goes off a little later, so that the parent's verdict is the one that is told.
        deadline = threading.Timer(seconds, self._too_late)
        deadline.daemon = True
        deadline.start()
        stdin, stdout = self._child.stdin, self._child.stdout
        if stdin is None or stdout is None:
            return None
        try:
            send(stdin, request)  # type: ignore[arg-type]  # IO[bytes] has all that is used
            return receive(stdout, _LONGEST_ANSWER)  # type: ignore[arg-type]  # the same
        except (OSError, ValueError):
            return None
        finally:
            deadline.cancel()

    def kill(self) -> None:
        """End it now."""
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue

    def epitaph(self, limits: Limits) -> Unreadable:
        """Why there was no answer, for people."""
        code = self._child.returncode
        if self._late or code == -getattr(signal, "SIGALRM", 0):
            return LimitExceeded(f"took longer than {limits.wall_seconds:g} seconds")
        if code == -getattr(signal, "SIGXCPU", 0):
            return LimitExceeded(f"took more than {limits.cpu_seconds} seconds of processor time")
        return Unreadable(f"damaged: the parser crashed on it (exit {code})")

    def _too_late(self) -> None:
        self._late = True
        self._child.kill()
