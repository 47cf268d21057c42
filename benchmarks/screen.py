"""A meeting whose tiles change places: who keeps their number, with the tiles and without, and what it costs.

python -m benchmarks.screen meeting-gallery.mp4 [--capture]

The clip is a gallery of 3 x 3 tiles. It is shown again with tiles that change places every few seconds, with gutters
and without, and what is followed there is compared with what is followed in the clip itself. `--capture` measures how
long a picture of this desktop's first screen takes as well.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from benchmarks.record import save
from classpulse.geometry import iou
from classpulse.policy import Policy
from classpulse.settings import Settings
from classpulse.sources.screen import ScreenCapture
from classpulse.sources.screen_target import ScreenTarget
from classpulse.types import Faces, Floats, Frame, Image, Tracks
from classpulse.vision.detector import open_detector
from classpulse.vision.meeting import MeetingView
from classpulse.vision.tiles import find_tiles
from classpulse.vision.tracker import FaceTracker

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT, SIDE = 426, 240, 3
STEP = 2
RATE_HZ = 15 / STEP
DARK = (26, 26, 26)


def shuffled(image: Image, order: Sequence[int], gutter: int) -> Image:
    """The gallery with its tiles in another order: `order[i]` is the tile that place `i` shows."""
    size = SIDE * (HEIGHT + gutter) + gutter, SIDE * (WIDTH + gutter) + gutter, 3
    made = np.full(size, DARK, np.uint8)
    for place, tile in enumerate(order):
        (row, column), (from_row, from_column) = divmod(place, SIDE), divmod(tile, SIDE)
        y, x = gutter + row * (HEIGHT + gutter), gutter + column * (WIDTH + gutter)
        made[y : y + HEIGHT, x : x + WIDTH] = image[
            from_row * HEIGHT : (from_row + 1) * HEIGHT, from_column * WIDTH : (from_column + 1) * WIDTH
        ]
    return made


def back(faces: Faces, order: Sequence[int], gutter: int) -> Floats:
    """(N, 4) boxes where they would be in the clip itself."""
    boxes = faces.boxes.copy()
    for i, box in enumerate(boxes):
        x, y = (box[:2] + box[2:]) / 2
        column = min(SIDE - 1, max(0, int((x - gutter / 2) // (WIDTH + gutter))))
        row = min(SIDE - 1, max(0, int((y - gutter / 2) // (HEIGHT + gutter))))
        from_row, from_column = divmod(order[SIDE * row + column], SIDE)
        shift = (
            from_column * WIDTH - gutter - column * (WIDTH + gutter),
            from_row * HEIGHT - gutter - row * (HEIGHT + gutter),
        )
        boxes[i] += np.array([*shift, *shift], np.float32)
    return boxes


class Score:
    """Which numbers each person of the clip was given."""

    def __init__(self) -> None:
        """Know of nobody."""
        self._given: dict[int, list[int]] = defaultdict(list)

    def add(self, true: Tracks, found: Tracks, boxes: Floats) -> None:
        """Note who is who in one picture."""
        overlap = iou(true.faces.boxes, boxes)
        for person, row in zip(true.ids.tolist(), overlap, strict=True):
            if row.size and row.max() > 0.5:
                self._given[person].append(int(found.ids[row.argmax()]))

    def figures(self) -> dict[str, int]:
        """Changes of number, numbers of more than one person, and how often somebody was seen."""
        people: dict[int, set[int]] = defaultdict(set)
        for person, numbers in self._given.items():
            for number in numbers:
                people[number].add(person)
        changes = sum(a != b for numbers in self._given.values() for a, b in itertools.pairwise(numbers))
        mixed = sum(len(whose) > 1 for whose in people.values())
        return {"changes": changes, "shared_numbers": mixed, "seen": sum(map(len, self._given.values()))}


def follow(frames: Sequence[Image], *, every_s: float, gutter: int, all_tiles: bool) -> dict[str, object]:
    """Follow the clip while tiles change places: two of them, or all, every so often; 0 is never."""
    settings, rng, order = Settings(), np.random.default_rng(0), list(range(SIDE**2))
    detector = open_detector(settings, Policy("other"))
    true, plain, tiled = (FaceTracker(settings.tracker) for _ in range(3))
    view, scores, took_s, due_s = MeetingView(settings.screen), (Score(), Score()), [], every_s
    for i, image in enumerate(frames):
        time_s = i / RATE_HZ
        if every_s and time_s >= due_s:
            due_s += every_s
            if all_tiles:
                order = [int(tile) for tile in rng.permutation(SIDE**2)]
            else:
                a, b = rng.choice(SIDE**2, 2, replace=False)
                order[a], order[b] = order[b], order[a]
        shown = shuffled(image, order, gutter)
        people = true.update(detector.detect(image), time_s)
        faces = detector.detect(shown)
        begin_s = time.thread_time()
        counted, places = view.place(Frame(shown, time_s), faces)
        took_s.append(time.thread_time() - begin_s)
        for score, tracks in zip(
            scores, (plain.update(faces, time_s), tiled.update(counted, time_s, places)), strict=True
        ):
            score.add(people, tracks, back(tracks.faces, order, gutter))
    cost = {
        "median_ms": round(1e3 * float(np.median(took_s)), 1),
        "p95_ms": round(1e3 * float(np.percentile(took_s, 95)), 1),
    }
    return {"without_tiles": scores[0].figures(), "with_tiles": scores[1].figures(), "cost_of_a_picture": cost}


def capture_ms(count: int = 50) -> float:
    """Median time that a picture of the first screen takes, ms."""
    capture, took_s = ScreenCapture(ScreenTarget(screen=1), 1000.0), []
    for _ in range(count):
        begin_s = time.perf_counter()
        capture.read()
        took_s.append(time.perf_counter() - begin_s)
    capture.close()
    return round(1e3 * float(np.median(took_s)), 1)


def main() -> None:
    """Measure, print, and leave a dated file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--capture", action="store_true", help="measure the screen as well")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with av.open(str(arguments.clip)) as container:
        pictures = (frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))
        frames = [np.asarray(picture, np.uint8) for i, picture in enumerate(pictures) if i % STEP == 0]
    grids = [len(find_tiles(frame)) for frame in frames]
    figures: dict[str, object] = {
        "pictures": len(frames),
        "grid_found_share": round(float(np.mean(np.array(grids) == SIDE**2)), 3),
        "still_tiles": follow(frames, every_s=0, gutter=0, all_tiles=False),
        "two_change_every_3_s": follow(frames, every_s=3, gutter=0, all_tiles=False),
        "two_change_every_3_s_with_gutters": follow(frames, every_s=3, gutter=6, all_tiles=False),
        "all_change_every_3_s_with_gutters": follow(frames, every_s=3, gutter=6, all_tiles=True),
    }
    if arguments.capture:
        figures["capture_median_ms"] = capture_ms()
    print(save("screen", figures).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
