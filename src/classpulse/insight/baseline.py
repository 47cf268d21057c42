"""The resting face: how somebody looks when nothing happens, which is taken off what is read of them.

Some faces at rest look sad or angry to a network and to people alike (Said, Sebe and Todorov 2009, "Structural
resemblance to emotional expressions predicts evaluation of emotionally neutral faces"), so that a reading says little
before the person's own usual one is subtracted.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.types import Emotions, Floats, Ints

Shares: TypeAlias = NDArray[np.float64]
Key = TypeVar("Key", int, str)

SLOT_S = 5.0
"""Readings are averaged over so long before the median is taken over the averages."""
SLOTS = 60
"""How many averages a median is taken over: five minutes of being read."""
PRIOR_SLOTS = 4
"""What the class's usual resting face weighs beside somebody's own, in averages."""
FORGOTTEN_S = 900.0
"""Whoever was not seen for so long begins anew, so that memory does not grow with the class."""
TYPICAL_GAIN = 0.02


@dataclass(slots=True)
class _Rest:
    """What is known of one person; two tracks of a recognised person share it."""

    slots: deque[Shares] = field(default_factory=lambda: deque(maxlen=SLOTS))
    median: Shares | None = None
    total: Shares | None = None
    count: int = 0
    since_s: float = 0.0
    seen_s: float = 0.0

    def add(self, reading: Shares, time_s: float) -> bool:
        """Take a reading; returns whether the median is new."""
        self.seen_s = time_s
        over = self.count > 0 and not 0 <= time_s - self.since_s < SLOT_S
        if over and self.total is not None:
            self.slots.append(self.total / self.count)
            ordered, n = np.sort(np.array(self.slots), axis=0), len(self.slots)
            middle = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
            self.median = middle / middle.sum() if middle.sum() > 0 else self.slots[-1]
        if self.count == 0 or over:
            self.total, self.count, self.since_s = np.zeros_like(reading), 0, time_s
        self.total = reading if self.total is None else self.total + reading
        self.count += 1
        return over


class RestingFaces:
    """The resting face of each track, learned while the class goes on.

    Readings are averaged over slots of `SLOT_S`; with n of the last `SLOTS` averages s_1 … s_n of a person, m their
    median of each emotion scaled to sum 1, and g the class's usual resting face,

        rest = (PRIOR_SLOTS g + n m) / (PRIOR_SLOTS + n)

    The running median (Tukey 1977, Exploratory Data Analysis) is not moved by smiles that take less than half of the
    time; the weight on g (shrinkage, as in James and Stein 1961) serves newcomers. g begins as a neutral face and
    follows the medians with a gain of `TYPICAL_GAIN` each. Who smiles all the time has a smiling face at rest: a
    change is seen, a disposition is not.

    A person whom `FrameResult.identities` names (only with their consent) keeps their resting face from track to
    track. Cost and memory are the same at every moment: at most `SLOTS` averages for each face seen lately.
    """

    def __init__(self) -> None:
        """Start with nobody."""
        self._labels: tuple[str, ...] = ()
        self._typical: Shares = np.empty(0)
        self._tracks: dict[int, _Rest] = {}
        self._people: dict[str, _Rest] = {}

    def update(self, ids: Ints, emotions: Emotions, time_s: float, people: Sequence[str | None] = ()) -> Floats:
        """Take the readings of one frame.

        Args:
            ids: (N,) tracks.
            emotions: what was read of them.
            time_s: a finite time; one before the last is taken as it is.
            people: whom they were taken for, where that is known; empty for nobody.

        Returns:
            (N, L) float32: the resting face of each before this reading; rows sum to 1.
        """
        if emotions.labels != self._labels:
            self._begin(emotions.labels)
        rests = np.empty((len(ids), len(self._labels)), np.float32)
        readings = emotions.probabilities.astype(np.float64)
        names = people or (None,) * len(ids)
        for i, (track, name, read) in enumerate(zip(ids.tolist(), names, emotions.read.tolist(), strict=True)):
            rest = self._of(track, name)
            rests[i] = self._face(rest)
            rest.seen_s = time_s
            if read and rest.add(readings[i], time_s) and rest.median is not None:
                self._typical += TYPICAL_GAIN * (rest.median - self._typical)
        self._forget(time_s)
        return rests

    def _begin(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        neutral = [float(label == "neutral") for label in labels]
        self._typical = np.array(neutral if any(neutral) else [1 / len(labels)] * len(labels))
        self._tracks.clear()
        self._people.clear()

    def _of(self, track: int, name: str | None) -> _Rest:
        rest = self._tracks.setdefault(track, _Rest())
        if name is not None:
            rest = self._tracks[track] = self._people.setdefault(name, rest)
        return rest

    def _face(self, rest: _Rest) -> Shares:
        if rest.median is None:
            return self._typical
        n = len(rest.slots)
        return (PRIOR_SLOTS * self._typical + n * rest.median) / (PRIOR_SLOTS + n)

    def _forget(self, time_s: float) -> None:
        """Let go of whoever is away too long, also by a clock that jumped; one of each kind is looked at in a frame."""
        _forget_first(self._tracks, time_s)
        _forget_first(self._people, time_s)


def _forget_first(known: dict[Key, _Rest], time_s: float) -> None:
    """Take out the first, or put it last if it was seen lately."""
    key = next(iter(known), None)
    if key is not None:
        rest = known.pop(key)
        if abs(time_s - rest.seen_s) <= FORGOTTEN_S:
            known[key] = rest
