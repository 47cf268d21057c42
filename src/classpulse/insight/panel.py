"""The people behind a class's figures, chosen so that nobody's coming or going tells what was read of them.

A mean over n people and one over n - 1 of them give the difference away: n m - (n - 1) m' is what was read of the
one who left, unless the others have moved meanwhile. Withholding small groups does not help: both groups are large.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from classpulse.insight.engagement import SMALLEST_GROUP, readings_of, track_means

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from classpulse.insight.engagement import ClassWindow
    from classpulse.types import FrameResult

    Values = dict[int, NDArray[np.float64]]
    """What was read of each track: (L + 1,), the mean probability of each emotion and the share of unsure readings."""

MOVED_PEOPLE = 1.0
"""How far the others must have moved to hide one person, in people who change from one emotion to another."""

HORIZON_S = 600.0
"""Figures are compared with those of the last ten minutes."""

REST_S = 30.0
"""Whoever was not read for so long is left out, so long the last figure stands in for one that may not be shown, and
so much time must be between figures of which nobody knows how far the others moved."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A figure that was shown: until when, and what it was made of."""

    end_s: float
    values: Values


class Panel:
    """The tracks whose readings make each figure of a class: a panel, as surveys call it.

    A figure is shown if it can stand beside every figure of the last `HORIZON_S`: the two come from the same
    people, or the one has a whole group more than the other, or those who are in both have moved by
    `MOVED_PEOPLE` in between, so that the difference says more of them than of the few. Tried in this order are
    those who are here now, and the panels shown before, in which whoever has gone stays with what was last
    read of them and newcomers wait; then the last figure stays for a while. In a class that moves this is settled
    within seconds; in one that sits still nobody's coming or going is seen in the figures at all.

    These are the rules of statistical disclosure control, for a table that is published every few seconds:
    threshold and complementary suppression (Hundepool et al., Statistical Disclosure Control, 2012, chapters 4 and
    5), here also against differences of large groups (Denning, Denning and Schwartz, The Tracker, 1979). Every
    member weighs the same, however often they were read, so that no one dominates the mean. Decision 010 has
    what was measured.
    """

    def __init__(self, min_group: int) -> None:
        """Start with nobody; `min_group` is taken as `SMALLEST_GROUP` if it is smaller."""
        self._needed = max(min_group, SMALLEST_GROUP)
        self._end_s = -np.inf
        self._last: Values = {}
        self._read_at: dict[int, float] = {}
        self._shown: deque[_Shown] = deque()

    def settle(self, window: ClassWindow, results: Sequence[FrameResult]) -> ClassWindow:
        """A finished window with a figure that may be shown in place of that of whoever was read.

        Its `read` is the most of the panel's members that were read in one picture, or of all where the last
        figure stays. Where there is none that may be shown, `read` is below the group, and `mix` and
        `uncertain` are None.

        Args:
            window: of `summarise`; windows come in the order of their time, and a clock that jumps back starts anew.
            results: those it was made from.
        """
        if window.start_s < self._end_s:
            self._last.clear()
            self._read_at.clear()
            self._shown.clear()
        self._end_s = window.end_s
        pictures = [r.tracks.ids[r.emotions.read].tolist() for r in results if r.emotions is not None]
        now = _values_of(results)
        self._last |= now
        self._read_at |= dict.fromkeys(now, window.end_s)
        while self._shown and self._shown[0].end_s <= window.start_s - HORIZON_S:
            self._shown.popleft()
        for members in self._candidates(results, window.end_s):
            read = _at_once(members, pictures)
            values = {track: self._last[track] for track in members}
            if read >= self._needed and all(self._may_follow(values, old, window.start_s) for old in self._shown):
                self._shown.append(_Shown(window.end_s, values))
                return _with_figure(window, values, read)
        last = self._shown[-1] if self._shown else None
        if last is not None and window.read >= self._needed and window.end_s - last.end_s <= REST_S:
            return _with_figure(window, last.values, window.read)
        return replace(window, read=min(window.read, self._needed - 1), mix=None, uncertain=None)

    def _candidates(self, results: Sequence[FrameResult], end_s: float) -> Iterator[frozenset[int]]:
        """Those who are here and were read lately, then the panels that were shown, the newest first.

        Who is here is told by the fullest picture, the latest of them: in one picture nobody has two numbers.
        """
        fullest = max(reversed(results), key=len)
        here = fullest.tracks.ids.tolist()
        yield frozenset(track for track in here if self._read_at.get(track, -np.inf) > end_s - REST_S)
        yield from dict.fromkeys(frozenset(shown.values) for shown in reversed(self._shown))

    def _may_follow(self, new: Values, old: _Shown, start_s: float) -> bool:
        """Whether a figure of `new` can stand beside one that was shown."""
        both = new.keys() & old.values.keys()
        if len(both) == len(new) == len(old.values) or abs(len(new) - len(old.values)) >= self._needed:
            return True
        if len(both) < self._needed and old.end_s <= start_s - REST_S:
            return True
        moved = sum((new[track] - old.values[track] for track in both), np.zeros(1))[:-1]
        return bool(np.abs(moved).sum() / 2 >= MOVED_PEOPLE)


def _with_figure(window: ClassWindow, values: Values, read: int) -> ClassWindow:
    *mix, uncertain = np.mean(list(values.values()), axis=0).tolist()
    return replace(window, read=read, mix=tuple(mix), uncertain=uncertain)


def _values_of(results: Sequence[FrameResult]) -> Values:
    _, _, ids, probabilities, certain = readings_of(results)
    if not len(ids):
        return {}
    means = track_means(ids, np.column_stack([probabilities, ~certain]).astype(np.float64))
    return dict(zip(np.unique(ids).tolist(), means, strict=True))


def _at_once(tracks: Collection[int], pictures: Sequence[Sequence[int]]) -> int:
    """The most of these tracks in one picture, where they are different people.

    >>> _at_once({1, 2, 9}, [[1, 3], [2, 1, 4]])
    2
    """
    return max((len(set(picture).intersection(tracks)) for picture in pictures), default=0)
