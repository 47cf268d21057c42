"""Forgetting somebody: everything that is theirs goes, and what others wrote under their name.

What stays is what belongs to others and says nothing any more: rows of attendance that are nobody's, and rows of the
audit log with an alias that led to the key that was destroyed. One thing stays by intent, sealed under other people's
keys: that the forgotten one, as a guardian or a witness, gave or recorded somebody else's consent, which is the proof
of that consent; it goes with those people.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import select

from classpulse.errors import ClassPulseError
from classpulse.storage.audit import actor_tag
from classpulse.storage.erased import Erased, ErasedList, erase
from classpulse.storage.erasure import mark
from classpulse.storage.keyring import Keyring
from classpulse.storage.names import fold
from classpulse.storage.people_tables import ActorRow
from classpulse.storage.person_files import PersonFile, delete_file, files_of
from classpulse.storage.tables import PolicyAnswerRow
from classpulse.texts import phrase

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from classpulse.storage.audit import Deed
    from classpulse.storage.vault import Vault


def forget(deed: Deed, vault: Vault, erased: ErasedList, person_id: str, why: str) -> tuple[str, ...]:
    """Delete somebody and all that is theirs; works also where their rows were damaged.

    Args:
        deed: the transaction; after its end the file is to be scrubbed.
        vault: the master key.
        erased: where it is written down, before anything is deleted.
        person_id: whom.
        why: for the audit log, such as `"asked for"`.

    Returns:
        Sentences on what was left undone.
    """
    keyring, connection = Keyring(vault), deed.connection
    name, files = None, list[PersonFile]()
    with suppress(ClassPulseError):
        name = keyring.name(connection, person_id)
    remarks = []
    try:
        files = files_of(connection, person_id, keyring.key(connection, person_id))
    except ClassPulseError:
        remarks.append(phrase("which files were exported cannot be read any more: look for them yourself"))
    # Told before their own name as somebody who acts goes too.
    deed.tell("people.forget", keyring.alias_or_none(connection, person_id), why)
    going = Erased(frozenset({person_id}), *_under_this_name(connection, vault, name))
    if not erased.add(going):
        places = " and ".join(map(str, erased.paths))
        remarks.append(
            phrase(
                "the list of erasures could not be written everywhere ({places}): a backup may bring them back",
                places=places,
            )
        )
    remarks += [said for file in files if (said := delete_file(file))]
    erase(connection, going)
    mark(connection)
    return tuple(remarks)


def _under_this_name(connection: Connection, vault: Vault, name: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """Actors of a name, and the moments of answers on the law that were given under it."""
    if name is None:
        return frozenset(), frozenset()
    actors = connection.scalars(select(ActorRow.id).where(ActorRow.name_tag == actor_tag(vault, name))).all()
    answers = connection.execute(select(PolicyAnswerRow.answered_by, PolicyAnswerRow.answered_at)).all()
    mine = (row.answered_at.isoformat() for row in answers if fold(row.answered_by.strip()) == fold(name))
    return frozenset(actors), frozenset(mine)
