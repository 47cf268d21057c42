"""Files and texts in which something was changed: bits, bytes, lengths, pieces that come twice or are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

NUMBERS = (b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x00\x00\x01", b"\xff\xff\xff\x0f")
WORDS = (
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'"',
    b"-1",
    b"1e999",
    b"NaN",
    b"99999999999999999999",
    b"\\ud800",
    b"\xff\xfe",
)
"""What text formats choke on."""


def mutated(content: bytes, rng: random.Random, *, text: bool = False) -> bytes:
    """A copy with one to eight changes; it may be as long as before, longer, shorter or empty."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        rng.choice(IN_TEXT if text else IN_FILES)(changed, rng)
    return bytes(changed)


def _place(content: bytearray, rng: random.Random) -> int:
    """Mostly in the first kilobyte, where headers are."""
    size = max(1, len(content))
    return rng.randrange(min(size, 1024) if rng.random() < 0.6 else size)


def _flip(content: bytearray, rng: random.Random) -> None:
    if content:
        content[_place(content, rng)] ^= 1 << rng.randrange(8)


def _overwrite(content: bytearray, rng: random.Random) -> None:
    at, new = _place(content, rng), rng.choice((*NUMBERS, rng.randbytes(rng.randrange(1, 16))))
    content[at : at + len(new)] = new


def _cut(content: bytearray, rng: random.Random) -> None:
    del content[_place(content, rng) :]


def _leave_out(content: bytearray, rng: random.Random) -> None:
    at = _place(content, rng)
    del content[at : at + rng.randrange(1, 64)]


def _repeat(content: bytearray, rng: random.Random) -> None:
    at = _place(content, rng)
    content[at:at] = content[at : at + rng.randrange(1, 256)] * rng.randrange(1, 4)


def _word(content: bytearray, rng: random.Random) -> None:
    at, new = _place(content, rng), rng.choice(WORDS)
    content[at : at + rng.choice((0, len(new)))] = new


IN_FILES: Sequence[Callable[[bytearray, random.Random], None]] = (_flip, _flip, _overwrite, _cut, _leave_out, _repeat)
IN_TEXT: Sequence[Callable[[bytearray, random.Random], None]] = (*IN_FILES, _word, _word, _word)
