"""How the class follows, in one word and one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from classpulse.insight.moments import ClassState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.estimate import Estimate
    from classpulse.insight.moments import AnswerCounts

    Name = Literal["with_you", "mixed", "losing"]

STATE_OVER_S = 120.0
"""The word comes from the windows of the last two minutes: give no more."""

WITH_YOU, LOSING = 0.7, 0.5
"""At or above the first score the class is with the teacher, below the second it is being lost; ours, not measured."""

MARGIN = 0.05
"""The score has to pass a limit by so much, so that the word does not flicker."""

SMOOTH_S = 15.0
"""A score is the mean over so long."""

ANSWER_WEIGHT = 2.0
"""Answers weigh so much more than faces: what somebody says is better evidence than how they look."""

FEWEST_ANSWERS = 5
"""Fewer answers say nothing of a class, and something of single students."""


def class_state(
    windows: Sequence[ClassWindow], answers: AnswerCounts | None, *, min_coverage: float, min_group: int = 0
) -> ClassState:
    """The class as the windows of the last `STATE_OVER_S` and the answers that hold now show it.

    With the attention a (0 to 1), the mean over `SMOOTH_S`, and the answers' score b = (with_you + unsure / 2) / total,
    the score is a, or (a + 2 b) / 3 once there are `FEWEST_ANSWERS`, or b alone where the faces say nothing. A limit is
    passed when the score is beyond it by `MARGIN`, or with the whole interval of the attention.

    Args:
        windows: oldest first; figures that may not be shown are None in them.
        answers: those that hold now; None where nobody was asked.
        min_coverage: share of the class that must be seen, 0 to 1.
        min_group: fewest people that a figure, or a count of faces, may tell of.
    """
    told = answers if answers is not None and answers.total >= max(FEWEST_ANSWERS, min_group) else None
    seen = seen_in(windows[-1], min_group) if windows else "nothing was seen yet"
    recent = [w for w in windows if w.end_s > windows[-1].end_s - SMOOTH_S] if windows else []
    known = [w.attention for w in recent if w.attention is not None and enough(w, min_coverage)]
    said = "" if told is None else f"; {told.lost} of {told.total} say that they are lost"
    if not known and told is None:
        return ClassState("not_enough", seen + (_why_not(windows[-1], min_coverage) if windows else ""))
    if not known and told is not None:
        return ClassState(_word([(_score(None, told), None)]), seen + said)
    facing = next((w.facing for w in reversed(recent) if w.facing is not None), None)
    looks = "" if facing is None else f"; {percent(facing.value)} face the screen"
    return ClassState(_word(_scores(windows, told, min_coverage)), seen + looks + said)


def seen_in(window: ClassWindow, min_group: int) -> str:
    """How many are visible, of how many; fewer than the group are not counted out.

    >>> from classpulse.insight.engagement import ClassWindow
    >>> window = ClassWindow(0, 5, 10, 14.8, 15, 15, (), None, None, expected=18)
    >>> seen_in(window, 5), seen_in(window, 16)
    ('15 of 18 visible', 'fewer than 16 of 18 visible')
    """
    if window.people == 0:
        return "nobody is visible"
    few = window.people < min_group
    visible = f"fewer than {min_group}" if few else str(round(window.faces))
    of_all = f" of {window.expected}" if window.expected >= max(window.faces, min_group, 1) else ""
    return f"{visible}{of_all} visible"


def percent(share: float) -> str:
    """A share as it is written in sentences.

    >>> percent(0.816)
    '82 %'
    """
    return f"{round(100 * share)} %"


def enough(window: ClassWindow, min_coverage: float) -> bool:
    """Whether so much of the class is seen that a figure tells of it."""
    return window.people > 0 and window.faces >= min_coverage * window.expected


def _why_not(window: ClassWindow, min_coverage: float) -> str:
    if window.people == 0:
        return ""
    if not enough(window, min_coverage):
        return f": fewer than {percent(min_coverage)} of the class"
    return ": of too few can be told whether they face the screen"


def _scores(
    windows: Sequence[ClassWindow], told: AnswerCounts | None, min_coverage: float
) -> list[tuple[float, Estimate | None]]:
    """The score at the end of each window that has an attention, and what it was in that window."""
    found: list[tuple[float, Estimate | None]] = []
    last: list[tuple[float, float]] = []
    for window in windows:
        attention = window.attention
        if attention is None or not math.isfinite(attention.value) or not enough(window, min_coverage):
            continue
        last = [one for one in last if window.end_s - SMOOTH_S < one[0] <= window.end_s]
        last.append((window.end_s, attention.value))
        mean = sum(value for _, value in last) / len(last)
        found.append((_score(mean, told), None if told else attention))
    return found


def _score(attention: float | None, told: AnswerCounts | None) -> float:
    if told is None:
        return attention or 0.0
    answered = (told.with_you + told.unsure / 2) / told.total
    return answered if attention is None else (attention + ANSWER_WEIGHT * answered) / (1 + ANSWER_WEIGHT)


def _word(scores: Sequence[tuple[float, Estimate | None]]) -> Name:
    """Follow the scores from the first, which is taken as it is."""
    level = _level(scores[0][0], 0.0, 0.0)
    for score, attention in scores[1:]:
        above, below = _level(score, MARGIN, MARGIN), _level(score, -MARGIN, -MARGIN)
        if attention is not None:
            above = max(above, _level(attention.low, 0.0, 0.0))
            below = min(below, _level(attention.high, 0.0, 0.0))
        level = min(max(level, above), max(below, above))
    names: tuple[Name, ...] = ("losing", "mixed", "with_you")
    return names[level]


def _level(score: float, over_losing: float, over_with_you: float) -> int:
    """0 below the lower limit, 2 at or above the upper one; the limits moved up by so much."""
    return int(score >= LOSING + over_losing) + int(score >= WITH_YOU + over_with_you)
