"""How the class follows, in one word and one sentence."""

from __future__ import annotations

import math
import re
from collections import deque
from typing import TYPE_CHECKING, Literal

from classpulse.insight.answers import EXPIRES_S
from classpulse.insight.moments import ClassState, clock
from classpulse.insight.panel import REST_S
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.estimate import Estimate
    from classpulse.insight.moments import AnswerCounts

Name = Literal["with_you", "mixed", "losing"]
NAMES: tuple[Name, ...] = ("losing", "mixed", "with_you")

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
    windows: Sequence[ClassWindow],
    answers: AnswerCounts | None,
    *,
    min_coverage: float,
    min_group: int = 0,
    camera: bool = True,
    before: ClassState | None = None,
) -> ClassState:
    """The class as the windows of the last `SMOOTH_S` and the answers that hold now show it.

    With the attention a (0 to 1), the mean over `SMOOTH_S`, and the answers' score b = (with_you + unsure / 2) / total,
    the score is a, or (a + 2 b) / 3 once there are `FEWEST_ANSWERS`, or b alone where the faces say nothing. The word
    before stays until the score is beyond a limit by `MARGIN`, or the whole interval of the attention is beyond it.
    Without a camera, where too few show a face, the reason tells of the answers and not of faces that are missing.

    Args:
        windows: oldest first, those of the last `SMOOTH_S` or more; figures that may not be shown are None in them.
        answers: those that hold now; None where nobody was asked.
        min_coverage: share of the class that must be seen, 0 to 1.
        min_group: fewest people that a figure, or a count of faces, may tell of.
        camera: whether the class has a camera of its own; False for one of students' devices alone.
        before: what this said of the window before; None at the beginning.
    """
    needed = max(FEWEST_ANSWERS, min_group)
    told = answers if answers is not None and answers.total >= needed else None
    if not camera and (not windows or windows[-1].people < max(min_group, 1)):
        return _by_answers(told, needed, before)
    seen = seen_in(windows[-1], min_group) if windows else phrase("nothing was seen yet")
    recent = [w for w in windows if w.end_s > windows[-1].end_s - SMOOTH_S] if windows else []
    known = [one for one in recent if shown(one, min_group) and enough(one, min_coverage)]
    said = [] if told is None else [say_lost(told)]
    if not known and told is None:
        return ClassState("not_enough", _why_not(seen, windows[-1], min_coverage, min_group) if windows else seen)
    values = [one.attention for one in known if one.attention is not None]
    mean = sum(one.value for one in values) / len(values) if values else None
    facing = next((one for one in reversed(known) if one.facing is not None), None)
    looks = [] if facing is None else [_say_facing(facing, windows)]
    name = _word(_score(mean, told), values[-1] if values and told is None else None, before)
    return ClassState(name, "; ".join([seen, *looks, *said]))


def _by_answers(told: AnswerCounts | None, needed: int, before: ClassState | None) -> ClassState:
    """The class as students' own words alone show it."""
    if told is None:
        minutes = round(EXPIRES_S / 60)
        few = phrase(
            "fewer than {group} students have said how they follow in the last {minutes} minutes",
            group=needed,
            minutes=minutes,
        )
        return ClassState("not_enough", few)
    return ClassState(_word(_score(None, told), None, before), say_all(told))


class StateWatch:
    """The word of one class, window by window; keeps the word before, and windows for as long as a figure stays."""

    def __init__(self, min_coverage: float, min_group: int, *, camera: bool = True, reads: bool = True) -> None:
        """Start at the beginning of a class; see `class_state`.

        Args:
            min_coverage: share of the class that must be seen, 0 to 1.
            min_group: fewest people that a figure, or a count of faces, may tell of.
            camera: whether the class has a camera of its own.
            reads: whether the law lets it be read from faces how they follow; else answers alone tell.
        """
        self._min_coverage, self._min_group = min_coverage, min_group
        self._camera, self._reads = camera, reads
        self._windows: deque[ClassWindow] = deque()
        self._state: ClassState | None = None

    def add(self, window: ClassWindow, answers: AnswerCounts | None) -> ClassState | None:
        """Take the next finished window and the answers that hold at its end. A clock that jumps back starts anew.

        Returns:
            The word; None where faces may not be read, and the class has a camera in place of students who are asked.
        """
        if not self._reads and self._camera and answers is None:
            return None
        if self._windows and window.start_s < self._windows[-1].start_s:
            self._windows.clear()
        self._windows.append(window)
        while self._windows[0].end_s <= window.end_s - SMOOTH_S - REST_S:
            self._windows.popleft()
        self._state = class_state(
            self._windows if self._reads else (),
            answers,
            min_coverage=self._min_coverage,
            min_group=self._min_group,
            camera=self._camera and self._reads,
            before=self._state,
        )
        return self._state


