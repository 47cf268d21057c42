"""From single faces to a figure of the class, over windows of a few seconds.

`summarise` is the arithmetic. `WindowBuilder` cuts a class into windows that follow each other and
`RollingWindow` is the one that moves with the present. They leave the program by `disclosure` alone.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classpulse.insight.class_size import ClassSize
from classpulse.insight.figures import FigureRules, posed_at_once, told_of, with_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classpulse.insight.estimate import Estimate
    from classpulse.insight.moments import AnswerCounts
    from classpulse.insight.panel import Panel
    from classpulse.insight.signals import FaceSignals
    from classpulse.types import Floats, FrameResult, Ints, Mask

SMALLEST_GROUP = 3
"""No setting lets a figure come from fewer people than this."""

MAX_RESULTS = 10_000
"""Results that one window holds at most, so that a clock that stands still cannot fill the memory."""


@dataclass(frozen=True, slots=True)
class ClassWindow:
    """The class over a few seconds.

    Attributes:
        start_s, end_s: by the clock of `FrameResult.time_s`.
        results: number of pictures that were looked at.
        faces: mean number of faces visible in a picture.
        people: the most faces visible in one picture. Faces in one picture are different people, while
            one person whose track breaks has several numbers within a window: to count tracks would
            make a large group out of a small one.
        read: the most faces read in one picture: at least so many people are behind `mix`. Where a `Panel` holds
            the people still, the most of its members.
        labels: the emotions, in the order of `mix`; empty where the policy forbids reading.
        mix: mean probability of each emotion, every track weighing the same; None where nobody was read.
        uncertain: share of readings without a clear answer, 0 to 1, every track weighing the same;
            None where nobody was read.
        expected: how many people the class has, as far as it was seen lately; 0 where that is not known.
        posed: the most faces in one picture that could be told to face the screen or not; at least so many people
            are behind the figures that follow. Where a `Panel` holds the people still, the most of its members.
        facing: share of people who face the screen, 0 to 1.
        mood: mean pleasantness against each person's own resting face, -1 to 1.
        attention: the attention-first score, 0 to 1.
        concentration: the index of Sharma et al., approximate because eyes are not read.
        movement: mean movement of a face, in its own widths per second.
        answers: what students said of themselves that held at its end; None where nobody was asked, and of a stored
            class, whose answers are stored by themselves.
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
    expected: int = 0
    posed: int = 0
    facing: Estimate | None = None
    mood: Estimate | None = None
    attention: Estimate | None = None
    concentration: Estimate | None = None
    movement: float | None = None
    answers: AnswerCounts | None = None


def summarise(
    results: Sequence[FrameResult],
    start_s: float,
    end_s: float,
    signals: Sequence[FaceSignals] = (),
    *,
    expected: int = 0,
    rules: FigureRules = FigureRules(),  # noqa: B008 - frozen
) -> ClassWindow:
    """The class over the given results.

    With F results, n_f faces in result f, r_f of them read, T tracks read at least once, and for track t
    the readings p_t1 … p_tk (each L probabilities) of which u_t were uncertain:

    - faces = (1 / F) sum over f of n_f
    - people = maximum over f of n_f; read = maximum over f of r_f
    - mix = (1 / T) sum over t of (p_t1 + … + p_tk) / k
    - uncertain = (1 / T) sum over t of u_t / k

    Every track weighs the same, however often it was read: whoever sits near the camera counts no more
    than whoever sits at the back. The figures with an interval are made in the same way, see `with_figures`.

    Args:
        results: at least one, of one class and so with one list of labels.
        start_s: where the window begins.
        end_s: where it ends.
        signals: of those results in which signals were told.
        expected: how many people the class has; 0 where that is not known.
        rules: how the figures are made.
    """
    visible = [len(result) for result in results]
    read_at_once, labels, ids, probabilities, certain = readings_of(results)
    mix = uncertain = None
    if len(ids):
        means = track_means(ids, np.column_stack([probabilities, ~certain]).astype(np.float64))
        *shares, uncertain = (float(value) for value in means.mean(axis=0))
        mix = tuple(shares)
    window = ClassWindow(
        start_s=start_s,
        end_s=end_s,
        results=len(results),
        faces=sum(visible) / len(results),
        people=max(visible),
        read=read_at_once,
        labels=labels,
        mix=mix,
        uncertain=uncertain,
        expected=expected,
        posed=posed_at_once(signals),
    )
    return with_figures(window, track_means(*told_of(signals)), rules) if signals else window


