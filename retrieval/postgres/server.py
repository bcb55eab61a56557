"""Starting, finding and stopping the server of one home. Callers hold the start lock where they change anything."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from retrieval.errors import HomeUnusable, StoreUnavailable
from retrieval.postgres.cluster import cluster_major, failure, make_cluster, passed, set_password
from retrieval.postgres.keeper import postmaster, stands_in, stop_server, trim
from retrieval.postgres.layout import SERVER, ServerFolder, unusable
from retrieval.postgres.locks import FileLock, held
from retrieval.postgres.program import MAJOR, Program, bundled, program_for, run

SOCKET = ".s.PGSQL.5432"
_LONGEST_PATH = 100  # bytes; the system's own limit is 104 (macOS) or 108 (Linux), with the closing zero
_ORPHANS = 2.0  # seconds that processes without their postmaster get to notice it, before they are told
START_SECONDS = 120  # waited for a start with recovery; the server goes on recovering after that
_ROOM_FOR_SHARED_MEMORY = 256 * 2**20  # containers often give /dev/shm 64 MB: building an index needs more

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": "5432",  # only names the socket file; no port is opened
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "100",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "jit": "off",
    "timezone": "UTC",
    "client_connection_check_interval": "2s",  # the query of a killed client ends too
    # No data in the log: neither statements nor errors (they quote values), only what the server does itself.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "log_autovacuum_min_duration": "-1",
    "logging_collector": "off",
}

State = Literal["down", "up", "unsettled"]
"""`unsettled`: processes live, and no connection is accepted yet (starting) or any more (stopping, crashed)."""


def state(folder: ServerFolder) -> State:
    """What the server is doing now."""
    if not held(folder.path / SERVER):
        return "down"
    return "up" if accepts(socket_folder(folder)) else "unsettled"


def socket_folder(folder: ServerFolder) -> Path:
    """Where the running (or last) server has its socket. What a copied home says about its original is not believed."""
    note = folder.note()
    elsewhere = note.get("socket")
    return Path(str(elsewhere)) if elsewhere and note.get("folder") == _identity(folder) else folder.run


def _identity(folder: ServerFolder) -> list[int]:
    found = folder.path.stat()
    return [found.st_dev, found.st_ino]


def accepts(place: Path) -> bool:
    """Whether someone listens on the socket in this folder."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(5)
        try:
            probe.connect(str(place / SOCKET))
        except OSError:
            return False
    return True


def start(folder: ServerFolder, settings: Mapping[str, str], program: Program | None = None) -> None:
    """Bring the server up, making the cluster first where there is none, and wait until it accepts connections.

    Raises HomeUnusable or StoreUnavailable with the server's own reason.
    """
    chosen = program_for(folder.account, program or bundled(cluster_major(folder) or MAJOR))
    with folder.lock(SERVER) as alive:
        if not alive.wait_exclusive(START_SECONDS):
            raise StoreUnavailable(
                "An older server of this home does not end",
                where=str(folder.path),
                todo="Try `bunmyaku stop`.",
            )
        if cluster_major(folder) is None:
            make_cluster(folder, chosen, alive.fd)
        _forget_stale_pid(folder)
        if not folder.passfile.exists():
            with passed(folder.data) as ((data,), fds):
                set_password(folder, chosen, data, (*fds, alive.fd))
        _launch(folder, chosen, {**SETTINGS, **settings}, alive)


def settle(folder: ServerFolder, seconds: float = START_SECONDS) -> State:
    """Wait until the server is either up or down; ends what a killed postmaster has left. Raises StoreUnavailable."""
    deadline = time.monotonic() + seconds
    orphaned_since: float | None = None
    while (now := state(folder)) == "unsettled":
        moment = time.monotonic()
        if postmaster(folder.path) is not None:
            orphaned_since = None
        elif orphaned_since is None:
            orphaned_since = moment
        elif moment - orphaned_since > _ORPHANS:
            _end_orphans(folder)
        if moment > deadline:
            raise StoreUnavailable(
                f"The embedded server accepts no connection after {seconds:.0f} s",
                where=str(folder.path),
                todo=f"It may still be recovering: try again, and see {folder.log}.",
            )
        time.sleep(0.02)
    return now


def stop(folder: ServerFolder) -> bool:
    """Stop the server whoever uses it; returns whether it ran. Raises StoreUnavailable when it does not stop."""
    try:
        stopped = stop_server(folder.path)
    except TimeoutError:
        _end_orphans(folder)
        stopped = True
    except PermissionError as error:
        raise unusable(folder.path, error) from error
    if held(folder.path / SERVER):
        raise StoreUnavailable(
            "The embedded server does not stop", where=str(folder.path), todo=f"See {folder.log}."
        )
    return stopped


