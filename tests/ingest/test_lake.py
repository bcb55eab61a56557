"""The lake: what goes in comes out, altered files are noticed, nothing is half written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import LakeError, LimitExceeded
from ingest.lake import Lake
from ingest.preparing import prepare
from ingest.types import Block, Parsed
from tests.ingest import samples

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_raw_bytes_are_kept_by_their_hash(lake: Lake) -> None:
    raw = lake.take(io.BytesIO(b"content"), 100)
    assert raw.sha256 == hashlib.sha256(b"content").hexdigest()
    assert raw.size == 7
    assert raw.path.read_bytes() == b"content"
    assert lake.raw(raw.sha256) == b"content"


def test_a_citation_is_read_back_from_a_pdf(lake: Lake) -> None:
    raw = lake.take(io.BytesIO(samples.pdf(pages=2)), 1_000_000)
    prepared = prepare(raw.path.read_bytes(), "policy.pdf")
    version = lake.keep(raw.sha256, prepared.parsed)
    piece = next(p for p in prepared.pieces if p.page == 2)
    again = lake.extracted(version)
    assert again.text[piece.start : piece.end].startswith(samples.FIRST)
    assert "page 2." in again.text[piece.start : piece.end]
    assert again.page_of(piece.start) == 2
    # And the bytes of that version, read once more, give the same text.
    assert prepare(lake.raw(version), "policy.pdf").parsed.text == again.text


def test_a_version_names_both_bytes_and_text(lake: Lake) -> None:
    raw = lake.take(io.BytesIO(b"a,b\n1,2\n"), 100)
    as_table = lake.keep(raw.sha256, prepare(b"a,b\n1,2\n", "x.csv").parsed)
    as_text = lake.keep(raw.sha256, prepare(b"a,b\n1,2\n", "x.txt").parsed)
    assert as_table != as_text
    assert as_table[:64] == as_text[:64] == raw.sha256
    assert lake.extracted(as_table).text == "a: 1; b: 2"
    assert lake.extracted(as_text).text == "a,b\n1,2"


def test_structure_survives(lake: Lake) -> None:
    parsed = Parsed(
        "A\n\nb",
        (Block("heading", 0, 1, 1), Block("table", 3, 4, 0, "h")),
        "A",
        (0, 3),
        "ja",
        "t/x",
        "p/1",
        ("w",),
    )
    assert lake.extracted(lake.keep("0" * 64, parsed)) == parsed


def test_the_same_again_is_no_error(lake: Lake) -> None:
    assert lake.take(io.BytesIO(b"x"), 10) == lake.take(io.BytesIO(b"x"), 10)
    assert lake.keep("0" * 64, Parsed("t")) == lake.keep("0" * 64, Parsed("t"))


def test_alterations_are_noticed(lake: Lake, tmp_path: Path) -> None:
    raw = lake.take(io.BytesIO(b"content"), 100)
    version = lake.keep(raw.sha256, Parsed("text"))
    raw.path.write_bytes(b"other")
    with pytest.raises(LakeError, match="raw bytes were altered"):
        lake.raw(version)
    (file,) = (tmp_path / "lake" / "extracted").rglob("*.json")
    file.write_text(json.dumps({"text": "forged"}))
    with pytest.raises(LakeError, match="extracted text was altered"):
        lake.extracted(version)


@pytest.mark.parametrize(
    "version", ["", "../../etc/passwd", "0" * 64, "0" * 64 + "-0000000g", "0" * 64 + "-00000000/.."]
)
def test_only_versions_become_paths(lake: Lake, version: str) -> None:
    with pytest.raises(LakeError, match="not a version"):
        lake.extracted(version)


def test_an_unknown_version_is_said(lake: Lake) -> None:
    with pytest.raises(LakeError, match="no such version"):
        lake.extracted("0" * 64 + "-00000000")
    with pytest.raises(LakeError, match="no such version"):
        lake.raw("0" * 64)


def test_too_large_a_stream_leaves_nothing_behind(lake: Lake, tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="larger than 0 kB"):
        lake.take(io.BytesIO(b"x" * 100), 50)
    assert [path for path in (tmp_path / "lake").rglob("*") if path.is_file()] == []


def test_a_stream_that_breaks_is_its_own_error_and_leaves_nothing(lake: Lake, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        lake.take(Broken(), 100)
    assert [path for path in (tmp_path / "lake").rglob("*") if path.is_file()] == []


def test_only_the_owner_may_look(lake: Lake, tmp_path: Path) -> None:
    lake.take(io.BytesIO(b"x"), 10)
    for folder in (tmp_path / "lake", *(p for p in (tmp_path / "lake").rglob("*") if p.is_dir())):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_full_disk_is_the_lakes_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(LakeError, match="cannot be written") as caught:
        Lake(full / "lake")
    assert "nothing is lost" in caught.value.todo


def test_what_killed_runs_left_is_swept_after_a_day(lake: Lake, tmp_path: Path) -> None:
    incoming = tmp_path / "lake" / "incoming"
    for name, age in (("old", 90_000), ("new", 60)):
        (incoming / name).write_bytes(b"half")
        os.utime(incoming / name, (NOW.timestamp() - age,) * 2)
    lake.sweep(NOW)
    assert [path.name for path in incoming.iterdir()] == ["new"]
