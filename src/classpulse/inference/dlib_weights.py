"""dlib's face recognition network, read from its own file format and written as ONNX.

A ResNet of 29 convolutions (King, dlib 19.3, 2017; after He et al. 2016, arXiv 1512.03385) for aligned faces of
150 x 150 px. A file holds its layers from the input on, each with a word for its kind before its numbers; batch norm is
a scale and a shift there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from classpulse.errors import ModelError
from classpulse.inference.onnx_bytes import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.types import Floats

SIDE_PX, SIZE = 150, 128
STAGES = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Channels, blocks, and whether the first block halves the picture."""
_LAYER = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")


class _Picture(NamedTuple):
    """What flows between two layers: its name in the graph, its channels and its side."""

    name: str
    channels: int
    side: int


def convert(content: bytes) -> bytes:
    """Write the network as ONNX, without a contract.

    Args:
        content: `dlib_face_recognition_resnet_model_v1.dat`.

    Returns:
        An ONNX file: `faces` (N, 3, 150, 150) in, `gemm…` (N, 128) out.

    Raises:
        ModelError: the bytes are not that network.
    """
    try:
        return _write(_arrays(content))
    except (IndexError, StopIteration, ValueError) as error:
        message = f"this is not dlib's face recognition network: {str(error) or 'it ends too early'}"
        raise ModelError(message) from None


def _write(arrays: Iterator[Floats]) -> bytes:
    graph = Network("dlib")
    x = _convolve(graph, _Picture("faces", 3, SIDE_PX), arrays, channels=32, kernel=7, stride=2)
    pooled = graph.add("MaxPool", [graph.add("Relu", [x.name])], kernel_shape=[3, 3], strides=[2, 2])
    x = _Picture(pooled, x.channels, (x.side - 3) // 2 + 1)
    for channels, blocks, halves in STAGES:
        for i in range(blocks):
            x = _block(graph, x, arrays, channels, halves=halves and i == 0)
    last = graph.keep(next(arrays).reshape(x.channels, SIZE))
    flat = graph.add("Flatten", [graph.add("GlobalAveragePool", [x.name])])
    out = graph.add("Gemm", [flat, last])
    return graph.content(("faces", (3, SIDE_PX, SIDE_PX)), (out, SIZE))


def _block(graph: Network, x: _Picture, arrays: Iterator[Floats], channels: int, *, halves: bool) -> _Picture:
    """Two convolutions and the way around them."""
    inner = _convolve(graph, x, arrays, channels=channels, kernel=3, stride=2 if halves else 1)
    relu = inner._replace(name=graph.add("Relu", [inner.name]))
    inner = _convolve(graph, relu, arrays, channels=channels, kernel=3, stride=1)
    if halves:
        pooled = graph.add("AveragePool", [x.name], kernel_shape=[2, 2], strides=[2, 2])
        x = _Picture(pooled, x.channels, (x.side - 2) // 2 + 1)
    side = max(x.side, inner.side)
    parts = [_pad(graph, part, channels, side) for part in (inner, x)]
    return _Picture(graph.add("Relu", [graph.add("Add", parts)]), channels, side)


def _convolve(
    graph: Network, x: _Picture, arrays: Iterator[Floats], *, channels: int, kernel: int, stride: int
) -> _Picture:
    """A convolution with its scale and shift folded in; dlib pads only those of stride 1."""
    numbers, norm = next(arrays), next(arrays).reshape(2, channels)
    weights = numbers[:-channels].reshape(channels, x.channels, kernel, kernel) * norm[0][:, None, None, None]
    bias = numbers[-channels:] * norm[0] + norm[1]
    pad = kernel // 2 if stride == 1 else 0
    settings = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [pad] * 4}
    name = graph.add("Conv", [x.name, graph.keep(weights), graph.keep(bias)], **settings)
    return _Picture(name, channels, (x.side + 2 * pad - kernel) // stride + 1)


def _pad(graph: Network, x: _Picture, channels: int, side: int) -> str:
    """Zeros behind the last channel, to the right and below, as dlib adds pictures of different sizes."""
    if (x.channels, x.side) == (channels, side):
        return x.name
    after = [0, channels - x.channels, side - x.side, side - x.side]
    return graph.add("Pad", [x.name, graph.keep(np.array([0, 0, 0, 0, *after], np.int64))])


def _arrays(content: bytes) -> Iterator[Floats]:
    """The numbers of each layer that has some, from the input on."""
    for found in _LAYER.finditer(content):
        at = found.end()
        if found.group().endswith(b"fc_2"):
            for _ in range(2):  # its outputs and inputs come first
                _, at = _integer(content, at)
        _, at = _integer(content, at)  # the version of the array's own format
        count = 1
        for _ in range(4):
            size, at = _integer(content, at)
            count *= size
        yield np.frombuffer(content, "<f4", count, at)


def _integer(content: bytes, at: int) -> tuple[int, int]:
    """A number and the place after it: a byte with its length, then its bytes, lowest first."""
    length = content[at] & 0x0F
    return int.from_bytes(content[at + 1 : at + 1 + length], "little"), at + 1 + length
