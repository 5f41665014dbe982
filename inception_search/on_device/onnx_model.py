"""A part as an ONNX model, without the package onnx, which machines with a runtime often lack."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from inception_search.on_device.parts import Part, arrays


def onnx_model(part: Part, batch_size: int) -> bytes:
    """A part as a serialised ONNX model of opset 17 (the messages of onnx.proto, written field by field)."""
    graph = b"".join(_field(1, _node(*call)) for call in part["calls"]) + _field(2, b"part")
    graph += b"".join(_field(5, _tensor(name, array)) for name, array in arrays(part).items())
    graph += b"".join(_field(11, _value(name, batch_size, shape)) for name, shape in part["inputs"].items())
    graph += _field(12, _value(part["output"], batch_size, part["output_shape"]))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 17))


def _value(name: str, batch_size: int, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(1, _field(1, size)) for size in (batch_size, *shape))
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def _node(kind: str, inputs: Sequence[str], output: str, attributes: Mapping[str, Any]) -> bytes:
    found = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    found += _field(3, output.encode()) + _field(4, kind.encode())
    return found + b"".join(_field(5, _attribute(name, value)) for name, value in attributes.items())


def _attribute(name: str, value: Any) -> bytes:
    found = _field(1, name.encode())
    if isinstance(value, float):
        return found + _varint(2 << 3 | 5) + struct.pack("<f", value) + _field(20, 1)
    if isinstance(value, int):
        return found + _field(3, value) + _field(20, 2)
    return found + b"".join(_field(8, each) for each in value) + _field(20, 7)


def _tensor(name: str, array: Any) -> bytes:
    dims = b"".join(_field(1, size) for size in array.shape)
    kind = {"float32": 1, "int64": 7}[array.dtype.name]
    return dims + _field(2, kind) + _field(8, name.encode()) + _field(9, array.tobytes())


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protobuf message: a whole number, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value & (1 << 64) - 1)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
