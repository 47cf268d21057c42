"""Who is on file: each person's own key, name, alias and consents, by their id, and the id by their name."""

from __future__ import annotations

import difflib
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from classpulse.errors import KeyMissingError, PeopleError, StorageError
from classpulse.storage.audit_chain import SEED, Point, checkpoint, point_mac
from classpulse.storage.consents import consents_of
from classpulse.storage.names import clean_name, fold
from classpulse.storage.people_tables import ID, ActorRow, AuditCheckpointRow, EmbeddingRow, PersonRow
from classpulse.storage.person import Person
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from classpulse.storage.vault import Key, Vault


DAMAGED = "(damaged)"
"""What stands for a name that does not open."""


class Keyring:
    """The keys of one database's people."""

    def __init__(self, vault: Vault) -> None:
        """Take the master key that they are sealed under."""
        self._vault = vault

    def key(self, connection: Connection, person_id: str) -> Key:
        """Somebody's own key.

        Raises:
            PeopleError: nobody has this id.
            StorageError: their key was damaged.
        """
        wrapped = connection.scalar(select(PersonRow.wrapped_key).where(PersonRow.id == person_id))
        if wrapped is None:
            message = phrase("nobody has this id: they may have been forgotten meanwhile")
            raise PeopleError(message)
        return self._vault.person_key(person_id, wrapped)

    def name(self, connection: Connection, person_id: str) -> str:
        """Somebody's name.

        Raises:
            PeopleError: nobody has this id.
            StorageError: their key or name was damaged.
        """
        key = self.key(connection, person_id)
        sealed = connection.scalar(select(PersonRow.sealed_name).where(PersonRow.id == person_id)) or ""
        return key.unseal(sealed, "people", person_id, "sealed_name").decode()

    def alias(self, connection: Connection, person_id: str) -> str:
        """What the audit log calls somebody.

        Raises:
            PeopleError: nobody has this id.
            StorageError: their key was damaged.
        """
        return alias_of(self.key(connection, person_id), person_id)

    def alias_or_none(self, connection: Connection, person_id: str) -> str | None:
        """What the audit log calls somebody; None where their key was damaged, which must keep nothing alive."""
        try:
            return self.alias(connection, person_id)
        except StorageError:
            return None

    def find(self, connection: Connection, name: str) -> str | None:
        """The id of somebody by name, in any case; None where nobody is called so.

        Raises:
            PeopleError: it is no name.
        """
        tag = self._vault.name_tag("people", fold(clean_name(name)))
        return connection.scalar(select(PersonRow.id).where(PersonRow.name_tag == tag))

    def known(self, connection: Connection, name: str) -> str:
        """The id of somebody by name, in any case.

        Raises:
            PeopleError: nobody is called so.
        """
        person_id = self.find(connection, name)
        if person_id is not None:
            return person_id
        near = difflib.get_close_matches(name, self.names(connection).values(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`classpulse people` lists who there is"
        message = f"nobody is called {clean_name(name)!r}: {hint}"
        raise PeopleError(message)

    def add(self, connection: Connection, name: str) -> str:
        """Make somebody known by name, with a key of their own; returns their id.

        Raises:
            PeopleError: it is no name.
        """
        name = clean_name(name)
        person_id, key, wrapped = self._vault.new_person()
        values = {
            "id": person_id,
            "wrapped_key": wrapped,
            "sealed_name": key.seal(name.encode(), "people", person_id, "sealed_name"),
            "name_tag": self._vault.name_tag("people", fold(name)),
            "created_at": datetime.now(UTC),
        }
        connection.execute(insert(PersonRow), values)
        return person_id

    def person(self, connection: Connection, person_id: str) -> Person:
        """Somebody as they are on file.

        Raises:
            PeopleError: nobody has this id.
            StorageError: their key, name or a consent was damaged.
        """
        key, row = self.key(connection, person_id), EmbeddingRow
        one = connection.execute(
            select(PersonRow.sealed_name, PersonRow.created_at).where(PersonRow.id == person_id)
        ).one()
        counts = select(row.embedder, func.count(row.id)).where(row.person_id == person_id).group_by(row.embedder)
        return Person(
            person_id,
            key.unseal(one.sealed_name, "people", person_id, "sealed_name").decode(),
            one.created_at,
            consents_of(connection, person_id, key),
            tuple((embedder, count) for embedder, count in connection.execute(counts)),
        )

    def everybody(self, connection: Connection) -> list[Person]:
        """Everybody as they are on file, by name; of those whose rows were damaged there is only the id."""
        people = []
        for row in connection.execute(select(PersonRow.id, PersonRow.created_at)).all():
            try:
                people.append(self.person(connection, row.id))
            except StorageError:
                people.append(Person(row.id, DAMAGED, row.created_at, (), ()))
        return sorted(people, key=lambda person: fold(person.name))

    def names(self, connection: Connection) -> dict[str, str]:
        """Every name by its alias; those that were damaged are left out."""
        found = {}
        for person_id in connection.scalars(select(PersonRow.id)).all():
            try:
                found[self.alias(connection, person_id)] = self.name(connection, person_id)
            except StorageError:
                continue
        return found


def alias_of(key: Key, person_id: str) -> str:
    """What the audit log calls whoever has this key; without the key it leads to nobody."""
    return key.tag("alias", person_id)[:ID]


def holds_sealed(connection: Connection) -> bool:
    """Whether anything here is sealed or signed, so that it takes the right key and no new one."""
    return any(
        connection.scalar(select(row.id).limit(1)) is not None for row in (AuditCheckpointRow, PersonRow, ActorRow)
    )


def check_key(connection: Connection, vault: Vault, place: str) -> None:
    """Refuse a key that does not open what is here: any one thing that opens shows that it is the right one.

    Raises:
        KeyMissingError: it is another key.
    """
    if holds_sealed(connection) and not any(_opening(connection, vault)):
        message = (
            f"the key in {vault.source} is not the one that people's data in {place} is sealed under. "
            "Put the right one back; nothing was changed"
        )
        raise KeyMissingError(message)


def _opening(connection: Connection, vault: Vault) -> Iterator[bool]:
    """Whether things that are sealed or signed open, one after the other."""
    seed = checkpoint(connection, SEED)
    yield seed is not None and seed.mac == point_mac(vault, SEED, seed.at, Point(seed.upto, seed.upto_mac))
    for row in connection.execute(select(PersonRow.id, PersonRow.wrapped_key)):
        with suppress(StorageError):
            vault.person_key(row.id, row.wrapped_key)
            yield True
    for row in connection.execute(select(ActorRow.id, ActorRow.sealed_name)):
        with suppress(StorageError):
            vault.actor_name(row.id, row.sealed_name)
            yield True
