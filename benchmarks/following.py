"""What following faces between two looks changes: time, faces, and what is read in them.

python -m benchmarks.following CLIPS

`CLIPS` is a folder of clips or one clip. The same pictures go through two pipelines, one with the default intervals of
`detector` and `emotion` and one with none, on one thread; a face of one is that of the other which it overlaps most.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.clips import clips_of, first_frames
from benchmarks.record import save
from classpulse import Pipeline, Settings
from classpulse.geometry import iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.types import Frame, FrameResult

MOST_PICTURES = 250
MIN_IOU = 0.3
EVERY_PICTURE = {"detector": {"interval_s": 0}, "emotion": {"interval_s": 0}}


@dataclass(slots=True)
class Course:
    """One pipeline's results along a clip, and the processor time they took."""

    results: list[FrameResult] = field(default_factory=list)
    spent_s: float = 0.0

    def figures(self) -> dict[str, Any]:
        """What somebody who watches would see of it."""
        faces = sum(len(result) for result in self.results)
        ids = {track for result in self.results for track in result.tracks.ids.tolist()}
        return {
            "cpu_ms_a_picture": round(1e3 * self.spent_s / len(self.results), 1),
            "faces_a_picture": round(faces / len(self.results), 2),
            "people": len(ids),
            "words_changed": self._words_changed(),
        }

    def _words_changed(self) -> int:
        changes = 0
        for before, after in pairwise(self.results):
            known = dict(zip(before.tracks.ids.tolist(), _words(before), strict=True))
            told = zip(after.tracks.ids.tolist(), _words(after), strict=True)
            changes += sum(known.get(track, word) != word for track, word in told)
        return changes


def _words(result: FrameResult) -> list[str | None]:
    return [] if result.emotions is None else result.emotions.names()


def process(frames: Sequence[Frame], changes: dict[str, Any]) -> Course:
    """Take the pictures through a pipeline of its own."""
    course, pipeline = Course(), Pipeline(Settings.model_validate(changes), jurisdiction="other")
    for frame in frames:
        begin = time.process_time()
        course.results.append(pipeline.process(frame))
        course.spent_s += time.process_time() - begin
    return course


def agreement(every: Course, default: Course) -> dict[str, Any]:
    """How alike the two are, face by face: boxes, and the most likely emotion."""
    overlaps: list[float] = []
    same: list[bool] = []
    found = 0
    for one, other in zip(every.results, default.results, strict=True):
        overlap = iou(one.tracks.faces.boxes, other.tracks.faces.boxes)
        for i, row in enumerate(overlap):
            if not len(row) or row.max() < MIN_IOU:
                continue
            found, j = found + 1, int(row.argmax())
            overlaps.append(float(row[j]))
            first = _first(one, i), _first(other, j)
            if None not in first:
                same.append(first[0] == first[1])
    faces = sum(len(result) for result in every.results)
    return {
        "faces_found_in_both": round(found / faces, 3) if faces else None,
        "iou_median": round(float(np.median(overlaps)), 3) if overlaps else None,
        "iou_lowest_in_20": round(float(np.percentile(overlaps, 5)), 3) if overlaps else None,
        "same_emotion": round(float(np.mean(same)), 3) if same else None,
    }


def _first(result: FrameResult, face: int) -> int | None:
    """The most likely emotion of a face; None where it was not read."""
    emotions = result.emotions
    return int(emotions.probabilities[face].argmax()) if emotions is not None and emotions.read[face] else None


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    cv2.setNumThreads(1)
    figures: dict[str, Any] = {}
    for clip in clips_of(parser.parse_args().clips):
        frames = first_frames(clip, MOST_PICTURES)
        every, default = process(frames, EVERY_PICTURE), process(frames, {})
        figures[clip.name] = {
            "every_picture": every.figures(),
            "default": default.figures(),
            "agreement": agreement(every, default),
        }
        print(clip.name, figures[clip.name], flush=True)
    print("written to", save("following", figures))


if __name__ == "__main__":
    main()
