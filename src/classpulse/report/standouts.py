"""The few moments of a class that stand out, by a rule that anybody can check on the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classpulse.insight.estimate import Estimate
    from classpulse.insight.moments import Mark

MOST = 3
"""Moments that are named."""
SHORTEST_S = 300.0
"""What is usual in a class takes so long to tell."""
SMOOTH_S = 60.0
"""A moment lasts a minute: what is shorter is not one."""
APART_S = 60.0
"""So long must lie between one episode and the next moment that is named."""
SMALLEST = 0.08
"""Nearer to the class's own median than this nothing stands out."""
AFTER_MARK_S = 180.0
"""A mark is named with a moment that follows it within so long."""


@dataclass(frozen=True, slots=True)
class Standout:
    """One moment.

    Attributes:
        time_s: its middle.
        kind: whether attention was below or above what is usual in this class.
        value: mean attention of the minute around it, 0 to 1.
        usual: the class's median of such minutes.
        after: the mark that it followed; empty if none.
    """

    time_s: float
    kind: Literal["low", "high"]
    value: float
    usual: float
    after: str


def standouts(windows: Sequence[tuple[float, float, Estimate | None]], marks: Sequence[Mark]) -> list[Standout]:
    """The moments at which attention was furthest from the class's own usual.

    With a_i the attention of window i and m_i the mean over the windows within `SMOOTH_S / 2` of its middle,
    the class's usual u is the median of all m_i. A window stands out where |m_i - u| is at least the larger of
    `SMALLEST` and half the mean width of the intervals around it: what the interval hides does not stand out. Windows
    in a row that do are one episode, which is named once, at its largest |m_i - u|; taken are the `MOST` largest.

    Args:
        windows: start, end (s) and attention; None where there is no figure. Where those with one are shorter than
            `SHORTEST_S` together, nothing is usual yet.
        marks: on the same clock.

    Returns:
        In the order of time.
    """
    known = [(start, end, figure) for start, end, figure in windows if figure is not None]
    if sum(end - start for start, end, _ in known) < SHORTEST_S:
        return []
    middles = np.array([(start + end) / 2 for start, end, _ in known])
    values = np.array([figure.value for _, _, figure in known])
    halves = np.array([(figure.high - figure.low) / 2 for _, _, figure in known])
    smooth, doubt = _minute_means(middles, values), _minute_means(middles, halves)
    usual = float(np.median(smooth))
    distance = np.where(np.abs(smooth - usual) < np.maximum(SMALLEST, doubt), 0.0, np.abs(smooth - usual))
    found: list[Standout] = []
    while len(found) < MOST and distance.max(initial=0) > 0:
        i = int(distance.argmax())
        kind: Literal["low", "high"] = "low" if smooth[i] < usual else "high"
        found.append(Standout(float(middles[i]), kind, float(smooth[i]), usual, _mark_before(float(middles[i]), marks)))
        first, last = _episode(distance, i)
        distance[(middles > middles[first] - APART_S) & (middles < middles[last] + APART_S)] = 0
    return sorted(found, key=lambda moment: moment.time_s)


def _minute_means(middles: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the values within half a `SMOOTH_S` of each; the middles are in order."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.searchsorted(middles, middles - SMOOTH_S / 2, side="left")
    last = np.searchsorted(middles, middles + SMOOTH_S / 2, side="right")
    return np.asarray((sums[last] - sums[first]) / (last - first), np.float64)


def _episode(distance: NDArray[np.float64], i: int) -> tuple[int, int]:
    """The first and the last of the windows around i that stand out without a break."""
    calm = np.flatnonzero(distance == 0)
    place = int(np.searchsorted(calm, i))
    first = int(calm[place - 1]) + 1 if place else 0
    last = int(calm[place]) - 1 if place < len(calm) else len(distance) - 1
    return first, last


def _mark_before(time_s: float, marks: Sequence[Mark]) -> str:
    near = [mark for mark in marks if 0 <= time_s - mark.time_s <= AFTER_MARK_S]
    return max(near, key=lambda mark: mark.time_s).label if near else ""
