"""The people behind a class's figures, chosen so that nobody's coming or going tells what was read of them.

A mean over n people and one over n - 1 of them give the difference away: n m - (n - 1) m' is what was read of the
one who left, unless the others have moved meanwhile. Withholding small groups does not help: both groups are large.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from classpulse.insight.engagement import SMALLEST_GROUP, readings_of, track_means
from classpulse.insight.figures import CONCENTRATION, FACING, MOOD, MOVEMENT, TOLD, FigureRules, told_of, with_figures

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.signals import FaceSignals
    from classpulse.types import FrameResult

Row: TypeAlias = NDArray[np.float64]
"""(L + 5,): the mean probability of each emotion, the share of unsure readings, then what was told, see
`figures.TOLD`; NaN where it is not known."""
Values: TypeAlias = dict[int, Row]
"""A row for each track."""

MOVED_PEOPLE = 1.0
"""How far the others must have moved to hide one person, in people who change from one emotion to another, who turn
away, or whose mood changes by 1."""

HORIZON_S = 600.0
"""Figures are compared with those of the last ten minutes."""

FORGET_AT_ONCE = 16
"""Tracks that are looked at in each window, whether they can be forgotten: more than are lost in one."""

REST_S = 30.0
"""Whoever was not read for so long is left out, so long the last figure stands in for one that may not be shown, and
so much time must be between figures of which nobody knows how far the others moved."""


@dataclass(frozen=True, slots=True)
class _Members:
    """The people of a figure: of whom it is told whether they face the screen, and whose emotions are read."""

    posed: frozenset[int]
    read: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A figure that was shown: until when, and what it was made of."""

    end_s: float
    members: _Members
    values: Values


class Panel:
    """The tracks whose readings make each figure of a class: a panel, as surveys call it.

    A figure is shown if it can stand beside every figure of the last `HORIZON_S`: the two come from the same
    people, or the one has a whole group more than the other, or those who are in both have moved by
    `MOVED_PEOPLE` in between, so that the difference says more of them than of the few. This holds for
    emotions, for the mood and for who faces the screen, each by itself; what is made of these changes with them.
    Tried in this order are those who are here now, and the panels shown before, in which whoever has gone stays with
    what was last read of them and newcomers wait; then the last figure stays for a while. In a class that moves this is
    settled within seconds; in one that sits still nobody's coming or going is seen in the figures at all.

    These are the rules of statistical disclosure control, for a table that is published every few seconds:
    threshold and complementary suppression (Hundepool et al., Statistical Disclosure Control, 2012, chapters 4 and
    5), here also against differences of large groups (Denning, Denning and Schwartz, The Tracker, 1979). Every
    member weighs the same, however often they were read, so that no one dominates the mean. Decision 010 has
    what was measured.
    """

    def __init__(self, min_group: int, rules: FigureRules | None = None) -> None:
        """Start with nobody; `min_group` is taken as `SMALLEST_GROUP` if it is smaller."""
        self._needed = max(min_group, SMALLEST_GROUP)
        self._rules = rules or FigureRules()
        self._end_s = -np.inf
        self._last: Values = {}
        self._read_at: dict[int, float] = {}
        self._posed_at: dict[int, float] = {}
        self._shown: deque[_Shown] = deque()

    def settle(
        self, window: ClassWindow, results: Sequence[FrameResult], signals: Sequence[FaceSignals] = ()
    ) -> ClassWindow:
        """A finished window with a figure that may be shown in place of that of whoever was read.

        Its `read` and `posed` are the most of the panel's members that were read, or told to face the screen or not,
        in one picture, or of all where the last figure stays. Where there is none that may be shown, they are below
        the group, and the figures None.

        Args:
            window: of `summarise`; windows come in the order of their time, and a clock that jumps back starts anew.
            results: those it was made from.
            signals: those that were told of them.
        """
        now = _values_of(results, signals)
        widths = {len(row) for row in (*islice(self._last.values(), 1), *islice(now.values(), 1))}
        if window.start_s < self._end_s or len(widths) > 1:
            for known in (self._last, self._read_at, self._posed_at, self._shown):
                known.clear()
        self._end_s = window.end_s
        while self._shown and self._shown[0].end_s <= window.start_s - HORIZON_S:
            self._shown.popleft()
        self._learn(now, window.end_s)
        reading = [r.tracks.ids[r.emotions.read].tolist() for r in results if r.emotions is not None]
        posing = [one.ids[np.isfinite(one.facing)].tolist() for one in signals]
        for wanted in self._candidates(results, window.end_s):
            posed, read = _at_once(wanted.posed, posing), _at_once(wanted.read, reading)
            members = self._enough(wanted, posed, read)
            values = self._values(members)
            new = _Shown(window.end_s, members, values)
            if values and all(self._may_follow(new, old, window.start_s) for old in self._shown):
                self._shown.append(new)
                counts = replace(
                    window,
                    posed=posed if members.posed else window.posed,
                    read=read if members.read else window.read,
                )
                return self._with_figure(counts, new)
        last = self._shown[-1] if self._shown else None
        if last is not None and window.end_s - last.end_s <= REST_S:
            stays = self._enough(last.members, window.posed, window.read)
            return self._with_figure(window, replace(last, members=stays))
        return self._with_figure(window, _Shown(window.end_s, _Members(frozenset(), frozenset()), {}))

    def _learn(self, now: Values, end_s: float) -> None:
        """Take what was read of each in a window; what was not stays as it was."""
        for track, row in now.items():
            self._last[track] = np.where(np.isnan(row), self._last.get(track, row), row)
            if np.isfinite(row[0]):
                self._read_at[track] = end_s
            if np.isfinite(row[FACING - TOLD]):
                self._posed_at[track] = end_s
        self._forget(end_s)

    def _forget(self, end_s: float) -> None:
        """Let go of tracks that are in no figure any more; some are looked at in each window, in turn."""
        for track in list(islice(self._last, FORGET_AT_ONCE)):
            row = self._last.pop(track)
            seen_s = max(known.get(track, -np.inf) for known in (self._read_at, self._posed_at))
            if seen_s > end_s - REST_S or any(track in shown.values for shown in self._shown):
                self._last[track] = row
            else:
                self._read_at.pop(track, None)
                self._posed_at.pop(track, None)

    def _enough(self, members: _Members, posed: int, read: int) -> _Members:
        """The members without those of a kind of whom too few were in one picture."""
        return _Members(
            members.posed if posed >= self._needed else frozenset(),
            members.read if read >= self._needed else frozenset(),
        )

    def _candidates(self, results: Sequence[FrameResult], end_s: float) -> Iterator[_Members]:
        """Those who are here and were read lately, then the panels that were shown, the newest first.

        Who is here is told by the fullest picture, the latest of them: in one picture nobody has two numbers. Those
        whose emotions are read are among those who face the screen or not, where anybody does, so that no figure
        beside another has a person more.
        """
        here = max(reversed(results), key=len).tracks.ids.tolist()
        posed = frozenset(track for track in here if self._posed_at.get(track, -np.inf) > end_s - REST_S)
        read = frozenset(track for track in here if self._read_at.get(track, -np.inf) > end_s - REST_S)
        if posed:
            yield _Members(posed, posed & read)
        yield _Members(frozenset(), read)
        yield from dict.fromkeys(shown.members for shown in reversed(self._shown))

    def _values(self, members: _Members) -> Values:
        """What was last read of the members; NaN for what does not belong to a figure."""
        values = {}
        unread = len(members.posed - members.read)
        for track in sorted(members.posed | members.read):
            row = values[track] = self._last[track].copy()
            told = row[-TOLD:]
            if track not in members.read:
                row[:-TOLD] = told[MOOD] = np.nan
            if track not in members.posed:
                told[FACING] = told[MOVEMENT] = np.nan
            if not members.posed or track not in members.read or 0 < unread < self._needed:
                told[CONCENTRATION] = np.nan
        return values

    def _may_follow(self, new: _Shown, old: _Shown, start_s: float) -> bool:
        """Whether a figure can stand beside one that was shown: each kind of it beside its own."""
        kinds = (
            (new.members.posed, old.members.posed, _turned),
            (new.members.read, old.members.read, _changed),
        )
        for these, those, moved in kinds:
            both = these & those
            if not these or not those or these == those or abs(len(these) - len(those)) >= self._needed:
                continue
            if len(both) < self._needed and old.end_s <= start_s - REST_S:
                continue
            rows = [new.values[track] - old.values[track] for track in both]
            if not rows or moved(np.array(rows)) < MOVED_PEOPLE:
                return False
        return True

    def _with_figure(self, window: ClassWindow, shown: _Shown) -> ClassWindow:
        """A window with the figures of the members; a kind without members has none, and a count below the group."""
        mix = uncertain = None
        members = shown.members
        if members.read:
            *shares, uncertain = np.mean([shown.values[track][:-TOLD] for track in members.read], axis=0).tolist()
            mix = tuple(shares)
        window = replace(
            window,
            read=window.read if members.read else min(window.read, self._needed - 1),
            posed=window.posed if members.posed else min(window.posed, self._needed - 1),
            mix=mix,
            uncertain=uncertain,
        )
        told = np.array([row[-TOLD:] for row in shown.values.values()]).reshape(-1, TOLD)
        if not members.posed:
            told[:, [FACING, CONCENTRATION, MOVEMENT]] = np.nan
        if not members.read:
            told[:, [MOOD, CONCENTRATION]] = np.nan
        return with_figures(window, told, self._rules)


