"""Which way a head is turned, by arithmetic on five landmarks; no model file, and the law asked all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from classpulse.policy import Task
from classpulse.types import HeadPoses

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from classpulse.policy import Policy
    from classpulse.types import Faces, Floats, Mask

    Doubles: TypeAlias = NDArray[np.float64]

NOSE_DEPTH = 1.7
"""Distance of the eyes over the nose tip's distance from the plane of eyes and mouth corners: 63 over 37 mm. The
canonical face of MediaPipe has 1.75 (63 over 36); against the yaw of its mesh on 580 faces the best value was 1.65."""

MIN_FACE_PX = 20.0
"""Longer side from which a pose is told. Shrunk to 40, 28 and 20 px, faces keep about .85, .85 and .7 of their yaw; of
14 px hardly any is found."""
MAX_NOSE = 1.2
"""Offset of the nose over the distance between eyes and mouth from which five points are no face; faces have .6."""
MIN_LENGTH = 0.15
"""Distance between eyes and mouth over the longer side below which five points are no face; faces have .3 to .45."""

FRONTAL_SD_DEG = 3.5
"""Standard deviation of the yaw of large faces that look into the camera; those below are added as variances."""
SMALL_SD_DEG_PX = 125.0
"""The same for what the size does, times the size, px: 4.5 degrees at 28 px."""
TURNED_SD_DEG = 6.5
"""The same for noses that are longer or shorter than `NOSE_DEPTH` says, over the sine of the yaw."""
FAR_DEG = 50.0
"""Yaw from which little but the side is certain."""
FAR_SD_DEG = 11.0
"""The same for heads that are turned so far."""
MAX_ROLL_DEG = 40.0
"""Tilt from which the detector pulls the points upright: a head that was tilted by 55 degrees and turned by 32 was told
as tilted by 43 and turned by 12."""
TILTED_SD_DEG = 20.0
"""The same for heads that are tilted so far."""


class HeadPoseEstimator:
    """Tells yaw and roll of each face.

    Five points do not tell pitch soundly, nor whether eyes are open: neither is claimed. A head that is bent over
    paper keeps its yaw, because widths alone go into it.
    """

    def __init__(self, policy: Policy) -> None:
        """Ask whether it may be told who pays attention.

        Args:
            policy: the law in force.

        Raises:
            PolicyError: it does not allow reading attention.
        """
        policy.require(Task.ATTENTION)

    def estimate(self, faces: Faces) -> HeadPoses:
        """Tell the pose of each face, seen from a camera that is far away beside the depth of a face.

        In the head's own frame the eyes are at (-E/2, 0) and (E/2, 0), the first number to the side and the second
        to the front, and the nose's tip is at (0, D). Turned by the yaw y, the picture shows the eyes E cos(y)
        apart and the nose D sin(y) beside the middle: tan(y) = (E / D) offset / distance, with E / D from
        `NOSE_DEPTH`. Pitch shortens neither width, and the length of the face does not come in. What is to the side
        in the picture is told by the roll: the angle of the rotation that brings eyes and mouth nearest to upright
        (Procrustes; Umeyama 1991), with the line of the eyes and that to the mouth weighed by their lengths.

        Decision 012 has the comparison with the nose's offset over the face's length and with `cv2.solvePnP`.

        Args:
            faces: N faces.

        Returns:
            N poses. NaN where a face is smaller than `MIN_FACE_PX`, or its points are no numbers or no face.
            Beyond `FAR_DEG` little but the side is certain.
        """
        points = faces.landmarks.astype(np.float64)
        eyes, nose, mouth = points[:, 1] - points[:, 0], points[:, 2], points[:, 3:].mean(axis=1)
        down = mouth - points[:, :2].mean(axis=1)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            roll = np.arctan2(eyes[:, 1] - down[:, 0], eyes[:, 0] + down[:, 1])
            side = np.stack([np.cos(roll), np.sin(roll)], axis=1)
            offset = ((nose - points[:, [0, 1, 3, 4]].mean(axis=1)) * side).sum(axis=1)
            width = np.maximum((eyes * side).sum(axis=1), 0)
            yaw = np.arctan2(NOSE_DEPTH * offset, width)
            size, length = faces.sizes_px.astype(np.float64), np.hypot(down[:, 0], down[:, 1])
            told = (size >= MIN_FACE_PX) & (length >= MIN_LENGTH * size) & (np.abs(offset) <= MAX_NOSE * length)
        return HeadPoses(
            _where(told, np.degrees(yaw)),
            _where(told, np.degrees(roll)),
            _where(told, _yaw_sd_deg(yaw, roll, np.where(told, size, MIN_FACE_PX))),
        )

    def take(self, yaw_deg: Floats, roll_deg: Floats, sizes_px: Floats) -> HeadPoses:
        """Take poses that were told elsewhere by the same arithmetic, on a student's own device, with their error.

        Args:
            yaw_deg: (N,), NaN where it was not told.
            roll_deg: (N,).
            sizes_px: (N,) longer side of each face.

        Returns:
            N poses; NaN where a face is smaller than `MIN_FACE_PX` or its yaw was not told.
        """
        yaw, roll, sizes = (values.astype(np.float64) for values in (yaw_deg, roll_deg, sizes_px))
        told = np.isfinite(yaw) & np.isfinite(roll) & (sizes >= MIN_FACE_PX)
        sd = _yaw_sd_deg(np.radians(np.where(told, yaw, 0)), np.radians(np.where(told, roll, 0)), np.maximum(sizes, 1))
        return HeadPoses(_where(told, yaw), _where(told, roll), _where(told, sd))


def _yaw_sd_deg(
    yaw: NDArray[np.float64], roll: NDArray[np.float64], size_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard deviation of the yaw's error, degrees; yaw and roll in radians."""
    tilted = np.where(np.abs(np.degrees(roll)) > MAX_ROLL_DEG, TILTED_SD_DEG, 0)
    far = np.where(np.abs(np.degrees(yaw)) > FAR_DEG, FAR_SD_DEG, 0)
    parts = [np.full(len(yaw), FRONTAL_SD_DEG), SMALL_SD_DEG_PX / size_px, TURNED_SD_DEG * np.sin(yaw), tilted, far]
    return np.asarray(np.sqrt(np.square(parts).sum(axis=0)), np.float64)


def _where(told: Mask, values: Doubles) -> Floats:
    return np.where(told, values, np.nan).astype(np.float32)
