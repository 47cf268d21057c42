"""The demo's twelve people, ready to be drawn: layers prepared once, moved and mixed for every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.sources.demo_faces import CENTRE, FACE_PX, HEIGHT, WIDTH, Head
from classpulse.sources.demo_looks import Look, dress
from classpulse.sources.demo_moves import EXPRESSIONS, ROI
from classpulse.sources.demo_scenery import TORSO_CORNER, TORSO_SCALE, hands, room, torso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from classpulse.sources.demo_script import Moment
    from classpulse.types import Floats, Image

TILE_PX = 232
"""Height of a tile to which the sizes in a `Look` refer."""
NECK = (201, 340)

LOOKS: tuple[Look, ...] = (
    Look("young", top=(96, 62, 38), room="shelf", face_px=112, place=(0.5, 0.5), tilt_deg=2),
    Look("elder", hair=(178, 182, 186), top=(62, 40, 110), cut="vee", room="poster", face_px=118, place=(0.46, 0.5),
         mirrored=True, warmth=0.15, hair_width=0.86, tilt_deg=-3, blur_px=0.5),
    Look("young", hair=(34, 32, 36), long_hair=True, hair_width=0.72, face_width=0.95, top=(60, 168, 208), cut="hoodie",
         room="window", face_px=104, place=(0.54, 0.5), mirrored=True, warmth=-0.3, contrast=0.92),
    Look("cap", top=(120, 82, 48), cut="shirt", room="wall", face_px=122, place=(0.47, 0.53), mirrored=True,
         saturation=0.85, face_width=1.04),
    Look("between", hair=(34, 50, 88), wears="headphones", top=(70, 98, 60), cut="crew", room="plant", face_px=108,
         place=(0.5, 0.52), hair_width=0.8, tilt_deg=4, warmth=0.2),
    Look("young", wears="scarf", wears_colour=(122, 108, 44), top=(84, 70, 52), room="poster", face_px=116,
         place=(0.52, 0.5), face_width=1.05, warmth=0.1),
    Look("elder", hair=(36, 44, 62), long_hair=True, hair_width=0.82, top=(52, 52, 58), cut="shirt", room="evening",
         face_px=92, place=(0.44, 0.5), brightness=0.95, warmth=0.5, noise=5, blur_px=0.6),
    Look("young", hair=(104, 142, 172), wears="glasses", top=(130, 70, 40), cut="stripes", room="wall", face_px=126,
         place=(0.5, 0.55), hair_width=0.9, tilt_deg=-4),
    Look("between", hair=(44, 44, 50), wears="beanie", wears_colour=(58, 48, 118), top=(70, 66, 64), cut="hoodie",
         room="shelf", face_px=96, place=(0.55, 0.54), mirrored=True, warmth=-0.45, brightness=0.9, noise=4),
    Look("young", hair=(26, 38, 56), hair_width=0.66, face_width=1.08, wears="headphones", wears_colour=(210, 212, 214),
         top=(60, 60, 60), cut="crew", room="window", face_px=102, place=(0.5, 0.5), saturation=0.0, contrast=1.1,
         noise=4),
    Look("elder", wears="scarf", wears_colour=(78, 52, 122), top=(60, 44, 84), room="plant", face_px=74,
         place=(0.52, 0.45), brightness=1.08, contrast=0.9),
    Look("between", hair=(44, 66, 118), long_hair=True, hair_width=0.78, face_width=0.94, top=(150, 140, 96), cut="vee",
         room="wall", face_px=130, place=(0.48, 0.56), brightness=1.06, tilt_deg=3, blur_px=0.9),
)


class Person:
    """One person before one camera."""

    def __init__(self, look: Look, heads: Mapping[str, Head], fields: Mapping[str, Floats], size: tuple[int, int],
                 rng: Generator) -> None:
        """Prepare everything that does not change.

        Args:
            look: what the person looks like.
            heads: from `load_heads`.
            fields: from `displacement_fields`.
            size: width and height of the tile, px.
            rng: for room, clothes and noise.
        """
        self.look = look
        self._size = size
        self._scale = look.face_px / FACE_PX * size[1] / TILE_PX
        head = dress(heads[look.head], look)
        skin = head.rest[200:250, 150:250].reshape(-1, 3).mean(axis=0)
        self.background = _through_camera(room(look.room, *size, rng), look)
        small = (round(WIDTH * self._scale), round(HEIGHT * self._scale))
        self._ratio = np.array([small[0] / WIDTH, small[1] / HEIGHT], np.float32)
        layers = [_layer(np.dstack([i, (head.mask * 255).astype(np.uint8)]), small, look) for i in (head.rest, head.smile, head.gasp)]
        self._head = layers[0]
        x0, y0, x1, y1 = (np.array(ROI) * np.tile(self._ratio, 2)).astype(int)
        self._roi = (slice(y0, y1), slice(x0, x1))
        self._faces = [layer[self._roi].copy() for layer in layers]
        self.fields = tuple(fields)
        height, width = self._faces[0].shape[:2]
        self._grid = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
        coarse = (width // 2, height // 2)
        part = (slice(ROI[1], ROI[3]), slice(ROI[0], ROI[2]))
        scaled = [cv2.resize(f[part], coarse, interpolation=cv2.INTER_AREA) * self._ratio for f in fields.values()]
        self._fields = np.stack(scaled).reshape(len(scaled), -1).astype(np.float32)
        self._source, self._moved_face = np.empty_like(self._grid), np.empty_like(self._faces[0])
        self._habits = np.array([[n == habit for habit in ("blink", "turn", "nod")] for n in fields], np.float32)
        self._expressions = {name: e.weights(self.fields) for name, e in EXPRESSIONS.items()}
        cloth = torso(look, rng)
        ratio = self._scale / TORSO_SCALE
        self._torso = _layer(cloth, (round(cloth.shape[1] * ratio), round(cloth.shape[0] * ratio)), look)
        self._hands = _layer(hands(skin), small, look)
        self._noise = _noise(size, look.noise, rng)

    def draw(self, tile: Image, moment: Moment, frame: int, brush: Brush) -> None:
        """Draw the person over the background that is already in `tile`.

        Args:
            tile: (height, width, 3) uint8, changed in place.
            moment: what the person does now.
            frame: number that chooses the noise.
            brush: to draw with.
        """
        if moment.away < 1:
            self._head[self._roi] = self._face(moment)
            head, body = self._head_matrix(moment), self._body_matrix(moment)
            brush.blend(tile, self._head, head)
            brush.blend(tile, self._torso, body)
            if moment.covered > 0:
                head[:, 2] += (0, (1 - moment.covered) * 1.2 * HEIGHT * self._scale)
                brush.blend(tile, self._hands, head)
        grain = self._noise[frame * 5 % 16 :, frame * 11 % 16 :][: tile.shape[0], : tile.shape[1]]
        cv2.add(tile, grain, dst=tile)
        cv2.subtract(tile, self._noise[frame * 7 % 16 :, frame * 3 % 16 :][: tile.shape[0], : tile.shape[1]], dst=tile)

    def face_box(self, moment: Moment) -> tuple[float, float, float, float]:
        """Where the face is in the tile, in sight or not: `x0, y0, x1, y1`, px, about as a detector would draw it."""
        matrix = self._head_matrix(moment)
        x, y = matrix @ [*(np.array(CENTRE) * self._ratio), 1.0]
        half_height = FACE_PX / 2 * self._scale * (1 + 0.05 * moment.sway[3])
        half_width = 0.76 * half_height
        return float(x - half_width), float(y - half_height), float(x + half_width), float(y + half_height)

    def _face(self, moment: Moment) -> Image:
        """The changing part of the head: mouths mixed, then everything displaced."""
        before, after = self._expressions[moment.before], self._expressions[moment.after]
        weights = before + (after - before) * np.float32(moment.blend)
        moves = weights[2:] + self._habits @ np.array([moment.blink, *moment.sway[4:]], np.float32)
        image = self._faces[0]
        for other, share in zip(self._faces[1:], weights[:2], strict=True):
            if share > 0:
                image = cv2.addWeighted(image, 1 - float(share), other, float(share), 0)
        height, width = image.shape[:2]
        coarse = (moves @ self._fields).reshape(height // 2, width // 2, 2)
        cv2.resize(coarse, (width, height), dst=self._source, interpolation=cv2.INTER_LINEAR)
        cv2.subtract(self._grid, self._source, dst=self._source)
        cv2.remap(image, self._source, None, cv2.INTER_LINEAR, dst=self._moved_face, borderMode=cv2.BORDER_REPLICATE)
        return self._moved_face

    def _shift(self, moment: Moment) -> Floats:
        width, height = self._size
        out = 1.05 * width * (1 if self.look.place[0] >= 0.5 else -1)
        dx, dy = moment.sway[:2]
        return np.array([0.03 * dx * width + moment.away * out, 0.02 * dy * height + moment.away * 0.1 * height])

    def _matrix(self, at: Floats, anchor: Floats, angle_deg: float, zoom: float) -> NDArray[np.float64]:
        """What takes a point of a layer to the tile: its `anchor` goes to `at`."""
        flip = -1.0 if self.look.mirrored else 1.0
        angle = np.deg2rad(angle_deg)
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([flip, 1.0])
        return np.column_stack([turn, at - turn @ anchor])

    def _neck(self, moment: Moment) -> Floats:
        offset = (np.array(NECK) - CENTRE) * self._scale
        return np.array(self.look.place) * self._size + offset + self._shift(moment)

    def _head_matrix(self, moment: Moment) -> NDArray[np.float64]:
        _, dy, tilt, near, *_ = moment.sway
        nod = np.array([0.0, 0.015 * dy * self._size[1]])
        zoom = 1 + 0.05 * near
        return self._matrix(self._neck(moment) + nod, NECK * self._ratio, self.look.tilt_deg + 5 * tilt, zoom)

    def _body_matrix(self, moment: Moment) -> NDArray[np.float64]:
        anchor = (np.array(NECK) - TORSO_CORNER) * self._scale
        return self._matrix(self._neck(moment), anchor, 1.2 * moment.sway[2], 1 + 0.03 * moment.sway[3])


class Brush:
    """Lays layers on tiles, in memory that is used again for every stroke: fresh memory would cost more than drawing."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Get ready for tiles of this width and height, px."""
        pixels = size[0] * size[1]
        self._moved, self._plain, self._rest = (np.empty(pixels * channels, np.uint8) for channels in (4, 3, 3))

    def blend(self, tile: Image, layer: Image, matrix: NDArray[np.float64]) -> None:
        """Draw a layer on a tile.

        Args:
            tile: (H, W, 3), changed in place.
            layer: (h, w, 4), colours multiplied by the cover, which is the last channel.
            matrix: (2, 3), takes a point of the layer to the tile.
        """
        height, width = layer.shape[:2]
        corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
        x0, y0 = (int(v) for v in np.maximum(np.floor(corners.min(axis=1)), 0))
        x1, y1 = (int(v) for v in np.minimum(np.ceil(corners.max(axis=1)), tile.shape[1::-1]))
        if x1 <= x0 or y1 <= y0:
            return
        w, h = x1 - x0, y1 - y0
        part, plain, rest = (
            memory[: w * h * channels].reshape(h, w, channels)
            for memory, channels in ((self._moved, 4), (self._plain, 3), (self._rest, 3))
        )
        moved = matrix - np.array([[0, 0, x0], [0, 0, y0]])
        cv2.warpAffine(layer, moved, (w, h), dst=part, flags=cv2.INTER_LINEAR)
        cv2.mixChannels([part], [plain, rest], [0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 3, 5])
        cv2.bitwise_not(rest, dst=rest)
        region = tile[y0:y1, x0:x1]
        cv2.multiply(region, rest, dst=region, scale=1 / 255)
        cv2.add(region, plain, dst=region)


