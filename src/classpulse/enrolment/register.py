"""Enrolling one person: consent first, then their photos, and a look at who else is like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from classpulse.errors import PeopleError
from classpulse.policy import Task
from classpulse.storage.consents import MAX_DAYS, check_days
from classpulse.storage.names import clean_name, clean_note
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from classpulse.enrolment.photos import Enrolment
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.storage.people import People


@dataclass(frozen=True, slots=True)
class Agreement:
    """A consent that is to be recorded with an enrolment.

    Attributes:
        by: who gives it: the person, or a guardian.
        guardian: whether it is given as a guardian, for a minor.
        note: where the signed paper is, and the like.
        days: how long it is valid.
        individual: whether it is also for being shown singly, by name.
    """

    by: str
    guardian: bool = False
    note: str = ""
    days: float = MAX_DAYS
    individual: bool = False

    def check(self) -> None:
        """Refuse what could not be recorded, before any photo is read.

        Raises:
            PeopleError: the name, the note or the days are not as they must be.
        """
        clean_name(self.by, "name of who gives consent")
        clean_note(self.note)
        check_days(self.days)

    def record(self, people: People, name: str) -> str:
        """Write the consents down; returns the person's id.

        Raises:
            PeopleError: something is not as it must be.
            StorageError: the database does not take it.
        """
        person_id = ""
        for purpose in ("recognition", "individual") if self.individual else ("recognition",):
            person_id = people.record_consent(
                name,
                purpose,
                given_by=self.by,
                guardian=self.guardian,
                note=self.note,
                valid_days=self.days,
            )
        return person_id


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of it.

    Attributes:
        person_id: who.
        name: theirs.
        photos: how many were new.
        alike: the name of somebody else who could be mistaken for them; None where there is nobody.
    """

    person_id: str
    name: str
    photos: int
    alike: str | None


def enrol(
    people: People,
    name: str,
    read: Callable[[], Enrolment],
    agreement: Agreement | None,
    *,
    more: bool = False,
) -> Enrolled:
    """Enrol somebody, or add photos of somebody who is enrolled.

    Args:
        people: of the store, for whoever acts.
        name: theirs.
        read: reads their photos; not called where consent is missing.
        agreement: the consent that comes with it; None where one stands already.
        more: whether they are enrolled already, and this adds to it.

    Raises:
        PeopleError: the name is taken, consent is missing, or a photo is not as it must be.
        PolicyError: nobody may be recognised here.
        StorageError: the database does not take it.
    """
    name = clean_name(name)
    known = people.find(name) if people.knows(name) else None
    if known is not None and known.photos and not more:
        message = (
            f"{known.name!r} is enrolled already: two people need two names. "
            "To add photos of the same person, or to enrol them again, add --more"
        )
        raise PeopleError(message)
    if agreement is None and (known is None or known.consent("recognition") is None):
        message = (
            f"nobody has agreed yet that {name!r} may be recognised: add --consent-by WHO, "
            "and --guardian where that is a guardian, for a minor"
        )
        raise PeopleError(message)
    if agreement is not None:
        agreement.check()
    enrolment = read()
    alike = compare(people, enrolment, known.id if known else None)
    person_id = known.id if agreement is None and known else _agree(people, name, agreement)
    added = people.enrol(person_id, enrolment.embedder, enrolment.embeddings, enrolment.qualities)
    return Enrolled(person_id, name, added, alike)


def compare(people: People, read: Enrolment, person_id: str | None) -> str | None:
    """Look whom new pictures resemble on file, before they are kept.

    Args:
        people: of the store, for whoever acts.
        read: the pictures.
        person_id: whose they are said to be; None for somebody who is not on file yet.

    Returns:
        The name of somebody else who could be mistaken for them; None where there is nobody.

    Raises:
        PeopleError: they show somebody else than that person's pictures before, or are on file under another name.
    """
    if person_id is not None:
        _refuse_somebody_else(people, person_id, read)
    alike = people.likenesses(read.embedder, read.embeddings, apart_from=person_id)
    return alike[0].name if alike and alike[0].similarity >= read.min_similarity else None


def _refuse_somebody_else(people: People, person_id: str, read: Enrolment) -> None:
    """Refuse pictures that are unlike all those that somebody enrolled with.

    Raises:
        PeopleError: two people under one name would both be taken for it.
    """
    from classpulse.enrolment.photos import LENIENCE, likeness  # noqa: PLC0415 - loads networks

    own = people.faces_of(person_id, read.embedder)
    if len(own) and likeness(own, read.embeddings) < read.min_similarity - LENIENCE:
        message = phrase(
            "this picture seems to show somebody else than the pictures before: only one person goes by one name. "
            "If it is the same person, turn less, or take it in better light"
        )
        raise PeopleError(message)


def _agree(people: People, name: str, agreement: Agreement | None) -> str:
    if agreement is None:  # ruled out above; nobody is enrolled by a slip of the pen
        message = f"nobody has agreed yet that {name!r} may be recognised"
        raise PeopleError(message)
    return agreement.record(people, name)


def photos_reader(paths: Sequence[Path], settings: Settings, policy: Policy) -> Callable[[], Enrolment]:
    """What reads photos from files; the law is asked at once, the files only when they are read.

    Raises:
        PolicyError: nobody may be recognised here.
    """
    policy.require(Task.IDENTITY)

    def read() -> Enrolment:
        from classpulse.enrolment.photos import read_photos  # noqa: PLC0415 - loads networks

        return read_photos(paths, settings, policy)

    return read
