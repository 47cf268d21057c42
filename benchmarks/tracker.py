"""Milliseconds that one update of the tracker takes, on one thread, by the number of people in the class.

python -m benchmarks.tracker
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time

import numpy as np

from benchmarks.record import save
from classpulse.settings import TrackerSettings
from classpulse.types import Faces
from classpulse.vision.tracker import FaceTracker

FRAMES, FPS = 600, 30
MISSED, LOW = 0.1, 0.05


def crowd(count: int, rng: np.random.Generator) -> list[Faces]:
    """Frames of a seated crowd: sway, jitter, a tenth of the faces missed, one in twenty with a low score."""
    side = int(np.ceil(np.sqrt(count)))
    half = np.array([24, 32])
    seats = np.stack([np.arange(count) % side, np.arange(count) // side], axis=1) * 80.0 + 60
    frames = []
    for i in range(FRAMES):
        centres = seats + 6 * np.sin(i / FPS + np.arange(count))[:, None] + rng.normal(0, 1.5, seats.shape)
        centres = centres[rng.random(count) >= MISSED]
        boxes = np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)
        scores = np.where(rng.random(len(boxes)) < LOW, 0.55, 0.85).astype(np.float32)
        frames.append(Faces(boxes, scores, np.zeros((len(boxes), 5, 2), np.float32)))
    return frames


def measure(count: int) -> dict[str, float]:
    """Median and 99th percentile of an update with `count` people, ms."""
    frames = crowd(count, np.random.default_rng(0))
    tracker = FaceTracker(TrackerSettings())
    took_ms = []
    for i, faces in enumerate(frames):
        begin = time.perf_counter()
        tracker.update(faces, i / FPS)
        took_ms.append((time.perf_counter() - begin) * 1e3)
    return {"median_ms": round(float(np.median(took_ms)), 2), "p99_ms": round(float(np.percentile(took_ms, 99)), 2)}


def main() -> None:
    """Measure, print, and leave a dated file."""
    figures = {f"{count}_people": measure(count) for count in (1, 10, 30, 50, 100, 300)}
    path = save("tracker", figures)
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
