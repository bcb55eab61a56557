"""Compound files: Outlook messages, old Word documents; encrypted Office files are told apart and said to be so."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.building import TextBuilder, one_line
from ingest.compound import Compound
from ingest.decoding import declared_in, decode
from ingest.errors import Unreadable
from ingest.flow import paragraphs
from ingest.limits import Budget
from ingest.media import DOCX, ODP, ODS, ODT, OLE, PDF, PPTX, XLSX, sniff
from ingest.parsers.html import parse_html
from ingest.types import Parsed

_PROPERTY = "__substg1.0_"
_FIELD = re.compile("\x13[^\x13\x14\x15]*(?:\x14([^\x13\x14\x15]*))?\x15")
_NAMED = (
    ("PowerPoint Document", "an old PowerPoint presentation"),
    ("Workbook", "an old Excel workbook"),
    ("Book", "an old Excel workbook"),
    ("FileHeader", "a Hangul document"),
    ("MatOST", "a Works document"),
    ("CONTENTS", "a Works document"),
    ("VisioDocument", "a Visio drawing"),
)


class LegacyParser:
    """Reads `application/x-ole-storage`."""

    version = 1
    media_types = frozenset({OLE})

    def parse(self, raw: bytes, _media_type: str, budget: Budget) -> Parsed:
        """A message or a document; raises Unreadable, naming what it is, for the other kinds."""
        compound = Compound(raw)
        builder = TextBuilder(budget.limits.text_chars)
        if compound.has("EncryptedPackage") or compound.has("EncryptionInfo"):
            raise Unreadable("encrypted: a password is needed")
        if compound.has("WordDocument"):
            return _word(compound, builder)
        if compound.has("__properties_version1.0"):
            return builder.build(_mail(compound, "", builder, budget))
        if compound.has("\x01Ole10Native"):
            return _packed(compound.read("\x01Ole10Native"), builder)
        # What another program embedded as it was: a PDF, or a new Office file.
        for name in ("CONTENTS", "Package"):
            if sniff(compound.read(name)) in {PDF, DOCX, XLSX, PPTX, ODT, ODS, ODP}:
                builder.attach("", compound.read(name))
                return builder.build()
        found = (kind for stream, kind in _NAMED if compound.has(stream))
        raise Unreadable(f"unsupported format: {next(found, 'old Office file')}")


def _word(compound: Compound, builder: TextBuilder) -> Parsed:
    document = compound.read("WordDocument")
    try:
        version, flags = struct.unpack_from("<H", document, 2)[0], struct.unpack_from("<H", document, 10)[0]
        if flags & 0x0100:
            raise Unreadable("encrypted: a password is needed")
        if version < 0xC1:
            raise Unreadable("unsupported format: a Word document older than Word 97")
        table = compound.read("1Table" if flags & 0x0200 else "0Table")
        start, size = struct.unpack_from("<II", document, 0x01A2)
        text = "".join(_pieces(document, table[start : start + size]))
    except struct.error as error:
        raise Unreadable("damaged: not a Word document that can be opened") from error
    # Fields nest: the innermost give way to what they show, until none is left.
    for _ in range(20):
        text, replaced = _FIELD.subn(lambda match: match.group(1) or "", text)
        if not replaced:
            break
    text = text.replace("\x07\x07", "\r").replace("\x07", " | ").replace("\x0b", "\n").replace("\x0c", "\r")
    for paragraph in text.split("\r"):
        builder.paragraph(paragraph.replace("\x1e", "-").replace("\x1f", ""))
    return builder.build()


def _pieces(document: bytes, table: bytes) -> list[str]:
    """The text in the order the piece table gives ([MS-DOC] 2.8.35); raises struct.error when it is damaged."""
    position = 0
    while table[position : position + 1] == b"\x01":
        position += 3 + struct.unpack_from("<H", table, position + 1)[0]
    (size,) = struct.unpack_from("<I", table, position + 1)
    plan = table[position + 5 : position + 5 + size]
    count = max(0, (len(plan) - 4) // 12)
    ends = struct.unpack_from(f"<{count + 1}I", plan, 0)
    found, room = [], len(document)
    for index in range(count):
        (where,) = struct.unpack_from("<I", plan, 4 * (count + 1) + 8 * index + 2)
        length = max(0, ends[index + 1] - ends[index])
        compressed = bool(where & 0x40000000)
        where &= 0x3FFFFFFF
        start, width = (where // 2, 1) if compressed else (where, 2)
        data = document[start : start + length * width]
        room -= len(data)
        if room < 0:
            break  # pieces that overlap would unpack a small file into a large text
        found.append(data.decode("cp1252" if compressed else "utf-16-le", "replace"))
    return found


def _mail(compound: Compound, above: str, builder: TextBuilder, budget: Budget) -> str:
    """One message and those inside it; returns the subject."""
    subject = one_line(_text(compound, above, "0037"))
    builder.heading(subject, 1)
    shown = {
        "From": " ".join(filter(None, (_text(compound, above, "0C1A"), _text(compound, above, "0C1F")))),
        "To": _text(compound, above, "0E04"),
        "Cc": _text(compound, above, "0E03"),
        "Date": _sent(compound, above),
    }
    builder.paragraph("\n".join(f"{k}: {one_line(v, 500)}" for k, v in shown.items() if v), kind="list")
    body = _text(compound, above, "1000")
    html = compound.read(f"{above}{_PROPERTY}10130102")
    if body.strip():
        for paragraph in paragraphs(body.replace("\r\n", "\n")):
            builder.paragraph(paragraph)
    elif html:
        builder.include(parse_html(decode(html, declared_in(html)), budget))
    elif compound.has(f"{above}{_PROPERTY}10090102"):
        builder.warn("the body is compressed rich text, which is not read")
    for storage in sorted({n[len(above) :].split("/")[0] for n in compound.names() if n.startswith(above)}):
        if storage.startswith("__attach"):
            budget.member()
            _attachment(compound, f"{above}{storage}/", builder, budget)
    return subject


def _attachment(compound: Compound, above: str, builder: TextBuilder, budget: Budget) -> None:
    name = _text(compound, above, "3707") or _text(compound, above, "3704") or "attachment"
    inner = f"{above}{_PROPERTY}3701000D/"
    if compound.has(f"{inner}__properties_version1.0"):
        if inner.count("__attach") < budget.limits.depth:
            _mail(compound, inner, builder, budget)
        return
    data = compound.read(f"{above}{_PROPERTY}37010102")
    if data and not _text(compound, above, "370E").startswith("image/"):
        budget.spend(len(data))
        builder.attach(one_line(name, 120), data)


def _text(compound: Compound, above: str, tag: str) -> str:
    """A text property: as UTF-16, or as bytes in some code page."""
    wide = compound.read(f"{above}{_PROPERTY}{tag}001F")
    if wide:
        return wide.decode("utf-16-le", "replace").rstrip("\0")
    narrow = compound.read(f"{above}{_PROPERTY}{tag}001E").rstrip(b"\0")
    return decode(narrow) if narrow else ""


def _sent(compound: Compound, above: str) -> str:
    properties = compound.read(f"{above}__properties_version1.0")
    for tag in (0x00390040, 0x0E060040):
        for start in range(8, len(properties) - 15, 8):
            if struct.unpack_from("<I", properties, start)[0] == tag:
                (ticks,) = struct.unpack_from("<Q", properties, start + 8)
                # Tenths of microseconds since 1601; what lies beyond year 9999 is damage.
                if 0 < ticks < 2_650_467_744_000_000_000:
                    return (
                        datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
                    ).isoformat()
    return ""


def _packed(native: bytes, builder: TextBuilder) -> Parsed:
    """A file that a document's author put in as an object: its name, its paths, its bytes."""
    parts = native[6:].split(b"\0", 2)
    if len(parts) < 3:
        raise Unreadable("damaged: an embedded object without content")
    name = parts[0].decode("cp1252", "replace")
    position = len(native) - len(parts[2]) + 4
    (length,) = struct.unpack_from("<I", native, position) if len(native) >= position + 4 else (0,)
    position += 4 + length
    (size,) = struct.unpack_from("<I", native, position) if len(native) >= position + 4 else (0,)
    builder.attach(one_line(name, 120), native[position + 4 : position + 4 + size])
    return builder.build()


def build(_settings: Mapping[str, Any]) -> LegacyParser:
    """There is nothing to set."""
    return LegacyParser()
