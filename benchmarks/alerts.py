"""How often a quiet class is told to have fallen, and how soon a real fall is told.

python -m benchmarks.alerts [--hours 100] [--falls 400] [--threshold 4] [--seed 11]

Made-up classes at the level of `ClassWindow`: 5 to 30 people, each with spells of looking away of random length (so
that figures are correlated over time), people who come, go and are out of sight, short looks down, in which nothing is
told of a face, and questions, at which some of the class turn to who asks. Figures are means over the people seen, with
an error each. A fall: so many more look away, or frown, for five minutes, that the class's figure is lower by 25 to 60
points.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.record import save
from classpulse.insight.alerts import AlertRules, AlertWatch
from classpulse.insight.engagement import ClassWindow
from classpulse.insight.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from classpulse.insight.moments import Alert

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

LENGTH_S = 5.0
SIZES = (5, 30)
SMALLEST, LARGEST = 0.25, 0.6
"""Falls are so large, any size as often as any other."""
FALL_AT_S, FALL_LASTS_S = 1200.0, 300.0
WITHIN_S = 90.0
SMILE, FROWN = 0.6, -0.6
"""Mood of a face that smiles or frowns; at rest it is 0."""
FACING_ERROR, MOOD_ERROR = 0.05, 0.1
"""Standard deviation of the error of one person's figure over a window."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a class behaves that follows.

    Attributes:
        size: how many people.
        away: share of the time in which somebody looks away.
        spell_s: how long that lasts on average.
        smiling: share of the time in which somebody smiles, for 6 s on average.
        hidden: share of the time in which somebody is out of sight, for 30 s on average.
        down: chance that nothing is told of a face over a window because it looks down.
        questions_an_hour: at which a fifth of the class turns to who asks, for 10 s on average.
    """

    size: int
    away: float
    spell_s: float
    smiling: float = 0.1
    hidden: float = 0.05
    down: float = 0.05
    questions_an_hour: float = 12.0

    @staticmethod
    def drawn(chance: np.random.Generator, size: int | None = None) -> Habits:
        """Those of some class: 5 to 20 % of the time away, for 8 to 20 s."""
        size = size or int(chance.integers(SIZES[0], SIZES[1] + 1))
        return Habits(size, chance.uniform(0.05, 0.2), chance.uniform(8, 20))


def spells(share: float, mean_s: float, shape: tuple[int, int], chance: np.random.Generator) -> Flags:
    """(windows, people) of a two-state Markov chain that is on for `share` of the time, `mean_s` on average."""
    end, begin = LENGTH_S / mean_s, LENGTH_S / mean_s * share / (1 - share)
    on = chance.random(shape[1]) < share
    draws = chance.random(shape)
    found = np.empty(shape, np.bool_)
    for step, draw in enumerate(draws):
        on = np.where(on, draw >= min(end, 1.0), draw < begin)
        found[step] = on
    return found


def questions(habits: Habits, shape: tuple[int, int], chance: np.random.Generator) -> Flags:
    """(windows, people) who have turned to somebody who asks."""
    turned = np.zeros(shape, np.bool_)
    asked = np.flatnonzero(chance.random(shape[0]) < habits.questions_an_hour * LENGTH_S / 3600)
    for step in asked:
        lasts = max(1, round(chance.exponential(10.0) / LENGTH_S))
        turned[step : step + lasts, chance.random(shape[1]) < 0.2] = True
    return turned


def windows_of(
    habits: Habits,
    length_s: float,
    chance: np.random.Generator,
    fall: Literal["", "facing", "mood"] = "",
    points: float = SMALLEST,
) -> Iterator[ClassWindow]:
    """The windows of one class, which falls at `FALL_AT_S` by `points` or just more if it is to fall."""
    shape = (round(length_s / LENGTH_S), habits.size)
    away = spells(habits.away, habits.spell_s, shape, chance) | questions(habits, shape, chance)
    moods = SMILE * spells(habits.smiling, 6.0, shape, chance)
    falling = slice(round(FALL_AT_S / LENGTH_S), round((FALL_AT_S + FALL_LASTS_S) / LENGTH_S))
    if fall == "facing":
        away[falling, chance.permutation(habits.size) < np.ceil(points * habits.size / (1 - habits.away))] = True
    if fall == "mood":
        drop = SMILE * habits.smiling - FROWN
        moods[falling, chance.permutation(habits.size) < np.ceil(points * habits.size / drop)] = FROWN
    here = ~spells(habits.hidden, 30.0, shape, chance)
    seen = here & (chance.random(shape) >= habits.down)
    facing = np.clip(1 - away + chance.normal(0, FACING_ERROR, shape), 0, 1)
    moods = moods + chance.normal(0, MOOD_ERROR, shape)
    for step in range(shape[0]):
        yield window_of(step, habits.size, int(here[step].sum()), facing[step, seen[step]], moods[step, seen[step]])


def window_of(step: int, size: int, n: int, facing: Numbers, moods: Numbers) -> ClassWindow:
    """One window of a class of `size` with `n` people in sight, and the figures of those of whom they could be told."""
    start_s = step * LENGTH_S
    shown = 2 * n >= size and len(facing) > 0
    return ClassWindow(
        start_s=start_s,
        end_s=start_s + LENGTH_S,
        results=10,
        faces=float(n),
        people=n,
        read=n,
        labels=(),
        mix=None,
        uncertain=None,
        expected=size,
        posed=n,
        facing=_figure(facing) if shown else None,
        mood=_figure(moods) if shown else None,
    )


def _figure(values: Numbers) -> Estimate:
    mean = float(values.mean())
    return Estimate(mean, mean - 0.1, mean + 0.1)


def quiet_alerts(hours: int, rules: AlertRules, seed: int = 1) -> list[tuple[Habits, Alert]]:
    """What is told in so many quiet hours, each of another class."""
    told = []
    for hour in range(hours):
        chance = np.random.default_rng((seed, hour))
        habits, watch = Habits.drawn(chance), AlertWatch(rules)
        told += [(habits, alert) for w in windows_of(habits, 3600, chance) if (alert := watch.add_window(w))]
    return told


def delay_s(
    fall: Literal["facing", "mood"], rules: AlertRules, seed: tuple[int, ...], size: int, points: float
) -> float:
    """How long after a fall it was told; infinite if it was not while it lasted."""
    chance = np.random.default_rng(seed)
    watch, habits = AlertWatch(rules), Habits.drawn(chance, size)
    for window in windows_of(habits, FALL_AT_S + FALL_LASTS_S, chance, fall, points):
        alert = watch.add_window(window)
        if alert is not None and alert.kind == fall and alert.time_s > FALL_AT_S:
            return alert.time_s - FALL_AT_S
    return float("inf")


def told_in_time(delays: Numbers) -> float:
    """Share of the falls that were told within `WITHIN_S`."""
    return round(float((delays <= WITHIN_S).mean()), 3)


def fall_figures(fall: Literal["facing", "mood"], falls: int, rules: AlertRules, seed: int = 3) -> dict[str, Any]:
    """How soon falls of one kind are told, over all classes, by their size and by that of the fall."""
    chance = np.random.default_rng(seed)
    sizes = chance.integers(SIZES[0], SIZES[1] + 1, falls)
    points = chance.uniform(SMALLEST, LARGEST, falls)
    delays = np.array([delay_s(fall, rules, (seed, i), int(sizes[i]), points[i]) for i in range(falls)])
    people = {"5 to 9": (5, 9), "10 to 19": (10, 19), "20 to 30": (20, 30)}
    depths = {"25 to 35 points": (0.25, 0.35), "35 to 45 points": (0.35, 0.45), "45 to 60 points": (0.45, 0.6)}
    return {
        "falls": falls,
        "told_within_90_s": told_in_time(delays),
        "told_at_all": round(float(np.isfinite(delays).mean()), 3),
        "median_delay_s": float(np.median(delays)),
        "told_within_90_s_by_class_size": {
            name: told_in_time(delays[(sizes >= low) & (sizes <= high)]) for name, (low, high) in people.items()
        },
        "told_within_90_s_by_fall": {
            name: told_in_time(delays[(points >= low) & (points < high)]) for name, (low, high) in depths.items()
        },
    }


def main() -> None:
    """Run it and save the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=100)
    parser.add_argument("--falls", type=int, default=400)
    parser.add_argument("--threshold", type=float, default=AlertRules().threshold)
    parser.add_argument("--smallest", type=float, default=AlertRules().smallest_fall)
    parser.add_argument("--seed", type=int, default=11, help="the threshold was chosen on seeds 1 and 3")
    parser.add_argument("--dry", action="store_true", help="print and save nothing")
    args = parser.parse_args()
    rules = AlertRules(threshold=args.threshold, smallest_fall=args.smallest)
    told = quiet_alerts(args.hours, rules, args.seed)
    kinds = sorted({alert.kind for _, alert in told})
    figures = {
        "rules": asdict(rules),
        "seed": args.seed,
        "quiet_hours": args.hours,
        "false_alarms_an_hour": round(len(told) / args.hours, 3),
        "false_alarms_by_kind": {kind: sum(alert.kind == kind for _, alert in told) for kind in kinds},
        "false_alarms_by_class_size": sorted(habits.size for habits, _ in told),
        "facing": fall_figures("facing", args.falls, rules, args.seed),
        "mood": fall_figures("mood", args.falls, rules, args.seed),
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    if not args.dry:
        print(save("alerts", figures))


if __name__ == "__main__":
    main()
