"""Made-up galleries of a meeting: rooms with their own colours, a camera's noise, gutters, bars and photos."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.types import Faces, Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.types import Image, Ints

BACKGROUND, FILL = (26, 26, 26), (48, 46, 45)


def room(seed: int) -> Image:
    """What a camera sees, (90, 160, 3): a few large patches of colour."""
    patches = np.random.default_rng(seed).integers(20, 230, (4, 5, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(patches, (160, 90), interpolation=cv2.INTER_CUBIC), np.uint8)


def photo(seed: int) -> Image:
    """A tile of somebody whose camera is off: a picture of them on one colour."""
    tile = np.full((90, 160, 3), FILL, np.uint8)
    tile[20:70, 55:105] = room(seed)[:50, :50]
    return tile


@dataclass
class Gallery:
    """A meeting with one face in each tile; names with a `*` have their camera off.

    Attributes:
        columns: tiles in a row; a last row that is not full is in the middle.
        gutter: width between tiles, px.
        scale: size of the tiles, in 160 x 90 px.
        bars: whether there are bars with buttons above and below.
    """

    columns: int = 3
    gutter: int = 8
    scale: float = 1.0
    bars: bool = True
    places: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def show(self, names: Sequence[str], time_s: float) -> tuple[Frame, Faces]:
        """A picture with these people in reading order, and their faces in the same order."""
        width, height = round(160 * self.scale), round(90 * self.scale)
        rows = -(-len(names) // self.columns)
        top = 30 if self.bars else self.gutter
        size = (
            2 * top + rows * (height + self.gutter) - self.gutter,
            self.columns * (width + self.gutter) + self.gutter,
        )
        image = np.full((*size, 3), BACKGROUND, np.uint8)
        if self.bars:
            cv2.putText(image, "Mute  Leave", (10, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (220, 220, 220))
        self.places = {}
        for i, name in enumerate(names):
            row, column = divmod(i, self.columns)
            missing = self.columns * rows - len(names) if row == rows - 1 else 0
            x = self.gutter + column * (width + self.gutter) + missing * (width + self.gutter) // 2
            y = top + row * (height + self.gutter)
            image[y : y + height, x : x + width] = self._tile(name, width, height)
            self.places[name] = x, y, x + width, y + height
        return Frame(image, time_s), faces_in(list(self.places.values()))

    def _tile(self, name: str, width: int, height: int) -> Image:
        seed = zlib.crc32(name.encode())
        tile = cv2.resize(photo(seed) if "*" in name else room(seed), (width, height), interpolation=cv2.INTER_AREA)
        if "*" in name:
            return np.asarray(tile, np.uint8)
        noise = self._rng.normal(0, 1.5, tile.shape)
        return np.asarray(np.clip(tile + noise, 0, 255), np.uint8)

    @property
    def boxes(self) -> Ints:
        """Where the tiles are, in reading order."""
        return np.array(list(self.places.values()), np.int64)


def faces_in(boxes: Sequence[tuple[int, int, int, int]]) -> Faces:
    """A face in the middle of each box."""
    found = np.zeros((len(boxes), 4), np.float32)
    for face, (x0, y0, x1, y1) in zip(found, boxes, strict=True):
        x, y, half = (x0 + x1) / 2, (y0 + y1) / 2, 0.22 * (y1 - y0)
        face[:] = x - half, y - half, x + half, y + half
    centres = (found[:, :2] + found[:, 2:]) / 2
    return Faces(found, np.full(len(found), 0.9, np.float32), np.repeat(centres[:, None], 5, axis=1))
