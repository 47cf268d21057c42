"""Quantized convolutions in the form for which onnxruntime has a kernel with AMX, the matrix unit of newer Xeons.

Where the weights of a convolution have the zero point 0, onnxruntime (1.32) computes it with VNNI, also on a processor
that has AMX; where they have another, it computes a product of matrices, with AMX. Weights and zero point that are both
greater by one stand for the same numbers, `scale * ((w + 1) - 1)`, so that whatever the network says stays the same to
the last bit (decision 032).
"""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from classpulse.inference.protobuf import fields, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Bytes = NDArray[np.int8]

MIN_DEPTH = 256
"""Weights for each channel that comes out, from which AMX is faster: it takes 64 at once, and has its own costs."""
MIN_WEIGHTS = 1 << 15
"""Weights of a convolution from which it is: a few channels do not fill its tiles."""

_GRAPH = 7
"""Of ModelProto."""
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12
"""Of GraphProto."""
_NODE_INPUT, _NODE_KIND, _NODE_ATTRIBUTE = 1, 4, 5
_ATTRIBUTE_GRAPHS = {6, 11}
_DIMS, _TYPE, _INT32_DATA, _NAME, _RAW_DATA = 1, 2, 5, 8, 9
"""Of TensorProto."""
_INT8 = 3
"""Of TensorProto.DataType."""
_GREATEST = 127
"""That a signed byte holds."""


class _Tensor(NamedTuple):
    """Signed bytes, where they stand in a model file."""

    dims: tuple[int, ...]
    values: Bytes


class _Node(NamedTuple):
    """An operator, what goes into it, and whether it holds operators itself."""

    kind: bytes
    inputs: list[bytes]
    holds_a_graph: bool


def for_amx(content: bytes) -> bytes:
    """The same network, its larger quantized convolutions in the form that is computed with AMX.

    Args:
        content: an ONNX file. One that holds no such convolution, or that is none, comes back as it is.
    """
    changed = bytearray(content)
    try:
        found = list(_symmetric_weights(memoryview(changed)))
    except (IndexError, ValueError):
        return content  # whoever opens it says what is wrong with it
    for values in (array for pair in found for array in pair):
        np.add(values, 1, out=values)
    return bytes(changed) if found else content


def _symmetric_weights(model: memoryview) -> Iterator[tuple[Bytes, Bytes]]:
    """Weights, and their zero points, that are all 0; of the larger convolutions only."""
    parts = [part for number, graph in fields(model) if number == _GRAPH for part in fields(graph)]
    nodes = [_node(value) for number, value in parts if number == _NODE]
    if any(node.holds_a_graph for node in nodes):
        return  # which might use the same tensors
    tensors = dict(_int8_tensors(parts))
    uses = Counter(name for node in nodes for name in node.inputs)
    uses.update(bytes(dict(fields(value)).get(1, b"")) for number, value in parts if number == _OUTPUT)
    for node in nodes:
        if node.kind != b"DequantizeLinear" or len(node.inputs) != 3:
            continue
        names = node.inputs[0], node.inputs[2]
        weights, zero_point = (tensors.get(name) for name in names)
        if weights is None or zero_point is None or any(uses[name] > 1 for name in names):
            continue
        if _is_large(weights.dims) and not zero_point.values.any() and weights.values.max() < _GREATEST:
            yield weights.values, zero_point.values


def _node(content: memoryview) -> _Node:
    said = list(fields(content))
    kind = bytes(dict(said).get(_NODE_KIND, b""))
    attributes = [value for number, value in said if number == _NODE_ATTRIBUTE]
    holds = any(number in _ATTRIBUTE_GRAPHS for attribute in attributes for number, _ in fields(attribute))
    return _Node(kind, [bytes(value) for number, value in said if number == _NODE_INPUT], holds)


def _is_large(dims: tuple[int, ...]) -> bool:
    """Whether these are the weights of a convolution of planes that is worth it: channels out, in, height, width."""
    return len(dims) == 4 and prod(dims[1:]) >= MIN_DEPTH and prod(dims) >= MIN_WEIGHTS


def _int8_tensors(graph: list[tuple[int, memoryview]]) -> Iterator[tuple[bytes, _Tensor]]:
    """The graph's tensors of signed bytes by name, as far as each number stands in one byte of the file."""
    for number, value in graph:
        if number != _INITIALIZER:
            continue
        tensor = list(fields(value))
        said = dict(tensor)
        if list(whole_numbers(said.get(_TYPE, memoryview(b"")))) != [_INT8]:
            continue
        dims = tuple(size for kind, part in tensor if kind == _DIMS for size in whole_numbers(part))
        # Small ones may stand as 32-bit numbers of one to ten bytes each: zeros take one, and so do ones.
        held = said.get(_RAW_DATA, said.get(_INT32_DATA, memoryview(b"")))
        if len(held) == prod(dims):
            yield bytes(said.get(_NAME, b"")), _Tensor(dims, np.frombuffer(held, np.int8))
