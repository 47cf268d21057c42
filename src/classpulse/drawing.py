"""What the desktop windows show, as pictures: pure functions from a frame and its result."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont, ImageOps

from classpulse.colours import EMOTION_COLOURS
from classpulse.geometry import squares
from classpulse.types import UNCERTAIN
from classpulse.vision.picture import crop

if TYPE_CHECKING:
    from classpulse.types import Emotions, Frame, FrameResult, Image

Size = tuple[int, int]
Rectangle = tuple[float, float, float, float]

DARK = frozenset({"sad", "fear", "disgust", "angry"})
"""Colours that need white letters, of the purest white: with a softer one the contrast falls below 4.5."""

WHITE, INK, PAPER, MUTED, TRACK = "#ffffff", "#f5f7fa", "#12161c", "#9aa5b4", "#28303b"
NOTE = "A guess about a face, not about a mind. Nothing is stored."
HINT = "Space: pause    F: full screen    Q: end"
FINE = 2
"""What has slanted or round edges is drawn so many times larger and then reduced: Pillow draws them jagged."""


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


def _to_pillow(image: Image) -> Pillow.Image:
    return Pillow.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))


def draw_faces(frame: Frame, result: FrameResult, size: Size | None = None) -> Pillow.Image:
    """The whole picture with a box, a number and an emotion on every face.

    Args:
        frame: the picture.
        result: what was found in it.
        size: of the view, px: the picture fills it as far as it can; the frame's own if not given.

    Returns:
        An RGB picture.
    """
    width, height = size or (frame.width, frame.height)
    scale = min(width / frame.width, height / frame.height)
    shown = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    left, top = (width - shown[0]) // 2, (height - shown[1]) // 2
    canvas = Pillow.new("RGB", (width, height), PAPER)
    image = frame.image if scale == 1 else cv2.resize(frame.image, shown, interpolation=_best_for(scale))
    canvas.paste(_to_pillow(np.asarray(image, np.uint8)), (left, top))

    draw = ImageDraw.Draw(canvas)
    unit = min(22, max(11, min(width, height) // 45))
    boxes = result.tracks.faces.boxes * np.float32(scale) + np.tile(np.array([left, top], np.float32), 2)
    faces = [i for i, box in enumerate(boxes) if np.isfinite(box).all() and (box[2:] > box[:2]).all()]
    names = result.emotions.names() if result.emotions else [None] * len(result)
    for i in faces:
        _outline(draw, boxes[i].tolist(), EMOTION_COLOURS.get(names[i] or "", WHITE), unit)
    taken: list[Rectangle] = []
    for i in sorted(faces, key=result.tracks.ids.__getitem__):  # lest labels change places from frame to frame
        name = names[i]
        label = f"{result.tracks.ids[i]}"
        if name is not None and result.emotions is not None:
            share = "" if name == UNCERTAIN else f" {100 * result.emotions.probabilities[i].max():.0f}%"
            label += f"  {name}{share}"
        chip = (draw.textlength(label, font=_font(unit)) + unit, 1.5 * unit)
        place = _place(chip, boxes[i].tolist(), taken, (width, height))
        taken.append(place)
        draw.rounded_rectangle(place, radius=unit // 3, fill=EMOTION_COLOURS.get(name or "", WHITE))
        ink = WHITE if name in DARK else PAPER
        draw.text((place[0] + unit / 2, place[1] + 0.75 * unit), label, font=_font(unit), fill=ink, anchor="lm")
    return canvas


def _best_for(scale: float) -> int:
    return cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC


def _outline(draw: ImageDraw.ImageDraw, box: list[float], colour: str, unit: int) -> None:
    """A box that can be seen on any picture: dark on both sides of its colour."""
    x0, y0, x1, y1 = box
    line = max(3, unit // 6)
    draw.rounded_rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), radius=unit // 2 + 1, outline=PAPER, width=line + 2)
    draw.rounded_rectangle((x0, y0, x1, y1), radius=unit // 2, outline=colour, width=line)


def _place(chip: tuple[float, float], box: list[float], taken: list[Rectangle], size: Size) -> Rectangle:
    """Where a face's label goes: above its box or, where another label is already, below; always in the picture."""
    (wide, high), (x0, y0, x1, y1) = chip, box
    gap = high / 15
    above, below = y0 - high - gap, y1 + gap
    places = []
    for x, y in ((x0, above), (x1 - wide, above), (x0, below), (x1 - wide, below)):
        left = max(0.0, min(x, size[0] - wide))
        top = max(0.0, min(y, size[1] - high))
        places.append((left, top, left + wide, top + high))
    free = (place for place in places if not any(_overlap(place, other) for other in taken))
    return next(free, places[0])


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def draw_single(frame: Frame, result: FrameResult, size: Size = (1120, 640)) -> Pillow.Image:
    """One person large, the one nearest to the camera, beside seven bars.

    Args:
        frame: the picture.
        result: what was found in it.
        size: of the view, px.

    Returns:
        An RGB picture.
    """
    canvas = Pillow.new("RGB", size, PAPER)
    unit = max(0.3, min(size[0] / 1120, size[1] / 640))
    margin = round(32 * unit)
    side = max(1, size[1] - 3 * margin)
    side = max(1, min(side, round(0.55 * size[0])))
    if len(result) == 0:
        view = ImageOps.contain(_to_pillow(frame.image), (side, side))
        canvas.paste(view, (margin + (side - view.width) // 2, margin + (side - view.height) // 2))
        emotions, nearest, otherwise = None, 0, "No face in the picture"
    else:
        nearest = int(result.tracks.faces.sizes_px.argmax())
        square = squares(result.tracks.faces.boxes[nearest : nearest + 1], 1.7)[0]
        canvas.paste(_to_pillow(crop(frame.image, square, side)), (margin, margin))
        emotions, otherwise = result.emotions, "Come a little closer"
    left, right = side + round(72 * unit), size[0] - round(40 * unit)
    if right > left:
        panel = _bars(emotions, nearest, (right - left, side), unit, otherwise)
        canvas.paste(panel, (left, margin))
    note = (margin, size[1] - margin - round(2 * unit))
    ImageDraw.Draw(canvas).text(note, NOTE, font=_font(max(10, round(18 * unit))), fill=MUTED, anchor="lm")
    return canvas


def _bars(emotions: Emotions | None, face: int, size: Size, unit: float, otherwise: str) -> Pillow.Image:
    """The answer in large letters over a bar for each emotion, in the live page's order."""
    unit, wide, high = FINE * unit, FINE * size[0], FINE * size[1]
    panel = Pillow.new("RGB", (wide, high), PAPER)
    draw = ImageDraw.Draw(panel)
    name = emotions.names()[face] if emotions else None
    draw.text((0, 8 * unit), (name or otherwise).capitalize(), font=_font(round(40 * unit)), fill=INK)
    shares = dict(zip(emotions.labels, emotions.probabilities[face].tolist(), strict=True)) if emotions and name else {}
    labels = [label for label in EMOTION_COLOURS if label != UNCERTAIN]
    top = 84 * unit
    step = (high - top) / len(labels)
    font, radius = _font(round(20 * unit)), round(step * 0.11)
    for i, label in enumerate(labels):
        y, share = top + i * step, shares.get(label, 0.0)
        draw.text((0, y + step * 0.32), label, font=font, fill=INK, anchor="lm")
        if shares:
            draw.text((wide, y + step * 0.32), f"{100 * share:.0f}%", font=font, fill=MUTED, anchor="rm")
        bar = (0, y + step * 0.6, wide - 1, y + step * 0.82)
        draw.rounded_rectangle(bar, radius=radius, fill=TRACK)
        if share * wide >= 4 * FINE:
            draw.rounded_rectangle((*bar[:2], share * wide, bar[3]), radius=radius, fill=EMOTION_COLOURS[label])
    return panel.reduce(FINE)


def draw_footer(width: int, status: str) -> Pillow.Image:
    """A line with what is to be known at the left, and with the keys at the right if there is room."""
    font = _font(15)
    footer = Pillow.new("RGB", (max(1, width), 34), PAPER)
    draw = ImageDraw.Draw(footer)
    draw.text((32, 17), status, font=font, fill=INK, anchor="lm")
    if draw.textlength(status, font=font) + draw.textlength(HINT, font=font) + 104 <= width:
        draw.text((width - 40, 17), HINT, font=font, fill=MUTED, anchor="rm")
    return footer


def dim(picture: Pillow.Image, word: str) -> Pillow.Image:
    """A picture in the dark, with one word in its middle."""
    shaded = Pillow.blend(picture, Pillow.new("RGB", picture.size, PAPER), 0.7)
    draw = ImageDraw.Draw(shaded)
    middle = picture.width / 2, picture.height / 2
    draw.text(middle, word, font=_font(max(16, picture.height // 14)), fill=INK, anchor="mm")
    return shaded
