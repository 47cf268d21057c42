"""What happens by itself when a consent runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.storage.consents import end_recognition, without_consent
from classpulse.storage.erasure import mark

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from classpulse.storage.audit import Deed
    from classpulse.storage.keyring import Keyring


def end_what_ran_out(deed: Deed, keyring: Keyring, now: datetime) -> bool:
    """Delete the embeddings of those whose consent has ended, and tell it; tells whether there were any."""
    due = without_consent(deed.connection, now)
    for person_id in sorted(due):
        deed.tell("consent.end", keyring.alias_or_none(deed.connection, person_id), "recognition")
    return _end(deed.connection, due)


def end_untold(connection: Connection, now: datetime) -> bool:
    """The same for whoever has no key, and so cannot add to the audit log."""
    return _end(connection, without_consent(connection, now))


def _end(connection: Connection, due: set[str]) -> bool:
    if due:
        end_recognition(connection, due)
        mark(connection)
    return bool(due)
