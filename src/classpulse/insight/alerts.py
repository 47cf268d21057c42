"""When the teacher is told that something changed: rarely, with the figures, and once for each change."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from classpulse.insight.falls import Fall, FallWatch, facing_variance, mood_variance
from classpulse.insight.moments import Alert, AlertKind
from classpulse.insight.state import percent, say_lost, seen_in
from classpulse.texts import counted, phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.estimate import Estimate
    from classpulse.insight.moments import AnswerCounts

FEW_FACES_S = 60.0
"""So long few faces must be visible."""

PAUSE_S = 15.0
"""After so long without a window the minute begins anew."""

FEW_AGAIN = 0.2
"""So much more of the class than the limit must be visible before few faces are told of again."""

FEWER_LOST = 0.1
"""So much lower than the limit the share of "lost" must be before it is told of again."""

JUMP_S = 1.0
"""A window that begins by so much before the last one ended is not the next one: the clock jumped back."""


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What is told, and when; the defaults are those of the settings.

    Attributes:
        every_s: shortest time between two alerts.
        smallest_fall: of facing (0 to 1) or mood (-1 to 1), which is to be told.
        threshold: evidence for a fall, in nats; see `FallWatch`.
        lost_share: share of "lost" among the answers.
        lost_answers: fewest "lost" answers.
        few_share: of the people expected, below which few are visible.
        source_wait_s: so long a source may wait.
        min_group: fewest people that a figure may come from; 0 in the demo.
    """

    every_s: float = 300.0
    smallest_fall: float = 0.25
    threshold: float = 4.0
    lost_share: float = 0.3
    lost_answers: int = 3
    few_share: float = 0.4
    source_wait_s: float = 20.0
    min_group: int = 5


