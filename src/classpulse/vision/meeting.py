"""A meeting's gallery: whose face counts, and where each would be if no tile ever moved.

The tracker follows a face by where it is, and tiles of a gallery change places at once. So each tile has a place of its
own for the whole class, and a face is followed there: by where it is in its tile, in the tile's own measure.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from classpulse.errors import SourceError
from classpulse.geometry import iou
from classpulse.settings.groups import region_of
from classpulse.vision.motion import MotionWatch
from classpulse.vision.tile_memory import SAME_BOX, TileMemory, looks
from classpulse.vision.tiles import find_tiles

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from classpulse.settings import ScreenSettings
    from classpulse.types import Faces, Floats, Frame, Image, Ints, Mask

    Doubles: TypeAlias = NDArray[np.float64]
    Key: TypeAlias = tuple[int, ...]
    Box: TypeAlias = tuple[int, ...]

TileState = Literal["live", "still", "empty"]

LOOK_EVERY_S = 2.0
"""How often tiles are looked for when none seems to have moved: one may have come at the end."""
LOOK_AGAIN_S = 0.25
"""The same while a tile shows what nobody has seen before: a film that somebody shows does so all the time."""
CUT_SHARE = 0.25
"""Share of a face's box that must be in a tile for it to be of that tile."""
OUTSIDE_PX = 64
"""Size of the squares by which faces outside of all tiles are told apart."""
HOME = 1000.0
"""Height of each tile at home; homes are five times as far apart as that."""


