"""Marks, answers, alerts and the class's one word, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from classpulse.insight.answers import EXPIRES_S, counts_at
from classpulse.insight.disclosure import disclose_answers, smallest_group
from classpulse.insight.moments import MAX_LABEL, AlertKind, Said
from classpulse.storage.moment_tables import MAX_PARTICIPANT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from classpulse.hub import LiveState
    from classpulse.insight.moments import Alert, Answer, AnswerCounts, Mark

MAX_SNOOZE_MIN = 720.0
"""Half a day."""

Label = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=MAX_LABEL, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
    ),
]


class ClassWord(BaseModel):
    """How the class follows, in one word."""

    model_config = ConfigDict(from_attributes=True)

    name: Literal["with_you", "mixed", "losing", "not_enough"]
    reason: str = Field(description="One sentence with the figures that it rests on.")


class MarkShown(BaseModel):
    """Something that the teacher noted."""

    model_config = ConfigDict(from_attributes=True)

    time_s: float = Field(description="When, by the clock of the source, s.")
    label: str
    how: Literal["teacher", "slides"] = Field(description="By hand, or from a slide deck's timings.")


class AlertShown(BaseModel):
    """Something that the teacher was told of."""

    model_config = ConfigDict(from_attributes=True)

    time_s: float = Field(description="When it was raised, by the clock of the source, s.")
    kind: AlertKind
    reason: str = Field(description="One sentence with the figures that it rests on.")


class AnswersShown(BaseModel):
    """How many students say what of themselves, or let it be told: counts change by whole groups alone.

    All four are null where fewer than the group hold an answer, and 0 until the first group has answered.
    """

    with_you: int | None
    unsure: int | None
    lost: int | None
    total: int | None
    as_of_s: float | None = Field(
        None,
        description="When the counts changed last, by the clock of the source, whole s; null where none are shown.",
    )
    smallest_group: int = Field(description="Fewest students that counts come from, and change by; also in the demo.")
    holds_s: float = Field(description="How long an answer counts, unless its student leaves, s.")


class AnswersAt(AnswersShown):
    """The answers that held at one moment of a class."""

    time_s: float = Field(description="By the clock of the source, s.")


class NewMark(BaseModel):
    """What to note at this moment."""

    label: Label = Field(description=f"A word or two, at most {MAX_LABEL} characters.")


class Snooze(BaseModel):
    """For how long no alert is to be raised."""

    minutes: float = Field(ge=0, le=MAX_SNOOZE_MIN, allow_inf_nan=False, description="0 ends a snooze.")


class NewAnswer(BaseModel):
    """What a student says of how they follow."""

    participant: Annotated[str, StringConstraints(pattern=rf"^[A-Za-z0-9_-]{{1,{MAX_PARTICIPANT}}}$")] = Field(
        description="A random id that is new in every class and leads to nobody."
    )
    said: Said


def group_limit(state: LiveState) -> int | None:
    """Fewest people a figure may come from; None for the demo, whose people are not there."""
    return None if state.demo else state.min_group


def mark_shown(mark: Mark) -> MarkShown:
    """One mark."""
    return MarkShown.model_validate(mark)


def alert_shown(alert: Alert) -> AlertShown:
    """One alert; its reason holds no figure that the windows do not show."""
    return AlertShown.model_validate(alert)


def answers_shown(counts: AnswerCounts, min_group: int | None) -> AnswersShown:
    """Counts as they may be shown."""
    return AnswersShown.model_validate(_answers_told(counts, min_group))


def answers_over_time(
    answers: Sequence[Answer], times_s: Sequence[float], min_group: int | None
) -> Iterator[AnswersAt]:
    """The counts that held at some moments of a class; no answer is shown by itself, and no participant at all."""
    for time_s, counts in zip(times_s, counts_at(answers, times_s, min_group), strict=True):
        yield AnswersAt.model_validate({"time_s": round(time_s, 3), **_answers_told(counts, min_group)})


def _answers_told(counts: AnswerCounts, min_group: int | None) -> dict[str, float | None]:
    told = disclose_answers(counts, min_group)
    # While nothing is shown, when a group changed is nobody's business either.
    as_of_s = counts.as_of_s // 1 if told["total"] and counts.as_of_s is not None else None
    return {**told, "as_of_s": as_of_s, "smallest_group": smallest_group(min_group), "holds_s": EXPIRES_S}


def moments_of(state: LiveState) -> dict[str, object]:
    """The fields of a `State` that are about moments."""
    return {
        "class_state": None if state.class_state is None else ClassWord.model_validate(state.class_state),
        "marks": [mark_shown(mark) for mark in state.marks],
        "alerts": [alert_shown(alert) for alert in state.alerts],
        "alerts_on": state.alerts_on,
        "snoozed_until_s": state.snoozed_until_s,
        "answers": None if state.answers is None else answers_shown(state.answers, state.min_group),
    }
