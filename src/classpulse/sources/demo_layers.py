"""Layers of the demo's picture: what a person is made of, and the brush that lays it on a tile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.sources.demo_faces import mix

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from classpulse.sources.demo_cast import Look
    from classpulse.types import Floats, Image


class Brush:
    """Lays layers on tiles, in memory used again for every stroke: fresh memory would cost more than drawing."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Get ready for tiles of this width and height, px."""
        pixels = size[0] * size[1]
        self._memory = {channels: np.empty(pixels * channels, np.uint8) for channels in (1, 3, 4)}

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
        cover, colours, moved = (memory[: w * h * c].reshape(h, w, c) for c, memory in self._memory.items())
        shifted = matrix - np.array([[0, 0, x0], [0, 0, y0]])
        cv2.warpAffine(layer, shifted, (w, h), dst=moved, flags=cv2.INTER_LINEAR)
        region = tile[y0:y1, x0:x1]
        cv2.bitwise_not(cv2.extractChannel(moved, 3, dst=cover), dst=cover)
        cv2.multiply(region, cv2.cvtColor(cover, cv2.COLOR_GRAY2BGR, dst=colours), dst=region, scale=1 / 255)
        cv2.add(region, cv2.cvtColor(moved, cv2.COLOR_BGRA2BGR, dst=colours), dst=region)


def layer(image: Image, cover: Floats, size: tuple[int, int], look: Look) -> Image:
    """Scale a picture and its cover (0 to 1) to what a `Brush` draws, seen through the person's camera."""
    small = cv2.resize(mix(np.zeros_like(image), image, cover), size, interpolation=cv2.INTER_AREA)
    covers = cv2.resize(cover, size, interpolation=cv2.INTER_AREA)
    if look.blur_px:
        small, covers = (cv2.GaussianBlur(i, (0, 0), look.blur_px) for i in (small, covers))
    colours = through_camera(np.asarray(small, np.uint8), look, np.asarray(covers, np.float32))
    return np.dstack([colours, (covers * 255).astype(np.uint8)])


def through_camera(image: Image, look: Look, cover: Floats | None = None) -> Image:
    """Light, colour and contrast as the person's camera shows them.

    Args:
        image: (H, W, 3), colours multiplied by the cover if there is one.
        look: of the person.
        cover: (H, W) float32, 0 to 1; None where the picture is whole.
    """
    tint = np.array([1 - 0.12 * look.warmth, 1.0, 1 + 0.12 * look.warmth], np.float32)
    share = np.ones((1, 1, 1), np.float32) if cover is None else cover[..., None]
    gray = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2GRAY)[..., None].astype(np.float32)
    colour = gray + (image.astype(np.float32) - gray) * look.saturation
    light = (colour - 118 * share) * look.contrast + 118 * share
    seen: Floats = np.clip(light * look.brightness * tint, 0, 255 * share)
    return seen.astype(np.uint8)


def grain(size: tuple[int, int], amount: float, rng: Generator) -> Image:
    """Half of the grain of a small sensor, larger than the tile so that it can be moved about."""
    speckles = np.abs(rng.normal(0, amount, (size[1] + 16, size[0] + 16, 1))) + rng.normal(0, amount / 3, (1, 1, 3))
    return np.clip(speckles, 0, 255).astype(np.uint8)
