"""Results of a running class on their way to figures: windows, rates and ages."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from classpulse.insight.engagement import ClassWindow, RollingWindow, WindowBuilder
from classpulse.insight.facing import FacingJudge
from classpulse.insight.figures import FigureRules
from classpulse.insight.indices import ConcentrationWeights
from classpulse.insight.panel import Panel
from classpulse.insight.signals import SignalReader
from classpulse.settings import Settings

if TYPE_CHECKING:
    from classpulse.insight.moments import AnswerCounts
    from classpulse.insight.signals import FaceSignals
    from classpulse.types import FrameResult

PUBLISH_EVERY_S = 0.25
HISTORY_S = 30 * 60.0
RATE_OVER_S = 3.0


class Progress:
    """What the results of one class, so far, amount to."""

    def __init__(self, length_s: float, min_group: int | None, settings: Settings | None = None) -> None:
        """Begin.

        Args:
            length_s: of the class windows.
            min_group: fewest people a figure may come from; None for the demo, whose people are not there.
            settings: what the figures are made by; the defaults if not given.
        """
        settings = settings or Settings()
        attention = settings.attention
        rules = FigureRules(attention.mood_weight, attention.min_coverage)
        self._judge = FacingJudge(
            max_yaw_deg=attention.max_yaw_deg,
            hysteresis_deg=attention.hysteresis_deg,
            min_turn_s=attention.min_turn_s,
            calibration_s=attention.calibration_s,
        )
        self._reader = SignalReader(ConcentrationWeights(**settings.concentration.model_dump()))
        self._panel = None if min_group is None else Panel(min_group, rules)
        self._builder = WindowBuilder(length_s, self._panel, rules)
        self._rolling = RollingWindow(length_s, rules)
        self._history: deque[ClassWindow] = deque(maxlen=round(HISTORY_S / length_s))
        self._done: deque[float] = deque()
        self._results, self._looking_s = 0, 0.0
        self._over = False
        self._age_s = 0.0
        self._last: FrameResult | None = None
        self._step_s = 0.0
        self._finished: ClassWindow | None = None

    def add(self, result: FrameResult, *, age_s: float, answers: AnswerCounts | None = None) -> ClassWindow | None:
        """Take the next result; returns the class window that it closes, if it does.

        Args:
            result: the next one.
            age_s: how old it is, s.
            answers: those that hold now; None where nobody was asked.
        """
        now = time.monotonic()
        if self._done:  # after a pause there is none
            self._results, self._looking_s = self._results + 1, self._looking_s + now - self._done[-1]
        self._done.append(now)
        while now - self._done[0] > RATE_OVER_S:
            self._done.popleft()
        if self._last is None:
            self._age_s = age_s
        else:
            self._age_s += 0.2 * (age_s - self._age_s)
            self._step_s = result.time_s - self._last.time_s
        self._last = result
        signals = self._signals(result)
        self._rolling.add(result, signals if self._panel is None else None)
        finished = self._builder.add(result, signals)
        if finished is not None:
            finished = replace(finished, answers=answers)
            self._history.append(finished)
            self._finished = finished
        return finished

    def _signals(self, result: FrameResult) -> FaceSignals | None:
        """What is told of each face; None where the law lets neither emotions nor attention be read."""
        if result.emotions is None and result.poses is None:
            return None
        facing = np.full(len(result), np.nan, np.float32)
        if result.poses is not None:
            facing = self._judge.update(result.tracks.ids, result.poses, result.time_s)
        return self._reader.update(result, facing)

    def forget_now(self) -> None:
        """After a pause the past is not now."""
        self._rolling.clear()
        self._done.clear()
        self._finished = None

    def finish(self, answers: AnswerCounts | None = None) -> ClassWindow | None:
        """The class is over: close the window that is still open, with the answers that hold at its end.

        It ends with the class, and the last picture stands for as long as the one before it did.
        """
        self._over = True
        last = self._builder.finish()
        if last is not None and self._last is not None:
            end_s = self._last.time_s + self._step_s
            last = replace(last, end_s=end_s if last.start_s < end_s < last.end_s else last.end_s, answers=answers)
            self._history.append(last)
        return last

    def _now(self) -> ClassWindow | None:
        """The last few seconds: faces as they are counted, and all that is read of the last finished window.

        Figures of windows that overlap would be told apart by the moment in which somebody left.
        """
        last = self._finished
        now = self._rolling.window(0 if last is None else last.expected)
        if now is None or self._panel is None:
            return now
        if last is None:
            return counts_only(now)
        return replace(
            last, start_s=now.start_s, end_s=now.end_s, results=now.results, faces=now.faces, people=now.people
        )

    def state(self, *, individual: bool) -> dict[str, Any]:
        """The fields of `LiveState` that results change."""
        return {
            "elapsed_s": self._elapsed_s(),
            "results_per_s": self._rate(),
            "age_ms": 1000 * self._age_s,
            "now": self._now(),
            "history": tuple(self._history),
            "result": self._last if individual else None,
        }

    def _elapsed_s(self) -> float:
        """The time of the last result; of a class that is over, the end of its last window, as in chart and report."""
        if self._over and self._history:
            return self._history[-1].end_s
        return 0.0 if self._last is None else self._last.time_s

    def _rate(self) -> float:
        """Results a second, over the last `RATE_OVER_S`, or all of a class that is over."""
        if self._over:
            return self._results / self._looking_s if self._looking_s > 0 else 0.0
        span = self._done[-1] - self._done[0] if len(self._done) > 1 else 0.0
        return (len(self._done) - 1) / span if span > 0 else 0.0


def counts_only(window: ClassWindow) -> ClassWindow:
    """A window with the faces that were counted, and nothing that was read."""
    none: Any = dict.fromkeys(("mix", "uncertain", "facing", "mood", "attention", "concentration", "movement"))
    return replace(window, read=0, posed=0, **none)
