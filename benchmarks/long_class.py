"""What a second of class costs in the first hour and in the last of a long day.

python -m benchmarks.long_class [--hours 8]

Twenty made-up people who look away, down and aside, smile and come back under new numbers, at two results a second:
from `FrameResult` through signals, panel, windows, alerts and the one word, as the runner does it. Cost is processor
time of this process; what is made up is made before the clock starts, half a minute at a time.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.record import save
from benchmarks.scripted_class import ScriptedClass, quiet_class
from classpulse.hub import LiveState
from classpulse.policy import Policy
from classpulse.progress import Progress
from classpulse.settings import Settings
from classpulse.types import FrameResult, Tracks
from classpulse.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE, RATE_HZ, CHUNK_S = 20, 2.0, 30.0
LESSON_S = 1800.0
"""Somebody's script lasts so long; then the next one begins, with people who have new numbers."""
PUBLISH_EVERY = 2
"""The state is put together after each second result."""


def results(hours: float) -> Iterator[FrameResult]:
    """A day of lessons, one clock and ever new tracks."""
    first_track = start_s = 0.0
    for lesson in range(round(hours * 3600 / LESSON_S)):
        scripted = ScriptedClass(quiet_class(PEOPLE, LESSON_S, lesson), LESSON_S, rate_hz=RATE_HZ, seed=lesson)
        most = first_track
        for result in scripted.results():
            ids = result.tracks.ids + int(first_track)
            most = max(most, ids.max(initial=0))
            yield replace(result, time_s=result.time_s + start_s, tracks=Tracks(ids, result.tracks.faces))
        first_track, start_s = most, start_s + LESSON_S


def chunks(stream: Iterator[FrameResult]) -> Iterator[list[FrameResult]]:
    """Results half a minute at a time."""
    some: list[FrameResult] = []
    for result in stream:
        some.append(result)
        if len(some) >= CHUNK_S * RATE_HZ:
            yield some
            some = []


def main() -> None:
    """Run it and save the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--dry", action="store_true", help="print and save nothing")
    args = parser.parse_args()
    settings = Settings()
    progress = Progress(settings.window.length_s, settings.window.min_group, settings)
    watching = Watching(settings, "made-up class", settings.window.min_group)
    watching.begin(None, Policy("other"))
    costs = []
    for some in chunks(results(args.hours)):
        begun = time.process_time()
        for number, result in enumerate(some):
            finished = progress.add(result, age_s=0.0)
            if finished is not None:
                watching.add_window(finished, None)
            if number % PUBLISH_EVERY == 0:
                watching.fill(replace(LiveState(), **progress.state(individual=False)))
        costs.append((time.process_time() - begun) / CHUNK_S)
    by_hour = np.array(costs).reshape(-1, round(3600 / CHUNK_S))
    figures = {
        "hours": args.hours,
        "people": PEOPLE,
        "results_per_s": RATE_HZ,
        "ms_a_second_of_class_by_hour_median": [round(1000 * float(np.median(hour)), 2) for hour in by_hour],
        "ms_a_second_of_class_by_hour_mean": [round(1000 * float(hour.mean()), 2) for hour in by_hour],
        "last_hour_over_first": round(float(np.median(by_hour[-1]) / np.median(by_hour[0])), 3),
        "alerts": len(watching.fill(LiveState()).alerts),
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    if not args.dry:
        print(save("long-class", figures))


if __name__ == "__main__":
    main()
