"""One entrant of `benchmarks.pipeline_peers` in a process of its own: a job on stdin, answers as lines of JSON.

What is not needed by an entrant is not imported by it, so that its memory and start are its own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from benchmarks.pipeline_scenes import frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.human_in_node import Human
    from classpulse import Pipeline
    from classpulse.types import Floats, Frame, FrameResult, Image, Ints

Figures = dict[str, Any]


class Entrant(Protocol):
    """A way from pictures to faces and their emotions."""

    started_s: float
    """When its process was started, by `time.monotonic()`."""

    def first(self, frame: Frame) -> None:
        """Read a first frame, so that all that is opened late is open."""

    def stretch(self, clip: Path, start_s: float, seconds: float) -> Figures:
        """Read a stretch of a clip, flat out, for so long, and at least one frame of it."""

    def boxes(self, clip: Path, places: Sequence[int]) -> Iterator[tuple[int, Floats]]:
        """The faces of the frames with these numbers."""

    def peak_mb(self) -> float:
        """The most memory that was ever resident."""


class Ours:
    """`Pipeline`, each stretch a new one; `follow` looks ahead where there are two threads, and decodes as it goes."""

    def __init__(self, job: Figures) -> None:
        """Open it with the defaults, the job's settings aside, on the job's threads."""
        from classpulse import Pipeline  # noqa: PLC0415 - a peer does without
        from classpulse.settings import load  # noqa: PLC0415

        self.started_s = float(job["started_s"])
        share = job["threads"] / (os.cpu_count() or 1)
        self._settings = load({"cpu_share": share, "data_dir": job["data_dir"], **job["settings"]}, environ={})
        self._pipeline = Pipeline

    def _open(self) -> Pipeline:
        return self._pipeline(self._settings, jurisdiction="other")

    def first(self, frame: Frame) -> None:
        """Read a first frame."""
        self._open().process(frame)

    def stretch(self, clip: Path, start_s: float, seconds: float) -> Figures:
        """Read a stretch of a clip; its decoding is in the time, and its first frame, as any process's, is not."""
        pipeline, handed, late_ms, news = self._open(), dict[int, float](), [], Fresh()
        coming = frames(clip, start_s)
        news.take(pipeline.process(next(coming)))
        before = news.readings
        cpu_s, begin_s = time.process_time(), time.perf_counter()

        def feed() -> Iterator[Frame]:
            for frame in coming:
                now_s = time.perf_counter()
                if handed and now_s - begin_s > seconds:
                    return
                handed[frame.index] = now_s
                yield frame

        faces = told = 0
        for frame, result in pipeline.follow(feed()):
            late_ms.append(1000 * (time.perf_counter() - handed[frame.index]))
            faces += len(result)
            told += news.take(result)
        wall_s, cpu_s = time.perf_counter() - begin_s, time.process_time() - cpu_s
        return {
            "frames": len(late_ms),
            "wall_s": wall_s,
            "cpu_s": cpu_s,
            "faces": faces,
            "told": told,
            "fresh": news.readings - before,
            "late_ms": late_ms,
        }

    def boxes(self, clip: Path, places: Sequence[int]) -> Iterator[tuple[int, Floats]]:
        """Follow the clip from its beginning, and tell the faces of some of its frames."""
        for frame, result in self._open().follow(frames(clip)):
            if frame.index in places:
                yield frame.index, result.tracks.faces.boxes
            if frame.index >= max(places):
                return

    def peak_mb(self) -> float:
        """The most memory that was ever resident."""
        return peak_mb()


class Fresh:
    """Counts how often an emotion was read anew: a face whose numbers stay to the last bit was not.

    Attributes:
        readings: until now.
    """

    def __init__(self) -> None:
        """Know of nobody."""
        self.readings = 0
        self._last: dict[int, bytes] = {}

    def take(self, result: FrameResult) -> int:
        """Take the next result; gives the number of faces whose emotion it tells, fresh or not."""
        if result.emotions is None:
            return 0
        return self.add(result.tracks.ids, result.emotions.probabilities)

    def add(self, ids: Ints, probabilities: Floats) -> int:
        """Take (N,) tracks with their (N, L) probabilities, NaN where nothing is told.

        >>> fresh = Fresh()
        >>> row = np.array([[0.25, 0.75], [np.nan, np.nan]], np.float32)
        >>> fresh.add(np.array([1, 2]), row), fresh.add(np.array([1, 2]), row), fresh.readings
        (1, 1, 1)
        """
        told = np.isfinite(probabilities).all(axis=1)
        for i in np.flatnonzero(told).tolist():
            track, row = int(ids[i]), probabilities[i].tobytes()
            self.readings += self._last.get(track) != row
            self._last[track] = row
        return int(told.sum())


