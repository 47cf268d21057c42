"""How the demo's faces move: smooth displacement fields, and the expressions that are made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from classpulse.sources.demo_faces import HEIGHT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classpulse.types import Floats

ROI = (86, 104, 318, 392)
"""The part of the common frame that expressions change: `x0, y0, x1, y1`, px."""

_MOUTH, _CHIN_Y, _BROW_Y, _EYE_Y = (201.5, 271.0), 328.0, 165.0, 186.0
_MOUTH_CORNERS, _EYES = (161.0, 242.0), (158.0, 243.0)


@dataclass(frozen=True, slots=True)
class Expression:
    """A face that somebody makes.

    Attributes:
        smile: how much of the mouth that shows teeth is mixed in, 0 to 1.
        gasp: how much of the open mouth is mixed in, 0 to 1.
        moves: weight of each displacement field.
    """

    smile: float = 0.0
    gasp: float = 0.0
    moves: Mapping[str, float] = field(default_factory=dict)

    def weights(self, names: tuple[str, ...]) -> Floats:
        """Smile, gasp and the weight of each named field: (2 + M,) float32."""
        return np.array([self.smile, self.gasp, *(self.moves.get(n, 0.0) for n in names)], np.float32)


def _expression(smile: float, gasp: float, *moves: float) -> Expression:
    return Expression(smile, gasp, dict(zip(_NAMES, moves, strict=True)))


_NAMES = (
    *("corners_up", "corners_out", "lips_up", "brows_inner", "brows_outer", "brows_together"),
    *("eyes_open", "cheeks"),
)
_LINED = {
    "neutral": _expression(0, 0, 0.22, 0.3, -0.11, -0.07, -0.2, 0.0, -0.18, -0.27),
    "happy": _expression(1, 0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2),
    "sad": _expression(0, 0, -0.9, 0.15, 0.27, 0.38, -0.3, 0.15, -0.06, 0.31),
    "surprise": _expression(0, 1, -0.02, -0.12, -0.09, 0.35, 0.33, -0.22, 0.33, -0.31),
    "doubt": _expression(0, 0, -0.3, -0.15, 0.15, -0.25, 0.25, -0.2, 0.1, 0.1),
}
EXPRESSIONS: dict[str, dict[str, Expression]] = {
    "young": {
        "neutral": _expression(0, 0, -0.52, -0.3, 0.07, 0.09, 0.0, 0.2, -0.13, -0.1),
        "happy": _expression(1, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        "sad": _expression(0, 0, -0.95, 0.15, 0.1, 0.59, -0.52, 0.54, -0.3, 0.02),
        "surprise": _expression(0, 1, -0.57, -0.51, -0.24, 0.54, 0.23, -0.08, 0.52, 0.21),
        "doubt": _expression(0, 0, -0.75, -0.2, 0.3, -0.4, 0.2, -0.3, 0.1, 0.1),
    },
    "between": {
        "neutral": _expression(0, 0, -0.03, 0.3, 0.18, 0.19, 0.03, -0.09, -0.4, -0.18),
        "happy": _expression(1, 0, 0.15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1),
        "sad": _expression(0, 0, -1.0, 0.32, 0.2, 0.1, -0.55, 0.36, -0.24, -0.05),
        "surprise": _expression(0, 1, -0.29, -0.41, -0.19, 0.48, 0.32, -0.11, 0.31, 0.08),
        "doubt": _expression(0, 0, -0.5, -0.25, 0.3, -0.3, 0.25, -0.1, 0.1, 0.3),
    },
    "elder": _LINED,
    "cap": _LINED,
}
"""By head: what each face does, found by a search for small moves that an emotion network reads as meant."""


def displacement_fields() -> dict[str, Floats]:
    """Where each point of the common frame goes, at weight 1: (440, 400, 2) float32, `dx, dy` in px each.

    All of them fade to nothing at the edge of `ROI`.
    """
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    zero = np.zeros_like(x)

    def bump(cx: float, cy: float, sx: float, sy: float) -> Floats:
        return np.asarray(np.exp(-0.5 * (((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2)), np.float32)

    left, right = _MOUTH_CORNERS
    eye_l, eye_r = _EYES
    corners = bump(left, _MOUTH[1], 17, 15), bump(right, _MOUTH[1], 17, 15)
    inner = bump(eye_l + 10, _BROW_Y, 18, 16) + bump(eye_r - 10, _BROW_Y, 18, 16)
    outer = bump(eye_l - 22, _BROW_Y, 18, 15) + bump(eye_r + 22, _BROW_Y, 18, 15)
    cheeks = bump(eye_l - 2, _EYE_Y + 40, 20, 15) + bump(eye_r + 2, _EYE_Y + 40, 20, 15)
    eyes = bump(eye_l, _EYE_Y, 21, 9) + bump(eye_r, _EYE_Y, 21, 9)
    lids = bump(eye_l, _EYE_Y - 1, 19, 7) + bump(eye_r, _EYE_Y - 1, 19, 7)
    below_mouth = 1 / (1 + np.exp(-np.clip((y - _MOUTH[1] - 4) / 6, -30, 30)))
    jaw = below_mouth * np.exp(-0.5 * ((x - _MOUTH[0]) / 62) ** 4 - 0.5 * (np.maximum(y - _CHIN_Y, 0) / 18) ** 2)
    fields = {
        "corners_up": (zero, -10 * (corners[0] + corners[1])),
        "corners_out": (10 * (corners[1] - corners[0]), zero),
        "jaw": (zero, 10 * jaw),
        "lips_up": (zero, -6 * bump(_MOUTH[0], _MOUTH[1] - 8, 26, 9)),
        "brows_inner": (zero, -10 * inner),
        "brows_outer": (zero, -10 * outer),
        "brows_together": (8 * (bump(eye_l + 6, _BROW_Y, 18, 14) - bump(eye_r - 6, _BROW_Y, 18, 14)), zero),
        "eyes_open": (zero, 0.6 * (y - _EYE_Y) * eyes),
        "cheeks": (zero, -6 * cheeks),
        "blink": (zero, 10 * lids),
        "turn": (14 * bump(202, 230, 52, 78), zero),
        "nod": (zero, 12 * bump(202, 232, 62, 62)),
    }
    edge = _edge(x, ROI[0], ROI[2]) * _edge(y, ROI[1], ROI[3])
    return {name: np.dstack([dx * edge, dy * edge]).astype(np.float32) for name, (dx, dy) in fields.items()}


def _edge(at: Floats, low: float, high: float, width: float = 24.0) -> Floats:
    t = np.clip(np.minimum(at - low - 2, high - 2 - at) / width, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
