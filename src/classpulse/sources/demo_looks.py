"""How the demo's people differ: hair, what they wear on their heads, and the shape of their faces.

Everything is drawn in the common frame of `demo_faces`, before a head is scaled to its place.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.sources.demo_faces import HEIGHT, WIDTH, Head, mix

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from classpulse.sources.demo_cast import Colour, Look
    from classpulse.types import Floats, Image


def dress(head: Head, look: Look) -> Head:
    """The head with another hair, face shape and what is worn on it.

    Args:
        head: as cut out.
        look: what to change.
    """
    if look.hair is not None:
        head = _with_images(head, lambda image: _recolour(image, head.hair, look.hair or (0, 0, 0)))
    head = _reshape(head, look.hair_width, look.face_width)
    if look.long_hair:
        head = _grow_hair(head)
    worn = {"glasses": _glasses, "headphones": _headphones, "beanie": _beanie, "scarf": _scarf}.get(look.wears)
    return worn(head, look.wears_colour) if worn else head


def _with_images(head: Head, change: Callable[[Image], Image]) -> Head:
    return replace(head, rest=change(head.rest), smile=change(head.smile), gasp=change(head.gasp))


def _recolour(image: Image, where: Floats, colour: Colour) -> Image:
    """Give the hair another colour and keep its strands."""
    light = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    mean = float((light * where).sum() / where.sum())
    strands = np.clip(1 + 0.9 * (light - mean) / mean, 0.15, 2.2)[..., None]
    return mix(image, np.clip(strands * np.array(colour, np.float32), 0, 255).astype(np.uint8), where)


def _reshape(head: Head, hair_width: float, face_width: float) -> Head:
    """Draw the hair in or out beyond the cheeks, and the face between them."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    side = (x - 201) / 100
    hair = np.clip(np.abs(side) - 0.85, 0, None) * np.sign(side) * 100
    face = (x - 201) * np.exp(-0.5 * (side / 1.1) ** 4) * np.exp(-0.5 * ((y - 245) / 110) ** 4)
    from_x = x + hair * (1 / hair_width - 1) + face * (1 / face_width - 1)

    def move(image: Image | Floats) -> NDArray[np.integer | np.floating]:
        return cv2.remap(image, from_x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    changed = _with_images(head, lambda image: np.asarray(move(image), np.uint8))
    mask, hair = (np.asarray(move(i), np.float32) for i in (head.mask, head.hair))
    return replace(changed, mask=mask, hair=hair)


def _shape(points: list[tuple[int, int]], blur: float = 1.5) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [smooth_outline(points)], 1.0)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)


def smooth_outline(points: list[tuple[int, int]]) -> NDArray[np.int32]:
    """Round the corners of a closed outline: (4 N, 2) int32, by cutting them twice (Chaikin)."""
    at = np.array(points, np.float64)
    for _ in range(2):
        after = np.roll(at, -1, axis=0)
        at = np.stack([0.75 * at + 0.25 * after, 0.25 * at + 0.75 * after], axis=1).reshape(-1, 2)
    return at.round().astype(np.int32)


def _under(head: Head, shape: Floats, texture: Image) -> Head:
    """Put something behind the head."""
    changed = _with_images(head, lambda image: mix(texture, image, head.mask))
    return replace(changed, mask=np.maximum(head.mask, shape))


def _over(head: Head, shape: Floats, texture: Image) -> Head:
    """Put something on the head."""
    changed = _with_images(head, lambda image: mix(image, texture, shape))
    return replace(changed, mask=np.maximum(head.mask, shape))


