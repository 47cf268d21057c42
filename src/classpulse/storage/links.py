"""Links to a person's own page: only the hash of their secret is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from classpulse.errors import PeopleError
from classpulse.secret_tokens import digest_of, new_token
from classpulse.storage.people_tables import PersonLinkRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_HOURS = 31 * 24


def make_link(connection: Connection, person_id: str, valid_hours: float) -> str:
    """A secret that leads to somebody's own page for a while.

    Raises:
        PeopleError: the time is none.
    """
    if not 0 < valid_hours <= MAX_HOURS:
        message = f"a link is valid for up to {MAX_HOURS} hours, not for {valid_hours:g}"
        raise PeopleError(message)
    token = new_token()
    expires_at = datetime.now(UTC) + timedelta(hours=valid_hours)
    values = {"person_id": person_id, "token_hash": digest_of(token), "expires_at": expires_at}
    connection.execute(insert(PersonLinkRow), values)
    return token


def follow_link(connection: Connection, token: str) -> str:
    """The id of whom a secret leads to.

    Raises:
        PeopleError: it leads nowhere, or does so no more.
    """
    query = select(PersonLinkRow.person_id).where(
        PersonLinkRow.token_hash == digest_of(token), PersonLinkRow.expires_at > datetime.now(UTC)
    )
    person_id = connection.scalar(query)
    if person_id is None:
        message = "this link leads nowhere any more: ask for a new one (classpulse people link NAME)"
        raise PeopleError(message)
    return person_id
