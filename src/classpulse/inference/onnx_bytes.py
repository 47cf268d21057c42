"""ONNX files written without a library: one protobuf message, field by field.

Only what an installed model needs: its contract added at the end, and a small network put together from weights that
come in another form. Field numbers are those of `onnx.proto`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classpulse.types import Floats, Ints

IR_VERSION, OPSET = 8, 17
_FLOAT, _INT64 = 1, 7
"""Of TensorProto.DataType."""
_INT, _INTS = 2, 7
"""Of AttributeProto.AttributeType."""


def contract_bytes(contract: Mapping[str, object]) -> bytes:
    """A contract as bytes that may follow any ONNX file.

    ONNX is one protobuf message, and a repeated field's further entries may stand at its end: here field 14 of
    ModelProto, `metadata_props`, whose entries hold a key (field 1) and a value (field 2).
    """
    return _field(14, _field(1, b"classpulse") + _field(2, json.dumps(contract).encode()))


class Network:
    """A network in the making: layers are added in order, and `content` is the file."""

    def __init__(self, name: str) -> None:
        """Begin with no layer."""
        self._name = name
        self._nodes: list[bytes] = []
        self._kept: list[bytes] = []

    def keep(self, values: Floats | Ints) -> str:
        """Keep an array; returns its name."""
        name = f"kept{len(self._kept)}"
        whole = values.dtype.kind == "i"
        dims = b"".join(_number(1, size) for size in values.shape)
        raw = _field(9, values.astype("<i8" if whole else "<f4").tobytes())
        self._kept.append(dims + _number(2, _INT64 if whole else _FLOAT) + _field(8, name.encode()) + raw)
        return name

    def add(self, kind: str, inputs: Sequence[str], **settings: int | Sequence[int]) -> str:
        """Add an operator with whole numbers for settings; returns the name of what comes out of it."""
        name = f"{kind.lower()}{len(self._nodes)}"
        node = b"".join(_field(1, word.encode()) for word in inputs)
        node += _field(2, name.encode()) + _field(4, kind.encode())
        for key, value in settings.items():
            if isinstance(value, int):
                said = _number(3, value) + _number(20, _INT)
            else:
                said = b"".join(_number(8, number) for number in value) + _number(20, _INTS)
            node += _field(5, _field(1, key.encode()) + said)
        self._nodes.append(node)
        return name

    def content(self, inputs: tuple[str, Sequence[int]], output: tuple[str, int]) -> bytes:
        """The file, without a contract.

        Args:
            inputs: name, and shape without the batch.
            output: name, and size without the batch.
        """
        graph = b"".join(_field(1, node) for node in self._nodes) + _field(2, self._name.encode())
        graph += b"".join(_field(5, tensor) for tensor in self._kept)
        graph += _field(11, _value(*inputs)) + _field(12, _value(output[0], (output[1],)))
        return _number(1, IR_VERSION) + _field(7, graph) + _field(8, _number(2, OPSET))


def _value(name: str, shape: Sequence[int]) -> bytes:
    """A ValueInfoProto: float32, with any number in the batch."""
    dims = _field(1, _field(2, b"N")) + b"".join(_field(1, _number(1, size)) for size in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, dims)))


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    """Seven bits a byte, lowest first.

    >>> _varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
