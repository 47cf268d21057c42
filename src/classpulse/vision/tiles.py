"""Where the tiles of a meeting's gallery are, by the lines between them.

The picture is cut again and again along whole lines (the XY-cut of Nagy and Seth 1984): along gutters, which a
program paints in one exact colour, and along sharp straight edges, where tiles touch. What is inside a tile is
a camera's picture, in which hardly any line is straight to the pixel from one side to the other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from classpulse.types import Image, Ints, Mask

    Region: TypeAlias = tuple[int, int, int, int]
    Size: TypeAlias = tuple[int, int]

STEP = 6
"""Difference of two neighbouring pixels, in the channel where it is largest, from which there is an edge between
them: twice what the noise of a compressed picture makes."""
EDGE_SHARE = 0.85
"""Share of a line that must be an edge: lines between tiles of a real gallery have .93 and more."""
EDGE_PEAK = 0.5
"""How much more of it must be one than of the lines 3 px away: a door frame is as straight, and not as sharp."""
FLAT_SHARE = 0.99
"""Share of a line that must have the gutter's colour."""
FLAT = 2
"""How far a pixel may be from the gutter's colour."""
GUTTERS = 3
"""How many of the most frequent colours may be a gutter's."""
GUTTER_SHARE = 0.005
"""Share of the picture that has exactly a gutter's colour, at least."""
THIN_PX = 8
"""Strips that are thinner are gutters, frames around whoever speaks, or the blur of an edge."""
MIN_WIDTH_PX, MIN_HEIGHT_PX = 64, 48
"""Smallest tile; what is smaller is a button or a word."""
ASPECTS = 0.4, 3.0
"""Width over height that tiles have: phones are upright, and a strip of buttons is long."""
ALIKE = 0.06
"""How much two tiles of one size differ in a side: some are found with the frame around whoever speaks."""
DEEPEST = 12
"""Most cuts within each other: window, gallery, row and tile take four."""


def find_tiles(image: Image) -> Ints:
    """Find the tiles of a gallery.

    Args:
        image: (height, width, 3) uint8, BGR: a meeting's window, with or without its bars and lists.

    Returns:
        (T, 4) int64 `x0, y0, x1, y1` px, in reading order; the whole picture where no tile is found in it.
    """
    height, width = image.shape[:2]
    whole = (0, 0, width, height)
    if width < MIN_WIDTH_PX or height < MIN_HEIGHT_PX:
        return np.array([whole], np.int64)
    lines = _Lines.of(image)
    # Tiles of a gallery are alike: what has the size of most of them is not cut, whatever lines are in it.
    seen: list[Region] = []
    _cut(lines, whole, None, None, seen)
    leaves = [box for box in _cut(lines, whole, None, _usual(seen), []) if _is_tile(box)]
    return np.array(leaves or [whole], np.int64)