class AlertWatch:
    """Watches one class; takes its windows as they are finished, at the same cost for each.

    Of each kind there is one alert until what it is about has passed: a class that stays away is told of once. What may
    not be told yet, because of a snooze or another alert just before, is told when the time has come if it still holds.
    """

    def __init__(self, rules: AlertRules | None = None) -> None:
        """Start at the beginning of a class."""
        self._rules = rules or AlertRules()
        fall, threshold = self._rules.smallest_fall, self._rules.threshold
        self._facing = FallWatch(fall, threshold, facing_variance)
        self._mood = FallWatch(fall, threshold, mood_variance)
        self._told: set[AlertKind] = set()
        self._end_s = -math.inf
        self._now_s = 0.0
        self._few_since_s: float | None = None
        self._counted_s = -math.inf
        self._last_s = -math.inf
        self._snoozed_until_s = -math.inf

    @property
    def snoozed_until_s(self) -> float | None:
        """No alert is raised before; None where alerts are on."""
        return self._snoozed_until_s if self._snoozed_until_s > self._now_s else None

    def snooze(self, until_s: float) -> None:
        """Raise no alert before this time; one that has passed ends a snooze."""
        self._snoozed_until_s = until_s if math.isfinite(until_s) else -math.inf

    def add_window(self, window: ClassWindow, answers: AnswerCounts | None = None) -> Alert | None:
        """Take the next finished window, and the answers that hold at its end; returns what is to be told now."""
        if not (math.isfinite(window.start_s) and window.start_s < window.end_s < math.inf):
            return None
        self._move_to(window.start_s, window.end_s)
        self._facing.add(window.start_s, window.end_s, *watched_facing(window, self._rules))
        self._mood.add(window.start_s, window.end_s, *watched_mood(window, self._rules))
        self._count(window)
        self._rearm(window, answers)
        return self._tell(self._due(window, answers))

    def source_waits(self, waited_s: float, time_s: float) -> Alert | None:
        """Tell how long the source has been waiting, 0 if it does not; windows do not come meanwhile.

        Args:
            waited_s: by a clock on the wall.
            time_s: on the clock of the windows, as far as it goes on while none come.
        """
        self._now_s = max(self._now_s, time_s)
        if waited_s < self._rules.source_wait_s:
            self._told.discard("source")
            return None
        return self._tell(iter([("source", phrase("no picture has come for {time}", time=duration(waited_s)))]))

    def _move_to(self, start_s: float, end_s: float) -> None:
        """Go on to this window; after a jump back nothing is compared with what was, and waits are what they were."""
        if start_s < self._end_s - JUMP_S:
            back = self._end_s - start_s
            self._facing.forget()
            self._mood.forget()
            self._few_since_s = None
            self._last_s -= back
            self._snoozed_until_s -= back
            self._now_s = end_s
        self._end_s = end_s
        self._now_s = max(self._now_s, end_s)

    def _count(self, window: ClassWindow) -> None:
        """Note since when few faces are visible; a class of which nobody knows how large it is has no few."""
        limit = self._rules.few_share * window.expected
        enough = window.expected < max(self._rules.min_group, 2) or window.faces >= limit
        if enough or window.start_s - self._counted_s > PAUSE_S:  # nobody knows who was visible in a pause
            self._few_since_s = None if enough else window.start_s
        elif self._few_since_s is None:
            self._few_since_s = window.start_s
        self._counted_s = window.end_s

    def _rearm(self, window: ClassWindow, answers: AnswerCounts | None) -> None:
        over: dict[AlertKind, bool] = {
            "facing": self._facing.recovered,
            "mood": self._mood.recovered,
            "few_faces": window.faces >= (self._rules.few_share + FEW_AGAIN) * window.expected,
            "lost": answers is None or answers.lost <= (self._rules.lost_share - FEWER_LOST) * answers.total,
        }
        self._told -= {kind for kind, passed in over.items() if passed}

    def _due(self, window: ClassWindow, answers: AnswerCounts | None) -> Iterator[tuple[AlertKind, str]]:
        """What holds now, the most pressing first."""
        seen = seen_in(window, self._rules.min_group)
        if self._few_since_s is not None and window.end_s - self._few_since_s >= FEW_FACES_S:
            few_s = window.end_s - self._few_since_s
            yield "few_faces", phrase("{seen} for {time}", seen=seen, time=duration(few_s))
        if answers is not None and self._many_lost(answers):
            yield "lost", say_lost(answers)
        if (fall := self._facing.fall) is not None:
            before, now, time = percent(fall.before), percent(fall.now), _taking(fall, window)
            fell = phrase("facing fell from {before} to {now} in {time}", before=before, now=now, time=time)
            yield "facing", f"{fell}; {seen}"
        if (fall := self._mood.fall) is not None:
            before, now, time = f"{fall.before:+.2f}", f"{fall.now:+.2f}", _taking(fall, window)
            fell = phrase("mood fell from {before} to {now} in {time}", before=before, now=now, time=time)
            yield "mood", f"{fell}; {seen}"

    def _many_lost(self, answers: AnswerCounts) -> bool:
        rules = self._rules
        enough = answers.lost >= rules.lost_answers and answers.total >= max(rules.min_group, 1)
        return enough and answers.lost >= rules.lost_share * answers.total

    def _tell(self, due: Iterator[tuple[AlertKind, str]]) -> Alert | None:
        """The first that was not told yet, if an alert may be raised."""
        if self._now_s < self._snoozed_until_s or self._now_s - self._last_s < self._rules.every_s:
            return None
        for kind, reason in due:
            if kind not in self._told:
                self._told.add(kind)
                self._last_s = self._now_s
                return Alert(self._now_s, kind, reason)
        return None


def watched_facing(window: ClassWindow, rules: AlertRules) -> tuple[float | None, int]:
    """The share facing the screen that alerts are made of, with how many people are behind it; None and 0 if hidden."""
    return _shown(window.facing, window, window.posed, rules)


def watched_mood(window: ClassWindow, rules: AlertRules) -> tuple[float | None, int]:
    """The same of the mood."""
    return _shown(window.mood, window, window.read, rules)


def _shown(figure: Estimate | None, window: ClassWindow, people: int, rules: AlertRules) -> tuple[float | None, int]:
    """A figure that may be shown, and of how many people; no alert is made of another."""
    hidden = figure is None or min(window.people, people) < rules.min_group
    return (None, 0) if hidden or figure is None else (figure.value, people)


def _taking(fall: Fall, window: ClassWindow) -> str:
    return duration(window.end_s - fall.since_s)


def duration(seconds: float) -> str:
    """A length of time as it is said.

    >>> duration(42), duration(58), duration(200)
    ('40 seconds', 'a minute', '3 minutes')
    """
    tens = 10 * round(seconds / 10)
    if tens < 60:
        return phrase("{seconds} seconds", seconds=max(tens, 5))
    minutes = round(seconds / 60)
    return phrase("a minute") if minutes <= 1 else counted("{n} minute", "{n} minutes", minutes)
