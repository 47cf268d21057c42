"""Reading what was stored of every class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classpulse.errors import StorageError
from classpulse.storage.columns import MAX_NUMBER
from classpulse.storage.database import told_plainly
from classpulse.storage.law_log import LawLog
from classpulse.storage.tables import SessionRow, WindowRow

if TYPE_CHECKING:
    from classpulse.insight.engagement import ClassWindow


class SessionLog(LawLog):
    """Every class that was held, in one database. May be used from any thread."""

    def sessions(self, course_id: int | None = None) -> list[SessionRow]:
        """Every class, or every one of a course, the newest first.

        Raises:
            StorageError: the database cannot be read.
        """
        query = select(SessionRow).order_by(SessionRow.id.desc())
        if course_id is not None:
            query = query.where(SessionRow.course_id == course_id)
        with told_plainly(self._engine.url), Session(self._reader) as session:
            return list(session.scalars(query))

    def session(self, session_id: int) -> SessionRow | None:
        """One class; None if there is none of that number.

        Raises:
            StorageError: the database cannot be read.
        """
        if not 0 < session_id <= MAX_NUMBER:
            return None  # databases refuse what does not fit, each in another way
        with told_plainly(self._engine.url), Session(self._reader) as session:
            return session.get(SessionRow, session_id)

    def require_session(self, session_id: int) -> SessionRow:
        """One class, for whoever asked for it by its number.

        Raises:
            StorageError: there is none of that number, or the database cannot be read.
        """
        row = self.session(session_id)
        if row is None:
            message = f"there is no class {session_id}: `classpulse sessions` lists them"
            raise StorageError(message)
        return row

    def latest(self) -> SessionRow:
        """The newest class.

        Raises:
            StorageError: there is none, or the database cannot be read.
        """
        with told_plainly(self._engine.url), Session(self._reader) as session:
            row = session.scalar(select(SessionRow).order_by(SessionRow.id.desc()).limit(1))
        if row is None:
            message = "no class is stored yet: hold one with `classpulse live`, or try `classpulse live demo`"
            raise StorageError(message)
        return row

    def lengths_s(self) -> dict[int, float]:
        """How long each class was by its own clock, from its first window to the end of its last; without windows none.

        A recording that was read as fast as it goes is as long as it plays.

        Raises:
            StorageError: the database cannot be read.
        """
        length = func.max(WindowRow.end_s) - func.min(WindowRow.start_s)
        query = select(WindowRow.session_id, length).group_by(WindowRow.session_id)
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            return {session_id: float(seconds) for session_id, seconds in connection.execute(query)}

    def windows(self, session_id: int) -> list[ClassWindow]:
        """The finished windows of a class in the order of their time; empty if there is no such class.

        Raises:
            StorageError: the database cannot be read.
        """
        query = select(WindowRow).where(WindowRow.session_id == session_id).order_by(WindowRow.start_s, WindowRow.id)
        with told_plainly(self._engine.url), Session(self._reader) as session:
            row = session.get(SessionRow, session_id)
            labels = row.labels if row else ()
            return [window.as_window(labels) for window in session.scalars(query)]
