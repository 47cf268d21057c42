"""What is told of each face: small pure functions, and the state that they need from frame to frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.insight.baseline import RestingFaces
from classpulse.insight.indices import ConcentrationWeights, concentration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classpulse.types import Floats, FrameResult, Ints

PLEASANT = frozenset({"happy"})
UNPLEASANT = frozenset({"angry", "disgust", "fear", "sad"})
CLEAR_PX = 48.0
"""Faces of this size and more count in full; FER-2013's own pictures have it."""
STEP_S = 0.5
"""Movement is measured over at least so long: over less, the detector's own jitter would count."""
LOST_S = 2.0
"""Movement is not measured over a longer gap."""
CUT_WIDTHS_PER_S = 3.0
"""Nobody moves faster than this on a chair: the camera was cut, or two people were taken for one."""
PRESENCE_S = 60.0
FORGOTTEN_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class FaceSignals:
    """What is told of the N faces of one frame, in the order of its tracks; NaN where it is not known.

    Attributes:
        ids: (N,) int64, the tracks.
        presence: (N,) float32, 0 to 1, see `presence`.
        facing: (N,) float32, 1 faces the screen, 0 does not.
        movement: (N,) float32, widths of the face per second, see `movement`.
        mood: (N,) float32, -1 to 1, see `mood`.
        expressiveness: (N,) float32, 0 to 1, see `expressiveness`.
        quality: (N,) float32, 0 to 1, see `quality`.
        concentration: (N,) float32, 0 to 1, see `indices.concentration`.
    """

    ids: Ints
    presence: Floats
    facing: Floats
    movement: Floats
    mood: Floats
    expressiveness: Floats
    quality: Floats
    concentration: Floats

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        for name in self.__slots__:
            if getattr(self, name).shape != self.ids.shape:
                message = f"{name} has shape {getattr(self, name).shape}, expected {self.ids.shape}"
                raise ValueError(message)

    def __len__(self) -> int:
        """Number of faces."""
        return len(self.ids)


def valence(probabilities: Floats, labels: tuple[str, ...]) -> Floats:
    """How pleasant a face looks, -1 to 1: P(happy) - P(angry) - P(disgust) - P(fear) - P(sad).

    The sign of each emotion on the axis of pleasure of Russell 1980, "A circumplex model of affect"; neutral and
    surprise, which may be either, count as 0.

    Args:
        probabilities: (N, L).
        labels: the L emotions.

    Returns:
        (N,) float32; NaN where a face was not read.

    >>> valence(np.array([[0.75, 0.25], [0, 1]], np.float32), ("happy", "sad")).tolist()
    [0.5, -1.0]
    """
    signs = np.array([(label in PLEASANT) - (label in UNPLEASANT) for label in labels], np.float32)
    return np.asarray(probabilities @ signs, np.float32)


def mood(probabilities: Floats, rest: Floats, labels: tuple[str, ...]) -> Floats:
    """How much more pleasant a face looks than at rest: valence(p) - valence(rest), cut to -1 … 1.

    Args:
        probabilities: (N, L), the reading.
        rest: (N, L), the resting face, of `RestingFaces`.
        labels: the L emotions.

    Returns:
        (N,) float32; NaN where a face was not read.
    """
    return np.asarray(np.clip(valence(probabilities, labels) - valence(rest, labels), -1, 1), np.float32)


def expressiveness(probabilities: Floats, rest: Floats) -> Floats:
    """How far a reading is from the resting face: the total variation distance, 1/2 sum over emotions of |p - rest|.

    Args:
        probabilities: (N, L), the reading.
        rest: (N, L), the resting face.

    Returns:
        (N,) float32, 0 to 1; NaN where a face was not read.

    >>> expressiveness(np.array([[0.5, 0.5]], np.float32), np.array([[0, 1]], np.float32)).tolist()
    [0.5]
    """
    return np.asarray(np.abs(probabilities - rest).sum(axis=1) / 2, np.float32)


def quality(sizes_px: Floats, scores: Floats) -> Floats:
    """How well a face is seen: the detector's score times min(1, size / 48 px).

    Emotions of faces shrunk to 36, 28 and 20 px are told in 59.8, 51.2 and 41.2 % from 65.7: measured here on
    FER-2013's pictures. It is shown beside a face and gives nobody more weight than others in the class's figures.

    Args:
        sizes_px: (N,) longer side of the box.
        scores: (N,) the detector's.

    Returns:
        (N,) float32, 0 to 1; 0 where either is no number.
    """
    found = np.clip(sizes_px / CLEAR_PX, 0, 1) * np.clip(scores, 0, 1)
    return np.asarray(np.nan_to_num(found, nan=0.0), np.float32)


