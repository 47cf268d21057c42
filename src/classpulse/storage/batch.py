"""What a running class writes in one transaction, and how it is found out whether a broken connection took it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import DataError, IntegrityError

from classpulse.storage.notes import write_notes
from classpulse.storage.people_tables import AppearanceRow, ConsentRow
from classpulse.storage.tables import ObservationRow, SessionRow, WindowRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from classpulse.storage.notes import Note

Values = dict[str, Any]
"""The columns of one row."""

REFUSED = DataError, IntegrityError, OverflowError
"""What is raised where a row will never be taken."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A batch whose connection broke while it was committed: its rows are there, all or none.

    Attributes:
        rows: they themselves, to be known again where they wait.
        written_at: the sign of life that went with them, which is there if they are.
    """

    rows: list[Values | Note]
    written_at: datetime


@dataclass(slots=True)
class Batch:
    """What goes into one transaction.

    Attributes:
        observations, windows, appearances: rows.
        notes: marks, answers and alerts, and what is taken back of them.
        gone: tracks whose observations are to be deleted.
        written_at: the sign of life that goes with them.
        doubts: about rows among these that may be there already; one of them is right, or none.
        careful: whether to write row by row, since one of them was refused, and leave out those that are.
        refused: observations that the database will never take, as was found while they were written.
    """

    observations: list[Values] = field(default_factory=list)
    windows: list[Values] = field(default_factory=list)
    appearances: list[Values] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    written_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    doubts: tuple[Doubt, ...] = ()
    careful: bool = False
    refused: int = 0

    def doubt(self) -> Doubt:
        """What is not known of this batch after its connection broke."""
        return Doubt([*self.observations, *self.windows, *self.appearances, *self.notes], self.written_at)

    def write(self, connection: Connection, session_id: int) -> None:
        """Insert the rows, but those that are there already and those of people who do not consent at this moment.

        Raises:
            REFUSED: one of them will never be taken; written carefully, it does not stop the others.
        """
        if self.doubts:
            self._settle(connection, session_id)
        self.refused = self._insert(connection, ObservationRow, self.observations)
        if self.gone:
            theirs = ObservationRow.session_id == session_id, ObservationRow.track.in_(self.gone)
            connection.execute(delete(ObservationRow).where(*theirs))
        self._insert(connection, WindowRow, self.windows)
        self._insert(connection, AppearanceRow, _with_consent(connection, self.appearances))
        self._write(connection, self.notes, lambda notes: write_notes(connection, session_id, notes))

    def _settle(self, connection: Connection, session_id: int) -> None:
        """Leave out what is there already, by the session's last sign of life."""
        last = connection.scalar(select(SessionRow.last_seen_at).where(SessionRow.id == session_id))
        there = {id(row) for doubt in self.doubts if doubt.written_at == last for row in doubt.rows}
        self.observations = [row for row in self.observations if id(row) not in there]
        self.windows = [row for row in self.windows if id(row) not in there]
        self.appearances = [row for row in self.appearances if id(row) not in there]
        self.notes = [note for note in self.notes if id(note) not in there]

    def _insert(self, connection: Connection, row: Any, values: list[Values]) -> int:  # noqa: ANN401 - a table
        return self._write(connection, values, lambda some: connection.execute(insert(row), some))

    def _write(self, connection: Connection, items: list[Any], write: Callable[[list[Any]], object]) -> int:
        """Write items all at once or, carefully, one by one; returns how many were left out."""
        if not self.careful:
            if items:
                write(items)
            return 0
        refused = 0
        for item in items:
            try:
                with connection.begin_nested():
                    write([item])
            except REFUSED as error:
                refused += 1
                _log.warning("left out what the database does not take: %s", str(error).partition("\n")[0])
        return refused


def _with_consent(connection: Connection, appearances: list[Values]) -> list[Values]:
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
