"""Pictures that are the same one: cropped, scaled, lit or compressed a little differently, by perceptual hash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.training.faces.faceset import SIDE_PX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

NEAR_BITS = 6
"""Two faces whose hashes differ in no more bits are one picture.

Judged by eye on FER-2013's 35,710 faces, from pairs drawn at random: of 160 pairs 6 bits apart all were one picture
(moved or scaled by a pixel or two, with a watermark, lighter or darker), of 160 pairs 8 bits apart 146 were, of 80
pairs 10 bits apart 39. Up to 6 bits there are 4,773 pairs, up to 8 there are 6,111, up to 10 there are 8,998: at 8 some
85 more faces of each test are rightly found to be in Training, and some 15 wrongly. Found again
are all faces that are compressed to JPEG quality 60, shrunk to 30 px and enlarged, or darkened, and 58 % of those that
lost a pixel on every side (83 % at 8 bits). A distance is always even, because half of the bits of each hash are set.
"""
_BATCH = 2048
_TILE = (64, 8192)
"""Hashes that are compared at once: the 4 MB of their differences stay in the processor's cache."""
_EDGES = 4_000_000
"""Pairs that are kept before they are merged into groups."""


def perceptual_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Hash faces so that pictures that look the same differ in few bits.

    The 8 x 8 lowest frequencies of the discrete cosine transform, without the first row and column, each a bit: whether
    it lies above the median of them all. This is pHash's DCT hash (C. Zauner, "Implementation and Benchmarking of
    Perceptual Image Hash Functions", 2010, section 3.2.1), but at the size the faces have, where that scales to 32 px.

    Args:
        images: (N, 48, 48) uint8.

    Returns:
        (N,) uint64. A picture of one gray has the hash 0, which no other picture comes near.

    Raises:
        ValueError: the images are of another shape or type.
    """
    if images.ndim != 3 or images.shape[1:] != (SIDE_PX, SIDE_PX) or images.dtype != np.uint8:
        message = f"images are {images.dtype} {images.shape}, not uint8 (N, {SIDE_PX}, {SIDE_PX})"
        raise ValueError(message)
    waves = _waves()
    hashes = np.empty(len(images), np.uint64)
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH].astype(np.float64)
        # Takes nothing from these frequencies, but leaves exact zeros of a picture of one gray.
        batch -= batch.mean(axis=(1, 2), keepdims=True)
        strengths = (waves @ batch @ waves.T).reshape(len(batch), 64)
        bits = strengths > np.median(strengths, axis=1, keepdims=True)
        hashes[start : start + _BATCH] = np.packbits(bits, axis=1).view(">u8")[:, 0]
    return hashes


def near_duplicates(
    hashes: NDArray[np.uint64], reference: NDArray[np.uint64], max_bits: int = NEAR_BITS
) -> NDArray[np.bool_]:
    """Which pictures are also in another set.

    Every pair is compared, in tiles of a few MB: 100 million pairs take a fifth of a second.

    Args:
        hashes: (N,) uint64, of the pictures in question.
        reference: (M,) uint64, of the other set.
        max_bits: in how many bits two hashes of one picture may differ.

    Returns:
        (N,) bool.

    >>> near_duplicates(np.array([0b1111, 0b0001], np.uint64), np.array([0b0111], np.uint64), max_bits=1).tolist()
    [True, False]
    """
    distinct, place = np.unique(hashes, return_inverse=True)
    found = np.zeros(len(distinct), np.bool_)
    for rows, _ in _close(distinct, np.unique(reference), max_bits):
        found[rows] = True
    return found[place]


def groups(hashes: NDArray[np.uint64], max_bits: int = NEAR_BITS) -> list[NDArray[np.intp]]:
    """Which pictures of one set are the same.

    A group holds whatever is connected by near pairs: its two ends may differ in more than `max_bits`.

    Args:
        hashes: (N,) uint64.
        max_bits: in how many bits two hashes of one picture may differ.

    Returns:
        Indices of each group of at least two, rising; groups in the order of their first picture.

    >>> groups(np.array([0b1111, 0b110000, 0b0111, 0b0011], np.uint64), max_bits=1)
    [array([0, 2, 3])]
    """
    distinct, place = np.unique(hashes, return_inverse=True)
    labels = np.arange(len(distinct))
    waiting: list[tuple[NDArray[np.intp], NDArray[np.intp]]] = []
    count = 0
    for rows, columns in _close(distinct, distinct, max_bits, above_diagonal=True):
        waiting.append((rows, columns))
        count += len(rows)
        if count > _EDGES:  # a set in which everything is alike has more pairs than memory holds
            labels, waiting, count = _connect(labels, waiting), [], 0
    owner = _connect(labels, waiting)[place]
    order = np.argsort(owner, kind="stable")
    borders = np.flatnonzero(np.diff(owner[order])) + 1
    found = [group for group in np.split(order, borders) if len(group) > 1]
    return sorted(found, key=lambda group: int(group[0]))


def _waves() -> NDArray[np.float64]:
    """(8, 48): the lowest frequencies of the orthonormal cosine transform (DCT-II), without the constant one."""
    places = (np.arange(SIDE_PX) + 0.5) / SIDE_PX
    waves = np.sqrt(2 / SIDE_PX) * np.cos(np.pi * np.arange(1, 9)[:, None] * places)
    return np.asarray(waves, np.float64)


def _connect(labels: NDArray[np.intp], pairs: list[tuple[NDArray[np.intp], NDArray[np.intp]]]) -> NDArray[np.intp]:
    """Groups so far, as the first hash of its group for each hash, and what new pairs make of them."""
    first = labels
    a = np.concatenate([labels[:0], *(rows for rows, _ in pairs)])
    b = np.concatenate([labels[:0], *(columns for _, columns in pairs)])
    while (apart := first[a] != first[b]).any():
        a, b = a[apart], b[apart]  # the others are joined for good
        first = first.copy()
        np.minimum.at(first, np.maximum(first[a], first[b]), np.minimum(first[a], first[b]))
        while (first != first[first]).any():
            first = first[first]
    return first


def _close(
    hashes: NDArray[np.uint64], reference: NDArray[np.uint64], max_bits: int, *, above_diagonal: bool = False
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Indices of the pairs that differ in at most `max_bits`, a tile at a time."""
    height, width = _TILE
    for top in range(0, len(hashes), height):
        for left in range(top // width * width if above_diagonal else 0, len(reference), width):
            differences = hashes[top : top + height, None] ^ reference[left : left + width]
            near = np.flatnonzero(np.bitwise_count(differences) <= max_bits)
            if not near.size:
                continue
            rows, columns = np.divmod(near, differences.shape[1])
            rows, columns = rows + top, columns + left
            kept = columns > rows if above_diagonal else slice(None)
            yield rows[kept], columns[kept]
