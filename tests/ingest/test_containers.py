"""Zip and compound containers, and what a file is: unit by unit."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from contextlib import suppress

import pytest

from ingest.archives import Archive
from ingest.compound import Compound
from ingest.errors import LimitExceeded, Unreadable, optional_part
from ingest.limits import Budget, Limits, size_in_words
from ingest.markup import child, parse_xml, relations, relations_of, resolve
from ingest.media import describe, sniff
from ingest.parsers.archive import gunzip
from tests.ingest import samples
from tests.ingest.compound_files import compound


class TestZip:
    def test_names_are_found_whatever_their_case_and_slashes(self) -> None:
        with Archive(samples.zipped({"Word\\Document.xml": "x"}), Budget()) as archive:
            assert archive.has("word/document.xml")
            assert archive.read("/word/document.xml") == b"x"
            assert len(archive.names()) == 1

    def test_missing_members(self) -> None:
        with (
            Archive(samples.zipped({"a": "x"}), Budget()) as archive,
            pytest.raises(Unreadable, match="b is missing"),
        ):
            archive.read("b")

    def test_encrypted_members(self) -> None:
        raw = bytearray(samples.zipped({"a": "x"}))
        # The flag that says so, in both places that carry it.
        raw[6] |= 1
        raw[raw.index(b"PK\x01\x02") + 8] |= 1
        with Archive(bytes(raw), Budget()) as archive, pytest.raises(Unreadable, match="encrypted"):
            archive.read("a")

    def test_a_member_that_lies_about_its_size(self) -> None:
        raw = bytearray(samples.zipped({"a": "x" * 100_000}))
        place = raw.index(b"PK\x01\x02") + 24
        raw[place : place + 4] = struct.pack("<I", 10)
        with Archive(bytes(raw), Budget(Limits(expanded_bytes=50_000))) as archive, pytest.raises(Unreadable):
            archive.read("a")

    def test_damaged_data(self) -> None:
        raw = bytearray(samples.zipped({"a": random.Random(1).randbytes(1000)}))
        raw[60:80] = b"\xff" * 20
        with Archive(bytes(raw), Budget()) as archive, pytest.raises(Unreadable, match="cannot be unpacked"):
            archive.read("a")

    def test_an_unknown_compression(self) -> None:
        raw = bytearray(samples.zipped({"a": "x"}))
        raw[8:10] = struct.pack("<H", 99)
        place = raw.index(b"PK\x01\x02") + 10
        raw[place : place + 2] = struct.pack("<H", 99)
        with Archive(bytes(raw), Budget()) as archive, pytest.raises(Unreadable, match="cannot be unpacked"):
            archive.read("a")

    def test_the_ratio_counts_for_large_members_only(self) -> None:
        with Archive(samples.bomb(2), Budget()) as archive:
            assert len(archive.read("zeros.txt")) == 2_000_000
        with Archive(samples.bomb(30), Budget()) as archive, pytest.raises(LimitExceeded, match="a bomb"):
            archive.read("zeros.txt")

    def test_directories_are_no_members(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.mkdir("folder")
            archive.writestr("folder/a", "x")
        with Archive(buffer.getvalue(), Budget()) as opened:
            assert opened.names() == ["folder/a"]


class TestGzip:
    def test_several_members_and_rubbish_after_them(self) -> None:
        assert gunzip(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0rubbish", Budget()) == b"one two"

    def test_a_cut_stream_keeps_what_was_there(self) -> None:
        whole = gzip.compress(random.Random(1).randbytes(5000))
        assert len(gunzip(whole[: len(whole) // 2], Budget())) > 1000

    def test_damage_and_bombs(self) -> None:
        with pytest.raises(Unreadable, match="cannot be unpacked"):
            gunzip(b"\x1f\x8b\x08\0\0\0\0\0\0\0" + b"\xff" * 50, Budget())
        with pytest.raises(Unreadable, match="empty"):
            gunzip(gzip.compress(b""), Budget())
        with pytest.raises(LimitExceeded, match="unpacks to more than"):
            gunzip(gzip.compress(b"0" * 10_000_000), Budget(Limits(expanded_bytes=1_000_000)))


class TestCompound:
    def test_streams_and_storages(self) -> None:
        opened = Compound(compound({"One": b"1" * 5000, "Two": b"2" * 100, "Store/Three": b"3" * 700}))
        assert sorted(opened.names()) == ["One", "Store/Three", "Two"]
        assert opened.read("one")[:5000] == b"1" * 5000
        assert opened.read("STORE/three")[:700] == b"3" * 700
        assert opened.read("nothing") == b""
        assert not opened.has("Store")

    def test_damage_gives_a_reason_and_never_a_loop(self) -> None:
        raw = compound({"One": b"1" * 5000, "Store/Three": b"3" * 700})
        chance = random.Random(3)
        for _ in range(300):
            damaged = bytearray(raw[: chance.randrange(8, len(raw) + 1)])
            for _ in range(chance.randrange(1, 40)):
                damaged[chance.randrange(8, len(damaged))] = chance.choice(
                    (0, 1, 2, 0xFF, chance.randrange(256))
                )
            with suppress(Unreadable):
                opened = Compound(bytes(damaged))
                for name in opened.names():
                    opened.read(name)

    def test_a_table_that_points_to_itself_ends(self) -> None:
        raw = bytearray(compound({"One": b"1" * 5000}))
        fat = (int.from_bytes(raw[76:80], "little") + 1) * 512
        raw[fat : fat + 40] = struct.pack("<10I", *range(10))
        assert len(Compound(bytes(raw)).read("One")) <= len(raw)


class TestXml:
    def test_broken_xml_is_read_as_far_as_it_goes(self) -> None:
        assert child(parse_xml(b"<a><b>text</c>"), "b") is not None
        for raw in (b"", b"\0\0\0", b"no markup at all"):
            with pytest.raises(Unreadable, match="well-formed"):
                parse_xml(raw)

    def test_outside_files_are_never_read(self) -> None:
        raw = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>'
        assert not (parse_xml(raw).text or "").strip("&e;")

    @pytest.mark.parametrize(
        ("base", "target", "found"),
        [
            ("word/document.xml", "styles.xml", "word/styles.xml"),
            ("ppt/slides/slide1.xml", "../notes/n.xml", "ppt/notes/n.xml"),
            ("ppt/slides/slide1.xml", "/ppt/a.xml", "ppt/a.xml"),
            ("a.xml", "../../../etc/passwd", "etc/passwd"),
            ("", "./word\\document.xml", "word/document.xml"),
        ],
    )
    def test_targets(self, base: str, target: str, found: str) -> None:
        assert resolve(base, target) == found

    def test_relations(self) -> None:
        raw = b'<r><Relationship Id="a" Type="http://x/y/styles" Target="s.xml"/><Relationship Id="b" TargetMode="External" Target="http://x"/></r>'
        assert relations(raw) == {"a": ("styles", "s.xml"), "b": ("external", "http://x")}
        assert relations_of("word/document.xml") == "word/_rels/document.xml.rels"
        assert relations_of("document.xml") == "_rels/document.xml.rels"


class TestSniffing:
    @pytest.mark.parametrize(
        ("raw", "name", "expected"),
        [
            (b"junk before\n%PDF-1.4", "a.txt", "application/pdf"),
            (b"\xef\xbb\xbf<!DOCTYPE html><p>x", "a.txt", "text/plain"),
            (b"\xef\xbb\xbf  <!DOCTYPE html><p>x", "page", "text/html"),
            ("<html><p>x</p></html>".encode("utf-16"), "page", "text/html"),
            (b"<?xml version='1.0'?><html xmlns='x'/>", "a.xml", "text/html"),
            (b"<?xml version='1.0'?><svg/>", "a.svg", "image/svg+xml"),
            (b"<?xml version='1.0'?><data/>", "a", "application/xml"),
            (b"# About <html> tags\n", "a.md", "text/markdown"),
            (b"a,b\n", "A.CSV", "text/csv"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "a", "image/webp"),
            (b"RIFF\0\0\0\0WAVEfmt ", "a", "audio/x-wav"),
            (b"\0\0\0\x18ftypmp42", "a", "video/mp4"),
            (b"BM" + struct.pack("<I", 60) + bytes(54), "a", "image/bmp"),
            (b"BM is what we call it.", "a", "text/plain"),
            (b"\0" * 100, "a.txt", "application/octet-stream"),
            ("日本語".encode("utf-16-le"), "a.txt", "text/plain"),
            (b"PK\x05\x06" + bytes(18), "a", "application/zip"),
        ],
    )
    def test_by_content_then_by_name(self, raw: bytes, name: str, expected: str) -> None:
        assert sniff(raw, name) == expected

    def test_words_for_people(self) -> None:
        assert describe("image/x-icon") == "icon image"
        assert describe("image/vnd.djvu") == "djvu image"
        assert describe("application/vnd.rar") == "RAR archive"
        assert describe("video/mp4") == "video/mp4"
        assert size_in_words(200_000_000) == "200 MB"
        assert size_in_words(20_000) == "20 kB"


def test_an_optional_part_forgives_damage_but_no_broken_limit() -> None:
    with optional_part():
        raise Unreadable("damaged")
    with pytest.raises(LimitExceeded), optional_part():
        raise LimitExceeded("too large")
    budget = Budget(Limits(expanded_bytes=10, members=1))
    budget.spend(10)
    assert budget.left == 0
    with pytest.raises(LimitExceeded):
        budget.spend(1)
    budget.member()
    with pytest.raises(LimitExceeded):
        budget.member()
