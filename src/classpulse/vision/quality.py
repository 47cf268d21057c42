"""Whether a face can be read at all, judged before it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.geometry import inside_share, squares
from classpulse.vision.picture import crop

if TYPE_CHECKING:
    from classpulse.types import Faces, Floats, Image, Mask

MIN_INSIDE = 0.75
"""Share of a face that must lie inside the picture: a face cut by its edge is missing an eye or the mouth."""

LARGE_PX = 80.0
"""Longer side from which a face is as large as recognition can use."""
SHARP = 0.1
"""Variance of the Laplacian over that of the face itself, on `SHARP_SIDE_PX`, from which a face is sharp: faces of
60 to 280 px in real recordings have .1 to .4, the same blurred by 4 % of their size .005 to .02."""
SHARP_SIDE_PX = 64
PROFILE = 0.6
"""Offset of the nose over the face's length at which a face is too far from the side (`turned`)."""


def readable(faces: Faces, width: int, height: int, min_face_px: float) -> Mask:
    """Which faces are large enough and whole enough for their emotion to be read.

    Args:
        faces: N faces.
        width: of the picture, px.
        height: of the picture, px.
        min_face_px: least longer side, px. Shrunk to 36, 28 and 20 px, accuracy falls from 66 to 60, 51 and 41 %.

    Returns:
        (N,) bool.
    """
    boxes = faces.boxes
    sound = np.isfinite(boxes).all(axis=1)
    return np.asarray(
        sound & (faces.sizes_px >= min_face_px) & (inside_share(boxes, width, height) >= MIN_INSIDE),
        np.bool_,
    )


def turned(landmarks: Floats) -> Floats:
    """How far each face is turned to the side: the nose's offset from the line between eyes and mouth.

    With e the middle of the eyes, m that of the mouth's corners and n the nose, it is `(m - e) x (n - e) / |m - e|^2`,
    whatever way the head is tilted. On 184 faces it followed the yaw of a face mesh with r = .94.

    Args:
        landmarks: (N, 5, 2) float32, px, as in `Faces`.

    Returns:
        (N,) float32, 0 for a frontal face, positive where the nose points to the picture's left.

    >>> turned(np.array([[[10, 10], [30, 10], [15, 20], [12, 30], [28, 30]]], np.float32)).tolist()
    [0.25]
    """
    eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)
    length, nose = mouth - eyes, landmarks[:, 2] - eyes
    square = np.maximum((length**2).sum(axis=1), 1e-6)
    return np.asarray((length[:, 0] * nose[:, 1] - length[:, 1] * nose[:, 0]) / square, np.float32)


def sharpness(image: Image, boxes: Floats) -> Floats:
    """Detail of each face over its contrast, so that light and skin matter little.

    Args:
        image: (height, width, 3) uint8, BGR.
        boxes: (N, 4) float32, px.

    Returns:
        (N,) float32: variance of the Laplacian over that of the grey face, on 64 px; 0 where all is one grey.
    """
    found = np.zeros(len(boxes), np.float32)
    for i, square in enumerate(squares(boxes)):
        grey = cv2.cvtColor(crop(image, square, SHARP_SIDE_PX), cv2.COLOR_BGR2GRAY).astype(np.float32)
        found[i] = cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0)
    return found


def view_quality(image: Image, faces: Faces) -> Floats:
    """How much each face can tell of who it is: the geometric mean of size, sharpness and frontal pose.

    `(min(1, size / 80 px) * min(1, sharpness / 0.1) * max(0, 1 - (turned / 0.6)^2)) ^ (1/3)`. The mean is geometric
    since a face that fails in one respect tells nothing, however good it is in the others.

    Args:
        image: (height, width, 3) uint8, BGR.
        faces: the N faces in it, with finite boxes.

    Returns:
        (N,) float32, 0 to 1; 0 where the landmarks are no numbers.
    """
    size = np.minimum(1, faces.sizes_px / LARGE_PX)
    sharp = np.minimum(1, sharpness(image, faces.boxes) / SHARP)
    frontal = np.maximum(0, 1 - (np.nan_to_num(turned(faces.landmarks), nan=PROFILE) / PROFILE) ** 2)
    return np.asarray(np.cbrt(size * sharp * frontal), np.float32)