@dataclass(frozen=True, slots=True)
class MeetingTile:
    """One tile, as it may be shown: where it is, and no picture.

    Attributes:
        number: keeps to the tile when tiles change places, from 1.
        box: `x0, y0, x1, y1` in shares of the picture's width and height.
        state: `"live"`; `"still"` where faces are and nothing moves; `"empty"` where no face is.
    """

    number: int
    box: tuple[float, float, float, float]
    state: TileState


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The tiles as they are now: (T, 4) boxes in px and (T,) numbers, 0 where it is not known yet."""

    boxes: Ints = field(default_factory=lambda: np.empty((0, 4), np.int64))
    ids: Ints = field(default_factory=lambda: np.empty(0, np.int64))


def view_of(kind: str, settings: ScreenSettings) -> MeetingView | None:
    """What sorts the faces of a kind of source by tile; None where it has no tiles, or the settings say so."""
    has_tiles = settings.tiles == "always" or (settings.tiles == "screen" and kind == "screen")
    return MeetingView(settings) if has_tiles else None


class MeetingView:
    """Sorts the faces of a meeting's window by tile; use one for each window."""

    def __init__(self, settings: ScreenSettings) -> None:
        """Know no tile yet.

        Args:
            settings: what is ignored, and when a picture counts as still.
        """
        place = settings.ignore or ""
        self._ignored = region_of(place)
        self._corner = place if place and self._ignored is None else ""
        self._memory = TileMemory()
        self._view = _View()
        self._motion = MotionWatch(settings.static_s)
        self._shape: tuple[int, ...] = ()
        self._looked_s = -math.inf
        self._own: int | None = None
        self._choosing = threading.Lock()
        self.tiles: tuple[MeetingTile, ...] = ()

    @property
    def own(self) -> int | None:
        """Number of the teacher's own tile, which need not be in the picture now; None if it is not known."""
        return self._own

    def choose_own(self, number: int | None) -> None:
        """Say which tile is the teacher's own, by its number; None for none. May be called from any thread.

        Raises:
            SourceError: there is no such tile at this moment.
        """
        if number is not None and number not in {tile.number for tile in self.tiles}:
            message = f"there is no tile {number} in the meeting now: look again, and choose one that is there"
            raise SourceError(message)
        with self._choosing:
            self._own, self._corner = number, ""

    def place(self, frame: Frame, faces: Faces) -> tuple[Faces, Doubles]:
        """Leave out who does not count, and say where the others are to be followed.

        Left out are faces in the teacher's own tile and in the ignored place, still pictures of people, and, for a
        moment, faces in a tile of which it is not known yet which one it is.

        Args:
            frame: the picture; times do not run backwards.
            faces: N faces found in it.

        Returns:
            The M faces that count, and (M, 4) boxes to follow them by: `x0, y0, x1, y1` at their tiles' homes.
        """
        self._settle(frame.image, faces, frame.time_s)
        self._choose_corner()
        owners = _owners(faces, self._view.boxes)
        keys, tiles = self._keys(faces, owners)
        self._motion.watch(frame.image, faces.boxes, keys, tiles, frame.time_s)
        live = {key for key in keys if self._motion.is_live(key, frame.time_s)}
        self._tell(frame, set(keys), live)
        counted = np.array([key in live and key != (self._own,) for key in keys], np.bool_)
        counted &= ~self._is_ignored(faces, frame)
        return faces[counted], _homes(faces.boxes, owners, self._view)[counted]

    def _settle(self, image: Image, faces: Faces, time_s: float) -> None:
        """Find out where the tiles are, and which is which."""
        memory, boxes, ids = self._memory, self._view.boxes, self._view.ids
        by_box = {tuple(box): number for box, number in zip(boxes.tolist(), ids.tolist(), strict=True)}
        same_size, self._shape = image.shape == self._shape, image.shape
        since_s = abs(time_s - self._looked_s)
        looks_anew = not same_size or since_s >= LOOK_EVERY_S
        shown = looks(image, boxes, faces) if not looks_anew else None
        if shown is not None and not memory.stays(ids, shown):
            ids = memory.recall(boxes, shown, by_box)
            looks_anew = not ids.all() and since_s >= LOOK_AGAIN_S
        if shown is None or looks_anew:
            self._looked_s = time_s
            boxes = _snapped(find_tiles(image), boxes if same_size else boxes[:0])
            shown = looks(image, boxes, faces)
            ids = memory.recall(boxes, shown, by_box)
        self._view = _View(boxes, memory.remember(boxes, shown, ids, time_s))

    def _choose_corner(self) -> None:
        """The teacher's own tile is the one that is nearest to the corner named, as soon as there are any."""
        with self._choosing:
            if not self._corner or not self._view.ids.any():
                return
            settled = self._view.boxes[self._view.ids > 0]
            upper, left = self._corner.startswith("top"), self._corner.endswith("left")
            x = settled[:, 0] if left else -settled[:, 2]
            y = settled[:, 1] if upper else -settled[:, 3]
            self._own = int(self._view.ids[self._view.ids > 0][np.argmin((x - x.min()) + (y - y.min()))])
            self._corner = ""

    def _keys(self, faces: Faces, owners: Ints) -> tuple[list[Key | None], list[Box]]:
        """What each face is told apart by, None where that is not known yet, and where its tile is.

        In a tile that is the tile's number; outside of all tiles it is about the place.
        """
        keys: list[Key | None] = []
        boxes: list[Box] = []
        for face, owner in zip(faces.boxes, owners.tolist(), strict=True):
            if owner >= 0:
                number = int(self._view.ids[owner])
                keys.append((number,) if number else None)
                boxes.append(tuple(self._view.boxes[owner].tolist()))
            else:
                x, y = ((face[:2] + face[2:]) / 2 // OUTSIDE_PX).astype(int).tolist()
                keys.append((x, y))
                boxes.append((x, y))
        return keys, boxes

    def _is_ignored(self, faces: Faces, frame: Frame) -> Mask:
        if self._ignored is None:
            return np.zeros(len(faces), np.bool_)
        x, y, width, height = self._ignored
        share = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 / (frame.width, frame.height)
        within = (share >= np.array([x, y])) & (share < np.array([x + width, y + height]))
        return np.asarray(within.all(axis=1), np.bool_)

    def _tell(self, frame: Frame, keys: set[Key | None], live: set[Key | None]) -> None:
        shares = self._view.boxes / np.array([frame.width, frame.height] * 2)
        tiles = []
        for box, number in zip(shares.tolist(), self._view.ids.tolist(), strict=True):
            state: TileState = "live" if (number,) in live else "still" if (number,) in keys else "empty"
            if number:
                tiles.append(MeetingTile(number, tuple(box), state))
        self.tiles = tuple(tiles)


def _snapped(boxes: Ints, before: Ints) -> Ints:
    """The boxes, each replaced by one that was there before and is the same but for a few pixels."""
    if not len(before):
        return boxes
    overlap = iou(boxes.astype(np.float32), before.astype(np.float32))
    return np.where((overlap.max(axis=1) >= SAME_BOX)[:, None], before[overlap.argmax(axis=1)], boxes)


def _owners(faces: Faces, boxes: Ints) -> Ints:
    """(N,) int64: the tile that each face's centre is in, or else that most of it is in, of those; -1 for none.

    A face that a tile's edge cuts has a box that reaches beyond it, with its centre in the gutter at times.
    """
    if not len(boxes):
        return np.full(len(faces), -1, np.int64)
    face, tile = faces.boxes[:, None], boxes[None].astype(np.float32)
    centres = (face[..., :2] + face[..., 2:]) / 2
    beyond, before = centres >= tile[..., :2], centres < tile[..., 2:]
    inside = np.asarray((beyond & before).all(axis=2), np.bool_)
    sides = np.clip(np.minimum(face[..., 2:], tile[..., 2:]) - np.maximum(face[..., :2], tile[..., :2]), 0, None)
    shared = sides.prod(axis=2) + 1e9 * inside
    size = np.clip(face[..., 2:] - face[..., :2], 0, None).prod(axis=2)
    return np.where((shared > CUT_SHARE * size).any(axis=1), shared.argmax(axis=1), -1).astype(np.int64)


def _homes(faces: Floats, owners: Ints, view: _View) -> Doubles:
    """(N, 4) boxes in their tiles' own measure, each tile far from all others; outside of all tiles as they are."""
    boxes = faces.astype(np.float64)
    inside = owners >= 0
    tiles = view.boxes[owners[inside]].astype(np.float64)
    middle = np.tile((tiles[:, :2] + tiles[:, 2:]) / 2, 2)
    boxes[inside] = (boxes[inside] - middle) * (HOME / (tiles[:, 3] - tiles[:, 1]))[:, None]
    boxes[inside, 0::2] += 5 * HOME * view.ids[owners[inside]][:, None]
    boxes[~inside, 0::2] -= 100 * HOME
    return boxes
