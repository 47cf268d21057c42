"""Whether a face on a screen moves, or is a picture of somebody whose camera is off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from classpulse.types import Floats, Image

    Key: TypeAlias = tuple[int, ...]
    Box: TypeAlias = tuple[int, ...]

CHANGE = 4
"""Difference of a pixel, in the channel where it is largest, from which it has changed; a still picture has none."""
SHARE = 0.01
"""Share of a face's pixels that must change at once."""
TIMES = 2
"""How often it must have changed to be believed."""
MAX_KEPT = 500
"""Most places that are remembered; what has not moved lately goes first."""


@dataclass(slots=True)
class _Motion:
    """When faces of one tile moved last, and how often they did."""

    last_s: float = -math.inf
    times: int = 0


class MotionWatch:
    """Compares each face with the picture before; a camera's picture is never twice the same for long."""

    def __init__(self, static_s: float) -> None:
        """Know of no motion.

        Args:
            static_s: how long nothing may change in a face that counts.
        """
        self._static_s = static_s
        self._motions: dict[Key, _Motion] = {}
        self._before: Image | None = None
        self._tiles: dict[Key | None, Box] = {}

    def watch(
        self, image: Image, boxes: Floats, keys: Sequence[Key | None], tiles: Sequence[Box], time_s: float
    ) -> None:
        """Look at the next picture.

        Args:
            image: (height, width, 3) uint8, BGR.
            boxes: (N, 4) of the faces, px.
            keys: N names of the faces' tiles; None for one that is not known, which is left out.
            tiles: N places of these tiles: a face in one that moved is not compared, for all of it has changed.
            time_s: of the picture.
        """
        before, self._before = self._before, image
        tiles_before, self._tiles = self._tiles, dict(zip(keys, tiles, strict=True))
        if before is None or before.shape != image.shape:
            return
        for box, key, tile in zip(boxes, keys, tiles, strict=True):
            if key is None or tiles_before.get(key) != tile:
                continue
            motion = self._motions.setdefault(key, _Motion())
            if motion.last_s < time_s and _changed(before, image, box):
                motion.last_s, motion.times = time_s, motion.times + 1
        if len(self._motions) > MAX_KEPT:
            self._motions = {key: motion for key, motion in self._motions.items() if self.is_live(key, time_s)}

    def is_live(self, key: Key | None, time_s: float) -> bool:
        """Whether the faces of a tile have moved lately."""
        motion = self._motions.get(key) if key is not None else None
        return motion is not None and motion.times >= TIMES and time_s - motion.last_s <= self._static_s


def _changed(before: Image, image: Image, box: Floats) -> bool:
    """Whether what is in a box has changed."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = np.clip(box, 0, (width, height, width, height)).astype(int).tolist()
    if x1 <= x0 or y1 <= y0:
        return False
    change = cv2.absdiff(image[y0:y1, x0:x1], before[y0:y1, x0:x1]).max(axis=2)
    return bool((change >= CHANGE).mean() >= SHARE)
