"""Who is who from frame to frame: two-stage association as in ByteTrack, with a motion model in seconds.

The association follows Zhang et al. 2022 (ByteTrack, arXiv 2110.06864): detections with a high score choose
first among all tracks, those with a low one may only fill what is left. In place of a Kalman filter in pixels
per frame, which is right for one frame rate, each face moves by an integrated Ornstein-Uhlenbeck process: its
velocity is forgotten within about a second, and all lengths are in sizes of the face itself, so that neither
the frame rate nor the distance from the camera matters.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from classpulse.types import Tracks
from classpulse.vision.assignment import assign

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from classpulse.settings import TrackerSettings
    from classpulse.types import Faces, Ints, Mask

    Doubles: TypeAlias = NDArray[np.float64]

HIGH_SCORE = 0.6
"""Confidence from which a detection takes part in the first stage of the association."""
SURE_SCORE = 0.75
"""Confidence from which a face is believed at first sight; others must be seen in two frames in a row."""
NOMINAL_STEP_S = 1 / 30
"""Step that is assumed where the clock stands still, steps back or is no number."""
MAX_LOST = 1000
"""Most tracks that are remembered while out of sight; the longest lost are forgotten first."""

SPEED = 3.0
"""Standard deviation of a face's velocity, face sizes a second: most people sit, and some walk by."""
MEMORY_S = 1.0
"""Time in which a velocity is forgotten."""
NOISE = 0.05
"""Standard deviation of a detected centre, face sizes."""
MIN_REACH = 0.7
"""Distance from the expected place within which a face may always be found, face sizes; where the filter is less
sure, three of its standard deviations."""
MAX_RATIO = 2.0
"""Ratio of two sizes from which they are not the same face."""
RATIO_COST = 0.5
"""Cost of a size that is e times another, face sizes of distance."""
LOST_COST = 0.3
"""Cost of each second out of sight, face sizes of distance."""
MAX_COST = 1.5
"""Cost from which a face is rather a new one, face sizes of distance."""
MAX_LOW_COST = 0.7
"""The same for a detection with a low score: it must be just where a face is expected."""

_STATE = np.dtype(
    [
        ("id", np.int64),  # 0 until it is confirmed
        ("seen_s", np.float64),
        ("centre", np.float64, 2),  # px
        ("velocity", np.float64, 2),  # px/s
        ("size", np.float64),  # px, square root of the box's area
        ("variance", np.float64, 3),  # of place, place and velocity, velocity; in face sizes
    ]
)


class FaceTracker:
    """Gives each face a number and keeps it while the person stays.

    The numbers start from 1 in each tracker and are never given twice by it.
    """

    def __init__(self, settings: TrackerSettings) -> None:
        """Start with nobody.

        Args:
            settings: how long a face may be out of sight and still be the same track.
        """
        self._max_gap_s = settings.max_gap_s
        self._tracks: NDArray[np.void] = np.empty(0, _STATE)
        self._last_id = 0
        self._time_s = -math.inf  # by the caller's clock
        self._clock_s = 0.0  # the sum of the steps, which never runs backwards

    def update(self, faces: Faces, time_s: float, places: Doubles | None = None) -> Tracks:
        """Follow the faces of the next frame.

        A face that was seen before keeps its number if it is found where it is expected, within
        `max_gap_s`. A new face gets a number at once if its score is high, or if there is nothing to
        compare it with (the first frame, and the first after more than `max_gap_s`); otherwise when it
        is seen again in the very next frame, so that a false detection in one frame becomes nobody.

        Boxes that are not finite, less than a pixel wide or high, or without a finite score are left
        out. A clock that stands still, steps back by up to `max_gap_s` or is no number is taken as one
        step at 30 frames a second; one that jumps further, either way, starts afresh with new numbers.

        Args:
            faces: N detections; they are not changed.
            time_s: the frame's time, seconds by any clock.
            places: (N, 4) boxes `x0, y0, x1, y1` to follow the faces by, in any measure, where they are not in the
                picture where they would be expected; their own boxes if not given.

        Returns:
            The faces of this frame that are followed, with the detector's own boxes, in its order.
        """
        usable = _usable(faces)
        boxes = (faces.boxes.astype(np.float64) if places is None else places)[usable]
        faces = faces[usable]
        fresh = self._advance(time_s)
        centres, sizes = _centres_and_sizes(boxes)
        owners = self._associate(centres, sizes, faces.scores >= HIGH_SCORE)
        believed = (owners >= 0) | (faces.scores >= SURE_SCORE) | fresh
        self._correct(owners, centres, sizes)
        ids = self._number(owners, believed)
        self._forget()
        return Tracks(ids[believed], faces[believed])

    def resume(self) -> None:
        """Take the next frame as one step at 30 frames a second after the last, however long it was away."""
        self._time_s = math.nan

    def number_after(self, last: int) -> None:
        """Give no number up to this one any more: another tracker has given them."""
        self._last_id = max(self._last_id, last)

    def _advance(self, time_s: float) -> bool:
        """Move every track to the frame's time; returns whether this is a new beginning."""
        step_s = time_s - self._time_s if math.isfinite(time_s) else math.nan
        fresh = abs(step_s) > self._max_gap_s
        self._time_s = time_s if math.isfinite(time_s) else self._time_s
        if fresh:
            self._tracks = self._tracks[:0]
        step_s = step_s if step_s > 0 and not fresh else NOMINAL_STEP_S
        self._clock_s += step_s
        self._tracks = self._tracks[self._clock_s - self._tracks["seen_s"] <= self._max_gap_s]
        _predict(self._tracks, step_s)
        return fresh

    def _associate(self, centres: Doubles, sizes: Doubles, high: Mask) -> Ints:
        """Find each face's track: (N,) places in `_tracks`, -1 for none; those with a high score choose first."""
        owners = np.full(len(sizes), -1)
        costs = _costs(self._tracks, self._clock_s, centres, sizes)
        for stage, most in ((high, MAX_COST), (~high, MAX_LOW_COST)):
            rows = np.setdiff1d(np.arange(len(self._tracks)), owners)
            columns = np.flatnonzero(stage)
            chosen, taken = assign(costs[np.ix_(rows, columns)], most)
            owners[columns[taken]] = rows[chosen]
        return owners

    def _correct(self, owners: Ints, centres: Doubles, sizes: Doubles) -> None:
        """Tell the tracks where their faces were seen, and begin one for each face that has none.

        `owners` is completed in place.
        """
        known = owners >= 0
        rows = owners[known]
        self._tracks[rows] = _corrected(self._tracks[rows], centres[known], sizes[known])
        born = np.zeros(int((~known).sum()), _STATE)
        born["centre"], born["size"] = centres[~known], sizes[~known]
        born["variance"] = NOISE**2, 0, SPEED**2
        owners[~known] = len(self._tracks) + np.arange(len(born))
        self._tracks = np.concatenate([self._tracks, born])
        self._tracks["seen_s"][owners] = self._clock_s

    def _number(self, owners: Ints, believed: Mask) -> Ints:
        """Give the next numbers to believed faces that have none; returns every face's number, 0 for none."""
        new = owners[believed & (self._tracks["id"][owners] == 0)]
        self._tracks["id"][new] = self._last_id + 1 + np.arange(len(new))
        self._last_id += len(new)
        return np.asarray(self._tracks["id"][owners], np.int64)

    def _forget(self) -> None:
        """Drop faces that were not believed and not seen again, and the longest lost of too many."""
        lost = self._tracks["seen_s"] < self._clock_s
        keep = ~lost | (self._tracks["id"] > 0)
        missing = np.flatnonzero(lost & keep)
        if len(missing) > MAX_LOST:
            keep[missing[np.argsort(self._tracks["seen_s"][missing])[:-MAX_LOST]]] = False
        self._tracks = self._tracks[keep]


