"""Writes the few ONNX messages a small graph needs, straight in protobuf's wire format.

The `onnx` package would be a heavy dependency for a 30 KB file. Field numbers: `onnx.proto3` of the ONNX
specification (IR version 9, opset 20).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

FLOAT, INT64 = 1, 7
"""`TensorProto.DataType` of the two element types used."""

_IR_VERSION, _OPSET = 9, 20
_VARINT, _BYTES, _FIXED32 = 0, 2, 5


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative int64 in two's complement, as protobuf wants it
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _integer(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _bytes(number: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _attribute(name: str, value: float | Sequence[int]) -> bytes:
    """An AttributeProto: an int, a float or a list of ints."""
    if isinstance(value, int):
        body = _integer(3, value) + _integer(20, 2)
    elif isinstance(value, float):
        body = _varint(2 << 3 | _FIXED32) + struct.pack("<f", value) + _integer(20, 1)
    else:
        body = b"".join(_integer(8, item) for item in value) + _integer(20, 7)
    return _bytes(1, name) + body


def _value_info(name: str, element: int, shape: Sequence[str | int]) -> bytes:
    """A ValueInfoProto of a tensor; a string in `shape` is a symbolic dimension."""
    dimensions = b"".join(
        _bytes(1, _bytes(2, size) if isinstance(size, str) else _integer(1, size)) for size in shape
    )
    tensor = _integer(1, element) + _bytes(2, dimensions)
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


@dataclass
class Graph:
    """A graph under construction; `bytes(graph)` is the ModelProto."""

    name: str
    _nodes: list[bytes] = field(default_factory=list)
    _initializers: list[bytes] = field(default_factory=list)
    _inputs: list[bytes] = field(default_factory=list)
    _outputs: list[bytes] = field(default_factory=list)

    def input(self, name: str, element: int, shape: Sequence[str | int]) -> str:
        """Declare an input; returns its name."""
        self._inputs.append(_value_info(name, element, shape))
        return name

    def output(self, name: str, element: int, shape: Sequence[str | int]) -> None:
        """Declare which value comes out."""
        self._outputs.append(_value_info(name, element, shape))

    def node(self, operator: str, inputs: Sequence[str], **attributes: float | Sequence[int]) -> str:
        """Add an operator with one output; returns the output's name."""
        output = f"{operator}_{len(self._nodes)}"
        body = b"".join(_bytes(1, item) for item in inputs) + _bytes(2, output)
        body += _bytes(3, output) + _bytes(4, operator)
        body += b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
        self._nodes.append(body)
        return output

    def integers(self, values: Sequence[int]) -> str:
        """Add a constant vector of int64; returns its name."""
        return self._constant([len(values)], INT64, struct.pack(f"<{len(values)}q", *values))

    def number(self, value: float) -> str:
        """Add a constant float scalar; returns its name."""
        return self._constant([], FLOAT, struct.pack("<f", value))

    def external(self, name: str, shape: Sequence[int], location: str, offset: int, length: int) -> str:
        """Add a float tensor that lies in another file at `offset`, `length` bytes long; returns its name."""
        where = {"location": location, "offset": str(offset), "length": str(length)}
        entries = b"".join(_bytes(13, _bytes(1, key) + _bytes(2, value)) for key, value in where.items())
        self._initializers.append(self._tensor(name, shape, FLOAT) + entries + _integer(14, 1))
        return name

    def __bytes__(self) -> bytes:
        graph = b"".join(_bytes(1, node) for node in self._nodes) + _bytes(2, self.name)
        graph += b"".join(_bytes(5, tensor) for tensor in self._initializers)
        graph += b"".join(_bytes(11, item) for item in self._inputs)
        graph += b"".join(_bytes(12, item) for item in self._outputs)
        opset = _bytes(1, "") + _integer(2, _OPSET)
        return _integer(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, opset)

    @staticmethod
    def _tensor(name: str, shape: Sequence[int], element: int) -> bytes:
        return b"".join(_integer(1, size) for size in shape) + _integer(2, element) + _bytes(8, name)

    def _constant(self, shape: Sequence[int], element: int, raw: bytes) -> str:
        name = f"constant_{len(self._initializers)}"
        self._initializers.append(self._tensor(name, shape, element) + _bytes(9, raw))
        return name
