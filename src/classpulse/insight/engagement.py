"""From single faces to a figure of the class, over windows of a few seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClassWindow:
    """The class over a few seconds.

    Attributes:
        start_s, end_s: by the clock of `FrameResult.time_s`.
        results: number of pictures that were looked at.
        faces: mean number of faces visible in a picture.
        people: number of different tracks seen.
        read: number of different tracks whose emotion was read at least once: the group behind `mix`.
        labels: the emotions, in the order of `mix`; empty where the policy forbids reading.
        mix: mean probability of each emotion, every track weighing the same; None where nobody was read.
        uncertain: share of readings without a clear answer, 0 to 1, every track weighing the same;
            None where nobody was read.
    """

    start_s: float
    end_s: float
    results: int
    faces: float
    people: int
    read: int
    labels: tuple[str, ...]
    mix: tuple[float, ...] | None
    uncertain: float | None
