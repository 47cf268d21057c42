"""What is around the demo's people: rooms, clothes, a hand before the face, and the meeting's own labels."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from classpulse.sources.demo_faces import CENTRE
from classpulse.sources.demo_looks import smooth_outline

if TYPE_CHECKING:
    from numpy.random import Generator

    from classpulse.sources.demo_cast import Colour, Look
    from classpulse.types import Floats, Image

TORSO_CORNER, TORSO_SCALE = (-320, 280), 0.5
"""Where the torso's picture begins in the common frame of the heads, px, and its scale in that frame."""
_TORSO_SIZE = (520, 320)
_SHOULDERS = [
    *[(108, 318), (96, 352), (20, 392), (-70, 424), (-122, 520), (-150, 1100)],
    *[(552, 1100), (524, 520), (472, 424), (382, 392), (306, 352), (294, 318), (201, 330)],
]

BOARD = (32, 30, 29)
"""Colour behind the tiles."""


def room(kind: str, width: int, height: int, rng: Generator) -> Image:
    """A background out of focus: (height, width, 3) uint8.

    Args:
        kind: `"wall"`, `"shelf"`, `"window"`, `"plant"`, `"evening"`, or `"poster"`.
        width: px.
        height: px.
        rng: for what differs between two rooms of a kind.
    """
    base = {
        "wall": (196, 204, 208),
        "shelf": (120, 140, 160),
        "window": (178, 176, 166),
        "plant": (186, 200, 206),
        "evening": (52, 40, 38),
        "poster": (170, 150, 128),
    }[kind]
    image = _wash(base, width, height, rng)
    {"shelf": _books, "window": _panes, "plant": _leaves, "evening": _lamps, "poster": _pictures}.get(kind, _lines)(
        image, rng
    )
    blurred = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(2.2, 4.0)) * height / 232)
    return np.asarray(blurred, np.uint8)


def _wash(colour: Colour, width: int, height: int, rng: Generator) -> Image:
    tint = np.array(colour, np.float32) * rng.uniform(0.85, 1.1, 3).astype(np.float32)
    side = np.linspace(0, 1, width, dtype=np.float32)
    light = 0.78 + 0.3 * (side if rng.random() < 0.5 else side[::-1])
    down = np.linspace(1.05, 0.85, height, dtype=np.float32)
    return np.clip(down[:, None, None] * light[None, :, None] * tint, 0, 255).astype(np.uint8)


def _rectangle(image: Image, box: tuple[float, float, float, float], colour: tuple[float, ...], line: int = -1) -> None:
    h, w = image.shape[:2]
    (x0, y0), (x1, y1) = (int(box[0] * w), int(box[1] * h)), (int(box[2] * w), int(box[3] * h))
    cv2.rectangle(image, (x0, y0), (x1, y1), tuple(float(c) for c in colour), line)


def _books(image: Image, rng: Generator) -> None:
    _rectangle(image, (0, 0, 1, 1), (58, 74, 96))
    for shelf in range(4):
        y, x = shelf * 0.3 - 0.05, 0.01
        while x < 1:
            step = float(rng.uniform(0.018, 0.05))
            colour = rng.uniform(30, 190) * rng.uniform(0.4, 1.1, 3)
            if rng.random() < 0.85:
                _rectangle(image, (x, y + rng.uniform(0.01, 0.09), x + step * 0.92, y + 0.265), tuple(colour))
            x += step
        _rectangle(image, (0, y + 0.265, 1, y + 0.3), (92, 118, 146))


def _panes(image: Image, rng: Generator) -> None:
    x = float(rng.choice([0.05, 0.56]))
    _rectangle(image, (x, 0.04, x + 0.36, 0.72), (246, 240, 226))
    _rectangle(image, (x, 0.5, x + 0.36, 0.72), (150, 182, 166))
    for at in (x, x + 0.175, x + 0.35):
        _rectangle(image, (at, 0.02, at + 0.014, 0.74), (226, 228, 230))
    _rectangle(image, (x - 0.02, 0.72, x + 0.4, 0.76), (214, 218, 222))


