"""Protobuf messages read without a library, as far as ONNX files need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIXED_SIZES = {1: 8, 5: 4}
"""Bytes of protobuf's wire types of fixed length."""


def fields(message: bytes | memoryview) -> Iterator[tuple[int, memoryview]]:
    r"""The numbered fields of a protobuf message with their content, as it stands in the message.

    >>> [(number, bytes(value)) for number, value in fields(b"\x08\x96\x01\x12\x02hi")]
    [(1, b'\x96\x01'), (2, b'hi')]

    Raises:
        ValueError: the bytes are no such message.
        IndexError: they end too early.
    """
    view, at = memoryview(message), 0
    while at < len(view):
        tag, at = _varint(view, at)
        kind, begin = tag & 7, at
        if kind == 0:
            _, at = _varint(view, at)
        elif kind == 2:
            size, begin = _varint(view, at)
            at = begin + size
        elif kind in _FIXED_SIZES:
            at += _FIXED_SIZES[kind]
        else:
            unknown = f"wire type {kind}"
            raise ValueError(unknown)
        if at > len(view):
            early = f"field {tag >> 3} ends after the message"
            raise IndexError(early)
        yield tag >> 3, view[begin:at]


def whole_numbers(value: memoryview) -> Iterator[int]:
    r"""The whole numbers in a field: one, or several that are packed.

    >>> list(whole_numbers(memoryview(b"\x96\x01\x02")))
    [150, 2]
    """
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    """A number of up to ten bytes of seven bits each, lowest first, and the place after it."""
    value = 0
    for i in range(10):
        value |= (view[at + i] & 0x7F) << (7 * i)
        if view[at + i] < 0x80:
            return value, at + i + 1
    message = "a number of more than ten bytes"
    raise ValueError(message)
