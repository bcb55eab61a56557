"""Making a cluster: all of it or nothing, under a temporary name that is renamed when it is complete."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from retrieval.errors import HomeUnusable, StoreUnavailable
from retrieval.postgres.layout import ROLE, ServerFolder, remove_tree, unusable
from retrieval.postgres.program import Program, run

_HBA = "# Password only, over the socket only; everything else is refused.\nlocal all all scram-sha-256\n"
_SECONDS = 300  # a slow disk may need minutes


@contextlib.contextmanager
def passed(*folders: Path) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """Names under which a child can use these folders even where it may not walk to them, and what to pass to it.

    On Linux `/proc/self/fd/N` leads straight to an open folder, so that a server running as another user works below
    a 0700 parent, and no permission of any parent is touched. The names stay valid in everything that child starts.
    """
    opened: list[int] = []
    try:
        for folder in folders:
            try:
                opened.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
            except OSError as error:
                raise unusable(folder, error) from error
        if sys.platform == "linux":
            yield [f"/proc/self/fd/{fd}" for fd in opened], tuple(opened)
        else:
            yield [str(folder) for folder in folders], ()
    finally:
        for fd in opened:
            os.close(fd)


def cluster_major(folder: ServerFolder) -> int | None:
    """The PostgreSQL major version of the cluster in this home, None where there is none yet."""
    try:
        return int((folder.data / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise unusable(folder.path, error) from error
    except (OSError, ValueError) as error:
        raise HomeUnusable(
            f"The version mark of the cluster cannot be read: {error}",
            where=str(folder.data),
            todo="Restore the home from a backup.",
        ) from error


def make_cluster(folder: ServerFolder, program: Program, alive: int) -> None:
    """Make a new cluster. Raises HomeUnusable and leaves nothing half-made.

    `alive` is the descriptor of the locked server lock; the children inherit it, so that nobody starts anew while
    one of them outlives a killed caller.
    """
    remove_tree(folder.staging)
    try:
        folder.make(folder.staging, folder.server_owner)
        with passed(folder.staging) as ((data,), opened):
            fds = (*opened, alive)
            _initdb(folder, program, data, fds)
            folder.write(folder.staging / "pg_hba.conf", _HBA, folder.server_owner)
            set_password(folder, program, data, fds, extension=True)
        try:
            folder.staging.rename(folder.data)
            _sync_folder(folder.path)
        except OSError as error:
            raise unusable(folder.data, error) from error
    except BaseException:
        remove_tree(folder.staging)
        raise


def set_password(
    folder: ServerFolder, program: Program, data: str, fds: tuple[int, ...], *, extension: bool = False
) -> None:
    """Give the role a new random password, in a cluster that no server runs on, and write the password file.

    The superuser has no password, so nobody can connect as one; what needs one is done here, by the single-user
    backend: the role, and pgvector in `template1`, from where every new database gets it.
    """
    password = secrets.token_urlsafe(24)
    statements = [
        f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN CREATEDB; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        f"ALTER ROLE {ROLE} PASSWORD '{password}'",
    ]
    if extension:
        statements.insert(0, "CREATE EXTENSION IF NOT EXISTS vector")
    settings = ["-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off"]
    _child(
        folder,
        [program.path("postgres"), "--single", *settings, "-D", data, "template1"],
        fds,
        stdin="".join(f"{statement};\n" for statement in statements),
    )
    folder.write(folder.passfile, f"*:*:*:{ROLE}:{password}\n")


def _initdb(folder: ServerFolder, program: Program, data: str, fds: tuple[int, ...]) -> None:
    options = ["--username=postgres", "--auth=reject", "--encoding=UTF8", "--no-instructions"]
    options += ["--locale=C"]
    if program.major >= 17:  # Unicode rules that are the same on every system
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _child(folder, [program.path("initdb"), *options, "-D", data], fds)


def _child(folder: ServerFolder, command: list[str], fds: tuple[int, ...], stdin: str = "") -> None:
    """Run one of the programs as the server's user; anything but success becomes HomeUnusable with its reason."""
    try:
        done = run(command, folder.account, input=stdin, capture_output=True, timeout=_SECONDS, pass_fds=fds)
    except subprocess.TimeoutExpired as error:
        raise HomeUnusable(
            f"Making the database took more than {_SECONDS} s",
            where=str(folder.path),
            todo="Is the disk very slow?",
        ) from error
    except OSError as error:
        raise StoreUnavailable(
            f"{Path(command[0]).name} cannot be run: {error.strerror or error}",
            where=command[0],
            todo="Install the package again, or give the DSN of another server.",
        ) from error
    if done.returncode != 0 or re.search(r"\b(ERROR|FATAL|PANIC):", done.stderr):
        raise failure(folder, done.stderr, Path(command[0]).name)


def failure(folder: ServerFolder, output: str, program: str) -> HomeUnusable:
    """The reason inside what a program said, as an error."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"\b(error|FATAL|PANIC|ERROR):", line)] or lines[-1:]
    reason = re.sub(r"^.*?\b(error|FATAL|PANIC|ERROR):\s*", "", telling[0]) if telling else "no reason given"
    if re.search(r"No space left on device|File too large|Disk quota exceeded", output):
        return HomeUnusable(
            "The disk is full",
            where=str(folder.path),
            todo="Free some space (a new home needs about 100 MB) and try again; nothing was lost.",
        )
    return HomeUnusable(
        f"{program} failed: {reason}", where=str(folder.path), todo=f"The whole story may be in {folder.log}."
    )


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
