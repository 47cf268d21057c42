"""What is said and done in a class at one moment: marks, answers and alerts.

Times are on the clock of `FrameResult.time_s`, as those of windows are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Said = Literal["with_you", "unsure", "lost"]
SAID: tuple[Said, ...] = ("with_you", "unsure", "lost")
"""The answers that students may give, from the best to the worst."""

Left = Literal["left"]
LEFT: Left = "left"
"""Stands in an answer's place from the moment on at which its student left."""

AlertKind = Literal["facing", "mood", "lost", "few_faces", "source"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that the teacher noted: "new topic", "question".

    Attributes:
        time_s: when.
        label: in the teacher's words, at most `MAX_LABEL` characters.
        how: `"teacher"` by key, button or command, or `"slides"` from a slide deck's timings.
    """

    time_s: float
    label: str
    how: Literal["teacher", "slides"] = "teacher"


MAX_LABEL = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """What one student said of how they follow.

    Attributes:
        time_s: when.
        participant: a random id, which is new in every class and leads to nobody.
        said: the answer; it holds until the same participant's next one; `LEFT` where they left, and none holds.
    """

    time_s: float
    participant: str
    said: Said | Left


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """The answers that hold at one moment.

    Attributes:
        with_you, unsure, lost: students who said so last.
        as_of_s: when they changed last, by the clock of the source; None where that is not known, or they never have.
            Counts that say the same are equal, whenever they changed.
    """

    with_you: int = 0
    unsure: int = 0
    lost: int = 0
    as_of_s: float | None = field(default=None, compare=False, repr=False)

    @property
    def total(self) -> int:
        """Students with an answer that holds."""
        return self.with_you + self.unsure + self.lost


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that the teacher should know now.

    Attributes:
        time_s: when it was raised.
        kind: what it is about.
        reason: one sentence with the figures that it rests on.
    """

    time_s: float
    kind: AlertKind
    reason: str


StateName = Literal["with_you", "mixed", "losing", "not_enough"]


@dataclass(frozen=True, slots=True)
class ClassState:
    """The one large word of the live page.

    Attributes:
        name: how the class follows; `"not_enough"` where too little is seen to say so.
        reason: one sentence with the figures that it rests on.
    """

    name: StateName
    reason: str


def clock(time_s: float) -> str:
    """A time of a class as it is read, as a clock shows it: the seconds that are over. The page does the same.

    >>> clock(65), clock(3600), clock(4521.7), clock(29.9999)
    ('1:05', '1:00:00', '1:15:21', '0:30')
    """
    minutes, seconds = divmod(_whole(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def clock_between(start_s: float, end_s: float) -> str:
    """The length of an interval whose ends are shown beside it: it is the difference of what is shown.

    >>> clock(2.1), clock(59.9), clock_between(2.1, 59.9), clock_between(2.9, 59.1)
    ('0:02', '0:59', '0:57', '0:57')
    """
    return clock(_whole(end_s) - _whole(start_s))


def _whole(time_s: float) -> int:
    return int(max(0.0, time_s) + 0.0005)
