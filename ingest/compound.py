"""Compound files ([MS-CFB]): the container of old Office documents, Outlook messages and encrypted new ones."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.errors import Unreadable

_END = 0xFFFFFFFA
"""Sector numbers from here on mean something else than a sector."""
_FREE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Item:
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class Compound:
    """Streams by path (`storage/stream`). Raises Unreadable for anything out of shape; loops in it end."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        try:
            (shift, mini_shift) = struct.unpack_from("<HH", raw, 30)
            (directory,) = struct.unpack_from("<I", raw, 48)
            (self._cutoff, mini_fat) = struct.unpack_from("<II", raw, 56)
            (difat, difat_count) = struct.unpack_from("<II", raw, 68)
            if shift not in {9, 12} or mini_shift != 6:
                raise Unreadable("damaged: not a compound file that can be opened")
            self._size = 1 << shift
            self._fat = self._read_fat(difat, difat_count)
            self._items = list(self._read_items(self._chain(directory)))
            table = self._chain(mini_fat)
            self._mini_fat = struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])
            root = self._items[0]
            self._mini = self._chain(root.start)[: root.size]
            # Names are compared without case, as the format wants.
            self._paths = {path.casefold(): (path, item) for path, item in self._walk()}
        except (struct.error, IndexError) as error:
            raise Unreadable("damaged: not a compound file that can be opened") from error

    def names(self) -> list[str]:
        """Every stream's path."""
        return [path for path, item in self._paths.values() if item.kind == 2]

    def has(self, path: str) -> bool:
        """Whether there is such a stream."""
        found = self._paths.get(path.casefold())
        return found is not None and found[1].kind == 2

    def read(self, path: str) -> bytes:
        """One stream; empty where there is none."""
        if not self.has(path):
            return b""
        item = self._paths[path.casefold()][1]
        if item.size >= self._cutoff:
            return self._chain(item.start)[: item.size]
        parts, seen, sector = [], 0, item.start
        while sector < len(self._mini_fat) and seen <= len(self._mini_fat):
            parts.append(self._mini[sector * 64 : sector * 64 + 64])
            sector = self._mini_fat[sector]
            seen += 1
        return b"".join(parts)[: item.size]

    def _sector(self, number: int) -> bytes:
        return self._raw[(number + 1) * self._size : (number + 2) * self._size]

    def _read_fat(self, difat: int, count: int) -> tuple[int, ...]:
        sectors = [s for s in struct.unpack_from("<109I", self._raw, 76) if s < _END]
        while difat < _END and count > 0:
            block = struct.unpack(f"<{self._size // 4}I", self._sector(difat))
            sectors += [sector for sector in block[:-1] if sector < _END]
            difat, count = block[-1], count - 1
        # No file has more table than sectors: a number repeated is damage or malice.
        table = b"".join(self._sector(s) for s in dict.fromkeys(sectors))
        return struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])

    def _chain(self, start: int) -> bytes:
        parts, seen, sector = [], 0, start
        while sector < len(self._fat) and seen <= len(self._fat):
            parts.append(self._sector(sector))
            sector = self._fat[sector]
            seen += 1
        return b"".join(parts)

    @staticmethod
    def _read_items(directory: bytes) -> Iterator[_Item]:
        for start in range(0, len(directory) - 127, 128):
            entry = directory[start : start + 128]
            (length,) = struct.unpack_from("<H", entry, 64)
            name = entry[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            left, right, child = struct.unpack_from("<III", entry, 68)
            (first, size) = struct.unpack_from("<II", entry, 116)
            yield _Item(name, entry[66], left, right, child, first, size)

    def _walk(self) -> Iterator[tuple[str, _Item]]:
        stack, seen = [(self._items[0].child, "")], set[int]()
        while stack:
            number, above = stack.pop()
            if number == _FREE or number >= len(self._items) or number in seen:
                continue
            seen.add(number)
            item = self._items[number]
            path = f"{above}{item.name}"
            yield path, item
            stack += [(item.left, above), (item.right, above)]
            if item.kind == 1:
                stack.append((item.child, f"{path}/"))