def _turned(rows: NDArray[np.float64]) -> float:
    """How far people turned between two figures, (M, L + 5) apart: the root of the sum of the squares.

    Nobody outside knows who turned which way: it is the standard deviation of what the sum may hide.
    """
    return float(np.sqrt(np.square(rows[:, FACING - TOLD]).sum()))


def _changed(rows: NDArray[np.float64]) -> float:
    """How far emotions moved between two figures, and moods where they are known: the lesser of the two."""
    mixed = float(np.abs(rows[:, : -TOLD - 1].sum(axis=0)).sum() / 2)
    moods = rows[:, MOOD - TOLD]
    return mixed if np.isnan(moods).all() else min(mixed, float(np.sqrt(np.nansum(np.square(moods)))))


def _values_of(results: Sequence[FrameResult], signals: Sequence[FaceSignals]) -> Values:
    _, labels, ids, probabilities, certain = readings_of(results)
    told_ids, told = told_of(signals)
    width = len(labels) + 1
    rows = np.full((len(ids) + len(told_ids), width + TOLD), np.nan)
    if len(ids):
        rows[: len(ids), :width] = np.column_stack([probabilities, ~certain])
    rows[len(ids) :, width:] = told
    tracks = np.concatenate([ids, told_ids])
    return dict(zip(np.unique(tracks).tolist(), track_means(tracks, rows), strict=True))


def _at_once(tracks: Collection[int], pictures: Sequence[Sequence[int]]) -> int:
    """The most of these tracks in one picture, where they are different people.

    >>> _at_once({1, 2, 9}, [[1, 3], [2, 1, 4]])
    2
    """
    return max((len(set(picture).intersection(tracks)) for picture in pictures), default=0)
