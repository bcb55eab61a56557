"""The embedded server of one home, shared by every process that uses it.

Each user holds a shared lock on `users.lock` while it lives. The last one to leave stops the server; one that was
killed cannot, and then the keeper does (see `keeper.py`). Starting is serialised by `start.lock`. A server that was
killed is started again by whoever asks next; its write-ahead log brings back every committed row.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from psycopg.conninfo import make_conninfo

from retrieval.errors import StoreUnavailable
from retrieval.postgres import keeper, server
from retrieval.postgres.account import user_name
from retrieval.postgres.cluster import cluster_major
from retrieval.postgres.layout import KEEPER, ROLE, SERVER, USERS, ServerFolder, prepare, server_folder
from retrieval.postgres.locks import FileLock, held, in_use
from retrieval.postgres.program import Program, run

_START = "start.lock"
_TURN_SECONDS = 300.0  # waited for another process that is starting or stopping the server


class EmbeddedPostgres:
    """The server of a home. Making this object touches nothing.

    `user` is who runs it when we are root (default: the data's owner, the home's, `bunmyaku`, `nobody`);
    `settings` override the server's own; `program` another installation than the bundled one.
    """

    def __init__(
        self,
        home: Path,
        *,
        user: str | None = None,
        settings: Mapping[str, str] | None = None,
        program: Program | None = None,
    ) -> None:
        self.home = home
        self._user = user
        self._settings = dict(settings or {})
        self._program = program

    def acquire(self) -> Lease:
        """Use the server, starting it (and making the cluster) where needed. Raises HomeUnusable, StoreUnavailable."""
        folder = server_folder(self.home, self._user)
        prepare(folder)
        users = folder.lock(USERS)
        try:
            with _turn(folder):
                _wait(users.wait_shared, folder)
                self._bring_up(folder)
            return Lease(self, folder, users)
        except BaseException:  # also Ctrl-C: the keeper is there already and stops a server that just came up
            users.close()
            raise

    def bring_up(self, folder: ServerFolder) -> None:
        """Start the server again if it is down; for a user who holds a lease."""
        with _turn(folder):
            self._bring_up(folder)

    def _bring_up(self, folder: ServerFolder) -> None:
        if not in_use(folder.path / KEEPER):
            _start_keeper(folder)  # first: whatever happens from here on, someone stops the server
        if server.settle(folder) == "down":
            server.start(folder, self._settings, self._program)


class Lease:
    """One user's hold on the server. Closing it stops the server if nobody else holds one."""

    def __init__(self, embedded: EmbeddedPostgres, folder: ServerFolder, users: FileLock) -> None:
        self._embedded = embedded
        self._users = users
        self._alive = folder.lock(SERVER)
        self._guard = threading.Lock()
        self.folder = folder

    @property
    def dsn(self) -> str:
        """How to connect, without a database name. The password stays in its file; the address can change."""
        return make_conninfo(
            host=str(server.socket_folder(self.folder)),
            port=5432,
            user=ROLE,
            passfile=str(self.folder.passfile),
            require_auth="scram-sha-256",
            application_name="bunmyaku",
        )

    def alive(self) -> bool:
        """Whether the server lives: its lock is held, and not only by what a killed postmaster has left (~50 µs)."""
        with self._guard:
            if self._alive.try_shared():
                self._alive.unlock()
                return False
        return keeper.postmaster(self.folder.path) is not None

    def ensure(self) -> bool:
        """Start the server again if it was killed or stopped; returns whether it had to. Raises StoreUnavailable."""
        if self._users.fd < 0:
            raise StoreUnavailable("The database has been closed", where=str(self.folder.path))
        if self.alive():
            if not in_use(self.folder.path / KEEPER):
                _start_keeper(self.folder)
            return False
        self._embedded.bring_up(self.folder)
        return True

    def settle(self) -> None:
        """Wait for a server that is starting or going down, and start it in the second case."""
        self._embedded.bring_up(self.folder)

    def release(self) -> None:
        """Leave. The last one to leave stops the server and waits for it. Safe to call twice."""
        if self._users.fd < 0:
            return
        try:
            with _turn(self.folder):  # two who leave at once: the second one finds itself alone
                self._leave()
        finally:
            self._users.close()
            self._alive.close()

    def _leave(self) -> None:
        if self._users.try_exclusive():
            server.stop(self.folder)
            server.sweep(self.folder)
        elif not self._users.try_shared():
            # Neither alone nor beside others: the keeper was quicker and is stopping it. Leave when it is done.
            self._users.wait_shared(_TURN_SECONDS)

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.release()


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What can be said about a home's server without touching it."""

    state: str
    """`absent` (no cluster), `down`, `up`, or `unsettled` (starting, stopping, recovering)."""
    major: int | None
    """PostgreSQL major version of the cluster."""
    pid: int | None
    user: str
    """Who the server runs as."""
    socket: Path | None
    keeper: bool
    users: bool
    """Whether any process uses it."""
    log: Path


def stop(home: Path) -> bool:
    """Stop the server of a home, whoever uses it; they start it again when they next need it.

    Returns whether one was running. Raises HomeUnusable when the home is not ours, StoreUnavailable when it won't stop.
    """
    folder = server_folder(home)
    if cluster_major(folder) is None:
        return False
    with _turn(folder):
        stopped = server.stop(folder)
        server.sweep(folder)
    return stopped


def status(home: Path) -> ServerStatus:
    """Look at the server of a home. Nothing is made or started. Raises HomeUnusable when it cannot be looked at."""
    folder = server_folder(home)
    major = cluster_major(folder)
    now = "absent" if major is None else server.state(folder)
    users = folder.path / USERS
    return ServerStatus(
        state=now,
        major=major,
        pid=keeper.postmaster(folder.path),
        user=user_name(folder.account.uid),
        socket=server.socket_folder(folder) if now == "up" else None,
        keeper=held(folder.path / KEEPER),
        users=in_use(users) and not held(users),  # the keeper holds it exclusively for a moment
        log=folder.log,
    )


@contextlib.contextmanager
def _turn(folder: ServerFolder) -> Iterator[None]:
    """One process at a time starts or stops the server."""
    with folder.lock(_START) as lock:
        _wait(lock.wait_exclusive, folder)
        yield


def _wait(take: Callable[[float], bool], folder: ServerFolder) -> None:
    if not take(_TURN_SECONDS):
        raise StoreUnavailable(
            f"Another process has been starting or stopping the embedded server for {_TURN_SECONDS:.0f} s",
            where=str(folder.path),
            todo=f"Try again; {folder.log} may say more.",
        )


def _start_keeper(folder: ServerFolder) -> None:
    """Start the keeper. It detaches at once, so that no child of ours is left to wait for."""
    run(
        [sys.executable, "-I", "-S", os.fspath(Path(keeper.__file__)), os.fspath(folder.path)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