class Peer:
    """A peer, which reads every face of every frame; decoding is not in its time."""

    def __init__(self, job: Figures) -> None:
        """Open it."""
        self.started_s = float(job["started_s"])
        self._human: Human | None = None
        if job["kind"] == "human":
            from benchmarks.human_in_node import Human  # noqa: PLC0415

            self._human = Human(Path(job["files"]["human"]))
            self.started_s = self._human.started_s
            self._read: Callable[[Image], Figures] = self._human.read
        else:
            self._read = mtcnn_reader(job)

    def first(self, frame: Frame) -> None:
        """Read a first frame."""
        self._read(frame.image)

    def stretch(self, clip: Path, start_s: float, seconds: float) -> Figures:
        """Read a stretch of a clip."""
        late_ms: list[float] = []
        cpu_ms = faces = told = 0
        for frame in frames(clip, start_s):
            answer = self._read(frame.image)
            late_ms.append(answer["ms"])
            cpu_ms += answer["cpu_ms"]
            faces += len(answer["boxes"])
            told += answer["told"]
            if sum(late_ms) > 1000 * seconds:
                break
        return {
            "frames": len(late_ms),
            "wall_s": sum(late_ms) / 1000,
            "cpu_s": cpu_ms / 1000,
            "faces": faces,
            "told": told,
            "fresh": told,
            "late_ms": late_ms,
        }

    def boxes(self, clip: Path, places: Sequence[int]) -> Iterator[tuple[int, Floats]]:
        """The faces of some frames."""
        for frame in frames(clip, only=places):
            yield frame.index, np.asarray(self._read(frame.image)["boxes"], np.float32).reshape(-1, 4)

    def peak_mb(self) -> float:
        """The most memory that was ever resident, of Node where it is Node that reads."""
        return self._human.peak_mb if self._human is not None else peak_mb()


def mtcnn_reader(job: Figures) -> Callable[[Image], Figures]:
    """MTCNN, then an emotion network in one batch, by the code that reads ours."""
    from benchmarks.mtcnn import Mtcnn  # noqa: PLC0415
    from classpulse.inference import open_model  # noqa: PLC0415
    from classpulse.policy import Policy, Task  # noqa: PLC0415
    from classpulse.settings import EmotionSettings  # noqa: PLC0415
    from classpulse.vision.emotion import EmotionClassifier  # noqa: PLC0415

    detector = Mtcnn(Path(job["files"]["mtcnn"]), threads=job["threads"], rgb=job["rgb"])
    model = open_model(Path(job["files"]["emotion"]), Task.EMOTION, Policy("other"), threads=job["threads"])
    classifier = EmotionClassifier(model, EmotionSettings())

    def read(image: Image) -> Figures:
        cpu_s, begin_s = time.process_time(), time.perf_counter()
        boxes = detector.find(image)
        told = np.isfinite(classifier.probabilities(image, boxes)).all(axis=1)
        ms, cpu_ms = 1000 * (time.perf_counter() - begin_s), 1000 * (time.process_time() - cpu_s)
        return {"boxes": boxes, "told": int(told.sum()), "ms": ms, "cpu_ms": cpu_ms}

    return read


def peak_mb() -> float:
    """The most memory that this process ever had resident, MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # rusage's figure would be that of the process that started this one, if it was the larger
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource  # noqa: PLC0415 - not on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def main() -> None:
    """Do one job."""
    job: Figures = json.load(sys.stdin)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-job["threads"] :])
    entrant: Entrant = Ours(job) if job["kind"] == "ours" else Peer(job)
    entrant.first(next(frames(Path(job["first"]))))
    say({"first_s": time.monotonic() - entrant.started_s})
    for name, clip, start_s in job.get("scenes", ()):
        say({"scene": name, **entrant.stretch(Path(clip), start_s, job["seconds"])})
    for clip, places in job.get("counts", {}).items():
        for index, boxes in entrant.boxes(Path(clip), places):
            say({"clip": Path(clip).name, "frame": index, "boxes": np.round(boxes, 1).tolist()})
    say({"peak_mb": entrant.peak_mb()})


def say(answer: Figures) -> None:
    """Write a line."""
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
