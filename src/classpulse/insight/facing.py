"""Who faces the screen, a stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from classpulse.types import Floats, HeadPoses, Ints


class FacingJudge:
    """Tells who faces the screen: the head is turned by no more than `max_yaw_deg`."""

    def __init__(self, max_yaw_deg: float, hysteresis_deg: float, min_turn_s: float, calibration_s: float) -> None:
        """Take the limits; only the first is used."""
        self._max_yaw_deg = max_yaw_deg
        self._unused = (hysteresis_deg, min_turn_s, calibration_s)

    def update(self, ids: Ints, poses: HeadPoses, time_s: float) -> Floats:  # noqa: ARG002
        """(N,) float32: 1 faces the screen, 0 does not, NaN not told."""
        facing = np.abs(poses.yaw_deg) <= self._max_yaw_deg
        return np.where(poses.told, facing, np.nan).astype(np.float32)