def _leaves(image: Image, rng: Generator) -> None:
    h, w = image.shape[:2]
    x = float(rng.choice([0.14, 0.86]))
    for _ in range(26):
        at = (int((x + rng.normal() * 0.07) * w), int((0.42 + rng.normal() * 0.17) * h))
        green = (int(rng.uniform(40, 80)), int(rng.uniform(90, 150)), int(rng.uniform(40, 90)))
        cv2.ellipse(image, at, (int(0.05 * w), int(0.03 * h)), float(rng.uniform(0, 180)), 0, 360, green, -1)
    _rectangle(image, (x - 0.06, 0.72, x + 0.06, 1), (70, 96, 150))


def _lamps(image: Image, rng: Generator) -> None:
    h, w = image.shape[:2]
    for _ in range(9):
        at = (int(rng.uniform(0, 1) * w), int(rng.uniform(0, 0.6) * h))
        cv2.circle(image, at, int(rng.uniform(0.015, 0.05) * w), (70, 130, int(rng.uniform(170, 235))), -1)
    _rectangle(image, (0, 0.8, 1, 1), (40, 34, 36))


def _pictures(image: Image, rng: Generator) -> None:
    for x in (0.06, 0.7):
        y, colour = float(rng.uniform(0.05, 0.18)), rng.uniform(70, 180) * rng.uniform(0.75, 1.15, 3)
        _rectangle(image, (x, y, x + 0.24, y + 0.42), (236, 238, 240))
        _rectangle(image, (x + 0.02, y + 0.035, x + 0.22, y + 0.385), tuple(colour))
        _rectangle(image, (x + 0.05, y + 0.2, x + 0.19, y + 0.385), tuple(colour * 0.6))


def _lines(image: Image, rng: Generator) -> None:
    x = float(rng.choice([-0.08, 0.8]))
    _rectangle(image, (x, 0.06, x + 0.3, 1), (206, 216, 222))
    _rectangle(image, (x, 0.06, x + 0.3, 1), (150, 160, 168), 3)


def torso(look: Look, rng: Generator) -> tuple[Image, Floats]:
    """Shoulders in the clothes of `look`, (320, 520, 3) uint8, and their cover, (320, 520) float32, 0 to 1."""
    width, height = _TORSO_SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    soft = cv2.resize(rng.normal(size=(9, 13)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), 1.0)
    light = 1.05 + 0.045 * soft + 0.08 * fine - 0.45 * np.clip(np.abs(x - width / 2) / 165, 0, 1) ** 2
    colour = np.broadcast_to(np.array(look.top, np.float32), (height, width, 3)).copy()
    if look.cut == "stripes":
        colour[np.sin((y + 0.0024 * (x - width / 2) ** 2) / 4.5) > 0.2] = (214, 220, 222)
    depth = {"vee": 112, "shirt": 96, "hoodie": 50}.get(look.cut, 58)
    if look.cut in {"vee", "shirt"}:
        opening = _fill([(112, 290), (122, 345), (201, 345 + depth), (280, 345), (290, 290)], sharp=True)
    else:
        low = 345 + depth
        opening = _fill([(118, 270), (116, 345), (150, low), (201, low + 8), (252, low), (286, 345), (284, 270)])
    cloth = (1 - opening) * _fill(_SHOULDERS)
    colour, light = _collar(look.cut, colour, light, cloth)
    return np.clip(colour * light[..., None], 0, 255).astype(np.uint8), np.asarray(cloth, np.float32)


def _collar(cut: str, colour: Floats, light: Floats, cloth: Floats) -> tuple[Floats, Floats]:
    """A collar, a hood, or a seam where the cloth ends at the neck."""
    if cut == "shirt":
        for flap in ([(104, 322), (201, 446), (150, 462), (88, 350)], [(298, 322), (201, 446), (252, 462), (314, 350)]):
            mask = _fill(flap, sharp=True)
            colour = colour * (1 - mask[..., None]) + np.clip(colour * 1.12 + 14, 0, 255) * mask[..., None]
            light = light * (1 - 0.3 * np.clip(cv2.GaussianBlur(mask, (0, 0), 3) - mask, 0, 1))
    if cut == "hoodie":
        hood = _fill([(70, 318), (40, 372), (110, 420), (201, 442), (292, 420), (362, 372), (332, 318), (201, 350)])
        light = light * (1 + 0.08 * hood - 0.5 * np.clip(cv2.GaussianBlur(hood, (0, 0), 3.5) - hood, 0, 1))
        for x in (168, 236):
            cord = _fill([(x - 3, 425), (x + 3, 425), (x + 3, 520), (x - 3, 520)], sharp=True)[..., None]
            colour = colour * (1 - cord) + 205 * cord
    seam = np.clip(cv2.GaussianBlur(1 - cloth, (0, 0), 2.5) * 1.6, 0, 1)
    return np.asarray(colour, np.float32), np.asarray(light * (1 - 0.3 * seam), np.float32)