def _usable(faces: Faces) -> Mask:
    """(N,) bool: which boxes can be a face at all."""
    finite = np.isfinite(faces.boxes).all(axis=1) & np.isfinite(faces.scores)
    sides = np.where(finite[:, None], faces.boxes, 0).astype(np.float64)
    return np.asarray(finite & (sides[:, 2:] - sides[:, :2] >= 1).all(axis=1), np.bool_)


def _centres_and_sizes(boxes: Doubles) -> tuple[Doubles, Doubles]:
    """Centres, (N, 2) px, and sizes, (N,) px, of boxes."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2, np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))


def _predict(tracks: NDArray[np.void], step_s: float) -> None:
    """Move tracks on by `step_s`, in place: an Ornstein-Uhlenbeck velocity, integrated, solved exactly."""
    left = math.exp(-step_s / MEMORY_S)
    reach = MEMORY_S * (1 - left)
    tracks["centre"] += reach * tracks["velocity"]
    tracks["velocity"] *= left
    place, both, speed = tracks["variance"].T.copy()
    spread = 2 * MEMORY_S * (step_s - 2 * reach) + MEMORY_S**2 * (1 - left**2)
    tracks["variance"][:, 0] = place + 2 * reach * both + reach**2 * speed + SPEED**2 * spread
    tracks["variance"][:, 1] = left * (both + reach * speed) + (SPEED * reach) ** 2 / MEMORY_S
    tracks["variance"][:, 2] = left**2 * speed + SPEED**2 * (1 - left**2)


def _corrected(tracks: NDArray[np.void], centres: Doubles, sizes: Doubles) -> NDArray[np.void]:
    """The K tracks after their faces were seen at (K, 2) `centres` with (K,) `sizes`: the Kalman filter's update."""
    new = tracks.copy()
    place, both, speed = tracks["variance"].T
    gain = np.stack([place, both], axis=1) / (place + NOISE**2)[:, None]
    surprise = centres - tracks["centre"]
    new["centre"] += gain[:, :1] * surprise
    new["velocity"] += gain[:, 1:] * surprise
    new["variance"] = np.stack([place * (1 - gain[:, 0]), both * (1 - gain[:, 0]), speed - gain[:, 1] * both], axis=1)
    new["size"] = np.sqrt(tracks["size"]) * np.sqrt(sizes)
    return new


def _costs(tracks: NDArray[np.void], clock_s: float, centres: Doubles, sizes: Doubles) -> Doubles:
    """Cost of each track, of T, being each face, of N: (T, N), face sizes; infinite where it cannot be."""
    ratio = np.abs(np.log(tracks["size"])[:, None] - np.log(sizes))
    scale = np.sqrt(tracks["size"])[:, None] * np.sqrt(sizes)
    distance = np.linalg.norm(tracks["centre"][:, None] - centres, axis=2) / scale
    reach = np.maximum(3 * np.sqrt(tracks["variance"][:, 0] + NOISE**2), MIN_REACH)
    possible = (distance <= reach[:, None]) & (ratio <= math.log(MAX_RATIO))
    lost_s = clock_s - tracks["seen_s"]
    return np.where(possible, distance + RATIO_COST * ratio + LOST_COST * lost_s[:, None], np.inf)