def sweep(folder: ServerFolder) -> None:
    """Remove the sockets of a server that is down, and its temporary folder if it had one.

    PostgreSQL would refuse to start over the socket's lock file while the killed server's number is still taken, by
    a zombie nobody has waited for or by a stranger. Nothing but what a server leaves is touched.
    """
    place = socket_folder(folder)
    with contextlib.suppress(OSError):
        if place.lstat().st_uid != folder.account.uid or place.is_symlink():
            return
        for name in (SOCKET, f"{SOCKET}.lock"):
            (place / name).unlink(missing_ok=True)
        if place != folder.run and place.name.startswith("bunmyaku-"):
            place.rmdir()


def _launch(folder: ServerFolder, program: Program, settings: Mapping[str, str], alive: FileLock) -> None:
    trim(folder.path / "server.log")
    sweep(folder)
    place = _choose_socket_folder(folder)
    elsewhere = str(place) if place != folder.run else None
    folder.write(folder.notes, json.dumps({"socket": elsewhere, "folder": _identity(folder)}))
    try:
        log = os.open(folder.log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unusable(folder.log, error) from error
    try:
        before = os.fstat(log).st_size
        with passed(folder.data, place) as ((data, sockets), fds):
            all_settings = {**settings, "unix_socket_directories": sockets, **_shared_memory()}
            options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in all_settings.items())
            command = [program.path("pg_ctl"), "start", "-w", "-s", "-t", str(START_SECONDS), "-D", data]
            done = run(
                [*command, "-p", program.path("postgres"), "-o", options],
                folder.account,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in our terminal is not the server's
                pass_fds=(*fds, alive.fd),
            )
        said = os.pread(log, 100_000, before).decode(errors="replace")
    except OSError as error:
        raise unusable(folder.path, error) from error
    finally:
        os.close(log)
    if done.returncode != 0:
        raise _start_failure(folder, said)


def _start_failure(folder: ServerFolder, said: str) -> StoreUnavailable:
    if postmaster(folder.path) is not None:
        return StoreUnavailable(
            f"The embedded server is still recovering after {START_SECONDS} s",
            where=str(folder.path),
            todo=f"Nothing is lost; try again in a while. Its log is {folder.log}.",
        )
    if re.search(r"could not (create|resize) shared memory|Cannot allocate memory", said):
        return StoreUnavailable(
            "The embedded server gets no memory", where=str(folder.path), todo="It needs about 200 MB."
        )
    return failure(folder, said, "The embedded server")


def _choose_socket_folder(folder: ServerFolder) -> Path:
    """The home's own folder where a socket fits and works there, else a private one in the temporary folder."""
    folder.make(folder.run, folder.server_owner)
    if _can_bind(folder.run):
        return folder.run
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp")):  # noqa: S108 - mkdtemp makes a private folder there
        with contextlib.suppress(OSError):
            place = Path(tempfile.mkdtemp(prefix="bunmyaku-", dir=parent))
            folder.make(place, folder.server_owner)
            if _can_bind(place):
                return place
            place.rmdir()
    raise HomeUnusable(
        "No place for the server's socket: the path is too long, or the file system holds no sockets",
        where=str(folder.run),
        todo=f"Choose a home or a TMPDIR with a path below {_LONGEST_PATH - len(SOCKET) - 5} bytes.",
    )


def _can_bind(place: Path) -> bool:
    name = str(place / SOCKET)
    if len(os.fsencode(name)) > _LONGEST_PATH or "," in name:  # libpq reads a comma as "another host"
        return False
    trial = place / ".trial"
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            trial.unlink(missing_ok=True)
            probe.bind(str(trial))
            trial.unlink()
        except OSError:
            return False
    return True


def _shared_memory() -> dict[str, str]:
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108 - only measured
    except OSError:
        return {}
    small = room.f_bavail * room.f_frsize < _ROOM_FOR_SHARED_MEMORY
    return {"dynamic_shared_memory_type": "mmap" if small else "posix"} if sys.platform == "linux" else {}


def _forget_stale_pid(folder: ServerFolder) -> None:
    """Remove a pid file whose process is not ours any more. The caller holds the server lock: nobody of ours lives.

    PostgreSQL itself refuses to start when the number is in use again, which after a container's restart it always is.
    """
    path = folder.data / "postmaster.pid"
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)  # where we are process 1, a killed postmaster is our zombie
    if sys.platform == "linux" and not stands_in(pid, folder.data):
        path.unlink(missing_ok=True)


def _end_orphans(folder: ServerFolder) -> None:
    """End server processes whose postmaster was killed while they were too busy to notice."""
    if sys.platform != "linux":
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and stands_in(int(entry.name), folder.data):
            with contextlib.suppress(OSError):
                os.kill(int(entry.name), signal.SIGQUIT)
