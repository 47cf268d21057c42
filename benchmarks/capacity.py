"""How many classes a machine holds: one measured, many simulated, and the simulation checked against many measured.

python -m benchmarks.capacity meeting-gallery.mp4 [--faces 12] [--seconds 15] [--most 8]

A crowd is made of the clip's people and played at its own pace to 1, 2, … classes of one process, each with its own
pipeline on one thread, its windows and its rows in one SQLite file, as `classpulse serve` runs them. Results a
second, their age and the cores in use are compared with what `benchmarks.capacity_model` says from the costs of one
class.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import psutil

from benchmarks.capacity_model import Costs, simulate
from benchmarks.clips import first_frames
from benchmarks.pipeline_scenes import RATE_HZ, make_crowd
from benchmarks.record import save
from classpulse import Policy, Settings
from classpulse.runner import Runner
from classpulse.sources import describe
from classpulse.storage.store import Store
from classpulse.vision.detector import open_detector
from classpulse.vision.emotion import EmotionClassifier
from classpulse.vision.finder import FaceFinder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.types import Frame, FrameResult

LAW = Policy("other")
SETTLED_S = 4.0
"""After so long all classes are open and read all their faces."""
STEPS = (1, 2, 3, 4, 5, 6, 8)
TABLE = (10, 1_000, 100_000)
FILL = 0.7
"""Share of a machine's cores that is planned with: beyond it results get old."""


class Watch:
    """Takes note of one class's results."""

    def __init__(self, *, until_s: float) -> None:
        """Count what comes between `SETTLED_S` and `until_s` of the class's own time."""
        self.ages_s: list[float] = []
        self.faces: list[int] = []
        self._until_s = until_s
        self._began_s = float("inf")

    def __call__(self, frame: Frame, result: FrameResult) -> None:
        """Note a result."""
        # Where the recording's clock began: the earliest that any of its pictures was shown.
        self._began_s = min(self._began_s, frame.captured_at - frame.time_s)
        if SETTLED_S <= frame.time_s < self._until_s:
            self.ages_s.append(time.monotonic() - self._began_s - frame.time_s)
            self.faces.append(len(result))


def measure(clip: Path, classes: int, seconds: float) -> dict[str, float]:
    """Run so many classes at once, and say what came of them."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), cpu_share=0.01)
        watches = [Watch(until_s=seconds) for _ in range(classes)]
        with Store.of(settings) as store:
            runners = [Runner(describe(str(clip)), settings, store, policy=LAW, listeners=[one]) for one in watches]
            for runner in runners:
                runner.start()
            for runner in runners:
                runner.ready.wait()
            busy = _busy(SETTLED_S, seconds)
            for runner in runners:
                runner.join()
    ages = [age for watch in watches for age in watch.ages_s]
    spans = (seconds - SETTLED_S) * classes
    return {
        "results_per_s": round(len(ages) / spans, 2),
        "age_p95_ms": round(float(np.percentile(ages, 95)) * 1e3, 1),
        "cores_busy": round(busy, 3),
        "faces": round(statistics.fmean(n for watch in watches for n in watch.faces), 1),
    }


def _busy(from_s: float, to_s: float) -> float:
    """Cores that this process keeps busy from one moment to another."""
    process, pause = psutil.Process(), threading.Event()
    pause.wait(from_s)
    begin, spent = time.monotonic(), sum(process.cpu_times()[:2])
    pause.wait(to_s - from_s)
    return (sum(process.cpu_times()[:2]) - spent) / (time.monotonic() - begin)


def costs(clip: Path, alone: dict[str, float]) -> Costs:
    """What one class's pictures cost, by stage; Python's part is what is left of the class measured alone."""
    settings = Settings()
    detector, classifier = open_detector(settings, LAW), EmotionClassifier.open(settings, LAW)
    begin = time.process_time()
    frames = first_frames(clip, 90)
    decode_ms = 1e3 * (time.process_time() - begin) / len(frames)
    look_ms = 1e3 * _mean_cpu([lambda f=frame: detector.detect(f.image) for frame in frames[:60]])
    finder = FaceFinder(detector, interval_s=1e9)
    finder.find(frames[0].image, 0.0)
    follow_ms = 1e3 * _mean_cpu([lambda i=i, f=f: finder.find(f.image, 1e-3 * i) for i, f in enumerate(frames[1:8], 1)])
    found = [detector.detect(frame.image) for frame in frames[:30]]
    spent = _mean_cpu([lambda f=f, n=n: classifier.classify(f.image, n) for f, n in zip(frames, found, strict=False)])
    read_ms = 1e3 * spent / statistics.fmean(len(faces) for faces in found)
    native = Costs(decode_ms, look_ms, follow_ms, read_ms, 0.0)
    picture_ms = 1e3 * alone["cores_busy"] / alone["results_per_s"]
    python_ms = max(0.0, picture_ms - native.picture_ms(alone["faces"], alone["results_per_s"]))
    return replace(native, python_ms=python_ms)


def _mean_cpu(calls: Sequence[Any]) -> float:
    """Processor seconds of a call, on average; the first one warms up."""
    calls[0]()
    begin = time.process_time()
    for call in calls:
        call()
    return (time.process_time() - begin) / len(calls)


def compare(clip: Path, seconds: float, most: int) -> dict[str, Any]:
    """Measure and simulate 1, 2, … classes, and say how far apart the two are."""
    cores = psutil.cpu_count() or 1
    alone = measure(clip, 1, seconds)
    cost = costs(clip, alone)
    rows = []
    for classes in [step for step in STEPS if step <= most]:
        measured = alone if classes == 1 else measure(clip, classes, seconds)
        told = simulate(cost, classes, cores=cores, fps=RATE_HZ, faces=round(alone["faces"]))
        rows.append(
            {
                "classes": classes,
                "measured": measured,
                "simulated": {
                    "results_per_s": round(told.results_per_s, 2),
                    "age_p95_ms": round(told.age_p95_ms, 1),
                    "cores_busy": round(told.cores_busy, 3),
                },
                "results_ratio": round(told.results_per_s / measured["results_per_s"], 3),
                "cores_ratio": round(told.cores_busy / measured["cores_busy"], 3),
            }
        )
        print(rows[-1], flush=True)
    return {"costs": {name: round(value, 3) for name, value in asdict(cost).items()}, "classes": rows}


def plan(cost: Costs, faces: int, rate: float) -> dict[str, Any]:
    """Cores for ten, a thousand and a hundred thousand classes, filled to `FILL`."""
    cores = cost.picture_ms(faces, rate) * rate / 1e3
    needed = {str(count): round(count * cores / FILL, 1) for count in TABLE}
    return {"cores_a_class": round(cores, 3), "faces_a_core": round(faces / cores * FILL, 1), "cores": needed}


def main() -> None:
    """Measure, simulate, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gallery", type=Path, help="meeting-gallery.mp4")
    parser.add_argument("--faces", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--most", type=int, default=8, help="classes at once")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        crowd = Path(folder) / "crowd.mp4"
        make_crowd(args.gallery, args.faces, args.seconds + 1, crowd)
        figures = compare(crowd, args.seconds, args.most)
    cost = Costs(**figures["costs"])
    figures["plan"] = {f"{n} faces": plan(cost, n, RATE_HZ) for n in (args.faces, 30)}
    print(figures["plan"])
    print("written to", save("capacity", figures))


if __name__ == "__main__":
    main()
