"""What happens in the demo's class: who is there, what they do, and the mood that goes through the room.

Everything here is a pure function of the time and of a seed; the script repeats after `PERIOD_S`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

PERIOD_S = 90.0
_FADE_S = 1.0
_SLIDE_S = 1.6

_MOODS: tuple[tuple[float, float, dict[str, float]], ...] = (
    (0.0, 20.0, {"neutral": 0.85, "happy": 0.08, "doubt": 0.07}),
    (20.0, 38.0, {"happy": 0.8, "neutral": 0.2}),
    (38.0, 46.0, {"surprise": 0.6, "neutral": 0.3, "happy": 0.1}),
    (46.0, 68.0, {"sad": 0.7, "doubt": 0.2, "neutral": 0.1}),
    (68.0, 90.0, {"neutral": 0.55, "happy": 0.4, "doubt": 0.05}),
)
"""From when to when, and how likely each expression is."""

_OFF = ((-6.0, 7.0), (33.0, 52.0), (60.0, 78.0))
_AWAY = ((24.0, 34.0), (62.0, 71.0))
_COVERED = ((12.0, 15.5), (41.0, 44.0), (55.0, 59.0), (80.0, 83.5))
"""Seconds of the script; each interval falls to another person."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What one person does at one time.

    Attributes:
        on: whether the camera is on.
        away: 0 in the picture to 1 out of it.
        covered: 0 hands down to 1 hands before the face.
        before, after: the expression that ends and the one that begins.
        blend: how far the change between them has gone, 0 to 1.
        blink: 0 eyes open to 1 closed.
        sway: (6,) small movements, about -1 to 1: to the side, down, tilt, nearer, turn, nod.
    """

    on: bool
    away: float
    covered: float
    before: str
    after: str
    blend: float
    blink: float
    sway: tuple[float, ...]

    @property
    def visible(self) -> bool:
        """Whether the face can be seen and is not about to vanish."""
        return self.on and self.away < 0.05 and self.covered < 0.15

    @property
    def gone(self) -> bool:
        """Whether nothing of the face can be seen."""
        return not self.on or self.away > 0.95 or self.covered > 0.95


def ease(t: float) -> float:
    """A step from 0 to 1 without corners.

    >>> ease(-1), ease(0.5), ease(2)
    (0.0, 0.5, 1.0)
    """
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def _inside(time_s: float, interval: tuple[float, float], fade_s: float) -> float:
    """How far into an interval of the script the time is, 0 outside to 1, with slopes of `fade_s`."""
    start, end = interval
    at = (time_s - start) % PERIOD_S
    return ease(min(at, end - start - at) / fade_s) if at < end - start else 0.0


class Role:
    """One person's part in the script."""

    def __init__(self, seed: int, person: int, seats: tuple[int, ...]) -> None:
        """Write the part.

        Args:
            seed: of the whole class.
            person: number of this person, from 0.
            seats: a permutation of all persons, the same for the whole class: who gets which interval.
        """
        rng = np.random.default_rng([seed, person])
        events = [*(("off", i) for i in _OFF), *(("away", i) for i in _AWAY), *(("covered", i) for i in _COVERED)]
        mine = [event for place, event in zip(seats, events, strict=False) if place == person]
        self._off = [i for kind, i in mine if kind == "off"]
        self._away = [i for kind, i in mine if kind == "away"]
        self._covered = [i for kind, i in mine if kind == "covered"]
        self._expressions = _expressions(rng)
        self._rates = rng.uniform(0.05, 0.32, (6, 3))
        self._phases = rng.uniform(0, 2 * np.pi, (6, 3))
        self._blink_every_s, self._blink_phase_s = rng.uniform(2.6, 5.2), rng.uniform(0, 5)

    def at(self, time_s: float) -> Moment:
        """What this person does `time_s` seconds after the start."""
        t = time_s % PERIOD_S
        index = max(i for i, (start, _) in enumerate(self._expressions) if start <= t)
        start, after = self._expressions[index]
        blink = abs((time_s + self._blink_phase_s) % self._blink_every_s - 0.15) / 0.15
        waves = np.sin(2 * np.pi * self._rates * time_s + self._phases) @ np.array([0.5, 0.3, 0.2])
        return Moment(
            on=not any((t - a) % PERIOD_S < b - a for a, b in self._off),
            away=max((_inside(t, i, _SLIDE_S) for i in self._away), default=0.0),
            covered=max((_inside(t, i, 0.7) for i in self._covered), default=0.0),
            before=self._expressions[index - 1][1],
            after=after,
            blend=ease((t - start) / _FADE_S),
            blink=1 - ease(blink),
            sway=tuple(float(w) for w in waves),
        )


def _expressions(rng: Generator) -> list[tuple[float, str]]:
    """When each expression begins; the first begins at 0."""
    changes: list[tuple[float, str]] = []
    for start, end, mood in _MOODS:
        t = start + (float(rng.uniform(0, 3.5)) if start > 0 else 0.0)
        while t < end - 2:
            changes.append((t, str(rng.choice(list(mood), p=list(mood.values())))))
            t += float(rng.uniform(5, 11))
    return changes
