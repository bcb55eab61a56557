"""The framing, held against botocore's own reader and against a message worked out by hand."""

from __future__ import annotations

import struct
from zlib import crc32

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer

from tests.doubles.event_stream import event, exception, frame


def read(data: bytes) -> list[tuple[dict[str, str], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(message.headers, message.payload) for message in buffer]


def test_botocore_reads_what_was_framed() -> None:
    data = event("contentBlockDelta", {"text": "三百"}) + exception("throttlingException", "slow down")
    (headers, payload), (error, said) = read(data)
    assert headers == {
        ":event-type": "contentBlockDelta",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    assert payload.decode() == '{"text": "三百"}'
    assert error[":message-type"] == "exception"
    assert error[":exception-type"] == "throttlingException"
    assert said == b'{"message": "slow down"}'


def test_an_empty_message_is_sixteen_bytes() -> None:
    data = frame({}, b"")
    assert len(data) == 16
    assert data[:8] == struct.pack(">II", 16, 0)
    assert data[8:12] == struct.pack(">I", crc32(data[:8]))
    assert data[12:] == struct.pack(">I", crc32(data[:12]))
    assert read(data) == [({}, b"")]


@pytest.mark.parametrize("position", [0, 5, 9, 20, -1])
def test_one_wrong_byte_is_noticed(position: int) -> None:
    data = bytearray(event("metadata", {"a": 1}))
    data[position] ^= 1
    with pytest.raises(ChecksumMismatch):
        read(bytes(data))


def test_half_a_message_is_none() -> None:
    assert read(event("metadata", {"a": 1})[:-1]) == []
