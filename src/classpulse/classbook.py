"""The attendance of a class on file: what the store has seen, with the names that the vault gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classpulse.errors import PolicyError
from classpulse.insight.attendance import Followed, Lesson, Presence, Span, attend, followed
from classpulse.policy import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classpulse.policy import Policy
    from classpulse.settings import AttendanceSettings, Settings
    from classpulse.storage.appearances import Appearances
    from classpulse.storage.people import People
    from classpulse.storage.person import Person
    from classpulse.storage.store import Store
    from classpulse.storage.tables import SessionRow

REJECTED = "rejected"
"""How a sighting came about of which somebody said that it was not the one it was taken for."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """A row of the book.

    Attributes:
        name: theirs.
        presence: when they were here.
    """

    name: str
    presence: Presence


@dataclass(frozen=True, slots=True)
class ClassBook:
    """Who was in a class.

    Attributes:
        session: the class.
        lesson: when it was, and what it takes to be late.
        people: whoever was recognised, in the order of arrival.
        absent: those who could have been recognised all the time and were not.
        strangers: those of whom it was said by hand that they were not the one they were taken for.
        unknown_tracks: how many tracks were nobody who is known; None where fewer than the class's smallest group.
        choices: whom somebody in it may be corrected to: whoever has a valid consent to recognition now.
    """

    session: SessionRow
    lesson: Lesson
    people: tuple[Somebody, ...]
    absent: tuple[Person, ...]
    strangers: tuple[Followed, ...]
    unknown_tracks: int | None
    choices: tuple[Person, ...]

    def rows(self) -> list[tuple[str, Presence]]:
        """Names with their presence, as `write_attendance` takes them."""
        return [(one.name, one.presence) for one in self.people]


def require_recognition(policy: Policy, settings: Settings) -> None:
    """Refuse whatever makes sense only where people are recognised.

    Raises:
        PolicyError: the law in force does not allow it, or it was switched off.
    """
    policy.require(Task.IDENTITY)
    if not settings.recognition.enabled:
        message = "recognition is switched off here: set recognition.enabled to true to use it"
        raise PolicyError(message)


def read_class(
    store: Store, people: People, appearances: Appearances, settings: AttendanceSettings, session_id: int
) -> ClassBook:
    """Read the attendance of a class; that somebody looked is theirs to tell.

    Raises:
        StorageError: there is no such class, the database does not answer, or a name was damaged.
    """
    session = store.require_session(session_id)
    sightings = appearances.of_session(session_id)
    windows = store.windows(session_id)
    spans = [Span(one.start_s, one.end_s) for one in windows]
    spans += [Span(one.start_s, one.end_s) for one in sightings]
    lesson = _lesson(session, spans, settings)
    attendance = attend(sightings, lesson, appearances.tracks(session_id))
    known = {person.id: person for person in people.all()}
    here = {one.person_id for one in attendance.people}
    return ClassBook(
        session=session,
        lesson=lesson,
        people=tuple(Somebody(known[one.person_id].name, one) for one in attendance.people if one.person_id in known),
        absent=tuple(one for one in known.values() if one.id not in here and _could_be_seen(one, session)),
        strangers=followed(one for one in sightings if one.person_id is None and one.how == REJECTED),
        unknown_tracks=_unknown(attendance.unknown_tracks, session.smallest_group),
        choices=tuple(one for one in known.values() if one.consent("recognition") is not None),
    )


def _lesson(session: SessionRow, spans: Sequence[Span], settings: AttendanceSettings) -> Lesson:
    """A class begins and ends with its figures; the clock of a camera begins with it, that of a file may not."""
    return Lesson(
        start_s=min((span.start_s for span in spans), default=0.0),
        end_s=max((span.end_s for span in spans), default=0.0),
        ended=session.ended_at is not None,
        gap_s=settings.gap_s,
        late_after_s=60 * settings.late_after_min,
        left_before_s=60 * settings.left_before_min,
    )


def _could_be_seen(person: Person, session: SessionRow) -> bool:
    """Whether somebody was enrolled, and had agreed to be recognised, during the whole class."""
    end = session.ended_at or session.last_seen_at
    return bool(person.photos) and any(
        consent.purpose == "recognition"
        and consent.withdrawn_at is None
        and consent.recorded_at <= session.started_at
        and consent.expires_at >= end
        for consent in person.consents
    )


def _unknown(tracks: int, smallest_group: int | None) -> int | None:
    """A handful of tracks may be one person, who never agreed to be counted by themself."""
    return None if 0 < tracks < (smallest_group or 0) else tracks
