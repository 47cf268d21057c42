"""Whether a figure of the class has fallen against this class's own recent past: a one-sided CUSUM."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Variance = Callable[[float], float]
    """Of one person's figure, about the reference."""

PAST_S = 600.0
"""The reference is the median of the last ten minutes."""

LAG_S = 100.0
"""Of these the newest are left out, or a fall would pull the reference after it while it is being noticed."""

LEAST_PAST_S = 180.0
"""Without so much past there is nothing to fall from."""

NOW_S = 30.0
"""What the figure "is" now: its mean over so long."""

GAP_S = 60.0
"""After so long without the figure the evidence is forgotten; windows further apart than this were cut by a pause."""

CORRELATION_S = 15.0
"""Who looks away does so for this long, roughly: windows nearer to each other than twice this are not news each."""

TOGETHER_SD = 0.05
"""What the figure of a quiet class varies by beside its people's own ways, as they turn to somebody who asks."""

LONGEST_STEP = 1 / 6
"""Of the threshold, how much one window of five seconds can give: no fall is told in less than half a minute."""

STEP_S = 5.0


def facing_variance(reference: float) -> float:
    """Of one person who faces the screen with this chance: p (1 - p), and never that of a class in perfect unison.

    >>> facing_variance(0.5), round(facing_variance(1.0), 3)
    (0.25, 0.09)
    """
    share = min(max(reference, 0.1), 0.9)
    return share * (1 - share)


def mood_variance(_reference: float) -> float:
    """Of one person's mood: a spread of 0.25, smiles and all (made up; a class that moves more shows it itself)."""
    return 0.25**2


@dataclass(frozen=True, slots=True)
class Fall:
    """A fall that holds.

    Attributes:
        before: what the figure was, the reference.
        now: what it is, the mean over `NOW_S`.
        since_s: when it began to fall, as far as the CUSUM tells.
    """

    before: float
    now: float
    since_s: float


class FallWatch:
    """Page's one-sided CUSUM (Biometrika 41, 1954) of the log-likelihood ratio "fell by d" against "as before".

    For the figure x of a window of l seconds, made of n people, against the reference m of the past:

        S = max(0, S + (d / v) (m - x - k)),    k = d / 2,    v = (max(s^2 / n, MAD^2) + c^2) * max(1, 2 tau / l)

    d is the smallest fall that is to be told, k the allowance, s^2 the variance of one person, MAD the spread that
    this class had in its own past (1.4826 times the median distance from m), c = `TOGETHER_SD`, tau = `CORRELATION_S`.
    A fall holds from S reaching the threshold h until it is back at 0. As v grows in small classes, so does the time
    that a fall takes to be told, and a false alarm is about as rare in classes of any size.

    Costs the same for every window, however long the class is.
    """

    def __init__(self, smallest_fall: float, threshold: float, variance: Variance) -> None:
        """Start without a past.

        Args:
            smallest_fall: d, in units of the figure, above 0.
            threshold: h, in nats of evidence, above 0.
            variance: s^2, from the reference.
        """
        self._smallest, self._threshold, self._variance = smallest_fall, threshold, variance
        self.forget()

    def forget(self) -> None:
        """Start anew: the clock jumped back, or it is another class."""
        self._past: deque[tuple[float, float]] = deque()
        self._recent: deque[tuple[float, float]] = deque()
        self._reference = 0.0
        self._holds = False
        self._drop_evidence()

    def _drop_evidence(self) -> None:
        self._sum, self._since_s = 0.0, math.nan
        self._holds = False

    def add(self, start_s: float, end_s: float, value: float | None, people: int) -> None:
        """Take the figure of the next window.

        Args:
            start_s: where the window begins.
            end_s: where it ends, later than it begins.
            value: the figure; None, or no number, where it is not shown.
            people: how many it comes from.
        """
        if self._recent and start_s - self._recent[-1][0] > GAP_S:
            self._past.extend(self._recent)
            self._recent.clear()
            if not self._holds:  # a fall that holds is over when the figure is up again, not when nobody looks
                self._drop_evidence()
        if value is None or not math.isfinite(value) or people < 1:
            return
        self._age(end_s)
        self._recent.append((end_s, value))
        if len(self._past) * (end_s - start_s) >= LEAST_PAST_S:
            self._weigh(start_s, end_s - start_s, value, people)

    def _age(self, now_s: float) -> None:
        while self._recent and self._recent[0][0] <= now_s - LAG_S:
            self._past.append(self._recent.popleft())
        while self._past and self._past[0][0] <= now_s - LAG_S - PAST_S:
            self._past.popleft()

    def _weigh(self, start_s: float, length_s: float, value: float, people: int) -> None:
        values = [one for _, one in self._past]
        self._reference = median(values)
        spread = 1.4826 * median(abs(one - self._reference) for one in values)
        variance = max(self._variance(self._reference) / people, spread**2)
        variance = (variance + TOGETHER_SD**2) * max(1.0, 2 * CORRELATION_S / length_s)
        step = self._smallest / variance * (self._reference - value - self._smallest / 2)
        most = self._threshold * LONGEST_STEP * max(1.0, length_s / STEP_S)
        if self._sum == 0:
            self._since_s = start_s
        # Not above the threshold: a fall that lasts long is over no later than a short one.
        self._sum = min(max(0.0, self._sum + min(step, most)), self._threshold)
        self._holds = self._sum > 0 and (self._holds or self._sum >= self._threshold)

    @property
    def fall(self) -> Fall | None:
        """The fall that holds, if one does; None also while the figure is up again but may go down the next moment."""
        if not self._holds:
            return None
        if not self._recent:  # it holds, and nobody has been seen for so long that there is no figure to tell
            return None
        newest = self._recent[-1][0]
        now = fmean(value for end_s, value in self._recent if end_s > newest - NOW_S)
        if self._reference - now < self._smallest / 2:
            return None
        return Fall(self._reference, now, self._since_s)

    @property
    def recovered(self) -> bool:
        """Whether nothing speaks for a fall any more."""
        return not self._holds
