"""How good a picture of one face is for knowing the person again: size, sharpness, pose and light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.texts import phrase
from classpulse.vision.alignment import align

if TYPE_CHECKING:
    from classpulse.types import Faces, Floats, Image

SIDE_PX = 112
INNER = np.s_[16:, 16:96]
"""The part of an aligned face that shows eyes, nose and mouth, and little of hair and background."""

LEAST_SIZE_PX, GOOD_SIZE_PX = 80, 160
LEAST_SHARPNESS, GOOD_SHARPNESS = 0.03, 0.1
"""Press photographs have .06 to .8; blurred as if their faces had been 48 px they have .02 to .08, 32 px .01 to .04."""
MOST_TURN, GOOD_TURN = 0.25, 0.1
"""Press photographs have up to .16."""
UPRIGHT_NOSE, MOST_NOD, GOOD_NOD = 0.58, 0.2, 0.08
"""Press photographs lie within .07 of .58."""
DARKEST, BRIGHTEST = 40, 225
LEAST_CONTRAST, GOOD_CONTRAST = 10, 25
"""Press photographs have 33 to 74."""


TOO_DARK = phrase("the face is too dark: turn towards a window or a lamp")
TOO_BRIGHT = phrase("the face is too bright: turn away from the lamp or the sun")
TOO_FLAT = phrase("the face has hardly any contrast: use an even light, and wipe the lens")
BLURRED = phrase("the face is blurred: hold still until the camera has focused")
TURNED = phrase("the face is turned to the side: look straight at the camera")
NODDING = phrase("the face looks up or down: hold the camera at the height of the eyes")


@dataclass(frozen=True, slots=True)
class Portrait:
    """What can be measured of one face in one picture.

    Attributes:
        size_px: longer side of its box.
        sharpness: variance of the Laplacian over the variance of the levels, in the aligned face of 112 px.
        turn: how far the nose is beside the middle of eyes and mouth, in distances from the eyes to the mouth; positive
            towards the person's left. About .25 at 30 degrees.
        nod: how far the nose is from where it is on an upright face, between the eyes (0) and the mouth (1).
        brightness: mean level, 0 to 255.
        contrast: standard deviation of the levels.
    """

    size_px: float
    sharpness: float
    turn: float
    nod: float
    brightness: float
    contrast: float

    @property
    def fault(self) -> str:
        """What is wrong and what would be right, for whoever took the picture; empty if nothing."""
        small = phrase(
            "the face is {size} px wide, and {least} are needed: come closer to the camera",
            size=round(self.size_px),
            least=LEAST_SIZE_PX,
        )
        faults = (
            (self.size_px < LEAST_SIZE_PX, small),
            (self.brightness < DARKEST, TOO_DARK),
            (self.brightness > BRIGHTEST, TOO_BRIGHT),
            (self.contrast < LEAST_CONTRAST, TOO_FLAT),
            (self.sharpness < LEAST_SHARPNESS, BLURRED),
            (abs(self.turn) > MOST_TURN, TURNED),
            (abs(self.nod) > MOST_NOD, NODDING),
        )
        return next((text for wrong, text in faults if wrong), "")

    @property
    def quality(self) -> float:
        """From .1 to 1: how far the worst of the measures is from its limit."""
        shares = (
            (self.size_px - LEAST_SIZE_PX) / (GOOD_SIZE_PX - LEAST_SIZE_PX),
            (self.sharpness - LEAST_SHARPNESS) / (GOOD_SHARPNESS - LEAST_SHARPNESS),
            (MOST_TURN - abs(self.turn)) / (MOST_TURN - GOOD_TURN),
            (MOST_NOD - abs(self.nod)) / (MOST_NOD - GOOD_NOD),
            (self.contrast - LEAST_CONTRAST) / (GOOD_CONTRAST - LEAST_CONTRAST),
        )
        return float(np.clip(min(shares), 0.1, 1))


def measure(image: Image, face: Faces) -> Portrait:
    """Measure the one face of a picture.

    Args:
        image: (height, width, 3) uint8, BGR.
        face: one face in it.
    """
    aligned = align(image, face.landmarks[0], SIDE_PX)
    levels = np.asarray(cv2.cvtColor(aligned, cv2.COLOR_BGR2GRAY), np.float64)
    inner = levels[INNER]
    edges = cv2.Laplacian(levels, cv2.CV_64F)[INNER]
    turn, nose = _pose(face.landmarks[0])
    return Portrait(
        size_px=float(face.sizes_px[0]),
        sharpness=float(edges.var() / max(inner.var(), 1)),
        turn=turn,
        nod=nose - UPRIGHT_NOSE,
        brightness=float(inner.mean()),
        contrast=float(inner.std()),
    )


def _pose(landmarks: Floats) -> tuple[float, float]:
    """How far the nose is beside the line from the eyes to the mouth, and how far down it.

    >>> _pose(np.array([[0, 0], [4, 0], [3, 2], [0, 4], [4, 4]], np.float32))
    (0.25, 0.5)
    """
    points = landmarks.astype(np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    across, down = points[1] - points[0], mouth - eyes
    length = max(float(np.hypot(*down)), 1e-6)
    beside = (points[2] - (eyes + mouth) / 2) @ across / max(float(np.hypot(*across)), 1e-6)
    return float(beside / length), float((points[2] - eyes) @ down / length**2)
