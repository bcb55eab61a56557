"""Where the embedded server keeps its things inside a home, who owns them, and how they are made.

<home>/postgres/            0700, of the home's owner
    data/                   the cluster, 0700, of the user the server runs as
    run/                    its socket, unless the path is too long for one (then a private temporary folder)
    pgpass                  the password, 0600, in libpq's own format
    server.json             where the socket is
    server.log              bounded; statements and values are never logged
    users.lock start.lock server.lock keeper.lock
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval.errors import HomeUnusable
from retrieval.postgres.account import Account, server_account, user_name
from retrieval.postgres.keeper import DATA, KEEPER, LOG, SERVER, USERS
from retrieval.postgres.locks import FileLock

ROLE = "bunmyaku"
"""The role everything connects as. Not a superuser: no program is run and no file read through SQL."""


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """Paths of one home's server, and the two users its files belong to."""

    path: Path
    account: Account
    owner: tuple[int, int]
    """(uid, gid) of what clients read: the home's owner."""

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.path / DATA

    @property
    def staging(self) -> Path:
        """A cluster being made; renamed when it is complete."""
        return self.path / "data.new"

    @property
    def run(self) -> Path:
        """The socket's folder where its path is short enough."""
        return self.path / "run"

    @property
    def passfile(self) -> Path:
        """The password in libpq's format."""
        return self.path / "pgpass"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.path / LOG

    @property
    def notes(self) -> Path:
        """Where the socket is (JSON)."""
        return self.path / "server.json"

    def lock(self, name: str) -> FileLock:
        """Open a lock file of this folder, made if absent. Raises HomeUnusable."""
        try:
            lock = FileLock(self.path / name)
        except OSError as error:
            raise unusable(self.path, error) from error
        self._give(lock.fd, self.owner)
        return lock

    def write(self, path: Path, text: str, owner: tuple[int, int] | None = None) -> None:
        """Write a private file so that it is there completely or not at all, and survives a power cut."""
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            fd = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(fd)
                self._give(fd, owner or self.owner)
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise unusable(path, error) from error

    def make(self, path: Path, owner: tuple[int, int]) -> None:
        """Make a 0700 folder for `owner`; an existing one is tightened to that. Raises HomeUnusable."""
        try:
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode=0o700)
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                self._give(fd, owner)
                if stat.S_IMODE(os.fstat(fd).st_mode) & 0o077:
                    os.fchmod(fd, 0o700)
            finally:
                os.close(fd)
        except OSError as error:
            raise unusable(path, error) from error

    def note(self) -> dict[str, Any]:
        """What was written about the running server; empty when there is nothing readable."""
        try:
            found = json.loads(self.notes.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def server_owner(self) -> tuple[int, int]:
        """(uid, gid) of what the server itself reads and writes."""
        return self.account.uid, self.account.gid

    def _give(self, fd: int, owner: tuple[int, int]) -> None:
        if os.geteuid() == 0 and (os.fstat(fd).st_uid, os.fstat(fd).st_gid) != owner:
            os.fchown(fd, *owner)


def server_folder(home: Path, preferred: str | None = None) -> ServerFolder:
    """The server folder of a home, without touching anything. Raises HomeUnusable."""
    home = Path(os.path.abspath(home.expanduser()))  # noqa: PTH100 - resolve() would follow links of others
    path = home / "postgres"
    try:
        account = server_account(home, path / DATA, preferred)
        owner = (os.geteuid(), os.getegid())
        if account.switch:
            with contextlib.suppress(FileNotFoundError):
                found = home.stat()
                owner = (found.st_uid, found.st_gid)
    except KeyError as error:
        raise HomeUnusable(
            f"There is no user {preferred!r} to run the server as",
            where=str(home),
            todo="Create it or name another.",
        ) from error
    except OSError as error:
        raise unusable(home, error) from error
    if account.uid == 0:
        raise HomeUnusable(
            "PostgreSQL does not run as the superuser",
            where=str(home),
            todo="Name an ordinary user to run it as.",
        )
    return ServerFolder(path, account, owner)


def prepare(folder: ServerFolder) -> None:
    """Make home and server folder where absent and check that they are ours. Raises HomeUnusable."""
    home = folder.path.parent
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(home, error) from error
    if not os.access(home, os.W_OK | os.X_OK) and not os.access(folder.path, os.W_OK | os.X_OK):
        raise unusable(home, PermissionError(errno.EACCES, "Permission denied"))
    folder.make(folder.path, folder.owner)
    found = folder.path.lstat()
    if found.st_uid not in {os.geteuid(), folder.owner[0]}:
        raise _of_another(folder.path, found.st_uid)


def unusable(path: Path, error: OSError) -> HomeUnusable:
    """The sentence for a folder or file that the system would not let us use."""
    owner = _owner_of(path)
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return HomeUnusable(
            "The disk is full",
            where=str(path),
            todo="Free some space (a new home needs about 100 MB) and try again.",
        )
    if error.errno in {errno.EACCES, errno.EPERM} and owner is not None and owner != os.geteuid():
        return _of_another(path, owner)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return HomeUnusable(
            "The home folder cannot be written",
            where=str(path),
            todo="Choose another home, or make it writable.",
        )
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return HomeUnusable("The home is not a folder", where=str(path), todo="Choose another home.")
    if error.errno == errno.ELOOP:
        return HomeUnusable(
            "A symbolic link stands where the server keeps its files",
            where=str(path),
            todo="Remove the link.",
        )
    return HomeUnusable(
        f"The home folder cannot be used: {error.strerror or error}",
        where=str(path),
        todo="Choose another home.",
    )


def _of_another(path: Path, uid: int) -> HomeUnusable:
    return HomeUnusable(
        f"The home belongs to the user {user_name(uid)!r}, not to {user_name(os.geteuid())!r}",
        where=str(path),
        todo="Run as that user, or choose a home of your own.",
    )


def _owner_of(path: Path) -> int | None:
    """Who owns the path or its nearest visible ancestor."""
    for candidate in (path, *path.parents):
        with contextlib.suppress(OSError):
            return candidate.lstat().st_uid
    return None


def remove_tree(path: Path) -> None:
    """Remove what a broken start left behind; a missing folder is fine. Raises HomeUnusable."""
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise unusable(path, error) from error


__all__ = [
    "KEEPER",
    "ROLE",
    "SERVER",
    "USERS",
    "ServerFolder",
    "prepare",
    "remove_tree",
    "server_folder",
    "unusable",
]
