"""Which alerts other thresholds would have raised in a class that is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classpulse.insight.alerts import AlertRules, AlertWatch, watched_facing, watched_mood
from classpulse.insight.answers import counts_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Alert, Answer


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a class would have been told.

    Attributes:
        watched_s: how long it was watched: the windows' lengths together.
        facing_s: how long there was a share facing the screen that may be shown, and so be watched.
        mood_s: the same of the mood.
        alerts: in the order of their time; none of the source, of which nothing is kept.
    """

    watched_s: float
    facing_s: float
    mood_s: float
    alerts: tuple[Alert, ...]

    @property
    def an_hour(self) -> float:
        """Alerts an hour; 0 where nothing was watched."""
        return 3600 * len(self.alerts) / self.watched_s if self.watched_s else 0.0


def replay(windows: Sequence[ClassWindow], answers: Sequence[Answer], rules: AlertRules) -> Replayed:
    """Watch the stored windows of a class again.

    Args:
        windows: in the order of their time.
        answers: of the same class, in the order of their time.
        rules: to try.
    """
    watch = AlertWatch(rules)
    told: list[Alert] = []
    counted = counts_at(answers, [window.end_s for window in windows], rules.min_group or None)
    for window, counts in zip(windows, counted, strict=True):
        alert = watch.add_window(window, counts if answers else None)
        if alert is not None:
            told.append(alert)
    facing_s = sum(_length_s(one) for one in windows if watched_facing(one, rules)[0] is not None)
    mood_s = sum(_length_s(one) for one in windows if watched_mood(one, rules)[0] is not None)
    return Replayed(sum(map(_length_s, windows)), facing_s, mood_s, tuple(told))


def _length_s(window: ClassWindow) -> float:
    return window.end_s - window.start_s
