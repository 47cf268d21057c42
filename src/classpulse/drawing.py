"""What the desktop windows show, as pictures: pure functions from a frame and its result."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from classpulse.geometry import squares
from classpulse.types import UNCERTAIN
from classpulse.vision.picture import crop

if TYPE_CHECKING:
    from classpulse.types import Emotions, Frame, FrameResult

COLOURS = {
    "happy": "#e4a83c",
    "surprise": "#59c1fe",
    "neutral": "#a3a5a9",
    "sad": "#485290",
    "fear": "#8c54d4",
    "disgust": "#0a8660",
    "angry": "#d93a10",
    UNCERTAIN: "#c9cdd4",
}
"""One fixed colour per emotion, the same as on the live page; never the only sign of it."""

DARK = frozenset({"sad", "fear", "disgust", "angry"})
"""Colours that need white letters, of the purest white: with a softer one the contrast falls below 4.5."""

WHITE, INK, PAPER, MUTED, TRACK = "#ffffff", "#f5f7fa", "#12161c", "#9aa5b4", "#28303b"
NOTE = "A guess about a face, not about a mind. Nothing is stored."


@lru_cache(maxsize=16)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _to_pillow(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Pillow.Image:
    return Pillow.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def draw_faces(frame: Frame, result: FrameResult, status: str = "") -> Pillow.Image:
    """The whole picture with a box, a number and an emotion on every face.

    Args:
        frame: the picture.
        result: what was found in it.
        status: a line at the bottom.

    Returns:
        An RGB picture of the frame's size.
    """
    canvas = _to_pillow(frame.image)
    draw = ImageDraw.Draw(canvas)
    unit = max(10, min(frame.width, frame.height) // 45)
    names = result.emotions.names() if result.emotions else [None] * len(result)
    for i, name in enumerate(names):
        box = [float(v) for v in result.tracks.faces.boxes[i]]
        if not np.isfinite(box).all() or box[2] <= box[0] or box[3] <= box[1]:
            continue
        label = f"{result.tracks.ids[i]}"
        if name is not None and result.emotions is not None:
            share = "" if name == UNCERTAIN else f" {100 * result.emotions.probabilities[i].max():.0f} %"
            label += f"  {name}{share}"
        colour = COLOURS.get(name or "", WHITE)
        draw.rounded_rectangle(box, radius=unit // 2, outline=colour, width=max(2, unit // 6))
        _chip(draw, (box[0], box[1]), label, (colour, WHITE if name in DARK else PAPER), unit)
    if status:
        _footer(draw, status, canvas.size, unit)
    return canvas


def _chip(
    draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, colours: tuple[str, str], unit: int
) -> None:
    font = _font(unit)
    wide = draw.textlength(text, font=font)
    x, y = corner[0], max(0.0, corner[1] - 1.6 * unit)
    draw.rounded_rectangle((x, y, x + wide + unit, y + 1.5 * unit), radius=unit // 3, fill=colours[0])
    draw.text((x + unit / 2, y + 0.75 * unit), text, font=font, fill=colours[1], anchor="lm")


def _footer(draw: ImageDraw.ImageDraw, text: str, size: tuple[int, int], unit: int) -> None:
    width, height = size
    draw.rectangle((0, height - 2 * unit, width, height), fill=PAPER)
    draw.text((unit, height - unit), text, font=_font(unit), fill=INK, anchor="lm")


def draw_single(frame: Frame, result: FrameResult, size: tuple[int, int] = (1120, 640)) -> Pillow.Image:
    """One person large, the one nearest to the camera, beside seven bars.

    Args:
        frame: the picture.
        result: what was found in it.
        size: of the view, px.

    Returns:
        An RGB picture.
    """
    canvas = Pillow.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(canvas)
    side = size[1] - 96
    if len(result) == 0:
        view = _to_pillow(frame.image)
        view.thumbnail((side, side))
        canvas.paste(view, (32 + (side - view.width) // 2, 32 + (side - view.height) // 2))
        _bars(draw, None, 0, (side + 72, 40, size[0] - 40, side + 32), "No face in the picture")
    else:
        nearest = int(result.tracks.faces.sizes_px.argmax())
        square = squares(result.tracks.faces.boxes[nearest : nearest + 1], 1.7)[0]
        canvas.paste(_to_pillow(crop(frame.image, square, side)), (32, 32))
        _bars(draw, result.emotions, nearest, (side + 72, 40, size[0] - 40, side + 32), "Come a little closer")
    draw.text((32, size[1] - 34), NOTE, font=_font(18), fill=MUTED, anchor="lm")
    return canvas


def _bars(
    draw: ImageDraw.ImageDraw, emotions: Emotions | None, face: int, area: tuple[int, int, int, int], otherwise: str
) -> None:
    left, top, right, bottom = area
    name = emotions.names()[face] if emotions else None
    draw.text((left, top), (name or otherwise).capitalize(), font=_font(40), fill=INK)
    labels = emotions.labels if emotions else tuple(k for k in COLOURS if k != UNCERTAIN)
    values = emotions.probabilities[face] if emotions and name else np.zeros(len(labels), np.float32)
    step = (bottom - top - 76) / len(labels)
    for i, label in enumerate(labels):
        y = top + 76 + i * step
        draw.text((left, y + step * 0.32), label, font=_font(20), fill=INK, anchor="lm")
        draw.text((right, y + step * 0.32), f"{100 * values[i]:.0f} %", font=_font(20), fill=MUTED, anchor="rm")
        bar = (left, y + step * 0.6, right, y + step * 0.82)
        draw.rounded_rectangle(bar, radius=6, fill=TRACK)
        filled = (right - left) * float(values[i])
        if filled >= 4:
            draw.rounded_rectangle((bar[0], bar[1], left + filled, bar[3]), radius=6, fill=COLOURS[label])
