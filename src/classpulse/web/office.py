"""Where the pages about people come to people's data: the store, the key, who acts, and the law."""

from __future__ import annotations

import threading
from copy import copy
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, HTTPException, Request

from classpulse.classbook import require_recognition
from classpulse.errors import PeopleError, PolicyError
from classpulse.law import law_in_force
from classpulse.policy import Task
from classpulse.web.standing import ACTOR

if TYPE_CHECKING:
    from classpulse.enrolment.photos import Enrolment, PhotoReader
    from classpulse.policy import Policy
    from classpulse.settings import Settings
    from classpulse.storage.appearances import Appearances
    from classpulse.storage.people import People
    from classpulse.storage.store import Store
    from classpulse.types import Image
    from classpulse.web.access import Access, Audience

NOBODY = "Nobody is on file here: somebody is once their consent is recorded."


UNREADABLE = (
    "Names are shown to the teacher, on the machine that runs Classpulse or over https: without it, anybody in "
    "this network could read them (start the class with --set web.https=auto)."
)


class Office:
    """Opens people's data anew for every request, so that a key that goes missing or comes back is noticed at once.

    Attributes:
        store: where all is stored.
        settings: all settings.
        actor: who acts, by the login name of the account that runs the server.
    """

    def __init__(self, store: Store, settings: Settings, actor: str) -> None:
        """Open nothing yet."""
        self.store = store
        self.settings = settings
        self.actor = actor
        self._reader: tuple[Policy, PhotoReader] | None = None
        self._reading = threading.Lock()

    def acting_as(self, name: str) -> Office:
        """The same office, with somebody as who acts."""
        other = copy(self)
        other.actor = name
        return other

    def read_picture(self, image: Image, policy: Policy) -> Enrolment:
        """What a picture of one person comes to; the networks are opened for the first one, and kept.

        Raises:
            PeopleError: the picture cannot be used.
            PolicyError: the policy forbids recognition.
            ModelError: a model file is missing or wrong.
        """
        from classpulse.enrolment.photos import PhotoReader  # noqa: PLC0415 - loads networks

        policy.require(Task.IDENTITY)
        with self._reading:
            if self._reader is None or self._reader[0] != policy:
                self._reader = policy, PhotoReader.open(self.settings, policy)
            return self._reader[1].read_image(image)

    def require(self) -> Policy:
        """The law in force, where people may be recognised.

        Raises:
            PolicyError: they may not.
            StorageError: the database cannot be read.
        """
        policy = law_in_force(self.store, self.settings)
        require_recognition(policy, self.settings)
        return policy

    def refusal(self) -> str:
        """Why nobody may be recognised here; empty where people may be.

        Raises:
            StorageError: the database cannot be read.
        """
        try:
            self.require()
        except PolicyError as error:
            return str(error)
        return ""

    def people_or_none(self) -> People | None:
        """The people on file; None where there never were any, which takes no key.

        Raises:
            KeyMissingError: there are some, and the key is missing or another one; nothing was changed.
            StorageError: the database cannot be read.
        """
        if not self.store.holds_people():
            return None
        return self.store.people(self.store.vault(self.settings.key_file), self.actor)

    def people(self) -> People:
        """The people on file.

        Raises:
            PeopleError: there are none.
            KeyMissingError, StorageError: as for `people_or_none`.
        """
        people = self.people_or_none()
        if people is None:
            raise PeopleError(NOBODY)
        return people

    def first_people(self) -> People:
        """The people on file, where the first may be about to come: makes a key if nothing is sealed yet.

        Raises:
            KeyMissingError, StorageError: as for `people_or_none`.
        """
        return self.store.people(self.store.vault(self.settings.key_file, create=True), self.actor)

    def appearances(self) -> Appearances:
        """Who was taken for whom.

        Raises:
            KeyMissingError, StorageError: as for `people_or_none`.
        """
        return self.store.appearances(self.store.vault(self.settings.key_file), self.actor)


def audience_of(request: Request) -> Audience:
    """What of the class whoever asks may be told."""
    return cast("Access", request.app.state.access).audience(request)


def office_of(request: Request) -> Office:
    """The office, for whoever asks from anywhere: for a person's own page.

    Raises:
        HTTPException: there is none, as for a class that is not stored.
    """
    office = cast("Office | None", request.app.state.office)
    if office is None:
        raise HTTPException(404, "Nothing is stored here, so there is nobody on file.")
    actor = getattr(request.state, ACTOR, None)
    return office if actor is None else office.acting_as(actor)


def _teachers_office(request: Request) -> Office:
    if audience_of(request) != "names":
        raise HTTPException(403, UNREADABLE)
    return office_of(request)


OfficeHere = Annotated[Office, Depends(_teachers_office)]
OfficeAnywhere = Annotated[Office, Depends(office_of)]
