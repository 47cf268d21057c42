"""The demo's twelve people, ready to be drawn: layers prepared once, moved and mixed for every picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.sources.demo_faces import CENTRE, FACE_PX, HEIGHT, WIDTH, Head
from classpulse.sources.demo_layers import grain, layer, through_camera
from classpulse.sources.demo_looks import dress
from classpulse.sources.demo_moves import EXPRESSIONS, ROI
from classpulse.sources.demo_scenery import TORSO_CORNER, TORSO_SCALE, hands, room, torso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from classpulse.sources.demo_cast import Look
    from classpulse.sources.demo_layers import Brush
    from classpulse.sources.demo_script import Moment
    from classpulse.types import Floats, Image

    Point = NDArray[np.float64]
    Matrix = NDArray[np.float64]

TILE_PX = 232
"""Height of a tile to which the sizes in a `Look` refer."""
NECK = np.array([201.0, 340.0])
"""What heads turn about, in their common frame, px."""


class Expressions:
    """The part of a head that changes: three mouths mixed, and everything displaced."""

    def __init__(self, layers: Sequence[Image], fields: Mapping[str, Floats], kind: str) -> None:
        """Scale the displacement fields to a head.

        Args:
            layers: the head at rest, smiling and gasping, (H, W, 4) each.
            fields: from `displacement_fields`.
            kind: the head's name in `EXPRESSIONS`.
        """
        ratio = np.array([layers[0].shape[1] / WIDTH, layers[0].shape[0] / HEIGHT])
        x0, y0, x1, y1 = (int(v) for v in np.array(ROI) * np.tile(ratio, 2))
        self._roi = (slice(y0, y1), slice(x0, x1))
        self._faces = [np.ascontiguousarray(layer[self._roi]) for layer in layers]
        self._head = layers[0].copy()
        width, height = x1 - x0, y1 - y0
        # Smooth fields lose nothing at half the size, and are added in a quarter of the time.
        self._coarse = (height // 2, width // 2)
        part = (slice(ROI[1], ROI[3]), slice(ROI[0], ROI[2]))
        small = [cv2.resize(f[part], self._coarse[::-1], interpolation=cv2.INTER_AREA) * ratio for f in fields.values()]
        self._fields = np.moveaxis(np.stack(small), -1, 1).reshape(len(small), -1).astype(np.float32)
        self._grid = np.stack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
        self._source, self._moved = np.empty_like(self._grid), np.empty_like(self._faces[0])
        self._habits = np.array([[n == habit for habit in ("blink", "turn", "nod")] for n in fields], np.float32)
        self._weights = {name: e.weights(tuple(fields)) for name, e in EXPRESSIONS[kind].items()}

    def head(self, moment: Moment) -> Image:
        """The head as it looks now: (H, W, 4) uint8, valid until the next call."""
        before, after = self._weights[moment.before], self._weights[moment.after]
        weights = before + (after - before) * np.float32(moment.blend)
        moves = weights[2:] + self._habits @ np.array([moment.blink, *moment.sway[4:]], np.float32)
        image = self._faces[0]
        for other, share in zip(self._faces[1:], weights[:2], strict=True):
            if share > 0:
                image = np.asarray(cv2.addWeighted(image, 1 - float(share), other, float(share), 0), np.uint8)
        height, width = image.shape[:2]
        for coarse, source in zip((moves @ self._fields).reshape(2, *self._coarse), self._source, strict=True):
            cv2.resize(coarse, (width, height), dst=source)
        cv2.subtract(self._grid, self._source, dst=self._source)
        x, y = self._source
        cv2.remap(image, x, y, cv2.INTER_LINEAR, dst=self._moved, borderMode=cv2.BORDER_REPLICATE)
        self._head[self._roi] = self._moved
        return self._head


class Person:
    """One person before one camera."""

    def __init__(
        self, look: Look, heads: Mapping[str, Head], fields: Mapping[str, Floats], size: tuple[int, int], rng: Generator
    ) -> None:
        """Prepare everything that does not change.

        Args:
            look: what the person looks like.
            heads: from `load_heads`.
            fields: from `displacement_fields`.
            size: width and height of the tile, px.
            rng: for room, clothes and noise.
        """
        self._look, self._size = look, np.array(size)
        self._scale = look.face_px / FACE_PX * size[1] / TILE_PX
        self.background = through_camera(room(look.room, *size, rng), look)
        head = dress(heads[look.head], look)
        small = (round(WIDTH * self._scale), round(HEIGHT * self._scale))
        self._ratio = np.array(small) / (WIDTH, HEIGHT)
        layers = [layer(image, head.mask, small, look) for image in (head.rest, head.smile, head.gasp)]
        self._expressions = Expressions(layers, fields, look.head)
        cloth, cover = torso(look, rng)
        ratio = self._scale / TORSO_SCALE
        self._torso = layer(cloth, cover, (round(cloth.shape[1] * ratio), round(cloth.shape[0] * ratio)), look)
        light, cover = hands()
        skin = head.rest[200:250, 150:250].reshape(-1, 3).mean(axis=0)
        long = (small[0], round(cover.shape[0] * self._scale))
        self._hands = layer(np.clip(light[..., None] * skin, 0, 255).astype(np.uint8), cover, long, look)
        self._grain = grain(size, look.noise, rng)

    def draw(self, tile: Image, moment: Moment, number: int, brush: Brush) -> None:
        """Draw the person over the background that is already in `tile`.

        Args:
            tile: (height, width, 3) uint8, changed in place.
            moment: what the person does now.
            number: of the picture, chooses the noise.
            brush: to draw with.
        """
        if moment.away < 1:
            head = self._head_matrix(moment)
            brush.blend(tile, self._expressions.head(moment), head)
            brush.blend(tile, self._torso, self._body_matrix(moment))
            if moment.covered > 0:
                down = (1 - moment.covered) * 1.2 * HEIGHT * self._scale
                brush.blend(tile, self._hands, head + np.array([[0, 0, 0], [0, 0, down]]))
        height, width = tile.shape[:2]
        for change, x, y in (
            (cv2.add, number * 11 % 16, number * 5 % 16),
            (cv2.subtract, number * 3 % 16, number % 16),
        ):
            change(tile, self._grain[y : y + height, x : x + width], dst=tile)

    def face_box(self, moment: Moment) -> tuple[float, float, float, float]:
        """Where the face is in the tile, in sight or not: `x0, y0, x1, y1`, px, about as a detector would draw it."""
        x, y = self._head_matrix(moment) @ np.array([*(np.array(CENTRE) * self._ratio), 1.0])
        half_height = FACE_PX / 2 * self._scale * (1 + 0.05 * moment.sway[3])
        half_width = 0.76 * half_height
        return float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height)

    def _neck(self, moment: Moment) -> Point:
        """Where the neck is in the tile, px."""
        out = np.array([1.05 if self._look.place[0] >= 0.5 else -1.05, 0.1]) * moment.away
        at = np.array(self._look.place) + np.array([0.03, 0.02]) * moment.sway[:2] + out
        return np.asarray(at * self._size + (NECK - CENTRE) * self._scale)

    def _matrix(self, at: Point, anchor: Point, angle_deg: float, zoom: float) -> Matrix:
        """What takes a point of a layer to the tile: its `anchor` goes to `at`."""
        angle, flip = np.deg2rad(angle_deg), -1.0 if self._look.mirrored else 1.0
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([flip, 1.0])
        return np.column_stack([turn, at - turn @ anchor])

    def _head_matrix(self, moment: Moment) -> Matrix:
        _, dy, tilt, near, *_ = moment.sway
        at = self._neck(moment) + np.array([0.0, 0.015 * dy * self._size[1]])
        return self._matrix(at, NECK * self._ratio, self._look.tilt_deg + 5 * tilt, 1 + 0.05 * near)

    def _body_matrix(self, moment: Moment) -> Matrix:
        anchor = (NECK - np.array(TORSO_CORNER)) * self._scale
        return self._matrix(self._neck(moment), anchor, 1.2 * moment.sway[2], 1 + 0.03 * moment.sway[3])
