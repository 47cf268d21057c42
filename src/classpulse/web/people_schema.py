"""What the pages about people are told, and what they ask, as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from classpulse.insight.attendance import CAUTION

if TYPE_CHECKING:
    from classpulse.classbook import ClassBook, Somebody
    from classpulse.insight.attendance import Followed, Span
    from classpulse.storage.consents import Consent
    from classpulse.storage.person import Person

Purpose = Literal["recognition", "individual"]
# Longer ones are refused by the store too; here they do not even get there.
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PersonId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class ConsentOnFile(BaseModel):
    """What somebody agreed to, or did once."""

    purpose: Purpose
    given_by: str
    guardian: bool = Field(description="Whether it was given by a guardian, for a minor.")
    note: str
    recorded_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    stands: bool = Field(description="Whether it is valid now.")


class PersonOnFile(BaseModel):
    """Somebody who is known by name."""

    id: str
    name: str
    pictures: int = Field(description="From how many pictures their face is stored as numbers.")
    consents: list[ConsentOnFile]


class Register(BaseModel):
    """Everybody who is on file."""

    may_enrol: bool = Field(description="Whether people may be recognised here; their rights they have in any case.")
    reason: str = Field(description="Why not; empty where they may.")
    people: list[PersonOnFile]


class Agreement(BaseModel):
    """A consent, ticked by whoever gives it."""

    agreed: Literal[True] = Field(description="They ticked that they agree to be recognised.")
    individual: bool = Field(description="They also agree to be shown singly, by name.")
    given_by: Name = Field(description="Who gives it: the person, or a guardian.")
    guardian: bool = Field(description="Whether it is given as a guardian, for a minor.")
    days: int = Field(description="How long it is valid, 1 to 365 days.")
    note: str = Field("", max_length=2000)


class NewPerson(Agreement):
    """Somebody who agrees to be recognised."""

    name: Name


class Known(BaseModel):
    """Somebody whose consent is on record."""

    id: str
    name: str


class PictureKept(BaseModel):
    """What came of a picture; the picture itself is gone."""

    pictures: int = Field(description="From how many pictures their face is stored now.")
    new: bool = Field(description="Whether this one added something.")
    quality: float = Field(description="Of this one, 0 to 1.")
    alike: str | None = Field(description="Somebody else who could be mistaken for them.")


class Withdrawal(BaseModel):
    """Which consent is to end; all of them where none is named."""

    purpose: Purpose | None = None


class Confirmed(BaseModel):
    """A deed that cannot be undone."""

    confirm: Literal[True]


class Remarks(BaseModel):
    """What could not be done yet; empty where all is done."""

    remarks: list[str]


class LinkWanted(BaseModel):
    """A link to somebody's own page."""

    hours: int = Field(24, ge=1, le=744)


class Link(BaseModel):
    """Where somebody's own page is; whoever has it is taken for that person."""

    path: str
    hours: int


class Between(BaseModel):
    """From when to when, s from the beginning of the class."""

    start_s: float
    end_s: float


class FaceFollowed(Between):
    """A face that was followed, from its first to its last moment."""

    track: int


class PresenceShown(BaseModel):
    """One person in one class; times are s from its beginning."""

    id: str
    name: str
    first_s: float
    last_s: float
    present_s: float
    spans: list[Between]
    late_s: float = Field(description="How late they came; 0 unless that counts as late.")
    early_s: float = Field(description="How long before the end they went; 0 unless that counts as early.")
    confidence: float = Field(description="0 to 1.")
    by_hand: bool
    faces: list[FaceFollowed] = Field(description="The tracks that were taken for them.")


class AttendanceShown(BaseModel):
    """Who was in a class."""

    session_id: int
    source: str
    started_at: datetime
    ended: bool
    length_s: float
    caution: str = Field(description="What all of this is worth, in a sentence.")
    people: list[PresenceShown]
    absent: list[Known] = Field(description="Who could have been recognised and was not.")
    strangers: list[FaceFollowed] = Field(description="Said by hand not to be whom they were taken for.")
    unknown_tracks: int | None = Field(description="Faces followed and not recognised; null for a handful.")
    choices: list[Known] = Field(description="Whom somebody may be corrected to.")


class Correction(BaseModel):
    """What somebody says of a row: it was this person, or it was not that one."""

    tracks: list[Annotated[int, Field(ge=0, le=2**53)]] = Field(min_length=1, max_length=1000)
    was: PersonId | None = Field(None, description="Who it is; null where that is not known.")
    was_not: PersonId | None = Field(None, description="Who it was taken for; needed where `was` is null.")


class Seen(BaseModel):
    """When somebody was seen, for themself."""

    session_id: int
    began_at: datetime
    spans: list[Between]
    by_hand: bool


class OwnPage(BaseModel):
    """What is stored about somebody, for themself."""

    name: str
    recognised: bool
    named: bool = Field(description="Whether they may be shown by name on the teacher's page now.")
    pictures: int
    consents: list[ConsentOnFile]
    seen: list[Seen]


def consents_shown(person: Person) -> list[ConsentOnFile]:
    """Every consent of somebody, the newest first."""
    now = datetime.now(UTC)
    return [_consent(one, now) for one in reversed(person.consents)]


def _consent(one: Consent, now: datetime) -> ConsentOnFile:
    return ConsentOnFile.model_validate(
        {
            "purpose": one.purpose,
            "given_by": one.given.by,
            "guardian": one.given.guardian,
            "note": one.given.note,
            "recorded_at": one.recorded_at,
            "expires_at": one.expires_at,
            "withdrawn_at": one.withdrawn_at,
            "stands": one.stands(now),
        }
    )


def pictures_of(person: Person) -> int:
    """From how many pictures somebody's face is stored as numbers."""
    return sum(count for _, count in person.photos)


def person_shown(person: Person) -> PersonOnFile:
    """Somebody as the register shows them."""
    return PersonOnFile(id=person.id, name=person.name, pictures=pictures_of(person), consents=consents_shown(person))


def book_shown(book: ClassBook) -> AttendanceShown:
    """The attendance of a class."""
    lesson = book.lesson
    return AttendanceShown(
        session_id=book.session.id,
        source=book.session.source,
        started_at=book.session.started_at,
        ended=lesson.ended,
        length_s=round(lesson.end_s - lesson.start_s, 1),
        caution=CAUTION,
        people=[_presence(one, lesson.start_s) for one in book.people],
        absent=[Known(id=one.id, name=one.name) for one in book.absent],
        strangers=[_face(one, lesson.start_s) for one in book.strangers],
        unknown_tracks=book.unknown_tracks,
        choices=[Known(id=one.id, name=one.name) for one in book.choices],
    )


def _presence(one: Somebody, start_s: float) -> PresenceShown:
    presence = one.presence
    return PresenceShown(
        id=presence.person_id,
        name=one.name,
        first_s=round(presence.first_s - start_s, 1),
        last_s=round(presence.last_s - start_s, 1),
        present_s=round(presence.present_s, 1),
        spans=[_between(span, start_s) for span in presence.spans],
        late_s=round(presence.late_s, 1),
        early_s=round(presence.early_s, 1),
        confidence=round(presence.confidence, 3),
        by_hand=presence.by_hand,
        faces=[_face(one, start_s) for one in presence.faces],
    )


def _between(span: Span, start_s: float) -> Between:
    return Between(start_s=round(span.start_s - start_s, 1), end_s=round(span.end_s - start_s, 1))


def _face(one: Followed, start_s: float) -> FaceFollowed:
    return FaceFollowed(track=one.track, **_between(one.span, start_s).model_dump())