def _fill(points: list[tuple[int, int]], *, sharp: bool = False) -> Floats:
    """A soft mask of an outline that is given in the heads' frame."""
    width, height = _TORSO_SIZE
    mask = np.zeros((height, width), np.float32)
    outline = np.array(points, np.int32) if sharp else smooth_outline(points)
    cv2.fillPoly(mask, [(TORSO_SCALE * (outline - np.array(TORSO_CORNER))).round().astype(np.int32)], 1.0)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.9), np.float32)


@cache
def hands() -> tuple[Floats, Floats]:
    """Two hands held before a face, fingers up: their light, about 1, and their cover, 0 to 1, (640, 400) float32."""
    cover = np.zeros((640, 400), np.float32)
    light = np.ones_like(cover)
    fingers = ((-33, 146, -5), (-11, 122, -2), (11, 116, 1), (33, 134, 5))
    for side in (-1, 1):
        x = CENTRE[0] + side * 43
        palm = np.array([[x - 44, 235], [x + 44, 235], [x + 44, 300], [x + 36, 370], [x - 36, 370], [x - 44, 300]])
        arm = np.array([[x - 36, 350], [x + 36, 350], [x + side * 80 + 48, 660], [x + side * 80 - 48, 660]])
        for outline in (arm, palm):
            cv2.fillPoly(cover, [outline.astype(np.int32)], 1.0, cv2.LINE_AA)
        for dx, top, lean in fingers:
            finger = np.zeros_like(cover)
            cv2.line(finger, (x + side * dx, 250), (x + side * (dx + lean), top), 1.0, 22, cv2.LINE_AA)
            depth = np.clip(cv2.distanceTransform((finger > 0.5).astype(np.uint8), cv2.DIST_L2, 3) / 9, 0, 1)
            fade = np.clip((285 - np.arange(640, dtype=np.float32)) / 70, 0, 1)[:, None]
            light = np.where(finger > 0.5, 1 - (0.34 - 0.34 * depth) * fade, light).astype(np.float32)
            cover = np.maximum(cover, finger)
    edge = np.clip(cv2.GaussianBlur(cover, (0, 0), 9) * 1.25, 0.55, 1.04)
    grain = cv2.GaussianBlur(np.random.default_rng(1).normal(size=cover.shape).astype(np.float32), (0, 0), 3)
    light = cv2.GaussianBlur(light, (0, 0), 2) * edge * (1 + 0.1 * grain)
    return np.asarray(light, np.float32), np.asarray(cv2.GaussianBlur(cover, (0, 0), 1.6), np.float32)


def label(text: str, height: int) -> Image:
    """A name bar: (height, W, 3) uint8, white on dark."""
    font = ImageFont.load_default(height * 0.62)
    width = int(font.getlength(text)) + height
    canvas = PillowImage.new("RGB", (width, height), BOARD[::-1])
    ImageDraw.Draw(canvas).text((width / 2, height / 2), text, fill=(236, 238, 240), font=font, anchor="mm")
    return np.ascontiguousarray(np.asarray(canvas)[..., ::-1])


def camera_off(initials: str, width: int, height: int, colour: Colour) -> Image:
    """The tile of somebody whose camera is off: (height, width, 3) uint8."""
    scale = 2
    canvas = PillowImage.new("RGB", (width * scale, height * scale), (47, 49, 53))
    draw, radius = ImageDraw.Draw(canvas), 0.2 * height * scale
    middle = (width * scale / 2, height * scale / 2)
    draw.ellipse((middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius), fill=colour[::-1])
    font = ImageFont.load_default(radius * 0.8)
    draw.text(middle, initials, fill=(245, 245, 245), font=font, anchor="mm")
    small = canvas.resize((width, height), PillowImage.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(small)[..., ::-1])
