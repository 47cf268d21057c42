"""What is said and done in a class that runs, on its way into the store: in order, with the next batch of results."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, Self

from sqlalchemy import delete, insert

from classpulse.storage.moment_tables import MAX_REASON, AlertRow, AnswerRow, MarkRow
from classpulse.storage.moments import MAX_ALERTS, MAX_ANSWERS, MAX_MARKS, count_of, mark_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from classpulse.insight.moments import Alert, Answer, Mark
    from classpulse.storage.moments import MomentRow

NoteKind = Literal["mark", "unmark", "answer", "unanswer", "alert"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Note:
    """One thing to be written down, or to be taken back.

    Attributes:
        kind: `"mark"`, `"answer"` and `"alert"` add a row; `"unmark"` takes the mark of this time and label away, and
            `"unanswer"` all answers of a participant.
        values: the columns that it takes, without the class.
    """

    kind: NoteKind
    values: dict[str, Any]

    @classmethod
    def mark(cls, mark: Mark) -> Self:
        """Add a mark."""
        return cls("mark", {"time_s": mark.time_s, "label": mark.label, "how": mark.how})

    @classmethod
    def unmark(cls, mark: Mark) -> Self:
        """Take a mark away; where there is none of its time and label any more, that is what was wanted."""
        return cls("unmark", {"time_s": mark.time_s, "label": mark.label})

    @classmethod
    def answer(cls, answer: Answer) -> Self:
        """Add what a student said."""
        return cls("answer", {"time_s": answer.time_s, "participant": answer.participant, "said": answer.said})

    @classmethod
    def unanswer(cls, participant: str) -> Self:
        """Delete all that a participant said."""
        return cls("unanswer", {"participant": participant})

    @classmethod
    def alert(cls, alert: Alert) -> Self:
        """Add an alert; a reason that is too long for the column is cut."""
        return cls("alert", {"time_s": alert.time_s, "kind": alert.kind, "reason": alert.reason[:MAX_REASON]})

    @property
    def forgets(self) -> bool:
        """Whether somebody wants something deleted: that is done also after the class, and twice as well as once."""
        return self.kind == "unanswer"


def write_notes(connection: Connection, session_id: int, notes: Iterable[Note]) -> None:
    """Write notes in their order; what a class has too many of is left out."""
    for kind, some in groupby(notes, lambda note: note.kind):
        values = [note.values for note in some]
        if kind == "unmark":
            for one in values:
                number = mark_number(connection, session_id, one["time_s"], one["label"])
                connection.execute(delete(MarkRow).where(MarkRow.id == number))
        elif kind == "unanswer":
            whose = {one["participant"] for one in values}
            theirs = AnswerRow.session_id == session_id, AnswerRow.participant.in_(whose)
            connection.execute(delete(AnswerRow).where(*theirs))
        else:
            _add(connection, session_id, kind, values)


def _add(connection: Connection, session_id: int, kind: NoteKind, values: list[dict[str, Any]]) -> None:
    row: MomentRow = {"mark": MarkRow, "answer": AnswerRow, "alert": AlertRow}[kind]  # type: ignore[assignment]
    most = {MarkRow: MAX_MARKS, AnswerRow: MAX_ANSWERS, AlertRow: MAX_ALERTS}[row]
    room = max(0, most - (count_of(connection, row, session_id) or 0))
    if len(values) > room:
        _log.warning("class %d has %d %s: %d are left out", session_id, most, row.__tablename__, len(values) - room)
    if values[:room]:
        connection.execute(insert(row), [{"session_id": session_id, **one} for one in values[:room]])
