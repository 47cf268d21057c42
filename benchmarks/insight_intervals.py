"""How often the 90 % interval of a class's figures holds the true one.

python -m benchmarks.insight_intervals [--draws 20000]

Made-up classes of 5 to 30 people, all of them seen or 60 %, over one window of 5 s at 2 results a second. So many face
the screen as told, each by themselves (or all, or nobody), give or take 8 degrees; the others are turned by 40 to 70;
some turn within the window. The yaw is read with an error of 5 degrees, half of whose variance stays with the person,
and a turn is told 1.5 s late. The truth is the share of the window in which each of the whole class faced the screen,
in the mean. The mood has another spread: most are at rest, some smile or frown, and each reading has an error.

Then whole lessons, of which a report gives one mean: each person has a habit of their own (beta(2, 1)), and who is
hidden, and the error with which somebody is read, either stay for all of the lesson or are new in every window.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import betaincinv

from benchmarks.record import save
from classpulse.insight.intervals import ERROR_SD, MOOD_ERROR_SD, MOOD_SPAN, class_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

SIZES = (5, 10, 20, 30)
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
SEEN = (1.0, 0.6)
WINDOWS = 240
"""Of a lesson: twenty minutes."""
RESULTS = 10
WINDOW_S = 5.0
SPELL_S = 20.0
LATE_S = 1.5
POSE_SD_DEG = 5.0
USUAL_SD_DEG, AWAY_DEG, MAX_YAW_DEG = 8.0, (40.0, 70.0), 30.0


def facing(people: int, share: float, draws: int, chance: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Of each person in each class the true share of the window spent facing the screen, and what is read.

    Returns:
        (draws, people) each, 0 to 1.
    """
    shape = (draws, people)
    ends = chance.random(shape) < share
    turns = chance.random(shape) < WINDOW_S / SPELL_S * 2 * min(share, 1 - share)
    begins = ends ^ turns
    turned_at = chance.random(shape) * WINDOW_S
    times = np.linspace(0, WINDOW_S, RESULTS, endpoint=False)
    true = np.where(turned_at / WINDOW_S > 0, (begins * turned_at + ends * (WINDOW_S - turned_at)) / WINDOW_S, ends)
    told = np.where(times < turned_at[..., None] + LATE_S, begins[..., None], ends[..., None])
    away, usual = chance.uniform(*AWAY_DEG, shape), chance.normal(0, USUAL_SD_DEG, shape)
    stays, passes = (chance.normal(0, POSE_SD_DEG / np.sqrt(2), size) for size in (shape, (*shape, RESULTS)))
    yaws = np.where(told, usual[..., None], away[..., None]) + stays[..., None] + passes
    return true, (np.abs(yaws) <= MAX_YAW_DEG).mean(axis=-1)


def mood(people: int, share: float, draws: int, chance: np.random.Generator) -> tuple[Numbers, Numbers]:
    """As `facing`, with the share of people who smile; half as many frown. -1 to 1."""
    kind = chance.random((draws, people))
    true = np.select([kind < share, kind < 1.5 * share], [0.6, -0.4], 0.0) + chance.normal(0, 0.05, kind.shape)
    return true, np.clip(true + chance.normal(0, MOOD_ERROR_SD, kind.shape), -1, 1)


def covered(
    true: Numbers, read: Numbers, seen: float, error_sd: float = ERROR_SD, span: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """How often the interval holds the truth, and its mean width, when the first of each class are seen."""
    people = true.shape[1]
    n = max(1, round(seen * people))
    low, high = np.minimum(span[0], read.min(axis=1)), np.maximum(span[1], read.max(axis=1))
    values = (read[:, :n] - low[:, None]) / (high - low)[:, None]
    counts = np.full(len(values), float(n)), np.full(len(values), float(people))
    bottom, top = class_interval(values.sum(axis=1), (values**2).sum(axis=1), *counts, error_sd, betaincinv)
    bottom, top = (low + (high - low) * end for end in (bottom, top))
    truth = true.mean(axis=1)
    holds = (bottom - 1e-9 <= truth) & (truth <= top + 1e-9)
    return float(holds.mean()), float((top - bottom).mean())


def measure(people: int, draws: int) -> dict[str, Any]:
    """Coverage of every share, all of the class or a part seen."""
    chance = np.random.default_rng(people)
    found: dict[str, Any] = {}
    for seen in SEEN:
        for share in SHARES:
            rate, width = covered(*facing(people, share, draws, chance), seen)
            found[f"facing {share:.0%}, {seen:.0%} seen"] = {"covered": round(rate, 3), "width": round(width, 3)}
        for share in (0.0, 0.1, 0.3):
            rate, width = covered(*mood(people, share, draws, chance), seen, MOOD_ERROR_SD, MOOD_SPAN)
            found[f"mood, {share:.0%} smile, {seen:.0%} seen"] = {"covered": round(rate, 3), "width": round(width, 3)}
    return found


def lessons(people: int, seen: float, draws: int, *, stays: bool) -> dict[str, float]:
    """How often the means of the windows' ends hold the mean of a lesson, and how far apart they are."""
    chance = np.random.default_rng(people)
    n, held, width = max(1, round(seen * people)), 0, 0.0
    counts = np.full(WINDOWS, float(n)), np.full(WINDOWS, float(people))
    for _ in range(draws):
        faced = (chance.random((WINDOWS, people)) < chance.beta(2, 1, people)).astype(float)
        error = chance.normal(0, ERROR_SD, (1 if stays else WINDOWS, people))
        read = np.clip(faced + error, 0, 1)
        read = read[:, :n] if stays else chance.permuted(read, axis=1)[:, :n]
        sums, squares = read.sum(axis=1), (read**2).sum(axis=1)
        low, high = (ends.mean() for ends in class_interval(sums, squares, *counts, quantiles=betaincinv))
        held, width = held + (low <= faced.mean() <= high), width + high - low
    return {"covered": round(float(held) / draws, 3), "width": round(float(width) / draws, 3)}


def mean_covered(found: dict[str, Any], what: str) -> float:
    """Mean coverage over all cells of one figure."""
    return float(np.mean([cell["covered"] for name, cell in found.items() if name.startswith(what)]))


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=20_000, help="classes of each kind (default: 20000)")
    parser.add_argument("--lessons", type=int, default=1000, help="lessons of each kind (default: 1000)")
    options = parser.parse_args()
    figures = {}
    for people in SIZES:
        found = measure(people, options.draws)
        means = {f"{what}_covered": round(mean_covered(found, what), 3) for what in ("facing", "mood")}
        found |= {
            f"lesson, {seen:.0%} seen, errors {'stay' if stays else 'pass'}": lessons(
                people, seen, options.lessons, stays=stays
            )
            for seen in SEEN
            for stays in (True, False)
        }
        figures[f"{people} people"] = means | {"cells": found}
        print(people, means, *found.items(), sep="\n  ")
    save("insight-intervals", figures)


if __name__ == "__main__":
    main()
