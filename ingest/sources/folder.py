"""A folder of files (or a single file), walked without ever leaving it.

Left out, as no one means them: names that start with a dot, lock files of office programs (`~$…`), `Thumbs.db`,
`desktop.ini`, and symbolic links that stay inside the folder (what they point to is found by its own name). A link
that leads out is refused, and said.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from ingest.errors import Refused, SourceUnavailable
from ingest.types import Change

_IGNORED = frozenset({"thumbs.db", "desktop.ini"})
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class FolderSource:
    """Files below `root`. `name` is what deletions are decided within, and the first part of every uri."""

    def __init__(self, name: str, root: Path) -> None:
        self._name = name
        try:
            self._root = root.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise SourceUnavailable(
                "there is no such folder", where=str(root), todo="Check the path."
            ) from error
        self._single = self._root.is_file()

    @property
    def name(self) -> str:
        """The source's name."""
        return self._name

    def changes(self, known: Mapping[str, str]) -> Iterator[Change]:
        """Files in order of their names, then what is gone.

        A folder inside that cannot be listed is refused like a file; nothing below it counts as present.
        """
        seen: set[str] = set()
        for change in self._file(self._root) if self._single else self._walk():
            seen.add(change.key)
            same = change.kind == "upsert" and known.get(change.key) == change.fingerprint != ""
            yield _as_unchanged(change) if same else change
        for key in known:
            if key not in seen:
                yield Change("delete", key, self._uri(key))

    def open(self, change: Change) -> BinaryIO:
        """The file, never through a link in its last step, never a device or a pipe; raises Refused."""
        path = self._path(change)
        try:
            number = os.open(path, os.O_RDONLY | _NO_FOLLOW)
        except OSError as error:
            raise Refused(_reason(error)) from error
        file = os.fdopen(number, "rb")
        if not stat.S_ISREG(os.fstat(number).st_mode):
            file.close()
            raise Refused("not a regular file")
        # A folder on the way may have become a link since it was listed.
        if not self._inside(path):
            file.close()
            raise Refused("a symbolic link that leads out of the source")
        return file

    def settled(self, change: Change) -> bool:
        """Whether the file still is what was listed."""
        try:
            return _fingerprint(self._path(change).lstat()) == change.fingerprint
        except OSError:
            return False

    def _walk(self) -> Iterator[Change]:
        stack = [self._root]
        while stack:
            folder = stack.pop()
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                if folder == self._root:
                    raise SourceUnavailable(_reason(error), where=str(folder)) from error
                yield self._refused(folder, _reason(error))
                continue
            folders = []
            for entry in entries:
                path = Path(entry.path)
                if _ignored(entry.name):
                    continue
                if entry.is_symlink():
                    if not self._inside(path):
                        yield self._refused(path, "a symbolic link that leads out of the source")
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                else:
                    yield from self._file(path)
            stack.extend(reversed(folders))

    def _file(self, path: Path) -> Iterator[Change]:
        try:
            status = path.lstat()
        except FileNotFoundError:
            return  # gone since it was listed: the same as deleted
        except OSError as error:
            yield self._refused(path, _reason(error))
            return
        if not stat.S_ISREG(status.st_mode):
            yield self._refused(path, "not a regular file")
            return
        key = self._key(path)
        modified = datetime.fromtimestamp(status.st_mtime, tz=UTC)
        yield Change("upsert", key, self._uri(key), _fingerprint(status), modified, status.st_size)

    def _refused(self, path: Path, reason: str) -> Change:
        key = self._key(path)
        return Change("refused", key, self._uri(key), reason=reason)

    def _inside(self, path: Path) -> bool:
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):
            return False
        return target == self._root or self._root in target.parents

    def _key(self, path: Path) -> str:
        """The path below the root, `/` between its parts; bytes that are no text are written `\\xhh`."""
        relative = path.name if self._single else path.relative_to(self._root).as_posix()
        return os.fsencode(relative).decode("utf-8", "backslashreplace")

    def _path(self, change: Change) -> Path:
        if self._single:
            return self._root
        direct = self._root / change.key
        if "\\x" not in change.key or direct.exists():
            return direct
        # A name that is no text: find the file whose key this is.
        for path in self._root.rglob("*"):
            if self._key(path) == change.key:
                return path
        return direct

    def _uri(self, key: str) -> str:
        return f"file:{self._name}/{key}"


def source_name(path: Path) -> str:
    """A name for a folder that has none in the settings: its own, with a mark of where it lies.

    Two folders called `docs` must not be one source: each would delete what the other brought in.
    """
    full = path.resolve()
    mark = hashlib.sha256(os.fsencode(full)).hexdigest()[:6]
    return f"{full.name or 'root'}-{mark}"


def _as_unchanged(change: Change) -> Change:
    return Change("unchanged", change.key, change.uri, change.fingerprint, change.modified, change.size)


def _fingerprint(status: os.stat_result) -> str:
    """The change time cannot be set by hand, so a file put in place with its old date is seen too."""
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}"


def _ignored(name: str) -> bool:
    return name.startswith((".", "~$")) or name.casefold() in _IGNORED


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "permission denied"
    return f"cannot be read: {error.strerror or type(error).__name__}"


def build(settings: Mapping[str, Any]) -> FolderSource:
    """`path` is needed; `name` defaults to `source_name(path)`."""
    path = Path(str(settings["path"]))
    return FolderSource(str(settings.get("name") or source_name(path)), path)
