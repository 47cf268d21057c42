"""What was said and done in a class at one moment, in the store: marks, answers and alerts.

Each kind has a most that one class may have, so that nobody who can reach the page can fill the disk.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from classpulse.errors import MomentError, StorageError
from classpulse.insight.moments import LEFT, MAX_LABEL, SAID, Alert, Answer, Mark
from classpulse.storage.database import reader_of, told_plainly
from classpulse.storage.moment_tables import MAX_PARTICIPANT, MAX_REASON, AlertRow, AnswerRow, MarkRow
from classpulse.storage.tables import SessionRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, Row

MAX_MARKS = 2000
"""Marks of one class."""
MAX_ANSWERS = 20_000
"""Answers of one class: forty students who each say something every minute of an eight hours' day."""
MAX_ALERTS = 2000
"""Alerts of one class."""

SAME_TIME_S = 0.0005
"""Times that differ by less are one: pages and files may round to a millisecond."""

MomentRow = type[MarkRow | AnswerRow | AlertRow]


class Moments:
    """The marks, answers and alerts of every class; got by `Store.moments`. May be used from any thread.

    What adds raises `MomentError` where something is not as it must be or the class has its most of it, and
    every method raises `StorageError` where the database does not answer. A class that is not stored has none.
    """

    def __init__(self, engine: Engine) -> None:
        """Take a migrated database."""
        self._engine = engine
        self._reader = reader_of(engine)

    def marks(self, session_id: int) -> list[Mark]:
        """The marks of a class, in the order of their time."""
        return [Mark(row.time_s, row.label, row.how) for row in self._of(MarkRow, session_id)]

    def answers(self, session_id: int) -> list[Answer]:
        """What students of a class said, and when those who had said something left, in the order of time."""
        return [Answer(row.time_s, row.participant, row.said) for row in self._of(AnswerRow, session_id)]

    def alerts(self, session_id: int) -> list[Alert]:
        """The alerts of a class, in the order of their time."""
        return [Alert(row.time_s, row.kind, row.reason) for row in self._of(AlertRow, session_id)]

    def add_mark(self, session_id: int, mark: Mark) -> None:
        """Add one mark.

        Raises:
            StorageError: there is no such class.
        """
        self.add_marks(session_id, [mark])

    def add_marks(self, session_id: int, marks: Sequence[Mark]) -> None:
        """Add several marks, or none where one of them cannot be taken.

        Raises:
            StorageError: there is no such class.
        """
        for mark in marks:
            check_mark(mark)
        rows = [{"time_s": mark.time_s, "label": mark.label, "how": mark.how} for mark in marks]
        self._add(MarkRow, session_id, rows, MAX_MARKS)

    def remove_mark(self, session_id: int, mark: Mark) -> None:
        """Take away a mark of this time (to a millisecond) and label; of several, the first.

        Raises:
            MomentError: there is none.
        """
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            number = mark_number(connection, session_id, mark.time_s, mark.label)
            if number is None:
                message = f"class {session_id} has no mark {mark.label!r} at {mark.time_s:g} s"
                raise MomentError(message)
            connection.execute(delete(MarkRow).where(MarkRow.id == number))

    def add_answer(self, session_id: int, answer: Answer) -> None:
        """Add what a student said; earlier answers stay, and the last one counts.

        Raises:
            StorageError: there is no such class.
        """
        check_answer(answer)
        row = {"time_s": answer.time_s, "participant": answer.participant, "said": answer.said}
        self._add(AnswerRow, session_id, [row], MAX_ANSWERS)

    def remove_answers(self, session_id: int, participant: str) -> None:
        """Delete all that one participant of a class said."""
        theirs = delete(AnswerRow).where(AnswerRow.session_id == session_id, AnswerRow.participant == participant)
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            connection.execute(theirs)

    def add_alert(self, session_id: int, alert: Alert) -> None:
        """Add an alert; a reason that is too long for the column is cut.

        Raises:
            StorageError: there is no such class.
        """
        _check_time(alert.time_s)
        row = {"time_s": alert.time_s, "kind": alert.kind, "reason": alert.reason[:MAX_REASON]}
        self._add(AlertRow, session_id, [row], MAX_ALERTS)

    def _of(self, row: MomentRow, session_id: int) -> Sequence[Row[Any]]:
        query = select(row.__table__).where(row.session_id == session_id).order_by(row.time_s, row.id)
        with told_plainly(self._engine.url), self._reader.connect() as connection:
            return connection.execute(query).all()

    def _add(self, row: MomentRow, session_id: int, values: Sequence[dict[str, Any]], most: int) -> None:
        """Count and add in one transaction, so that two who add at once do not pass the most together."""
        if not values:
            return
        with told_plainly(self._engine.url), self._engine.begin() as connection:
            there = count_of(connection, row, session_id)
            if there is None:
                message = f"there is no class {session_id}: `classpulse sessions` lists them"
                raise StorageError(message)
            if there + len(values) > most:
                message = (
                    f"class {session_id} has {there} {row.__tablename__}, and no class may have more than {most}: "
                    f"{len(values)} cannot be added"
                )
                raise MomentError(message)
            connection.execute(insert(row), [{"session_id": session_id, **one} for one in values])


def count_of(connection: Connection, row: MomentRow, session_id: int) -> int | None:
    """How many rows of a kind a class has, which nobody else adds to before the transaction is over; None: no class."""
    # On a server the class's row is the lock that keeps two from counting at once; SQLite has one writer.
    lock = select(SessionRow.id).where(SessionRow.id == session_id).with_for_update(key_share=True)
    if connection.scalar(lock) is None:
        return None
    has = select(func.count()).select_from(row).where(row.session_id == session_id)
    return connection.scalar(has) or 0


def mark_number(connection: Connection, session_id: int, time_s: float, label: str) -> int | None:
    """The number of the row of a mark, to a millisecond; of several that are alike, the first."""
    near = func.abs(MarkRow.time_s - time_s) < SAME_TIME_S
    found = select(func.min(MarkRow.id)).where(MarkRow.session_id == session_id, MarkRow.label == label, near)
    return connection.scalar(found)


def check_mark(mark: Mark) -> None:
    """Refuse what is no mark.

    Raises:
        MomentError: the label is empty, too long or holds control characters, or the time is none.
    """
    _check_time(mark.time_s)
    if not mark.label.strip():
        message = "a mark needs a label of a word or two, such as: new topic"
        raise MomentError(message)
    if len(mark.label) > MAX_LABEL:
        message = f"the label of a mark has {len(mark.label)} characters: {MAX_LABEL} at most"
        raise MomentError(message)
    if any(not character.isprintable() for character in mark.label):
        message = f"the label {mark.label!r} of a mark holds characters that cannot be shown: letters, digits and signs"
        raise MomentError(message)


def check_answer(answer: Answer) -> None:
    """Refuse what is no answer.

    Raises:
        MomentError: the answer is none of `SAID` or `LEFT`, the participant has no id or too long a one, or there is
            no time.
    """
    _check_time(answer.time_s)
    if answer.said not in {*SAID, LEFT}:
        message = f"{answer.said!r} is no answer: {', '.join(SAID)} are"
        raise MomentError(message)
    if not 0 < len(answer.participant) <= MAX_PARTICIPANT or not answer.participant.isprintable():
        message = f"a participant's id has 1 to {MAX_PARTICIPANT} characters that can be shown"
        raise MomentError(message)


def _check_time(time_s: float) -> None:
    if not math.isfinite(time_s):
        message = f"{time_s} is no time in a class: seconds from its beginning are"
        raise MomentError(message)
