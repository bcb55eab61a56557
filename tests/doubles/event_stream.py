"""AWS event-stream framing: prelude, headers, payload, and a CRC-32 over each.

total length (4) | headers length (4) | CRC of those 8 bytes (4) | headers | payload | CRC of all before (4);
a header is name length (1) | name | type 7 = string (1) | value length (2) | value. Big-endian throughout.
"""

from __future__ import annotations

import json
import struct
from typing import Any
from zlib import crc32


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    total = 4 + 4 + 4 + len(packed) + len(payload) + 4
    prelude = struct.pack(">II", total, len(packed))
    message = prelude + struct.pack(">I", crc32(prelude)) + packed + payload
    return message + struct.pack(">I", crc32(message))


def event(name: str, payload: dict[str, Any]) -> bytes:
    """An event with a JSON payload."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(payload, ensure_ascii=False).encode())


def exception(name: str, message: str) -> bytes:
    """A modelled exception inside the stream."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + b"\x07" + struct.pack(">H", len(text)) + text