def _layer(image: Image, size: tuple[int, int], look: Look) -> Image:
    """Scale a picture with its cover, seen through the person's camera, colours multiplied by the cover."""
    colours = cv2.multiply(image[..., :3], cv2.cvtColor(image[..., 3], cv2.COLOR_GRAY2BGR), scale=1 / 255)
    small = cv2.resize(np.dstack([colours, image[..., 3]]), size, interpolation=cv2.INTER_AREA)
    if look.blur_px:
        small = cv2.GaussianBlur(small, (0, 0), look.blur_px)
    return np.dstack([_through_camera(small[..., :3], look, small[..., 3]), small[..., 3]])


def _through_camera(image: Image, look: Look, cover: Image | None = None) -> Image:
    """Light, colour and contrast as the person's camera shows them.

    Args:
        image: (H, W, 3), colours multiplied by the cover if there is one.
        look: of the person.
        cover: (H, W), None where the picture is whole.
    """
    tint = np.array([1 - 0.12 * look.warmth, 1.0, 1 + 0.12 * look.warmth], np.float32)
    share = np.float32(1) if cover is None else cover[..., None].astype(np.float32) / 255
    gray = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2GRAY)[..., None].astype(np.float32)
    colour = gray + (image.astype(np.float32) - gray) * look.saturation
    light = (colour - 118 * share) * look.contrast + 118 * share
    return np.clip(light * look.brightness * tint, 0, 255 * share).astype(np.uint8)


def _noise(size: tuple[int, int], amount: float, rng: Generator) -> Image:
    """Half of the grain of a small sensor, larger than the tile so that it can be moved about."""
    grain = np.abs(rng.normal(0, amount, (size[1] + 16, size[0] + 16, 1))) + rng.normal(0, amount / 3, (1, 1, 3))
    return np.clip(grain, 0, 255).astype(np.uint8)
