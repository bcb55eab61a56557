"""Zip archives opened with suspicion: sizes are counted while unpacking, never believed."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from types import TracebackType
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from ingest.errors import LimitExceeded, Unreadable
from ingest.limits import Budget

_BROKEN = (
    BadZipFile,
    LargeZipFile,
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    struct.error,
    NotImplementedError,
)
_BLOCK = 1 << 20
# Spreadsheets of honest size can shrink a hundredfold; the ratio says something only about large members.
_LARGE = 20_000_000


class Archive:
    """Members by name (exactly, or ignoring case), read under a budget shared with everything else."""

    def __init__(self, raw: bytes, budget: Budget) -> None:
        self._budget = budget
        try:
            self._zip = ZipFile(BytesIO(raw))
            infos = self._zip.infolist()
        except _BROKEN as error:
            raise Unreadable("damaged: the zip container cannot be opened") from error
        if len(infos) > budget.limits.members:
            raise LimitExceeded(f"holds more than {budget.limits.members} files")
        self._infos = {info.filename: info for info in infos if not info.is_dir()}
        # Some writers use other letter cases or backslashes than the parts that refer to them.
        self._folded = {_fold(name): info for name, info in self._infos.items()}

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def names(self) -> list[str]:
        """Names of the files inside, in the order they are stored."""
        return list(self._infos)

    def has(self, name: str) -> bool:
        """Whether `read` would find it."""
        return name in self._infos or _fold(name) in self._folded

    def read(self, name: str) -> bytes:
        """One member's bytes.

        Raises Unreadable when it is missing, damaged or encrypted, LimitExceeded when it unpacks to too much.
        """
        info = self._infos.get(name) or self._folded.get(_fold(name))
        if info is None:
            raise Unreadable(f"damaged: {name} is missing inside")
        if info.flag_bits & 0x1:
            raise Unreadable("encrypted: a password is needed")
        try:
            return self._unpack(info)
        except _BROKEN as error:
            raise Unreadable(f"damaged: {name} inside cannot be unpacked") from error
        except RuntimeError as error:  # what zipfile raises for encryption it does not know
            raise Unreadable("encrypted: a password is needed") from error

    def _unpack(self, info: ZipInfo) -> bytes:
        parts, size = [], 0
        packed = max(1, info.compress_size)
        with self._zip.open(info) as member:
            while block := member.read(min(_BLOCK, self._budget.left + 1)):
                size += len(block)
                self._budget.spend(len(block))
                if size > _LARGE and size / packed > self._budget.limits.ratio:
                    raise LimitExceeded(
                        f"a bomb: {info.filename} unpacks to over {size // packed} times its size"
                    )
                parts.append(block)
        return b"".join(parts)


def _fold(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").casefold()
