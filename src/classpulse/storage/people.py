"""People who enrolled: their consents, their faces as numbers, and their rights.

Every deed is told in the audit log in its own transaction. Outside this package people are random ids; a name is
given to whoever asks for it here.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from classpulse.errors import PeopleError
from classpulse.storage import embeddings as faces
from classpulse.storage.account_tables import AccountRow
from classpulse.storage.audit import ITSELF, Alias, Audit
from classpulse.storage.consents import (
    MAX_DAYS,
    PURPOSES,
    Given,
    check_days,
    check_purpose,
    end_recognition,
    has_consent,
    record,
    withdraw,
    without_consent,
)
from classpulse.storage.database import reader_of, told_plainly
from classpulse.storage.erasure import LATER, mark, scrub
from classpulse.storage.expiry import end_what_ran_out
from classpulse.storage.forgetting import forget
from classpulse.storage.keyring import Keyring, alias_of
from classpulse.storage.links import follow_link, make_link
from classpulse.storage.names import clean_name, clean_note
from classpulse.storage.people_tables import PersonRow
from classpulse.storage.person_export import everything_about
from classpulse.storage.person_files import note_file
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Any

    from sqlalchemy import Connection, Engine

    from classpulse.storage.erased import ErasedList
    from classpulse.storage.person import Person
    from classpulse.storage.vault import Vault
    from classpulse.types import Floats


class People:
    """The people of one database, for whoever acts; got by `Store.people`. May be used from any thread.

    Every method raises `PeopleError` where nobody has an id or a name, or what was given is not as it must be, and
    `StorageError` where the database does not answer or what is sealed in it was damaged; then nothing was done.
    """

    def __init__(self, engine: Engine, vault: Vault, actor: str | Alias, erased: ErasedList) -> None:
        """Take a migrated database, the key that fits it, who acts, and where erasures are listed."""
        self._engine = engine
        self._reader = reader_of(engine)
        self._vault = vault
        self._keyring = Keyring(vault)
        self._erased = erased
        self._actor = actor if isinstance(actor, Alias) else clean_name(actor, "name of who acts")
        self.audit = Audit(engine, vault)

    def acting_as(self, person_id: str) -> People:
        """The same people, with a person themself as who acts: for their own page."""
        with self._reading() as connection:
            alias = Alias(self._keyring.alias(connection, person_id))
        return People(self._engine, self._vault, alias, self._erased)

    # Consents.

    def record_consent(
        self,
        name: str,
        purpose: str,
        *,
        given_by: str,
        guardian: bool,
        note: str = "",
        valid_days: float = MAX_DAYS,
    ) -> str:
        """Write down that somebody agreed; whoever is new becomes known by it.

        Args:
            name: whose consent it is.
            purpose: `"recognition"`, or `"individual"` to be shown singly, by name.
            given_by: who gave it: the person, or a guardian.
            guardian: whether it was given as a guardian, for a minor.
            note: where the signed paper is, and the like; 400 characters.
            valid_days: 1 to 365.

        Returns:
            The person's id.
        """
        name, checked, valid = clean_name(name), check_purpose(purpose), check_days(valid_days)
        by = self._actor if isinstance(self._actor, str) else name
        given = Given(clean_name(given_by, "name of who gives consent"), guardian, by, clean_note(note))
        with self.audit.transaction(self._actor) as deed:
            person_id = self._keyring.find(deed.connection, name) or self._keyring.add(deed.connection, name)
            key = self._keyring.key(deed.connection, person_id)
            now = datetime.now(UTC)
            record(deed.connection, person_id, key, checked, given, (now, now + valid))
            how = ", by a guardian" if guardian else ""
            deed.tell("consent.record", alias_of(key, person_id), f"{checked}, {valid_days:g} days{how}")
        return person_id

    def withdraw(self, person_id: str, purpose: str | None = None) -> tuple[str, ...]:
        """End a consent, or all of somebody's; without recognition embeddings go, and attendance is nobody's.

        Returns:
            Sentences on what could not be done yet.
        """
        purposes = PURPOSES if purpose is None else (check_purpose(purpose),)
        with self.audit.transaction(self._actor) as deed:
            alias = self._keyring.alias_or_none(deed.connection, person_id)
            now = datetime.now(UTC)
            ended = [one for one in purposes if withdraw(deed.connection, person_id, one, now)]
            if not ended:
                what = " or ".join(purposes)
                message = phrase("there is no consent to {what} that could be withdrawn: none stands", what=what)
                raise PeopleError(message)
            deed.tell("consent.withdraw", alias, ", ".join(ended))
            if "recognition" in ended:
                end_recognition(deed.connection, {person_id})
                mark(deed.connection)
        return () if "recognition" not in ended or scrub(self._engine) else (LATER,)

    def may_be_named(self, person_id: str) -> bool:
        """Whether somebody may be shown singly now: they agreed to that, and to be recognised at all."""
        now = datetime.now(UTC)
        with self._reading() as connection:
            return all(has_consent(connection, person_id, purpose, now) for purpose in PURPOSES)

    # Enrolment.

    def likenesses(self, embedder: str, embeddings: Floats, *, apart_from: str | None = None) -> list[faces.Likeness]:
        """Who else looks like some photos, the most alike first.

        Args:
            embedder: name and version of the network.
            embeddings: (K, D) float32, rows of unit length.
            apart_from: a person's id who is not to be compared.
        """
        try:
            known = self.embeddings(embedder)
        except PeopleError:  # all are of another embedder: nobody can be compared
            return []
        found = faces.nearest(known, embeddings, apart_from=apart_from)
        likenesses = [faces.Likeness(one, self.name_of(one), similarity) for one, similarity in found[:3]]
        faces.refuse_same_photo(likenesses)
        return likenesses

    def enrol(self, person_id: str, embedder: str, embeddings: Floats, qualities: Floats) -> int:
        """Keep somebody's face as numbers; what another embedder made of them goes.

        Args:
            person_id: whose.
            embedder: name and version of the network.
            embeddings: (K, D) float32, rows of unit length, D up to 1,024.
            qualities: (K,) float32, of the photos, 0 to 1.

        Returns:
            How many were new.
        """
        faces.check_embeddings(embeddings, qualities)
        self.likenesses(embedder, embeddings, apart_from=person_id)
        with self.audit.transaction(self._actor) as deed:
            key = self._keyring.key(deed.connection, person_id)
            if not has_consent(deed.connection, person_id, "recognition", datetime.now(UTC)):
                message = (
                    "without a valid consent to recognition nobody is enrolled. Record it first: "
                    "classpulse people consent NAME --purpose recognition --consent-by WHO"
                )
                raise PeopleError(message)
            added = faces.add(deed.connection, person_id, key, embedder, embeddings, qualities)
            deed.tell("people.enrol", alias_of(key, person_id), f"{added} photos")
        return added

    def embeddings(self, embedder: str) -> list[tuple[str, Floats]]:
        """Everybody who may be recognised now: id, and (K, D) float32 of unit length."""
        self._end_what_ran_out()
        with self._reading() as connection:
            return faces.gallery(connection, self._vault, embedder, datetime.now(UTC))

    def faces_of(self, person_id: str, embedder: str) -> Floats:
        """Somebody's embeddings of one embedder, (K, D) float32 of unit length; (0, 0) where there are none."""
        self._end_what_ran_out()
        with self._reading() as connection:
            return faces.read(connection, person_id, self._keyring.key(connection, person_id), embedder)

    def stamp(self) -> str:
        """Changes whenever what `embeddings` gives may have changed; cheap enough to ask every second."""
        self._end_what_ran_out()
        with self._reading() as connection:
            return faces.stamp(connection)

    def _end_what_ran_out(self) -> None:
        now = datetime.now(UTC)
        with self._reading() as connection:
            due = without_consent(connection, now)
        if due:
            with self.audit.transaction(ITSELF) as deed:
                end_what_ran_out(deed, self._keyring, now)

    # Who they are.

    def all(self) -> list[Person]:
        """Everybody, by name; that somebody looked is told."""
        with self._reading() as connection:
            people = self._keyring.everybody(connection)
        self.audit.add(self._actor, "people.list", None, f"{len(people)} people")
        return people

    def find(self, name: str) -> Person:
        """Somebody by name, in any case."""
        with self._reading() as connection:
            return self._keyring.person(connection, self._keyring.known(connection, name))

    def knows(self, name: str) -> bool:
        """Whether somebody is called so, in any case."""
        with self._reading() as connection:
            return self._keyring.find(connection, name) is not None

    def id_of(self, name: str) -> str:
        """Somebody's id by name, in any case; works also where what is theirs was damaged."""
        with self._reading() as connection:
            return self._keyring.known(connection, name)

    def name_of(self, person_id: str) -> str:
        """Somebody's name."""
        with self._reading() as connection:
            return self._keyring.name(connection, person_id)

    def names_in_log(self) -> dict[str, str]:
        """Names by what the audit log calls people, and those who log in."""
        with self._reading() as connection:
            rows = connection.execute(select(AccountRow.id, AccountRow.name, AccountRow.login))
            return self._keyring.names(connection) | {one: f"{name} ({login})" for one, name, login in rows}

    def note_view(self, action: str, person_id: str | None = None, detail: str = "") -> None:
        """Tell that somebody's data was seen, as on their own page."""
        with self.audit.transaction(self._actor) as deed:
            alias = None if person_id is None else self._keyring.alias(deed.connection, person_id)
            deed.tell(action, alias, detail)

    # Their rights.

    def export(self, person_id: str) -> dict[str, Any]:
        """All that is stored about somebody, ready for JSON."""
        with self.audit.transaction(self._actor) as deed:
            deed.tell("people.export", self._keyring.alias(deed.connection, person_id))
            return everything_about(deed.connection, self._vault, person_id)

    def note_file(self, person_ids: Iterable[str], path: Path) -> None:
        """Put a file with people's data, just written, on the list of what goes with them."""
        with self.audit.transaction(self._actor) as deed:
            for person_id in person_ids:
                key = self._keyring.key(deed.connection, person_id)
                note_file(deed.connection, person_id, key, path)
                deed.tell("people.file", alias_of(key, person_id))

    def forget(self, person_id: str) -> tuple[str, ...]:
        """Delete somebody and all that is theirs, so that not a byte of it stays where that can be seen to.

        Returns:
            Sentences on what could not be done yet.
        """
        with self.audit.transaction(self._actor) as deed:
            if deed.connection.scalar(select(PersonRow.id).where(PersonRow.id == person_id)) is None:
                message = phrase("nobody has this id: they were forgotten already")
                raise PeopleError(message)
            remarks = forget(deed, self._vault, self._erased, person_id, "asked for")
        return remarks if scrub(self._engine) else (*remarks, LATER)

    def link(self, person_id: str, valid_hours: float) -> str:
        """A secret for the address of somebody's own page; it is told once and not kept."""
        with self.audit.transaction(self._actor) as deed:
            alias = self._keyring.alias(deed.connection, person_id)
            token = make_link(deed.connection, person_id, valid_hours)
            deed.tell("people.link", alias, f"{valid_hours:g} hours")
        return token

    def by_token(self, token: str) -> str:
        """The id of whom a link leads to."""
        with self._reading() as connection:
            return follow_link(connection, token)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            yield connection
