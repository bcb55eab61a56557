"""Processes that use a home, and ways of killing them."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
import pytest

from retrieval.postgres.embedded import status

WORKER = Path(__file__).with_name("worker.py")
ROOT = Path(__file__).resolve().parents[3]
SITE = Path(psycopg.__file__).resolve().parents[1]


class Worker:
    """A separate process that uses a home's database."""

    def __init__(self, home: Path, *arguments: str, python: str = sys.executable, **options: Any) -> None:
        self.process = subprocess.Popen(
            [python, str(WORKER), str(home), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{SITE}", "PYTHONWARNINGS": "error"},
            **options,
        )

    def read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, command: str) -> str:
        self.tell(command)
        return self.read()

    def tell(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate(timeout=30)


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it becomes true in time; looked at often, so that a quick machine is quick."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def down(home: Path) -> bool:
    return status(home).state == "down"


def kill_server(home: Path) -> int:
    """kill -9 the postmaster; returns the process id it had."""
    pid = status(home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: status(home).pid is None)  # its backends may live on for a moment
    return pid


def keeper_of(home: Path) -> int:
    """The process id of the home's keeper."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if os.fsencode(home / "postgres") in words and any(
                    word.endswith(b"keeper.py") for word in words
                ):
                    return int(entry.name)
    raise AssertionError(f"{home} has no keeper")


def ordinary_user() -> dict[str, Any]:
    """Arguments that make a Worker run as an ordinary user; skips where none could see the code."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    # A virtual environment's interpreter may live below /root: then the system's own one, if it is the same version.
    pythons = [Path(sys.executable), Path(f"/usr/bin/python3.{sys.version_info.minor}")]
    python = next((one for one in pythons if one.exists() and _open_to_all(one.resolve())), None)
    if python is None or not _open_to_all(WORKER) or not _open_to_all(SITE):
        pytest.skip("ordinary users cannot reach the interpreter or the code")
    return {"python": str(python), "user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _open_to_all(path: Path) -> bool:
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def only_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
