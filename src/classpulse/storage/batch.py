"""What a running class writes in one transaction, and how it is found out whether a broken connection took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from classpulse.storage.people_tables import AppearanceRow, ConsentRow
from classpulse.storage.tables import ObservationRow, SessionRow, WindowRow

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Doubt:
    """A batch whose connection broke while it was committed: its rows are there, all or none.

    Attributes:
        rows: they themselves, to be known again where they wait.
        written_at: the sign of life that went with them, which is there if they are.
    """

    rows: list[dict[str, Any]]
    written_at: datetime


@dataclass(slots=True)
class Batch:
    """What goes into one transaction.

    Attributes:
        observations, windows, appearances: rows.
        gone: tracks whose observations are to be deleted.
        written_at: the sign of life that goes with them.
        doubt: about rows among these that may be there already.
    """

    observations: list[dict[str, Any]]
    windows: list[dict[str, Any]]
    appearances: list[dict[str, Any]]
    gone: list[int]
    written_at: datetime
    doubt: Doubt | None

    def doubt_about(self) -> Doubt:
        """What is not known of this batch after its connection broke."""
        return Doubt([*self.observations, *self.windows, *self.appearances], self.written_at)

    def write(self, connection: Connection, session_id: int) -> None:
        """Insert the rows, but those that are there already and those of people who do not consent at this moment."""
        if self.doubt is not None:
            self._settle(self.doubt, connection, session_id)
        if self.observations:
            connection.execute(insert(ObservationRow), self.observations)
        if self.gone:
            theirs = ObservationRow.session_id == session_id, ObservationRow.track.in_(self.gone)
            connection.execute(delete(ObservationRow).where(*theirs))
        if self.windows:
            connection.execute(insert(WindowRow), self.windows)
        allowed = _with_consent(connection, self.appearances)
        if allowed:
            connection.execute(insert(AppearanceRow), allowed)

    def _settle(self, doubt: Doubt, connection: Connection, session_id: int) -> None:
        """Leave out what is there already, by the session's last sign of life."""
        last = connection.scalar(select(SessionRow.last_seen_at).where(SessionRow.id == session_id))
        if last == doubt.written_at:
            there = {id(row) for row in doubt.rows}
            self.observations = [row for row in self.observations if id(row) not in there]
            self.windows = [row for row in self.windows if id(row) not in there]
            self.appearances = [row for row in self.appearances if id(row) not in there]


def _with_consent(connection: Connection, appearances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of people who may be recognised at this moment.

    Somebody may have withdrawn or been forgotten since they were seen. Their consent is locked until these rows are
    written: a withdrawal comes before them, and they are not written, or after them, and finds them.
    """
    if not appearances:
        return []
    stands = (
        select(ConsentRow.person_id)
        .where(ConsentRow.person_id.in_({row["person_id"] for row in appearances}))
        .where(ConsentRow.purpose == "recognition", ConsentRow.withdrawn_at.is_(None))
        .where(ConsentRow.expires_at > datetime.now(UTC))
        .with_for_update(read=True)
    )
    allowed = set(connection.scalars(stands))
    return [row for row in appearances if row["person_id"] in allowed]
