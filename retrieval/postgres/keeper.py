"""The keeper: a tiny detached process that stops the server when its last user is gone without saying so.

It waits in one system call for the exclusive lock that it can only get when no user is left (the kernel releases the
locks of a process killed with -9), stops the server, and ends. Run as a plain script with nothing but the standard
library, so that it starts in 20 ms and stays small: `python -I -S keeper.py <server folder>`.

`stop_server` is the one way of stopping, shared with the last user who leaves properly.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

USERS, SERVER, KEEPER, LOG, DATA = "users.lock", "server.lock", "keeper.lock", "server.log", "data"
"""Names inside the server folder that keeper and users agree on."""

LOG_LIMIT = (
    2_000_000  # bytes; the log holds no data and few lines, this only bounds a server that keeps complaining
)
_LOG_CHECK = 300.0  # seconds
_FAST, _IMMEDIATE = (
    40.0,
    10.0,
)  # seconds given to a fast shutdown, then to an immediate one (WAL loses nothing)


def postmaster(folder: Path) -> int | None:
    """The process id of this folder's postmaster, or None when the file is stale or missing.

    The file is written by the server's unprivileged user and must not make a privileged one signal any process it
    names: where the system tells (Linux), the process must stand in the data folder, or at least be a `postgres` of
    the folder's owner.
    """
    data = folder / DATA
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if pid > 1 and (stands_in(pid, data) or _looks_like(pid, data)) else None


def stands_in(pid: int, data: Path) -> bool:
    """Whether a living process is known to have this data folder as its working directory (macOS: merely lives)."""
    try:
        if sys.platform == "linux":
            found = Path(f"/proc/{pid}/cwd").samefile(data)
        else:
            os.kill(pid, 0)
            found = True
    except OSError:
        return False
    return found


def _looks_like(pid: int, data: Path) -> bool:
    """The weaker check for a root without ptrace rights (a container's), who may not see working directories."""
    process = Path(f"/proc/{pid}")
    try:
        (process / "cwd").readlink()
    except PermissionError:
        pass
    except OSError:
        return False
    else:
        return False  # it could be seen, and was elsewhere
    try:
        name, _, rest = (process / "stat").read_text().partition("(")[2].rpartition(")")
        return name == "postgres" and rest.split()[0] != "Z" and process.stat().st_uid == data.stat().st_uid
    except (OSError, IndexError):
        return False


def stop_server(folder: Path, *, immediate: bool = False) -> bool:
    """Stop the server of this folder and wait until its last process is gone.

    Returns whether one was running. Raises TimeoutError when it would not stop.
    """
    running = False
    for sign, seconds in ((signal.SIGINT, _FAST), (signal.SIGQUIT, _IMMEDIATE)):
        if immediate and sign == signal.SIGINT:
            continue
        deadline = time.monotonic() + seconds
        sent: int | None = None
        while _server_lives(folder):
            running = True
            pid = postmaster(folder)
            if pid is not None and pid != sent:  # a server still starting has no pid file yet: look again
                os.kill(pid, sign)
                sent = pid
            if time.monotonic() >= deadline:
                break
            time.sleep(0.01)
        else:
            return running
    raise TimeoutError(f"the server of {folder} does not stop")


def _server_lives(folder: Path) -> bool:
    """Whether any process of the server lives: each has inherited the locked descriptor."""
    try:
        fd = os.open(folder / SERVER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def trim(log: Path) -> None:
    """Keep the second half of a log that has outgrown its limit. The server appends, so cutting is safe."""
    try:
        if log.stat().st_size <= LOG_LIMIT:
            return
        with log.open("r+b") as file:
            file.seek(-LOG_LIMIT // 2, os.SEEK_END)
            tail = file.read(LOG_LIMIT // 2)
            file.seek(0)
            file.write(tail)
            file.truncate()
    except OSError:
        return  # a log is never worth failing for


def _take(path: Path, seconds: float) -> int | None:
    """The descriptor of an exclusively locked file, or None when another keeper has it."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(fd)
                return None
            time.sleep(0.01)
        else:
            return fd


def keep(folder: Path) -> None:
    """Wait for the last user to go, stop the server, return. Returns at once when there is a keeper already."""
    mine = _take(folder / KEEPER, 0.5)  # someone may be looking at the lock just now
    if mine is None:
        return
    signal.signal(signal.SIGALRM, lambda *_: trim(folder / LOG))
    signal.setitimer(signal.ITIMER_REAL, _LOG_CHECK, _LOG_CHECK)
    users = os.open(folder / USERS, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    fcntl.flock(users, fcntl.LOCK_EX)  # as long as anyone uses the server
    try:
        stop_server(folder)
    finally:
        os.close(mine)  # first: the next user must see that there is no keeper
        os.close(users)


def main(argv: list[str]) -> int:
    """Detach from the caller (who waits for this process only) and keep."""
    if os.fork():
        return 0
    os.setsid()
    keep(Path(argv[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
