"""Figures that are made of faces: rows of them with a name in front and notes below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from matplotlib.colors import to_rgb

from classpulse.training.faces.faceset import EMOTIONS
from classpulse.training.plots import EMOTION_COLOURS, INK, MUTED, PIXEL_RATIO, bare, figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from classpulse.training.explore.map import FaceMap
    from classpulse.training.explore.measures import Eigenfaces
    from classpulse.types import Floats

WIDTH_PX = 960
GAP_PX = 6
FRAME = 5
"""Width of a frame, in the picture's own pixels."""
LINE_PX = 14
"""A line of a note."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of faces.

    Attributes:
        name: in front of it; empty for none.
        images: (N, 48, 48) uint8.
        notes: below the faces, one each, of one line or two; none at all if empty.
        emotion: gives the name its colour.
    """

    name: str
    images: NDArray[np.uint8]
    notes: tuple[str, ...] = ()
    emotion: str = ""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A face and its square on a canvas, with a frame in that if it has a colour."""

    image: NDArray[np.uint8]
    left: float
    top: float
    side: float
    frame: str = ""


@styled
def strips(rows: Sequence[Strip], *, columns: int, title: str = "", emotion: str = "", paired: bool = False) -> Figure:
    """Rows of faces.

    Args:
        rows: at least one.
        columns: faces side by side, by which their size is chosen; no row has more.
        title: stands above all.
        emotion: gives the title its colour.
        paired: whether two faces each stand close together.

    Returns:
        The figure, `WIDTH_PX` wide.
    """
    before = 118 if any(row.name for row in rows) else 0
    side = (WIDTH_PX - before + GAP_PX) / columns - GAP_PX
    lines = max((note.count("\n") + 1 for row in rows for note in row.notes if note), default=0)
    above = 30 if title else 0
    step = side + GAP_PX + lines * LINE_PX + (4 if lines else 0)
    drawn, axes = _canvas(WIDTH_PX, round(above + len(rows) * step))
    if title:
        _name(axes, title, emotion, 12, bold=True)
    placed = []
    for r, row in enumerate(rows):
        top = above + r * step
        if row.name:
            _name(axes, row.name, row.emotion, top + side / 2)
        for i, image in enumerate(row.images):
            shift = (GAP_PX / 3) * (1 if i % 2 == 0 else -1) if paired else 0
            left = before + i * (side + GAP_PX) + shift
            placed.append(_Placed(image, left, top, side))
            if row.notes:
                middle = left + side / 2
                axes.text(middle, top + side + 4, row.notes[i], ha="center", va="top", fontsize=8.5, color=MUTED)
    _show(axes, placed)
    return drawn


def eigen_strips(found: dict[str, Eigenfaces], count: int) -> Figure:
    """A row for each emotion: its mean face, then how its faces differ from it, most first.

    Args:
        found: by emotion.
        count: eigen-faces in a row.
    """
    rows = []
    for emotion, eigen in found.items():
        # What a direction makes lighter is light, what it makes darker is dark, and what it leaves alone is gray.
        reach = np.abs(eigen.directions).max(axis=(1, 2), keepdims=True) if len(eigen.directions) else 1
        pictures = np.concatenate([_stretched(eigen.mean)[None], 127.5 + 127.5 * eigen.directions / reach])
        notes = ("mean", *(f"{100 * share:.0f} %" for share in eigen.shares))
        rows.append(Strip(emotion, pictures.clip(0, 255).astype(np.uint8), notes, emotion))
    return strips(rows, columns=count + 1)


def _stretched(face: Floats) -> Floats:
    """With all of the gray scale: a mean of many faces has little contrast."""
    return np.asarray(255 * (face - face.min()) / max(float(np.ptp(face)), 1.0), np.float32)


@styled
def atlas(found: FaceMap, columns: int = 24, rows: int = 15) -> Figure:
    """A map made of faces: in each of its fields the face that lies nearest to the middle, framed by its label."""
    low, high = found.places.min(axis=0), found.places.max(axis=0)
    at = (found.places - low) / np.maximum(high - low, 1e-9) * (columns, rows)
    cells = np.minimum(at.astype(np.intp), (columns - 1, rows - 1))
    distances = ((at - cells - 0.5) ** 2).sum(axis=1)
    side = WIDTH_PX / columns
    drawn, axes = _canvas(WIDTH_PX, round(rows * side))
    placed = []
    for cell in np.unique(cells, axis=0):
        inside = np.flatnonzero((cells == cell).all(axis=1))
        nearest = inside[distances[inside].argmin()]
        left, top = cell[0] * side, (rows - 1 - cell[1]) * side
        colour = EMOTION_COLOURS[EMOTIONS[found.faces.labels[nearest]]]
        placed.append(_Placed(found.faces.images[nearest], left + 1, top + 1, side - 2, colour))
    _show(axes, placed)
    return drawn


def _canvas(width_px: int, height_px: int) -> tuple[Figure, Axes]:
    """A figure on which a unit is a pixel of the page, from the upper left corner."""
    drawn = figure(width_px, height_px)
    drawn.set_layout_engine("none")
    axes = drawn.add_axes((0, 0, 1, 1))
    bare(axes)
    axes.set_xlim(0, width_px)
    axes.set_ylim(height_px, 0)
    axes.set_autoscale_on(False)
    return drawn, axes


def _show(axes: Axes, placed: Sequence[_Placed]) -> None:
    """Put faces on a canvas, as one picture: one for each face would take ten times as long to draw."""
    width, height = axes.get_xlim()[1], axes.get_ylim()[0]
    whole = np.zeros((round(height * PIXEL_RATIO), round(width * PIXEL_RATIO), 4), np.uint8)
    for face in placed:
        x, y, side = (round(PIXEL_RATIO * place) for place in (face.left, face.top, face.side))
        if face.frame:
            whole[y : y + side, x : x + side] = [*(round(255 * part) for part in to_rgb(face.frame)), 255]
            x, y, side = x + FRAME, y + FRAME, side - 2 * FRAME
        part = whole[y : y + side, x : x + side]  # cut off at the edge
        part[..., :3] = cv2.resize(face.image, (side, side), interpolation=cv2.INTER_CUBIC)[
            : len(part), : part.shape[1], None
        ]
        part[..., 3] = 255
    axes.imshow(whole, extent=(0, width, height, 0), aspect="auto", interpolation="none", zorder=2)


def _name(axes: Axes, name: str, emotion: str, middle: float, *, bold: bool = False) -> None:
    if emotion:
        axes.scatter([7], [middle], s=80, color=EMOTION_COLOURS[emotion], zorder=3)
    weight = "bold" if bold else "normal"
    axes.text(22 if emotion else 0, middle, name, ha="left", va="center", fontsize=10, fontweight=weight, color=INK)