def readings_of(results: Sequence[FrameResult]) -> tuple[int, tuple[str, ...], Ints, Floats, Mask]:
    """Most readings in one result, the labels, and of all M readings: ids (M,), probabilities (M, L), certain (M,)."""
    looked = [(r.tracks.ids, r.emotions) for r in results if r.emotions is not None]
    if not looked:
        return 0, (), np.empty(0, np.int64), np.empty((0, 0), np.float32), np.empty(0, np.bool_)
    masks = [emotions.read for _, emotions in looked]
    read = np.concatenate(masks)
    return (
        max(int(mask.sum()) for mask in masks),
        looked[-1][1].labels,
        np.concatenate([ids for ids, _ in looked])[read],
        np.concatenate([emotions.probabilities for _, emotions in looked])[read],
        np.concatenate([emotions.certain for _, emotions in looked])[read],
    )


def track_means(ids: Ints, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the rows of each track, without what is NaN.

    Args:
        ids: (M,) tracks.
        values: (M, K) readings.

    Returns:
        (T, K) float64, one row per track, in the order of their numbers; NaN where a track has no number.

    >>> track_means(np.array([7, 2, 7]), np.array([[1.0], [5.0], [2.0]])).tolist()
    [[5.0], [1.5]]
    """
    tracks, rows = np.unique(ids, return_inverse=True)
    sums = np.zeros((2, len(tracks), values.shape[1]), np.float64)
    np.add.at(sums[0], rows, np.nan_to_num(values))
    np.add.at(sums[1], rows, np.isfinite(values))
    means = np.full(sums[0].shape, np.nan)
    np.divide(sums[0], sums[1], out=means, where=sums[1] > 0)
    return means


class WindowBuilder:
    """Cuts a class into windows of equal length that follow each other.

    Windows begin at multiples of `length_s` of the results' own clock, so that two recordings of one
    class, or two runs over one file, have the same windows. A time without results gives no window.
    """

    def __init__(self, length_s: float, panel: Panel | None = None, rules: FigureRules | None = None) -> None:
        """Start before the first result.

        Args:
            length_s: above 0.
            panel: holds the people behind the figures still; None where they are not there, as in the demo.
            rules: how the figures are made; the defaults if not given.
        """
        self._length_s = length_s
        self._panel = panel
        self._rules = rules or FigureRules()
        self._size = ClassSize()
        self._number = 0
        self._results: list[FrameResult] = []
        self._signals: list[FaceSignals] = []

    def add(self, result: FrameResult, signals: FaceSignals | None = None) -> ClassWindow | None:
        """Take the next result; returns the window that it closes, if any.

        A result that is late by less than a window counts in the open one; a clock that jumps back
        further (a recording that begins again) closes it. A result without a finite time is left out.

        Args:
            result: the next one.
            signals: of its faces; None where none may be told.
        """
        if not math.isfinite(result.time_s):
            return None
        number = math.floor(result.time_s / self._length_s)
        belongs = self._number - 1 <= number <= self._number and len(self._results) < MAX_RESULTS
        closed = None if belongs else self.finish()
        if not self._results:
            self._number = number
        self._results.append(result)
        if signals is not None:
            self._signals.append(signals)
        return closed

    def finish(self) -> ClassWindow | None:
        """Close the open window, if it holds a result; its end is that of a full window. More may be added after."""
        if not self._results:
            return None
        results, signals, self._results, self._signals = self._results, self._signals, [], []
        start_s, end_s = self._number * self._length_s, (self._number + 1) * self._length_s
        expected = self._size.add(end_s, [len(result) for result in results])
        window = summarise(results, start_s, end_s, signals, expected=expected, rules=self._rules)
        return window if self._panel is None else self._panel.settle(window, results, signals)


class RollingWindow:
    """The last `length_s` seconds of the class, for "now"."""

    def __init__(self, length_s: float, rules: FigureRules | None = None) -> None:
        """Start empty; `length_s` above 0, `rules` the defaults if not given."""
        self._length_s = length_s
        self._rules = rules or FigureRules()
        self._results: deque[tuple[FrameResult, FaceSignals | None]] = deque(maxlen=MAX_RESULTS)

    def add(self, result: FrameResult, signals: FaceSignals | None = None) -> None:
        """Take the next result and let go of those that are `length_s` older; a clock that jumps back starts anew."""
        if not math.isfinite(result.time_s):
            return
        if self._results and result.time_s < self._results[-1][0].time_s:
            self._results.clear()
        self._results.append((result, signals))
        while self._results[0][0].time_s <= result.time_s - self._length_s:
            self._results.popleft()

    def clear(self) -> None:
        """Forget everything: after a pause the past is not now."""
        self._results.clear()

    def window(self, expected: int = 0) -> ClassWindow | None:
        """From the oldest result that still counts to the newest; None while there is none.

        Args:
            expected: how many people the class has; 0 where that is not known.
        """
        if not self._results:
            return None
        results = [result for result, _ in self._results]
        signals = [told for _, told in self._results if told is not None]
        start_s, end_s = results[0].time_s, results[-1].time_s
        return summarise(results, start_s, end_s, signals, expected=expected, rules=self._rules)
