"""The lake: bytes as received and text as extracted, so that everything downstream can be rebuilt and read back.

    raw/ab/abcdef…                     content-addressed, as received
    extracted/ab/abcdef…-01234567.json text and structure of one version

A version names both: the SHA-256 of the raw bytes, and eight digits of the hash of what was extracted from them. The
same bytes read by a better parser are another version, and a citation of the old one still reads back.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from ingest.errors import LakeError, LimitExceeded
from ingest.limits import size_in_words
from ingest.types import Parsed

_BLOCK = 1 << 20
_STALE_SECONDS = 86_400
_VERSION = re.compile(r"([0-9a-f]{64})-([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that are in the lake now."""

    sha256: str
    size: int
    path: Path


class Lake:
    """A lake in a local folder, readable by its owner only. Every file appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with _writing(root):
            for folder in (root, root / "raw", root / "extracted", root / "incoming"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def take(self, stream: BinaryIO, limit: int) -> Raw:
        """Copy a stream into the raw zone; raises LimitExceeded beyond `limit` bytes.

        OSErrors of the stream pass through as they are: they are about the source, not the lake.
        """
        digest, size = hashlib.sha256(), 0
        with self._incoming() as incoming:
            with _writing(incoming):
                file = incoming.open("xb")
            with file:
                while block := stream.read(_BLOCK):
                    size += len(block)
                    if size > limit:
                        raise LimitExceeded(f"larger than {size_in_words(limit)}")
                    digest.update(block)
                    with _writing(incoming):
                        file.write(block)
                with _writing(incoming):
                    file.flush()
            path = self.raw_path(digest.hexdigest())
            _settle(incoming, path)
        return Raw(digest.hexdigest(), size, path)

    def keep(self, sha256: str, parsed: Parsed) -> str:
        """Put extracted text and structure beside its raw bytes; returns the version that names both."""
        body = json.dumps(parsed.to_json(), ensure_ascii=False, separators=(",", ":")).encode()
        version = f"{sha256}-{hashlib.sha256(body).hexdigest()[:8]}"
        with self._incoming() as incoming:
            with _writing(incoming):
                incoming.write_bytes(body)
            _settle(incoming, self._extracted_path(version))
        return version

    def extracted(self, version: str) -> Parsed:
        """What was extracted for this version; `.text[start:end]` is what a citation of it quotes.

        Raises LakeError when it is not there, or not what was put there.
        """
        path = self._extracted_path(version)
        try:
            body = path.read_bytes()
            if hashlib.sha256(body).hexdigest()[:8] != version[-8:]:
                raise LakeError(
                    "the extracted text was altered", where=str(path), todo="Ingest the document again."
                )
            return Parsed.from_json(json.loads(body))
        except OSError as error:
            raise LakeError("there is no such version in the lake", where=version) from error

    def raw(self, version: str) -> bytes:
        """The bytes as received, of a version or of their own hash; raises LakeError as `extracted` does."""
        sha = version[:64]
        path = self.raw_path(sha)
        try:
            body = path.read_bytes()
        except OSError as error:
            raise LakeError("there is no such version in the lake", where=version) from error
        if hashlib.sha256(body).hexdigest() != sha:
            raise LakeError("the raw bytes were altered", where=str(path), todo="Ingest the document again.")
        return body

    def raw_path(self, sha256: str) -> Path:
        """Where raw bytes of this hash are kept."""
        return self._root / "raw" / sha256[:2] / sha256

    def _extracted_path(self, version: str) -> Path:
        # Versions arrive from outside (links, answers kept elsewhere): nothing else may become a path.
        if _VERSION.fullmatch(version) is None:
            raise LakeError("not a version", where=version[:100])
        return self._root / "extracted" / version[:2] / f"{version}.json"

    def sweep(self, now: datetime) -> None:
        """Removes what runs that were killed more than a day ago left half written."""
        for path in (self._root / "incoming").iterdir():
            with suppress(OSError):
                if now.timestamp() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()

    @contextmanager
    def _incoming(self) -> Iterator[Path]:
        """A name of its own for a file that is then moved to its place in one step, or leaves nothing behind."""
        path = self._root / "incoming" / uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def _settle(incoming: Path, path: Path) -> None:
    with _writing(path):
        # Written again even when it is there: what stands under this name may have been damaged.
        path.parent.mkdir(exist_ok=True, mode=0o700)
        incoming.replace(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Errors while writing are the lake's."""
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> LakeError:
    return LakeError(
        f"the lake cannot be written: {error.strerror or error}",
        where=str(path),
        todo="Free space or make the folder writable, then ingest again: nothing is lost.",
    )