def _cloth(colour: Colour, *, folds: float = 0.1, seed: int = 0) -> Image:
    """Cloth in soft folds, lit from above."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.normal(size=(9, 7)).astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.0)
    side = (np.arange(WIDTH, dtype=np.float32) - 201) / 200
    light = 1.08 + folds * soft + 0.06 * fine - 0.35 * side[None] ** 2
    return np.clip(light[..., None] * np.array(colour, np.float32), 0, 255).astype(np.uint8)


def _grow_hair(head: Head) -> Head:
    """Hair behind the neck, in the colour that the head's own has at its sides."""
    colour = head.rest[head.hair > 0.95].mean(axis=0) * 0.72
    rng = np.random.default_rng(3)
    light = np.ones((HEIGHT, WIDTH, 1), np.float32)
    for strand_px, strength in ((1.4, 0.2), (7.0, 0.14)):
        strands = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)).astype(np.float32), (0, 0), strand_px, sigmaY=50)
        light += strength * (strands / strands.std())[..., None]
    texture = np.clip(colour * light, 0, 255).astype(np.uint8)
    columns = np.flatnonzero(head.hair[170] * head.mask[170] > 0.5)
    left, right = int(columns.min()) + 4, int(columns.max()) - 4
    outline = [(left + 8, 120), (left, 200), (left + 8, 290), (left + 2, 380), (left + 14, 470), (right - 18, 470)]
    outline += [(right + 2, 370), (right - 6, 290), (right, 200), (right - 8, 120)]
    return _under(head, _shape(outline, 2.0), texture)


def _glasses(head: Head, colour: Colour) -> Head:
    frame = np.zeros((HEIGHT, WIDTH), np.float32)
    for x in (157, 244):
        cv2.ellipse(frame, (x, 192), (33, 27), 0, 0, 360, 1.0, 5, cv2.LINE_AA)
    cv2.ellipse(frame, (200, 190), (12, 8), 0, 200, 340, 1.0, 5, cv2.LINE_AA)
    for a, b in (((124, 186), (108, 178)), ((277, 186), (294, 178))):
        cv2.line(frame, a, b, 1.0, 5, cv2.LINE_AA)
    return _over(head, np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.8), np.float32), _cloth(colour, folds=0))


def _headphones(head: Head, colour: Colour) -> Head:
    columns = np.flatnonzero(head.mask[200] > 0.5)
    left, right = int(columns.min()) + 6, int(columns.max()) - 6
    top = int(np.flatnonzero(head.mask.max(axis=1) > 0.5).min())
    middle, radius = (left + right) // 2, (right - left) // 2
    band = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(band, (middle, 195), (radius, 195 - top), 0, 180, 360, 1.0, 13, cv2.LINE_AA)
    for x in (left, right):
        cv2.ellipse(band, (x, 205), (17, 38), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    return _over(head, np.asarray(cv2.GaussianBlur(band, (0, 0), 1.2), np.float32), _cloth(colour, folds=0.05))


def _beanie(head: Head, colour: Colour) -> Head:
    columns = np.flatnonzero(head.mask[140] > 0.5)
    left, right = int(columns.min()) - 4, int(columns.max()) + 4
    middle = (left + right) // 2
    dome = [
        (left, 140),
        (left - 2, 85),
        (left + 30, 22),
        (middle, -12),
        (right - 30, 22),
        (right + 2, 85),
        (right, 140),
    ]
    rim = [(left - 6, 146), (left - 6, 104), (middle, 92), (right + 6, 104), (right + 6, 146), (middle, 138)]
    ribs = _cloth(colour, folds=0.06, seed=5).astype(np.float32)
    ribs *= 1 + 0.12 * np.sin(np.arange(WIDTH, dtype=np.float32) / 2.6)[None, :, None]
    knit = np.clip(ribs, 0, 255).astype(np.uint8)
    return _over(_over(head, _shape(dome), knit), _shape(rim), np.clip(knit * 0.85, 0, 255).astype(np.uint8))


def _scarf(head: Head, colour: Colour) -> Head:
    """A headscarf: the face looks out of an oval."""
    outside = [(200, 18), (285, 40), (322, 110), (326, 200), (312, 290), (345, 380), (370, 470)]
    outside += [(30, 470), (58, 380), (90, 290), (76, 200), (80, 110), (117, 40)]
    opening = [(200, 146), (256, 152), (284, 182), (286, 230), (270, 290), (236, 330), (202, 338)]
    opening += [(166, 330), (133, 290), (116, 230), (117, 182), (145, 152)]
    hole = _shape(opening, 1.5)
    cloth = _cloth(colour, folds=0.12, seed=8)
    shadow = mix(cloth, (cloth * 0.55).astype(np.uint8), np.asarray(cv2.GaussianBlur(hole, (0, 0), 9), np.float32))
    wrapped = _shape(outside)
    worn = _over(head, np.asarray(wrapped * (1 - hole), np.float32), shadow)
    return replace(worn, mask=wrapped, hair=np.zeros_like(head.hair))
