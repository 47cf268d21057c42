"""What the live page is told, as JSON: every figure of the class passes `disclose` on its way here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from classpulse.errors import PolicyError
from classpulse.hub import Phase
from classpulse.insight.disclosure import disclose
from classpulse.policy import Exemption, Policy, Task, allowed
from classpulse.settings import Jurisdiction
from classpulse.web.join_schema import Attending, attending
from classpulse.web.moments_schema import (
    AlertShown,
    AnswersShown,
    ClassWord,
    MarkShown,
    answers_shown,
    group_limit,
    moments_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classpulse.hub import LiveState
    from classpulse.insight.engagement import ClassWindow
    from classpulse.types import FrameResult


class Figure(BaseModel):
    """A figure with the ends of its 90 % interval."""

    value: float
    low: float
    high: float


class Window(BaseModel):
    """The class over a few seconds, as `disclose` lets it be seen: a figure from too few people is null."""

    start_s: float = Field(description="Start, by the clock of the source, s.")
    end_s: float = Field(description="End, by the clock of the source, s.")
    results: int = Field(description="Pictures that were looked at.")
    faces: float | None = Field(description="Mean number of faces visible in a picture.")
    people: int | None = Field(description="The most faces visible in one picture.")
    read: int | None = Field(description="The most people of the group behind `mix` who were read in one picture.")
    mix: dict[str, float] | None = Field(description="Mean probability of each emotion, 0 to 1.")
    uncertain: float | None = Field(description="Share of readings without a clear answer, 0 to 1.")
    expected: int | None = Field(description="How many people the class has, as far as it was seen lately.")
    posed: int | None = Field(description="As `read`, of the group behind `facing`: told to face the screen or not.")
    facing: Figure | None = Field(description="Share of people who face the screen, 0 to 1.")
    mood: Figure | None = Field(description="Pleasantness against each person's own resting face, -1 to 1.")
    attention: Figure | None = Field(description="The attention-first score, 0 to 1.")
    concentration: Figure | None = Field(description="The index of Sharma et al., approximate: eyes are not read.")
    movement: float | None = Field(description="Mean movement of a face, in its own widths per second.")
    answers: AnswersShown | None = Field(
        None,
        description="What students say of themselves at its end; null where nobody was asked, and of stored classes.",
    )
    too_few: bool = Field(description="Whether all figures are withheld because too few people were seen.")
    too_few_read: bool = Field(description="Whether emotions are withheld because too few faces were read.")
    too_few_posed: bool = Field(description="Whether `facing` and what is made of it is withheld: too few were told.")
    too_few_seen: bool = Field(
        description="Whether `facing` or `mood` is missing because too small a part of the class was seen."
    )


class Card(BaseModel):
    """One face: a number and no picture; a name with recognition and the person's consent to it alone."""

    name: str | None = Field(description="Of somebody who agreed to it, and for readers on this machine; else null.")
    track: int = Field(description="The number that follows this face through the class.")
    emotion: str | None = Field(description="An emotion, `uncertain`, or null where the face was not read.")
    probabilities: dict[str, float] | None = Field(description="By emotion, 0 to 1; null where not read.")
    size_px: int = Field(description="The longer side of the face in the picture, px.")


class SourceState(BaseModel):
    """How the source is doing."""

    name: str
    state: str = Field(description="`ok`, `waiting` or `ended`.")
    message: str = Field(description="One sentence for the teacher; empty when all is well.")
    frames: int = Field(description="Frames captured so far, dropped ones included.")
    dropped: int = Field(description="Frames replaced by a newer one before they could be used.")
    reopened: int = Field(description="How often a live source was opened again.")
    unread: int = Field(0, description="Faces that no machine of the cluster read in time, where there is one.")


class State(BaseModel):
    """The class at one moment, as the stream of events tells it."""

    phase: Phase
    source: SourceState
    jurisdiction: Jurisdiction | None = Field(description="The law in force; null for a trial without a live class.")
    exemption: Exemption | None = Field(description="Why the ban of that law does not apply here, as was declared.")
    reads_emotions: bool = Field(description="Whether the law in force allows emotions to be read.")
    recognizes: bool = Field(description="Whether people may be recognised here, and there are pages about them.")
    camera: bool = Field(description="Whether the class has a camera of its own, and not students' devices alone.")
    demo: bool
    individual: bool = Field(description="Whether single faces are shown.")
    min_group: int | None = Field(description="Fewest people a figure may come from; null for the demo.")
    session_id: int | None = Field(description="The number under which the class is stored.")
    elapsed_s: float
    results_per_s: float
    age_ms: float = Field(description="Time from a frame's capture to its result.")
    trouble: str = Field(description="One sentence about what is wrong beside the source; empty if nothing.")
    class_state: ClassWord | None = Field(description="How the class follows, in one word; null before the first.")
    marks: list[MarkShown] = Field(description="What the teacher noted, oldest first; the newest few hundred.")
    alerts: list[AlertShown] = Field(description="What the teacher was told of, oldest first.")
    alerts_on: bool = Field(description="Whether alerts are raised at all, by the settings.")
    snoozed_until_s: float | None = Field(description="No alert is raised before; null where none is held back.")
    answers: AnswersShown | None = Field(description="What students say of themselves; null where nobody was asked.")
    participants: Attending = Field(description="Who takes part by link, as counts.")
    now: Window | None = Field(description="The last few seconds; null until there is a result.")
    faces: list[Card] | None = Field(None, description="The newest frame's faces; absent unless `individual`.")


