"""Scripted scenes: people whose place is known at every moment, seen by a detector with known faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from tracker_metrics import IdentityScore

from classpulse.geometry import iou
from classpulse.types import Faces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from classpulse.types import Floats, Ints
    from classpulse.vision.tracker import FaceTracker

    Place: TypeAlias = tuple[float, float, float]
    """Centre, px, and width, px."""
    Path: TypeAlias = Callable[[float], Place | None]
    """Where a person is at a time; None while out of sight."""

WIDTH, HEIGHT = 1280, 720
MAX_IOU = 0.3
"""Overlap from which a detector keeps only the face in front."""


@dataclass(frozen=True)
class Faults:
    """What the detector does wrong.

    Attributes:
        jitter: standard deviation of centre and sides, face widths.
        missed: share of faces that are not found.
        false: false detections per true one.
        false_scores: lowest and highest score of false detections.
        scores: lowest and highest score of true ones.
    """

    jitter: float = 0.0
    missed: float = 0.0
    false: float = 0.0
    false_scores: tuple[float, float] = (0.5, 0.7)
    scores: tuple[float, float] = (0.65, 0.95)


@dataclass(frozen=True)
class Moment:
    """One frame: the truth and what the detector made of it.

    Attributes:
        time_s: the frame's time.
        people: (M,) int64, the persons in sight.
        boxes: (M, 4) float32, their true boxes.
        faces: what was detected.
    """

    time_s: float
    people: Ints
    boxes: Floats
    faces: Faces


def still(x: float, y: float, size: float = 60) -> Path:
    """Somebody who sits."""
    return lambda _: (x, y, size)


def walk(start: Place, end: Place, duration_s: float) -> Path:
    """Somebody who walks in a straight line, at an even pace, and is gone at its end."""

    def place(time_s: float) -> Place | None:
        share = time_s / duration_s
        x, y, size = (a + (b - a) * share for a, b in zip(start, end, strict=True))
        return (x, y, size) if 0 <= share <= 1 else None

    return place


def hidden(path: Path, *spans_s: tuple[float, float]) -> Path:
    """The same path, out of sight from the first to the second time of each span."""
    return lambda time_s: None if any(a <= time_s < b for a, b in spans_s) else path(time_s)


def seated(count: int, *, pitch: float = 1.6, size: float = 48) -> list[Path]:
    """Rows of seats, `pitch` face widths from one another, in which people sway a little."""
    columns = int(WIDTH * 0.9 / (pitch * size))

    def seat(i: int) -> Path:
        x, y = (i % columns + 1) * pitch * size, (i // columns + 1) * 2 * size
        return lambda t: (x + 0.15 * size * np.sin(t * (0.5 + i % 7 / 5) + i), y + 0.1 * size * np.sin(t + 2 * i), size)

    return [seat(i) for i in range(count)]


def steady(duration_s: float, fps: float) -> list[float]:
    """Times of an even frame rate."""
    return [i / fps for i in range(int(duration_s * fps))]


def uneven(duration_s: float, seed: int = 0) -> list[float]:
    """Times of a busy machine: steps from a 30th to a third of a second, in no order."""
    times = np.cumsum(np.random.default_rng(seed).choice([1 / 30, 1 / 15, 1 / 8, 1 / 3], 30 * int(duration_s)))
    return [float(t) for t in times if t < duration_s]


def film(
    paths: Sequence[Path], times: Iterable[float], faults: Faults | None = None, seed: int = 0
) -> Iterator[Moment]:
    """Play a scene; of two people in one line of sight, the one named later stands in front."""
    rng = np.random.default_rng(seed)
    for time_s in times:
        places = [(i, path(time_s)) for i, path in enumerate(paths)]
        there = [(i, place) for i, place in places if place is not None]
        people = np.array([i for i, _ in there], np.int64)
        boxes = np.array([_box(*place) for _, place in there], np.float32).reshape(-1, 4)
        in_front = np.triu(iou(boxes, boxes) > MAX_IOU, 1).any(axis=1)
        yield Moment(time_s, people, boxes, _detect(boxes[~in_front], faults or Faults(), rng))


def follow(tracker: FaceTracker, scene: Iterable[Moment]) -> IdentityScore:
    """Let a tracker watch a scene, and score it."""
    score = IdentityScore()
    for moment in scene:
        score.add(moment.people, moment.boxes, tracker.update(moment.faces, moment.time_s))
    return score


def faces_at(*places: Place, score: float = 0.9) -> Faces:
    """Detections without fault."""
    boxes = np.array([_box(*place) for place in places], np.float32).reshape(-1, 4)
    return _faces(boxes, np.full(len(boxes), score))


def _box(x: float, y: float, size: float) -> tuple[float, float, float, float]:
    return x - size / 2, y - 0.65 * size, x + size / 2, y + 0.65 * size


def _faces(boxes: Floats, scores: np.ndarray) -> Faces:
    return Faces(boxes, scores.astype(np.float32), np.zeros((len(boxes), 5, 2), np.float32))


def _detect(boxes: Floats, faults: Faults, rng: np.random.Generator) -> Faces:
    size = (boxes[:, 2:3] - boxes[:, :1]) if len(boxes) else np.empty((0, 1), np.float32)
    found = rng.random(len(boxes)) >= faults.missed
    shaken = boxes + rng.normal(0, faults.jitter, boxes.shape) * size
    count = rng.binomial(max(len(boxes), 1), faults.false)
    ghosts = np.array([_box(*rng.uniform([0, 0, 20], [WIDTH, HEIGHT, 80])) for _ in range(count)]).reshape(-1, 4)
    scores = np.concatenate([rng.uniform(*faults.scores, int(found.sum())), rng.uniform(*faults.false_scores, count)])
    return _faces(np.concatenate([shaken[found], ghosts]).astype(np.float32), scores)
