"""Which alerts other thresholds would have raised in a class that is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classpulse.insight.alerts import AlertRules, AlertWatch
from classpulse.insight.self_report import counts_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Alert, Answer


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a class would have been told.

    Attributes:
        watched_s: how long it was watched: the windows' lengths together.
        figured_s: how long there was a share facing the screen, or a mood, to watch.
        alerts: in the order of their time; none of the source, of which nothing is kept.
    """

    watched_s: float
    figured_s: float
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
    lengths = [window.end_s - window.start_s for window in windows]
    figured = [w.end_s - w.start_s for w in windows if w.facing is not None or w.mood is not None]
    return Replayed(sum(lengths), sum(figured), tuple(told))
