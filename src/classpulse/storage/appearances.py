"""Who was taken for whom in a class, and what somebody set right by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from classpulse.errors import PeopleError
from classpulse.storage.audit import Alias, Audit
from classpulse.storage.consents import has_consent
from classpulse.storage.database import reader_of, told_plainly
from classpulse.storage.keyring import Keyring
from classpulse.storage.people_tables import AppearanceRow
from classpulse.storage.tables import ObservationRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, Engine, Row

    from classpulse.storage.vault import Vault

RECOGNISED, CORRECTED, REJECTED = "recognised", "corrected", "rejected"


class Appearances:
    """The appearances of every class, for whoever acts; got by `Store.appearances`.

    Corrections raise `PeopleError` where there is nothing to correct or nobody who agreed to be recognised, and every
    method raises `StorageError` where the database does not answer.
    """

    def __init__(self, engine: Engine, vault: Vault, actor: str | Alias) -> None:
        """Take a migrated database, the key that fits it, and who acts."""
        self._engine = engine
        self._reader = reader_of(engine)
        self._keyring = Keyring(vault)
        self._actor = actor
        self._audit = Audit(engine, vault)

    def of_session(self, session_id: int) -> list[AppearanceRow]:
        """The appearances in a class, in the order of their time."""
        return self._where(AppearanceRow.session_id == session_id)

    def of_person(self, person_id: str) -> list[AppearanceRow]:
        """The appearances of somebody in every class, in the order of classes and of time."""
        return self._where(AppearanceRow.person_id == person_id)

    def _where(self, condition: ColumnElement[bool]) -> list[AppearanceRow]:
        row = AppearanceRow
        query = select(row.__table__).where(condition).order_by(row.session_id, row.start_s, row.id)
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            return [AppearanceRow(**one._asdict()) for one in connection.execute(query)]

    def tracks(self, session_id: int) -> set[int]:
        """Every track that was seen in a class, recognised or not; empty once single observations were deleted."""
        query = select(ObservationRow.track).where(ObservationRow.session_id == session_id).distinct()
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            return set(connection.scalars(query))

    def reject(self, appearance_id: int) -> None:
        """Say that it was somebody else; who is not known."""
        with self._audit.transaction(self._actor) as deed:
            row = _one(deed.connection, appearance_id)
            alias = None if row.person_id is None else self._keyring.alias_or_none(deed.connection, row.person_id)
            _set(deed.connection, [row.id], None, REJECTED)
            deed.tell("appearance.reject", alias, f"class {row.session_id}, track {row.track}")

    def assign(self, session_id: int, track: int, person_id: str) -> None:
        """Say who a track of a class was, also where it was not recognised."""
        with self._audit.transaction(self._actor) as deed:
            if not has_consent(deed.connection, person_id, "recognition", datetime.now(UTC)):
                message = "only somebody with a valid consent to recognition can be marked as present"
                raise PeopleError(message)
            query = select(AppearanceRow.id).where(AppearanceRow.session_id == session_id, AppearanceRow.track == track)
            ids = deed.connection.scalars(query).all()
            if ids:
                _set(deed.connection, ids, person_id, CORRECTED)
            else:
                _add_seen(deed.connection, session_id, track, person_id)
            alias = self._keyring.alias(deed.connection, person_id)
            deed.tell("appearance.assign", alias, f"class {session_id}, track {track}")

    def merge(self, first_id: int, second_id: int) -> None:
        """Say that two appearances in a class are one person: the one who is known, of two who are the first's."""
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            first, second = _one(connection, first_id), _one(connection, second_id)
        if first.session_id != second.session_id:
            message = "two appearances can be merged only within one class"
            raise PeopleError(message)
        known, other = (first, second) if first.person_id is not None else (second, first)
        if known.person_id is None:
            message = "neither of the two is known by name: say first who one of them is"
            raise PeopleError(message)
        self.assign(other.session_id, other.track, known.person_id)


def _one(connection: Connection, appearance_id: int) -> Row[Any]:
    row = connection.execute(select(AppearanceRow.__table__).where(AppearanceRow.id == appearance_id)).one_or_none()
    if row is None:
        message = f"there is no appearance {appearance_id}: it may have been deleted by its age meanwhile"
        raise PeopleError(message)
    return row


def _set(connection: Connection, ids: Sequence[int], person_id: str | None, how: str) -> None:
    values = {"person_id": person_id, "how": how}
    connection.execute(update(AppearanceRow).where(AppearanceRow.id.in_(ids)).values(values))


def _add_seen(connection: Connection, session_id: int, track: int, person_id: str) -> None:
    """An appearance for a track that was seen and not recognised."""
    row = ObservationRow
    seen = select(func.min(row.time_s), func.max(row.time_s)).where(row.session_id == session_id, row.track == track)
    times: Any = connection.execute(seen).one()
    start_s, end_s = times
    if start_s is None:
        message = f"class {session_id} has no track {track} on file"
        raise PeopleError(message)
    values = {
        "session_id": session_id,
        "person_id": person_id,
        "track": track,
        "start_s": start_s,
        "end_s": end_s,
        "confidence": 1.0,
        "how": CORRECTED,
    }
    connection.execute(insert(AppearanceRow), values)
