"""Which tile is which, also after they changed places: by what is in a tile around the faces.

A tile is remembered as a picture of a few hundred blurred cells, faces left out, in memory and while the class runs.
That tells a room, a wall and clothes from others; it tells nobody from somebody else in the same room, is not made
of a face, and is never stored, so that it is no recognition of people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.geometry import iou
from classpulse.vision.assignment import assign

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from classpulse.types import Faces, Floats, Image, Ints

    Box: TypeAlias = tuple[int, ...]

COLUMNS, ROWS = 32, 18
"""Cells of a tile's look."""
SAME_COLOUR = 24
"""Difference of a cell, in the channel where it is largest, up to which it shows the same."""
SAME = 0.35
"""Share of cells that changed up to which a tile is taken to show what it showed a moment ago. In a real gallery .25 of
them change from one picture to the next where people walk about, .1 where they sit."""
MATCH = 0.45
"""The same up to which a tile may be one that was elsewhere; two tiles of a real gallery differ in .6 and more."""
OTHER = 0.6
"""The same up to which a tile that is nowhere else stays what it was: somebody came near, or switched on a light."""
STAY = 0.05
"""How much less likely it is that tiles changed places than that they stayed."""
SAME_BOX = 0.9
"""Intersection over union from which two boxes are one, seen twice."""
SLOWLY_S = 20.0
"""Time constant of what is remembered of a tile beside its newest look."""
MAX_KNOWN = 100
"""Most tiles that are remembered; those that were out of sight for longest are forgotten first."""


def looks(image: Image, boxes: Ints, faces: Faces) -> Floats:
    """What tiles show around the faces.

    Args:
        image: (height, width, 3) uint8, BGR.
        boxes: (T, 4) of the tiles, px, within the picture.
        faces: what is left out of them.

    Returns:
        (T, 18, 32, 3) float32, BGR by cell; NaN where there is a face.
    """
    found = np.empty((len(boxes), ROWS, COLUMNS, 3), np.float32)
    for look, (x0, y0, x1, y1) in zip(found, boxes.tolist(), strict=True):
        look[:] = cv2.resize(image[y0:y1, x0:x1], (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
        cell = np.array([(x1 - x0) / COLUMNS, (y1 - y0) / ROWS] * 2)
        inside = (faces.boxes - np.array([x0, y0, x0, y0])) / cell
        for left, top, right, bottom in inside.clip(0, (COLUMNS, ROWS, COLUMNS, ROWS)).tolist():
            look[int(top) : math.ceil(bottom), int(left) : math.ceil(right)] = np.nan
    return found


def differences(a: Floats, b: Floats) -> Floats:
    """Share of cells, of those that are told in both looks, that differ.

    Args:
        a: (..., 18, 32, 3) looks.
        b: (..., 18, 32, 3) looks; the other axes are matched as NumPy does it.

    Returns:
        (...) float32, 0 to 1; 1 where hardly a cell is told in both.
    """
    steps = np.abs(a - b)
    step = np.maximum(np.maximum(steps[..., 0], steps[..., 1]), steps[..., 2])
    told = np.isfinite(step).sum(axis=(-2, -1))
    differing = (step > SAME_COLOUR).sum(axis=(-2, -1))
    return np.where(told >= 0.1 * ROWS * COLUMNS, differing / np.maximum(told, 1), 1).astype(np.float32)


@dataclass(slots=True)
class _Known:
    """A tile that has a number.

    Attributes:
        newest: its look when it was last seen, (18, 32, 3); a cell behind a face shows what was there before.
        usual: the same, as it is most of the time.
        seen_s: when it was last seen.
    """

    newest: Floats
    usual: Floats
    seen_s: float

    def see(self, look: Floats, time_s: float) -> None:
        weight = 1 - math.exp(-max(time_s - self.seen_s, 0) / SLOWLY_S)
        self.newest = np.where(np.isnan(look), self.newest, look)
        slow = self.usual + weight * (self.newest - self.usual)
        self.usual = np.where(np.isnan(slow), self.newest, slow)
        self.seen_s = time_s


class TileMemory:
    """Gives each tile a number and keeps it when tiles change places; the numbers start from 1."""

    def __init__(self) -> None:
        """Know no tile."""
        self._known: dict[int, _Known] = {}
        self._last_id = 0
        self._waiting = np.empty((0, 4), np.int64)

    def stays(self, ids: Ints, shown: Floats) -> bool:
        """Whether each of T tiles shows what it showed a moment ago: then none can have changed places."""
        if not len(ids) or not ids.all():
            return False
        return bool((differences(shown, np.stack([self._known[n].newest for n in ids.tolist()])) <= SAME).all())

    def recall(self, boxes: Ints, shown: Floats, before: Mapping[Box, int]) -> Ints:
        """Find out which tile is which.

        A tile that is like one that is known is that one, wherever it is; the best matches of all together win. One
        that is like none is what was at its place, if it is not wholly different, and that is nowhere else.

        Args:
            boxes: (T, 4) of the tiles, px.
            shown: (T, 18, 32, 3) what they show.
            before: numbers by box, as they were.

        Returns:
            (T,) int64 numbers, 0 for a tile that is not known.
        """
        ids = np.zeros(len(boxes), np.int64)
        numbers = np.array(list(self._known), np.int64)
        if not len(numbers):
            return ids
        here = np.array([before.get(tuple(box), 0) for box in boxes.tolist()], np.int64)
        staying = here[:, None] == numbers
        known = self._known.values()
        gaps = np.minimum(
            differences(shown[:, None], np.stack([tile.newest for tile in known])),
            differences(shown[:, None], np.stack([tile.usual for tile in known])),
        )
        rows, columns = assign(gaps - STAY * staying, MATCH)
        ids[rows] = numbers[columns]
        changed = (ids == 0) & (staying & (gaps <= OTHER)).any(axis=1) & ~np.isin(here, ids)
        ids[changed] = here[changed]
        return ids

    def remember(self, boxes: Ints, shown: Floats, ids: Ints, time_s: float) -> Ints:
        """Note what tiles show now, and give numbers to new ones.

        A tile gets one when it is seen a second time at its place, because tiles that glide to their places are cut
        anywhere on their way; the very first ones get theirs at once.

        Args:
            boxes: (T, 4) of the tiles, px.
            shown: (T, 18, 32, 3) what they show.
            ids: (T,) numbers as `recall` gave them.
            time_s: time of the picture, s.

        Returns:
            (T,) int64 numbers, 0 where there is none yet.
        """
        ids, fresh = ids.copy(), np.flatnonzero(ids == 0)
        there = iou(boxes[fresh].astype(np.float32), self._waiting.astype(np.float32)) >= SAME_BOX
        settled = fresh[there.any(axis=1)] if self._known else fresh
        ids[settled] = self._last_id + 1 + np.arange(len(settled))
        self._last_id += len(settled)
        self._waiting = boxes[ids == 0]
        for number, look in zip(ids.tolist(), shown, strict=True):
            if number:
                self._known.setdefault(number, _Known(look, look, time_s)).see(look, time_s)
        for number in sorted(self._known, key=lambda n: self._known[n].seen_s)[:-MAX_KNOWN]:
            del self._known[number]
        return ids