@dataclass(frozen=True)
class _Lines:
    """Sums from the top left corner, (height + 1, width + 1) int32 each, as of `cv2.integral`.

    Attributes:
        beside: of pixels that differ from their left neighbour.
        above: of pixels that differ from the one above.
        gutters: of pixels in each colour that may be a gutter's.
    """

    beside: NDArray[np.int32]
    above: NDArray[np.int32]
    gutters: tuple[NDArray[np.int32], ...]

    @classmethod
    def of(cls, image: Image) -> _Lines:
        """The lines of a picture."""
        beside = np.zeros(image.shape[:2], np.uint8)
        above = np.zeros(image.shape[:2], np.uint8)
        beside[:, 1:] = _steps(image[:, 1:], image[:, :-1])
        above[1:] = _steps(image[1:], image[:-1])
        # Where a window is scaled, an edge is two pixels wide and not at the same one all along.
        beside[:, 1:] |= beside[:, :-1].copy()
        above[1:] |= above[:-1].copy()
        gutters = []
        for colour in _frequent_colours(image):
            low, high = (np.clip(colour + d, 0, 255).astype(np.float64) for d in (-FLAT, FLAT))
            gutters.append(_sums(cv2.inRange(image, low, high) // 255))
        return cls(_sums(beside), _sums(above), tuple(gutters))

    def rows(self, region: Region) -> _Cuts:
        """Where a region may be cut across."""
        x0, y0, x1, y1 = region
        return _cuts(
            [total[y0 : y1 + 1, x1] - total[y0 : y1 + 1, x0] for total in (self.above, *self.gutters)], x1 - x0
        )

    def columns(self, region: Region) -> _Cuts:
        """Where a region may be cut down."""
        x0, y0, x1, y1 = region
        return _cuts(
            [total[y1, x0 : x1 + 1] - total[y0, x0 : x1 + 1] for total in (self.beside, *self.gutters)], y1 - y0
        )


@dataclass(frozen=True)
class _Cuts:
    """Of each line of a region: whether it is a gutter, by colour, and whether an edge goes along it."""

    flat: list[Mask]
    edge: Mask

    def strips(self, colour: int | None) -> list[tuple[int, int]]:
        """First and last line (exclusive) of what is between gutters of one colour, or None for between edges.

        >>> lines = np.arange(40)
        >>> cuts = _Cuts([lines < 10], lines == 25)
        >>> cuts.strips(0), cuts.strips(None)
        ([(10, 40)], [(0, 25), (25, 40)])
        """
        flat = np.zeros(len(self.edge), np.bool_) if colour is None else self.flat[colour]
        cuts = np.flatnonzero(self.edge[1:] if colour is None else flat[1:] != flat[:-1]) + 1
        bounds = itertools.pairwise([0, *cuts.tolist(), len(flat)])
        return [(a, b) for a, b in bounds if b - a >= THIN_PX and not flat[a]]

    def outer(self, colour: int) -> bool:
        """Whether gutters of this colour go along both sides of the region; along one a photo's tile may lie."""
        return bool(self.flat[colour][0] and self.flat[colour][-1])


def _cuts(sums: list[NDArray[np.int32]], length: int) -> _Cuts:
    """From sums along the lines, of edges and of each gutter's colour."""
    edge = np.pad(np.diff(sums[0]) / length, 3)
    peak = edge[3:-3] - np.maximum(edge[6:], edge[:-6])
    flat = [np.asarray(np.diff(total) >= FLAT_SHARE * length, np.bool_) for total in sums[1:]]
    return _Cuts(flat, np.asarray((edge[3:-3] >= EDGE_SHARE) & (peak >= EDGE_PEAK), np.bool_))


def _sums(mask: Image | cv2.typing.MatLike) -> NDArray[np.int32]:
    return np.asarray(cv2.integral(mask), np.int32)


def _steps(image: Image, neighbour: Image) -> Image:
    """1 where a pixel differs from its neighbour in any channel, else 0."""
    blue, green, red = cv2.split(cv2.absdiff(image, neighbour))
    return np.asarray(cv2.max(cv2.max(blue, green), red) > STEP, np.uint8)


def _frequent_colours(image: Image) -> Ints:
    """(K, 3) int64: the exact colours that much of the picture has; a camera's noise has none."""
    some = image[::4, ::4].reshape(-1, 3).astype(np.int64)
    packed, counts = np.unique(some @ np.array([1, 256, 65536]), return_counts=True)
    most = np.argsort(-counts, kind="stable")[:GUTTERS]
    chosen = packed[most[counts[most] >= GUTTER_SHARE * len(some)]]
    return np.stack([chosen % 256, chosen // 256 % 256, chosen // 65536], axis=1)


def _cut(
    lines: _Lines, region: Region, outside: int | None, usual: Size | None, seen: list[Region], depth: int = 0
) -> list[Region]:
    """Cut a region into what cannot be cut any further, or has the usual size, in reading order.

    The gutter that was cut along last goes first, then one along two sides of the region, then edges, and other colours
    at last: inside a tile there are door frames, and a photo on one colour where a camera is off.

    Args:
        lines: of the picture.
        region: what to cut.
        outside: the colour of the gutter that it was cut out of.
        usual: size of a tile that is not cut.
        seen: gets every region that is met on the way.
        depth: how many cuts there were before.
    """
    x0, y0, x1, y1 = region
    if x1 - x0 < MIN_WIDTH_PX or y1 - y0 < MIN_HEIGHT_PX:
        return []
    seen.append(region)
    if depth == DEEPEST or (usual is not None and _alike(_size(region), usual)):
        return [region]
    rows, columns = lines.rows(region), lines.columns(region)
    colours = range(len(rows.flat))
    order = sorted(colours, key=lambda c: (c != outside, not (rows.outer(c) or columns.outer(c))))
    around = [c for c in order if c == outside or rows.outer(c) or columns.outer(c)]
    for colour in (*around, None, *order[len(around) :]):
        across, down = rows.strips(colour), columns.strips(colour)
        parts = [(x0 + left, y0 + top, x0 + right, y0 + bottom) for top, bottom in across for left, right in down]
        if parts != [region]:
            inner = outside if colour is None else colour
            return [leaf for part in parts for leaf in _cut(lines, part, inner, usual, seen, depth + 1)]
    return [region]


def _usual(regions: list[Region]) -> Size | None:
    """The size that most regions have, of those that may be tiles; where as many have two, the one that fits best."""
    sizes = [_size(region) for region in regions if _is_tile(region)]
    best: tuple[int, int, Size | None] = (1, 0, None)
    for size in sizes:
        alike = [other for other in sizes if _alike(size, other)]
        misfit = sum(abs(size[0] - other[0]) + abs(size[1] - other[1]) for other in alike)
        best = max(best, (len(alike), -misfit, size), key=lambda one: one[:2])
    return best[2] if best[0] > 1 else None


def _size(region: Region) -> Size:
    return region[2] - region[0], region[3] - region[1]


def _alike(size: Size, other: Size) -> bool:
    return all(abs(a - b) <= ALIKE * max(a, b) for a, b in zip(size, other, strict=True))


def _is_tile(region: Region) -> bool:
    width, height = _size(region)
    least, most = ASPECTS
    return width >= MIN_WIDTH_PX and height >= MIN_HEIGHT_PX and least <= width / height <= most