def seen_in(window: ClassWindow, min_group: int) -> str:
    """How many are visible, of how many; fewer than the group are not counted out.

    >>> from classpulse.insight.engagement import ClassWindow
    >>> window = ClassWindow(0, 5, 10, 14.8, 15, 15, (), None, None, expected=18)
    >>> seen_in(window, 5), seen_in(window, 16)
    ('15 of 18 visible', 'fewer than 16 of 18 visible')
    """
    if window.people == 0:
        return phrase("nobody is visible")
    few = window.people < min_group
    visible = phrase("fewer than {group}", group=min_group) if few else str(round(window.faces))
    if window.expected >= max(window.faces, min_group, 1):
        return phrase("{visible} of {expected} visible", visible=visible, expected=window.expected)
    return phrase("{visible} visible", visible=visible)


def _say_facing(window: ClassWindow, windows: Sequence[ClassWindow]) -> str:
    """How many face the screen, and as of when where that is no news: who is visible is told of the newest window."""
    first = window
    for earlier in reversed([one for one in windows if one.end_s < window.end_s]):
        if _turned(earlier) is None or _turned(earlier) != _turned(window):
            break
        first = earlier
    share = percent(window.facing.value) if window.facing is not None else ""
    if first is windows[-1]:
        return phrase("{share} face the screen", share=share)
    return phrase("{share} face the screen as of {time}", share=share, time=clock(first.end_s))


def _turned(window: ClassWindow) -> tuple[float, float] | None:
    """What is the same in two windows only where a `Panel` let the figure stay; `disclosure.held` tells it likewise."""
    if window.facing is None or window.movement is None:
        return None
    return window.facing.value, window.movement


def say_lost(answers: AnswerCounts) -> str:
    """How many of those who answered are lost.

    >>> from classpulse.insight.moments import AnswerCounts
    >>> say_lost(AnswerCounts(5, 2, 3))
    '3 of 10 say that they are lost'
    """
    return phrase("{lost} of {total} say that they are lost", lost=answers.lost, total=answers.total)


def told_lost(sentence: str) -> int | None:
    """How many had answered, of what `say_lost` said; None of any other sentence.

    >>> told_lost("3 of 10 say that they are lost"), told_lost("the camera gives no picture")
    (10, None)
    """
    found = re.fullmatch(r"\d+ of (\d+) say that they are lost", sentence)
    return None if found is None else int(found[1])


def say_all(answers: AnswerCounts) -> str:
    """How many answered, and what.

    >>> from classpulse.insight.moments import AnswerCounts
    >>> say_all(AnswerCounts(5, 2, 3))
    '10 answered: 5 with you, 2 unsure, 3 lost'
    """
    return phrase(
        "{total} answered: {with_you} with you, {unsure} unsure, {lost} lost",
        total=answers.total,
        with_you=answers.with_you,
        unsure=answers.unsure,
        lost=answers.lost,
    )


def percent(share: float) -> str:
    """A share as English writes it; `Catalogue.retold` writes it as its language does.

    >>> percent(0.816)
    '82%'
    """
    return f"{round(100 * share)}%"


def enough(window: ClassWindow, min_coverage: float) -> bool:
    """Whether so much of the class is seen that a figure tells of it."""
    return window.people > 0 and window.faces >= min_coverage * window.expected


def shown(window: ClassWindow, min_group: int) -> bool:
    """Whether a window has an attention that may be shown, as `disclose` has it."""
    few = min(window.people, window.posed) < min_group or 0 < window.read < min_group
    return window.attention is not None and math.isfinite(window.attention.value) and not few


def _why_not(seen: str, window: ClassWindow, min_coverage: float, min_group: int) -> str:
    """Of two reasons the one that needs more people to pass: it does not change with every face that comes and goes."""
    if window.people == 0:
        return seen
    small = window.people < min_group and min_coverage * window.expected < min_group
    if not small and not enough(window, min_coverage):
        return phrase("{seen}: fewer than {share} of the class", seen=seen, share=percent(min_coverage))
    return phrase("{seen}: too few to tell whether the class faces the screen", seen=seen)


def _score(attention: float | None, told: AnswerCounts | None) -> float:
    if told is None:
        return attention or 0.0
    answered = (told.with_you + told.unsure / 2) / told.total
    return answered if attention is None else (attention + ANSWER_WEIGHT * answered) / (1 + ANSWER_WEIGHT)


def _word(score: float, attention: Estimate | None, before: ClassState | None) -> Name:
    level = _level(score)
    if before is not None and before.name != "not_enough":
        # Up as far as the score is above a limit by the margin, or the interval above it; down in the same way.
        least, most = _level(score, MARGIN), _level(score, -MARGIN)
        if attention is not None:
            least, most = max(least, min(level, _level(attention.low))), min(most, max(level, _level(attention.high)))
        level = min(max(NAMES.index(before.name), least), most)
    return NAMES[level]


def _level(score: float, higher: float = 0.0) -> int:
    """The place of the score's word in `NAMES`, by limits that are so much higher."""
    return int(score >= LOSING + higher) + int(score >= WITH_YOU + higher)
