"""Where the faces are in every picture: found anew a few times a second, and followed by their texture in between."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.types import Faces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import Floats, Image, Mask
    from classpulse.vision.detector import FaceDetector

WIDTH_PX = 640
"""Longest side of the grey picture that faces are followed in."""
WINDOW_PX = 15
"""Side of the patch around a landmark that is looked for in the next picture."""
LEVELS = 2
"""Halvings of the picture in which it is looked for first, so that it may move further than its own size."""
MAX_DIFFERENCE = 20.0
"""Mean difference of a patch's pixels, grey levels, from which it is another one: 99.9 % of those found again have
less, three quarters of those behind a cut have more."""
MAX_STRAY = 0.08
"""Median distance of a face's landmarks from where its median motion would have them, in sizes of the face, from which
they did not move together: a face turns by less between two pictures."""
MIN_FOUND = 4
"""Landmarks of five that must be found again."""
CUT = 0.5
"""Share of the faces that are not found again, from which the detector looks at once and does not wait."""


class FaceFinder:
    """Finds the faces of one picture after the other.

    A detector costs 20 ms a picture, to follow 30 faces 1.5 ms, so what was found is followed by the optical flow
    of its landmarks (Lucas and Kanade 1981, in pyramids as Bouguet 2001 has it): boxes move with the median of their
    five landmarks and keep their size. Between two looks of .25 s the boxes overlap the detector's own by a median
    IoU of .94 to .98 (decision 028). If half of the faces are not found again (a cut, a hand before the only one) the
    detector looks at once; if fewer are, they stay where they were until half of the interval has passed.
    """

    def __init__(self, detector: FaceDetector, interval_s: float) -> None:
        """Take a detector.

        Args:
            detector: finds faces in single pictures.
            interval_s: time between two of its looks; 0 lets it look at every picture.
        """
        self._detector = detector
        self._interval_s = interval_s
        self._looked_s = -math.inf
        self._grey: NDArray[np.uint8] | None = None
        self._size: tuple[int, ...] = ()
        self._faces = Faces.empty()

    def find(self, image: Image, time_s: float) -> Faces:
        """Find the faces of the next picture.

        Args:
            image: (height, width, 3) uint8, BGR.
            time_s: of the picture; where the clock stands still or steps back the detector looks.

        Returns:
            The faces, in px of the picture.
        """
        if self._interval_s <= 0:
            return self._detector.detect(image)
        grey, scale = _grey(image)
        # Two sizes of one shape are the same picture in grey, with other places for its faces.
        faces = self._follow(grey, scale, time_s) if image.shape == self._size else None
        if faces is None:
            faces, self._looked_s = self._detector.detect(image), time_s
        self._grey, self._size, self._faces = grey, image.shape, faces
        return faces

    def _follow(self, grey: NDArray[np.uint8], scale: float, time_s: float) -> Faces | None:
        """The last picture's faces in this one; None if it is time to look, or too many of them are not found again."""
        before, faces, passed_s = self._grey, self._faces, time_s - self._looked_s
        wait_s = 0.9 * self._interval_s  # a little less, as a camera's pictures do not come to the millisecond
        due = not 0 < passed_s < wait_s
        if due or before is None:
            return None
        if not len(faces):
            return faces
        if not np.isfinite(faces.landmarks).all():
            return None
        moved, lost = _flow(before, grey, faces, scale)
        if lost.mean() >= CUT or (lost.any() and passed_s >= wait_s / 2):
            return None
        moved[lost] = 0  # of those who are found nobody is to wait for one who may only have blinked
        return Faces(faces.boxes + np.tile(moved, 2), faces.scores, faces.landmarks + moved[:, None])


def _grey(image: Image) -> tuple[NDArray[np.uint8], float]:
    """The picture in grey, reduced, and how many of its pixels are one of the full picture."""
    scale = min(1.0, WIDTH_PX / max(image.shape[:2]))
    if scale < 1:
        size = max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[0]))  # a line is a picture too
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8), scale


def _flow(before: NDArray[np.uint8], after: NDArray[np.uint8], faces: Faces, scale: float) -> tuple[Floats, Mask]:
    """How far each face moved, (N, 2) px of the full picture, and which were not found again, (N,) bool."""
    points = (faces.landmarks * scale).reshape(-1, 1, 2)
    there, found, difference = cv2.calcOpticalFlowPyrLK(
        before, after, points, np.empty_like(points), winSize=(WINDOW_PX, WINDOW_PX), maxLevel=LEVELS
    )
    steps = there.reshape(-1, 5, 2) / scale - faces.landmarks
    moved = np.median(steps, axis=1)
    stray = np.median(np.linalg.norm(steps - moved[:, None], axis=2), axis=1) / np.maximum(faces.sizes_px, 1)
    unlike = np.median(difference.reshape(-1, 5), axis=1) > MAX_DIFFERENCE
    lost = unlike | ~(stray <= MAX_STRAY) | (found.reshape(-1, 5).sum(axis=1) < MIN_FOUND)
    return np.asarray(moved, np.float32), np.asarray(lost, np.bool_)