class Snapshot(State):
    """The class at one moment with its last half hour."""

    history: list[Window] = Field(description="Finished windows, oldest first.")


class Windows(BaseModel):
    """Finished windows for the chart."""

    reset: bool = Field(description="Whether these take the place of all earlier ones.")
    windows: list[Window]


class Session(BaseModel):
    """One class in the store."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    source: str
    kind: str = Field(description="What kind of source it was, one word.")
    jurisdiction: Jurisdiction | None
    exemption: Exemption | None
    demo: bool
    min_group: int | None = Field(
        description="Fewest people a figure may come from.", validation_alias="smallest_group"
    )
    labels: list[str] = Field(description="The emotions; empty where none were read.")
    started_at: datetime
    ended_at: datetime | None = Field(description="Null while it runs.")
    ended_how: str | None = Field(description="`ended`, `stopped`, `failed` or `torn`; null while it runs.")
    frames: int
    dropped: int


class JurisdictionAnswer(BaseModel):
    """Which law is in force, and who says so."""

    jurisdiction: Jurisdiction
    answered_by: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
    ] = Field(description="The name of the person who answers; it is stored with the answer.")
    exemption: Exemption | None = Field(None, description="Under `eu`: why its ban does not apply here.")
    declaration: str = Field("", description="What an exemption, or research, rests on and who approved it; stored.")

    @model_validator(mode="after")
    def _declared(self) -> Self:
        try:
            self.policy()
        except PolicyError as error:
            raise ValueError(str(error)) from None
        return self

    def policy(self) -> Policy:
        """What the answer allows.

        Raises:
            PolicyError: a declaration is missing, or the exemption is another law's.
        """
        return Policy(self.jurisdiction, self.exemption, self.declaration)


class Problem(BaseModel):
    """Why a request was refused, in one sentence."""

    detail: str


def window_of(window: ClassWindow, min_group: int | None) -> Window:
    """One window as it may be shown, without its answers."""
    return Window.model_validate(disclose(window, min_group))


def live_window(window: ClassWindow, state: LiveState) -> Window:
    """One window of the class that runs as it may be shown, with its answers: who answers is there also in the demo."""
    answers = None if window.answers is None else answers_shown(window.answers, state.min_group)
    return window_of(window, group_limit(state)).model_copy(update={"answers": answers})


@dataclass(frozen=True, slots=True)
class AboutPeople:
    """What of people a reader may see beside figures.

    Attributes:
        recognizes: whether there are pages about them.
        names: of those who may be named, by track.
    """

    recognizes: bool = False
    names: Mapping[int, str] = field(default_factory=dict)


NOBODY = AboutPeople()


def cards_of(result: FrameResult, shown_names: Mapping[int, str]) -> list[Card]:
    """The faces of one frame, by number.

    Args:
        result: of the frame.
        shown_names: by track, as `disclosure.names_to_show` gives them.
    """
    names = result.emotions.names() if result.emotions is not None else [None] * len(result)
    sizes = result.tracks.faces.sizes_px
    cards = []
    for i, name in enumerate(names):
        probabilities = None
        if name is not None and result.emotions is not None:
            row = result.emotions.probabilities[i]
            probabilities = {k: round(float(p), 3) for k, p in zip(result.emotions.labels, row, strict=True)}
        track = int(result.tracks.ids[i])
        who, size_px = shown_names.get(track), round(float(sizes[i]))
        cards.append(Card(name=who, track=track, emotion=name, probabilities=probabilities, size_px=size_px))
    return sorted(cards, key=lambda card: card.track)


def _fields_of(state: LiveState, people: AboutPeople) -> dict[str, object]:
    health = state.health
    fields: dict[str, object] = {
        "phase": state.phase,
        "source": SourceState(
            name=state.source,
            state=health.state,
            message=health.message,
            frames=health.frames,
            dropped=health.dropped,
            reopened=health.reopened,
            unread=health.unread,
        ),
        "jurisdiction": state.jurisdiction,
        "exemption": state.exemption,
        "reads_emotions": Task.EMOTION in allowed(state.jurisdiction, state.exemption),
        "recognizes": people.recognizes,
        "camera": state.camera,
        "demo": state.demo,
        "individual": state.individual,
        "min_group": group_limit(state),
        "session_id": state.session_id,
        "elapsed_s": round(state.elapsed_s, 3),  # as the ends of windows, so that clock and chart never differ
        "results_per_s": round(state.results_per_s, 1),
        "age_ms": round(state.age_ms),
        "trouble": state.trouble,
        **moments_of(state),
        "participants": attending(state.attendees),
        "now": None if state.now is None else window_of(state.now, group_limit(state)),
    }
    if state.individual:
        fields["faces"] = [] if state.result is None else cards_of(state.result, people.names)
    return fields


def state_of(state: LiveState, people: AboutPeople = NOBODY) -> State:
    """The state without its history; `faces` is unset, and so absent from the JSON, unless single faces are shown."""
    return State.model_validate(_fields_of(state, people))


def snapshot_of(state: LiveState, people: AboutPeople = NOBODY) -> Snapshot:
    """The state with its history."""
    history = [live_window(window, state) for window in state.history]
    return Snapshot.model_validate({**_fields_of(state, people), "history": history})
