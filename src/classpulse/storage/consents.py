"""The consent ledger: what somebody agreed to, who said so, until when, and what ends with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import delete, func, insert, select, update

from classpulse.errors import PeopleError
from classpulse.storage.people_tables import AppearanceRow, ConsentRow, EmbeddingRow, PersonRow
from classpulse.texts import phrase

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from classpulse.storage.vault import Key

Purpose = Literal["recognition", "individual"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

MAX_DAYS = 365
"""A consent is asked for again every school year."""


@dataclass(frozen=True, slots=True)
class Given:
    """How a consent was given.

    Attributes:
        by: who gave it: the person, or a guardian.
        guardian: whether it was given as a guardian, for a minor.
        recorded_by: who wrote it down.
        note: what else there is to say, such as where the signed paper is.
    """

    by: str
    guardian: bool
    recorded_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent as it stands.

    Attributes:
        id: its number.
        purpose: what for.
        given: how.
        recorded_at, expires_at: UTC.
        withdrawn_at: UTC; None while it was not withdrawn.
    """

    id: int
    purpose: str
    given: Given
    recorded_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None

    def stands(self, now: datetime) -> bool:
        """Whether it is valid at a moment."""
        return self.withdrawn_at is None and now < self.expires_at


def check_purpose(purpose: str) -> Purpose:
    """A purpose that is known.

    Raises:
        PeopleError: it is not.
    """
    for known in PURPOSES:
        if purpose == known:
            return known
    message = f"consent is for {' or '.join(PURPOSES)}, not for {purpose!r}"
    raise PeopleError(message)


def check_days(valid_days: float) -> timedelta:
    """How long a consent may be valid.

    Raises:
        PeopleError: it is not between a day and a school year.
    """
    if not 1 <= valid_days <= MAX_DAYS:
        message = phrase(
            "a consent is valid for 1 to {most} days, not for {days}: then ask again",
            most=MAX_DAYS,
            days=f"{valid_days:g}",
        )
        raise PeopleError(message)
    return timedelta(days=valid_days)


def standing(purpose: Purpose, now: datetime) -> Select[Any]:
    """The ids of those whose consent for a purpose is valid at a moment."""
    return select(ConsentRow.person_id).where(
        ConsentRow.purpose == purpose, ConsentRow.withdrawn_at.is_(None), ConsentRow.expires_at > now
    )


def has_consent(connection: Connection, person_id: str, purpose: Purpose, now: datetime) -> bool:
    """Whether somebody's consent for a purpose is valid at a moment."""
    return connection.scalar(standing(purpose, now).where(ConsentRow.person_id == person_id).limit(1)) is not None


def record(
    connection: Connection,
    person_id: str,
    key: Key,
    purpose: Purpose,
    given: Given,
    times: tuple[datetime, datetime],
) -> None:
    """Write a consent down, from the first moment to the second."""
    recorded_at, expires_at = times
    values = {
        "person_id": person_id,
        "purpose": purpose,
        "sealed": "",
        "recorded_at": recorded_at,
        "expires_at": expires_at,
        "withdrawn_at": None,
    }
    made = connection.execute(insert(ConsentRow), values).inserted_primary_key
    number = None if made is None else made[0]
    text = json.dumps([given.by, given.guardian, given.recorded_by, given.note], ensure_ascii=False)
    # The row's number is bound into what is sealed, and is known only now.
    sealed = key.seal(text.encode(), "consents", number, person_id, purpose)
    connection.execute(update(ConsentRow).where(ConsentRow.id == number).values(sealed=sealed))


def consents_of(connection: Connection, person_id: str, key: Key) -> tuple[Consent, ...]:
    """Every consent that somebody gave, the oldest first.

    Raises:
        StorageError: a row was damaged.
    """
    query = select(ConsentRow.__table__).where(ConsentRow.person_id == person_id).order_by(ConsentRow.id)
    return tuple(
        Consent(
            row.id,
            row.purpose,
            Given(*json.loads(key.unseal(row.sealed, "consents", row.id, person_id, row.purpose))),
            row.recorded_at,
            row.expires_at,
            row.withdrawn_at,
        )
        for row in connection.execute(query)
    )


def withdraw(connection: Connection, person_id: str, purpose: Purpose, now: datetime) -> bool:
    """End what stands; tells whether anything did."""
    ended = (
        update(ConsentRow)
        .where(ConsentRow.person_id == person_id, ConsentRow.purpose == purpose)
        .where(ConsentRow.withdrawn_at.is_(None), ConsentRow.expires_at > now)
        .values(withdrawn_at=now)
    )
    return connection.execute(ended).rowcount > 0


def without_consent(connection: Connection, now: datetime) -> set[str]:
    """Those of whom there is something that only a consent to recognition allows, and whose has ended."""
    found: set[str] = set()
    for column in (EmbeddingRow.person_id, AppearanceRow.person_id):
        query = select(column).where(column.is_not(None), column.not_in(standing("recognition", now))).distinct()
        found.update(person_id for person_id in connection.scalars(query) if person_id)
    return found


def end_recognition(connection: Connection, person_ids: set[str]) -> None:
    """Delete embeddings, and make rows of attendance nobody's."""
    for person_id in person_ids:
        connection.execute(delete(EmbeddingRow).where(EmbeddingRow.person_id == person_id))
        nobody = update(AppearanceRow).where(AppearanceRow.person_id == person_id).values(person_id=None)
        connection.execute(nobody)


def over_since(connection: Connection, moment: datetime, limit: int) -> list[str]:
    """Those whose last consent was over before a moment, and who gave none since."""
    end = func.max(func.coalesce(ConsentRow.withdrawn_at, ConsentRow.expires_at))
    ended = select(ConsentRow.person_id).group_by(ConsentRow.person_id).having(end < moment).limit(limit)
    never = (
        select(PersonRow.id)
        .where(PersonRow.created_at < moment, PersonRow.id.not_in(select(ConsentRow.person_id)))
        .limit(limit)
    )
    return [*connection.scalars(ended), *connection.scalars(never)][:limit]
