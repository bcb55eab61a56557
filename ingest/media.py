"""What a file is, by its content first; its name only decides between kinds of text."""

from __future__ import annotations

import re
import struct
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import BadZipFile, ZipFile

PDF = "application/pdf"
HTML = "text/html"
XML = "application/xml"
MARKDOWN = "text/markdown"
PLAIN = "text/plain"
CSV = "text/csv"
TSV = "text/tab-separated-values"
RTF = "application/rtf"
EMAIL = "message/rfc822"
MBOX = "application/mbox"
ZIP = "application/zip"
GZIP = "application/gzip"
EPUB = "application/epub+zip"
OLE = "application/x-ole-storage"
_OOXML = "application/vnd.openxmlformats-officedocument."
DOCX = _OOXML + "wordprocessingml.document"
PPTX = _OOXML + "presentationml.presentation"
XLSX = _OOXML + "spreadsheetml.sheet"
_ODF = "application/vnd.oasis.opendocument."
ODT, ODS, ODP = _ODF + "text", _ODF + "spreadsheet", _ODF + "presentation"
BINARY = "application/octet-stream"

_MAGIC = (
    (b"{\\rtf", RTF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x1f\x8b", GZIP),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\x7fELF", "application/x-executable"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"%!PS", "application/postscript"),
    (b"\0\0\1\0", "image/x-icon"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"HWP Document File", "application/x-hwp"),
    (b"AT&TFORM", "image/vnd.djvu"),
    (b"\xff\x57\x50\x43", "application/vnd.wordperfect"),
)
_BY_NAME = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".eml": EMAIL,
    ".mht": EMAIL,
    ".mhtml": EMAIL,
    ".mbox": MBOX,
    ".xml": XML,
    ".rss": XML,
    ".svg": "image/svg+xml",
}
_HTML = re.compile(rb"<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>]", re.IGNORECASE)
_TALKS_ABOUT_HTML = frozenset({".md", ".markdown", ".txt"})
_HEADER_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9-]{1,60}:[ \t]?[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n")
_EMAIL_HEADER = re.compile(
    rb"(?im)^(?:received|return-path|message-id|mime-version|delivered-to|x-mailer|from|to|subject|date|content-type):"
)
_NAMES = {
    "application/x-7z-compressed": "7-Zip archive",
    "application/vnd.rar": "RAR archive",
    "application/x-executable": "program",
    "application/vnd.sqlite3": "SQLite database",
    "application/vnd.apache.parquet": "Parquet table",
    "application/x-hwp": "Hangul document",
    OLE: "old Office file",
    BINARY: "binary data",
}


def sniff(raw: bytes, name: str = "") -> str:
    """The media type of `raw`. Never raises; `application/octet-stream` where nothing fits."""
    head = raw[:4096]
    if head[:2] == b"PK" and head[2:4] in {b"\x03\x04", b"\x05\x06", b"\x07\x08"}:
        return _zipped(raw)
    if (known := _by_magic(raw, head)) is not None:
        return known
    return _textual(head, PurePosixPath(name.replace("\\", "/")).suffix.casefold())


def _by_magic(raw: bytes, head: bytes) -> str | None:
    for magic, media_type in _MAGIC:
        if head.startswith(magic):
            return media_type
    # Readers accept a PDF header anywhere in the first kilobyte.
    if b"%PDF-" in head[:1024]:
        return PDF
    if head[:2] == b"BM" and len(raw) >= 6 and abs(struct.unpack_from("<I", raw, 2)[0] - len(raw)) < 64:
        return "image/bmp"
    if head[:4] == b"RIFF":
        return "image/webp" if head[8:12] == b"WEBP" else "audio/x-wav"
    return "video/mp4" if head[4:8] == b"ftyp" else None


def describe(media_type: str) -> str:
    """A few words for people."""
    if media_type.startswith("image/"):
        return media_type.removeprefix("image/").rpartition(".")[2].removeprefix("x-") + " image"
    return _NAMES.get(media_type, media_type)


def _textual(head: bytes, suffix: str) -> str:
    by_name = _BY_NAME.get(suffix, "")
    if b"\0" in head and not _wide_text(head):
        return BINARY
    if head.startswith(b"From ") and (by_name in {EMAIL, MBOX} or _is_email(head.partition(b"\n")[2])):
        return MBOX
    if by_name in {EMAIL, MBOX} or _is_email(head):
        return EMAIL
    return _markup(head, by_name, suffix) or by_name or PLAIN


def _markup(head: bytes, by_name: str, suffix: str) -> str:
    flat = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0").replace(b"\0", b"")
    if flat[:5].lower() == b"<?xml" or by_name == XML:
        if b"<svg" in flat[:1000]:
            return "image/svg+xml"
        return HTML if _HTML.search(flat) else XML
    # Text that talks about HTML holds its tags too; a page starts with one.
    return HTML if flat[:1] == b"<" and _HTML.search(flat) and suffix not in _TALKS_ABOUT_HTML else ""


def _wide_text(head: bytes) -> bool:
    """Zero bytes because of a two- or four-byte encoding, not because of binary data."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"} or head[:4] in {b"\xff\xfe\0\0", b"\0\0\xfe\xff"}:
        return True
    if len(head) < 4 or head.count(0) > len(head) * 0.8:
        return False
    even, odd = head[::2].count(0) / len(head[::2]), head[1::2].count(0) / len(head[1::2])
    # Zeros in one half only are two-byte text, in three quarters four-byte text; one stray zero is an accident.
    two, four = min(even, odd) < 0.02 and max(even, odd) > 0.2, min(even, odd) > 0.45
    return two or four or head.count(0) * 500 < len(head)


def _is_email(head: bytes) -> bool:
    """Header lines from the first one on, with at least two that only mail has."""
    start = head.lstrip(b"\r\n")
    end = 0
    while (line := _HEADER_LINE.match(start, end)) is not None:
        end = line.end()
    if end == 0 or (end < len(start) and start[end : end + 1] not in {b"\r", b"\n"} and len(head) < 4096):
        return False
    names = {match.group().lower() for match in _EMAIL_HEADER.finditer(start[:end])}
    return len(names) >= 3 or (len(names) >= 2 and not names <= {b"from:", b"to:", b"subject:", b"date:"})


def _zipped(raw: bytes) -> str:
    """Office files, e-books and plain archives are told apart by what the archive's directory names."""
    try:
        with ZipFile(BytesIO(raw)) as archive:
            names = archive.namelist()[:5000]
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                declared = archive.read("mimetype").decode("ascii", "replace").strip()
                for media_type in (EPUB, ODT, ODS, ODP):
                    # Templates and masters (`…-template`) are read like what they become.
                    if declared.startswith(media_type):
                        return media_type
    except (
        BadZipFile,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        EOFError,
        KeyError,
        struct.error,
    ):
        return ZIP
    lowered = [name.casefold().replace("\\", "/").lstrip("/") for name in names]
    if "[content_types].xml" in lowered or any(name.startswith("_rels/") for name in lowered):
        for folder, media_type in (("word/", DOCX), ("ppt/", PPTX), ("xl/", XLSX)):
            if any(name.startswith(folder) for name in lowered):
                return media_type
    if "meta-inf/container.xml" in lowered:
        return EPUB
    return ZIP
