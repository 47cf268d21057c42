"""What students' pages and the teacher's list of students are told, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from classpulse.hub import Phase
from classpulse.insight.moments import Said
from classpulse.settings import Jurisdiction
from classpulse.settings.groups import Way

if TYPE_CHECKING:
    from classpulse.joining.participant import Attendees, Shown, Standing

NOTICE_VERSION = 3
"""Counted up when what students are told before they join changes in meaning."""

Body = ConfigDict(extra="forbid")


class ModelInput(BaseModel):
    """What a network takes, as its contract says."""

    model_config = ConfigDict(from_attributes=True)

    height: int | None = Field(description="px; null for any multiple of 32.")
    width: int | None = Field(description="px; null for any multiple of 32.")
    colour: Literal["gray", "rgb", "bgr"]
    mean: list[float] = Field(description="Subtracted from each channel, in units of 0..255.")
    std: list[float] = Field(description="Then divided by, in units of 0..255.")


class ModelFile(BaseModel):
    """One network that a student's device may run."""

    url: str = Field(description="Relative to the root of these pages; it changes with the file.")
    sha256: str
    size_bytes: int
    labels: list[str] = Field(description="What its outputs stand for, in order; empty for a detector.")
    output: str = Field(description="How its output is to be understood.")
    temperature: float = Field(description="Logits are divided by it.")
    input: ModelInput


class Models(BaseModel):
    """What a device needs to read a face by itself."""

    emotion: ModelFile
    detector: ModelFile
    runtime: str = Field(description="What runs them (WebAssembly): its address, relative to the root of these pages.")
    min_face_px: float = Field(description="Faces smaller than this are not read.")


class Invitation(BaseModel):
    """What a link leads to, before anybody has joined."""

    title: str = Field(description="What the class is called; may be empty.")
    phase: Phase
    ways: list[Way] = Field(description="How one may take part, the first being what is suggested.")
    names: Literal["optional", "required", "off"]
    law: Jurisdiction | None = Field(description="The law in force; null for a trial without a live class.")
    notice: int = Field(description="Version of what students are to be told before they join.")
    individual: bool = Field(description="Whether the teacher is shown single faces, each under a number.")
    on_leave: Literal["keep", "delete"] = Field(description="What becomes of one's answers when one leaves.")
    readings_days: float = Field(description="For how many days what is read of a face is stored, as numbers.")
    scores_hz: float = Field(description="How often a device sends what it read.")
    pictures_hz: float = Field(description="How often a device sends a picture, where somebody chose that.")
    models: Models | None = Field(description="Null where the law or the class does not let a device read faces.")


class Joining(BaseModel):
    """Somebody comes in."""

    model_config = Body

    name: str = Field("", max_length=400, description="At most 40 characters; may be left out where the class says so.")
    way: Way = "answers"


class Joined(BaseModel):
    """Somebody is in."""

    participant: str = Field(description="A random id, new in every class.")
    secret: str = Field(description="Shown in `Authorization: Bearer …`, and as the first message of the socket.")
    socket: str = Field("api/v1/join/socket", description="Relative to the root of these pages.")


class AnswerGiven(BaseModel):
    """How a student follows."""

    model_config = Body

    said: Said


class Hand(BaseModel):
    """A hand, up or down."""

    model_config = Body

    up: bool


class ChosenWay(BaseModel):
    """How a student takes part from now on."""

    model_config = Body

    way: Way


class Me(BaseModel):
    """What a student is told of themselves."""

    model_config = ConfigDict(from_attributes=True)

    phase: Phase
    way: Way
    said: Said | None = Field(description="The last answer; null before the first.")
    hand: bool = Field(description="Whether one's hand is up.")


class OpenLink(BaseModel):
    """The link by which students come in."""

    code: str = Field(description="To be typed at `/join`; empty while no link is open.")
    url: str = Field(description="Of the students' page, as their devices reach it; empty with the code.")
    reachable: bool = Field(description="Whether other devices than this machine can open it.")
    qr: str = Field(description="Of a picture of the whole link, relative to the root; empty with the code.")


class Attending(BaseModel):
    """Who takes part by link, as counts."""

    model_config = ConfigDict(from_attributes=True)

    open: bool = Field(description="Whether a link lets students in.")
    present: int = Field(description="Students whose devices were heard lately.")
    hands: int = Field(description="Those of them with a hand up.")
    version: int = Field(description="Changes whenever the list of students does.")


class ParticipantShown(BaseModel):
    """One student, without any answer of theirs and anything that was read of them."""

    model_config = ConfigDict(from_attributes=True)

    participant: str
    name: str = Field(description="As they gave it, untrusted text; empty if they gave none.")
    way: Way
    hand_s: float | None = Field(description="For how long their hand has been up, s; null if it is down.")
    present: bool = Field(description="Whether their device was heard lately.")


Erase = Annotated[bool, Field(description="Delete one's answers and readings of this class too.")]


def attending(attendees: Attendees) -> Attending:
    """The counts of a room."""
    return Attending(
        open=bool(attendees.code), present=attendees.present, hands=attendees.hands, version=attendees.version
    )


def participant_shown(one: Shown) -> ParticipantShown:
    """One student, as the teacher sees them."""
    return ParticipantShown.model_validate(one)


def me_of(standing: Standing) -> Me:
    """What a student is told of themselves."""
    return Me.model_validate(standing)


def link_of(code: str, root: str, *, reachable: bool) -> OpenLink:
    """An open link, or none.

    Args:
        code: empty while no link is open.
        root: address of the pages as students reach it, with a slash at its end.
        reachable: whether others than this machine can open it.
    """
    if not code:
        return OpenLink(code="", url="", reachable=reachable, qr="")
    return OpenLink(code=code, url=f"{root}join/{code}", reachable=reachable, qr=f"api/v1/join/qr.svg?code={code}")
