"""Which user of the system the server runs as. PostgreSQL refuses to run as root, rightly."""

from __future__ import annotations

import contextlib
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_USERS = ("bunmyaku", "nobody")
"""Who runs the server when root asks: the first of these that exists."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user the server's processes run as; `switch` says that this differs from the user we are."""

    uid: int
    gid: int
    switch: bool

    @property
    def name(self) -> str:
        """The login name, or the number where it has none."""
        return user_name(self.uid)

    def popen(self) -> dict[str, Any]:
        """Arguments for `subprocess` that make a child run as this user, and with no group of ours."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}


def server_account(home: Path, data: Path, preferred: str | None = None) -> Account:
    """Who the server of this home runs as.

    Not root: ourselves. Root: the owner of the data that is already there; else the home's owner, so that somebody
    else's home stays theirs; else `preferred`, `bunmyaku` or `nobody`. Raises KeyError for an unknown `preferred`.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switch=False)
    for folder in (data, home):
        with contextlib.suppress(FileNotFoundError):
            found = folder.stat()
            if found.st_uid != 0:
                return Account(found.st_uid, found.st_gid, switch=True)
    if preferred is not None:
        entry = pwd.getpwnam(preferred)
        return Account(entry.pw_uid, entry.pw_gid, switch=True)
    for name in DEFAULT_USERS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid, switch=True)
    return Account(65534, 65534, switch=True)  # what `nobody` is where no user database says so


def user_name(uid: int) -> str:
    """The login name of a user id, or the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
