"""Zip and gzip: the files inside are read like any other, under what is left of the same budget."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from ingest.archives import Archive
from ingest.building import TextBuilder
from ingest.errors import Unreadable
from ingest.limits import Budget
from ingest.media import GZIP, ZIP
from ingest.types import Parsed

_BLOCK = 1 << 20


class ArchiveParser:
    """Reads `application/zip` and `application/gzip`."""

    version = 1
    media_types = frozenset({ZIP, GZIP})

    def parse(self, raw: bytes, media_type: str, budget: Budget) -> Parsed:
        """No text of its own; each file inside as an embedded one. Raises Unreadable when empty or encrypted."""
        builder = TextBuilder(budget.limits.text_chars)
        if media_type == GZIP:
            builder.attach("", gunzip(raw, budget))
            return builder.build()
        with Archive(raw, budget) as archive:
            names = [name for name in archive.names() if not name.startswith("__MACOSX/")]
            failed = None
            for name in names:
                budget.member()
                try:
                    builder.attach(name, archive.read(name))
                except Unreadable as error:
                    failed = error
                    builder.warn(f"{name}: {error.what}")
        parsed = builder.build()
        if not parsed.embedded:
            raise failed or Unreadable("no text: the archive is empty")
        return parsed


def gunzip(raw: bytes, budget: Budget) -> bytes:
    """All members of a gzip stream; a damaged end is left out as long as something was there."""
    parts: list[bytes] = []
    rest = raw
    while rest[:2] == b"\x1f\x8b":
        stream = zlib.decompressobj(wbits=31)
        try:
            while not stream.eof:
                block = stream.decompress(rest, min(_BLOCK, budget.left + 1))
                rest = stream.unconsumed_tail
                if not block and not rest:
                    break
                budget.spend(len(block))
                parts.append(block)
        except zlib.error as error:
            if not parts:
                raise Unreadable("damaged: the gzip stream cannot be unpacked") from error
            break
        rest = stream.unused_data.lstrip(b"\0")
    if not any(parts):
        raise Unreadable("no text: the archive is empty")
    return b"".join(parts)


def build(_settings: Mapping[str, Any]) -> ArchiveParser:
    """There is nothing to set."""
    return ArchiveParser()