def movement(before: NDArray[np.float64], now: NDArray[np.float64], over_s: NDArray[np.float64]) -> Floats:
    """How fast each face moves, in its own widths per second: |centre - centre before| / (mean width * time).

    What all have in common, the median of the shifts of three faces or more, is the camera's and taken off. Faster
    than `CUT_WIDTHS_PER_S` is a cut and no movement.

    Args:
        before: (N, 3) centre x, y and width, px.
        now: (N, 3) the same, later.
        over_s: (N,) time between the two.

    Returns:
        (N,) float32; NaN where it cannot be told: after a cut, a gap of more than `LOST_S`, or without a box.

    >>> was, now = np.array([[100.0, 50, 40]]), np.array([[120.0, 50, 40]])
    >>> movement(was, now, np.array([0.5])).tolist()
    [1.0]
    """
    shifts = now[:, :2] - before[:, :2]
    measured = np.isfinite(shifts).all(axis=1) & (over_s > 0) & (over_s <= LOST_S)
    if measured.sum() >= 3:
        shifts = shifts - np.median(shifts[measured], axis=0)
    widths = (before[:, 2] + now[:, 2]) / 2
    measured &= widths > 0
    speeds = np.full(len(now), np.nan)
    speeds[measured] = np.hypot(*shifts[measured].T) / (widths[measured] * over_s[measured])
    speeds[speeds > CUT_WIDTHS_PER_S] = np.nan
    return speeds.astype(np.float32)


def presence(before: float, gap_s: float, tau_s: float = PRESENCE_S) -> float:
    """Share of the last minute or so in which somebody was seen, weighted exponentially, at a moment in which they are.

        presence = before e^(-gap / tau)              over a gap of more than `LOST_S`
        presence = 1 - (1 - before) e^(-gap / tau)    over a shorter one, in which they count as seen

    >>> round(presence(1.0, 60.0), 3), presence(1.0, 0.1)
    (0.368, 1.0)
    """
    kept = math.exp(-max(0.0, gap_s) / tau_s)
    return before * kept if gap_s > LOST_S else 1 - (1 - before) * kept


@dataclass(slots=True)
class _Track:
    """What is kept of one track: where it was when its movement was last measured, and what that was."""

    place: NDArray[np.float64]
    placed_s: float
    seen_s: float
    movement: float = math.nan
    presence: float = 1.0


class SignalReader:
    """Tells the signals of every face; keeps what it needs of each track, for no longer than a minute out of sight."""

    def __init__(self, weights: ConcentrationWeights | None = None) -> None:
        """Start with nobody; `weights` are the paper's if not given."""
        self._weights = weights or ConcentrationWeights()
        self._resting = RestingFaces()
        self._tracks: dict[int, _Track] = {}
        self._time_s = -math.inf

    def update(self, result: FrameResult, facing: Floats) -> FaceSignals:
        """Tell the signals of the faces of the next result.

        A result without a finite time teaches nothing; after a clock that jumps back, movement begins anew.

        Args:
            result: of the next frame.
            facing: (N,) 1 faces the screen, 0 does not, NaN not told: of `FacingJudge`.
        """
        faces = result.tracks.faces
        finite = math.isfinite(result.time_s)
        if finite and result.time_s < self._time_s:
            self._tracks.clear()
        if finite:
            self._time_s = result.time_s
        unknown = np.full(len(result), np.nan, np.float32)
        moods, shown, concentrated = unknown, unknown, unknown
        if result.emotions is not None and finite:
            people = () if result.identities is None else result.identities.people
            rest = self._resting.update(result.tracks.ids, result.emotions, result.time_s, people)
            read = result.emotions.probabilities
            moods = mood(read, rest, result.emotions.labels)
            shown = expressiveness(read, rest)
            concentrated = concentration(read, result.emotions.labels, facing, self._weights)
        moved, present = self._follow(result) if finite else (unknown, unknown)
        return FaceSignals(
            ids=result.tracks.ids,
            presence=present,
            facing=facing,
            movement=moved,
            mood=moods,
            expressiveness=shown,
            quality=quality(faces.sizes_px, faces.scores),
            concentration=concentrated,
        )

    def _follow(self, result: FrameResult) -> tuple[Floats, Floats]:
        """(N,) movement and (N,) presence of the faces of a result."""
        boxes, now_s = result.tracks.faces.boxes.astype(np.float64), result.time_s
        places = np.stack([boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1), boxes[:, 2] - boxes[:, 0]], 1)
        known = []
        for track, place in zip(result.tracks.ids.tolist(), places, strict=True):
            one = self._tracks.pop(track, None) or _Track(place, now_s, now_s)
            one.presence, one.seen_s = presence(one.presence, now_s - one.seen_s), now_s
            self._tracks[track] = one
            known.append(one)
        due = [i for i, one in enumerate(known) if now_s - one.placed_s >= STEP_S]
        before = np.array([known[i].place for i in due]).reshape(-1, 3)
        over_s = np.array([now_s - known[i].placed_s for i in due])
        for i, speed in zip(due, movement(before, places[due], over_s).tolist(), strict=True):
            known[i].movement, known[i].place, known[i].placed_s = speed, places[i], now_s
        self._forget(now_s)
        moved = np.array([one.movement if result.placed else np.nan for one in known], np.float32)
        return moved, np.array([one.presence for one in known], np.float32)

    def _forget(self, now_s: float) -> None:
        """The one seen longest ago stands first."""
        while self._tracks and now_s - next(iter(self._tracks.values())).seen_s > FORGOTTEN_S:
            del self._tracks[next(iter(self._tracks))]
