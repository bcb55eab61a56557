"""Writes small compound files, so that what reads them is tested against something not written by itself."""

from __future__ import annotations

import struct
from collections.abc import Mapping

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of these streams (`name` or `storage/name`), with no mini-stream: its bound is set to zero."""
    storages = sorted({path.split("/")[0] for path in streams if "/" in path})
    top = [*storages, *(path for path in streams if "/" not in path)]
    records: list[dict[str, object]] = [{"name": "Root Entry", "kind": 5, "child": 1 if top else _FREE}]
    for name in top:
        records.append({"name": name, "kind": 1 if name in storages else 2, "data": streams.get(name, b"")})
    for place in range(1, len(top)):
        records[place]["right"] = place + 1
    for place, storage in enumerate(storages, start=1):
        inside = [path for path in streams if path.startswith(f"{storage}/")]
        records[place]["child"] = len(records)
        for number, path in enumerate(inside):
            records.append({"name": path.split("/", 1)[1], "kind": 2, "data": streams[path]})
            if number + 1 < len(inside):
                records[-1]["right"] = len(records)
    body, fat = b"", []
    for record in records:
        data = record.get("data")
        if isinstance(data, bytes) and data:
            padded = data.ljust(-(-len(data) // _SECTOR) * _SECTOR, b"\0")
            record["start"], record["size"] = len(fat), len(data)
            count = len(padded) // _SECTOR
            fat += [*range(len(fat) + 1, len(fat) + count), _END]
            body += padded
    directory = b"".join(_record(record) for record in records)
    directory = directory.ljust(-(-len(directory) // _SECTOR) * _SECTOR, b"\0")
    start = len(fat)
    count = len(directory) // _SECTOR
    fat += [*range(start + 1, start + count), _END]
    body += directory
    # The table also lists its own sectors.
    own = 1
    while own * (_SECTOR // 4) < len(fat) + own:
        own += 1
    tables = list(range(len(fat), len(fat) + own))
    fat += [_FAT] * own
    fat += [_FREE] * (own * (_SECTOR // 4) - len(fat))
    body += struct.pack(f"<{len(fat)}I", *fat)
    header = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    header += struct.pack("<IIIIIIIII", 0, own, start, 0, 0, _END, 0, _END, 0)
    header += struct.pack("<109I", *(tables + [_FREE] * (109 - own)))
    return header + body


def _record(record: dict[str, object]) -> bytes:
    name = str(record["name"]).encode("utf-16-le") + b"\0\0"
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBB", len(name), record["kind"], 1)
        + struct.pack("<III", _FREE, record.get("right", _FREE), record.get("child", _FREE))
        + bytes(36)
        + struct.pack("<IQ", record.get("start", 0), record.get("size", 0))
    )


def message_file(
    subject: str = "Return policy", body: str = "Goods can be returned within seven days of delivery."
) -> bytes:
    """An Outlook message with one attachment."""
    prefix = "__substg1.0_"
    return compound(
        {
            "__properties_version1.0": bytes(32)
            + struct.pack("<IIQ", 0x00390040, 6, 133_500_000_000_000_000),
            f"{prefix}0037001F": subject.encode("utf-16-le"),
            f"{prefix}1000001F": body.encode("utf-16-le"),
            f"{prefix}0C1A001F": "Sato".encode("utf-16-le"),
            f"__attach_version1.0_#00000000/{prefix}3707001F": "notes.txt".encode("utf-16-le"),
            f"__attach_version1.0_#00000000/{prefix}37010102": "送料はお客様のご負担となります。".encode(),
        }
    )


def word_file(text: str, *, compressed: bool = False, encrypted: bool = False) -> bytes:
    """An old Word document with one piece of text."""
    document = bytearray(1024)
    struct.pack_into("<HH", document, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", document, 10, 0x0200 | (0x0100 if encrypted else 0))
    data = text.encode("cp1252" if compressed else "utf-16-le")
    where = 1024 * 2 | 0x40000000 if compressed else 1024
    plan = struct.pack("<II", 0, len(text)) + struct.pack("<HIH", 0, where, 0)
    table = b"\x02" + struct.pack("<I", len(plan)) + plan
    struct.pack_into("<II", document, 0x01A2, 0, len(table))
    return compound({"WordDocument": bytes(document) + data, "1Table": table})
