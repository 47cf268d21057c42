"""What is noted in the class that runs: the teacher's marks and the students' answers.

All is shown at once and handed to the recorder, which writes it as it writes results: no call waits for the database,
and nothing is refused or lost while that is away.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from classpulse.errors import MomentError, StorageError
from classpulse.insight.answers import AnswerBook
from classpulse.insight.moments import Answer, Mark
from classpulse.storage.moments import MAX_ANSWERS, MAX_MARKS, SAME_TIME_S, check_answer, check_mark
from classpulse.texts import phrase

if TYPE_CHECKING:
    from classpulse.hub import LiveState
    from classpulse.insight.moments import Left, Said
    from classpulse.storage.recorder import SessionRecorder
    from classpulse.storage.store import Store

SHOWN_MARKS = 200
"""Marks that the page is told of, the newest: it is told of them four times a second."""

SAME_MARK_S = 1.0
"""A mark of the same label sooner than this, by the clock of the class, is the same mark: a finger that hit twice."""

SAME_ANSWER_S = 10.0
"""The same answer of the same participant is not written down again so soon: a finger that hits twice says it once."""


LOOK_EVERY_S = 2.0
"""How often marks that came another way are looked for."""


class Notebook:
    """The marks and answers of one class. May be used from any thread."""

    def __init__(self, store: Store | None, min_group: int | None = None) -> None:
        """Start empty.

        Args:
            store: where other processes may add marks too; None if the class is not stored.
            min_group: fewest students behind a change of the counts; None for the demo, whose students are not there.
        """
        self._store = store
        self._recorder: SessionRecorder | None = None
        self._lock = threading.Lock()
        self._marks: list[Mark] = []
        self._book = AnswerBook(min_group)
        self._key = secrets.token_bytes(32)
        self._asked = False
        self._ended = False
        self._given = Counter[str]()  # answers of each participant
        self._changes = 0
        self._looked = -LOOK_EVERY_S

    def begin(self, recorder: SessionRecorder | None) -> None:
        """Have it written from now on; None writes nothing."""
        self._recorder = recorder

    def end(self) -> None:
        """The class is over: what is noted from now on would not be written, and is refused."""
        with self._lock:
            self._ended = True

    def _require_open(self) -> None:
        if self._ended:
            raise MomentError(phrase("This class has ended."))

    def mark(self, time_s: float, label: str) -> None:
        """Note something; what was noted within the last second is not noted again.

        Raises:
            MomentError: the label is none, the class has as many marks as it may have, or it is over.
        """
        mark = Mark(round(time_s, 3), label.strip())
        check_mark(mark)
        with self._lock:
            self._require_open()
            if any(one.label == mark.label and abs(one.time_s - mark.time_s) < SAME_MARK_S for one in self._marks):
                return
            if len(self._marks) >= MAX_MARKS:
                message = f"this class has {MAX_MARKS} marks, and no class may have more"
                raise MomentError(message)
            if self._recorder is not None:
                self._recorder.add_mark(mark)
            self._marks.append(mark)
            self._changes += 1

    def unmark(self, time_s: float, label: str) -> None:
        """Take a mark away.

        Raises:
            MomentError: there is none of this time and label, or the class is over.
        """
        with self._lock:
            self._require_open()
            alike = [m for m in self._marks if m.label == label and abs(m.time_s - time_s) < SAME_TIME_S]
            if not alike:
                message = f"there is no mark {label!r} at {time_s:g} s in this class"
                raise MomentError(message)
            if self._recorder is not None:
                self._recorder.remove_mark(alike[0])
            self._marks.remove(alike[0])
            self._changes += 1

    def look(self) -> None:
        """Take over marks that another process put into this class or took out of it, as `classpulse marks` does.

        May be called as often as one likes: it reads every `LOOK_EVERY_S`, and nobody else waits meanwhile.
        """
        now, recorder = time.monotonic(), self._recorder
        if self._store is None or recorder is None or now - self._looked < LOOK_EVERY_S:
            return
        self._looked, changes = now, self._changes
        if not recorder.noted:  # what waits is not in what would be read
            return
        with suppress(StorageError):  # the recorder tells, if the store does not answer
            marks = self._store.moments.marks(recorder.session_id)
            with self._lock:
                if self._changes == changes:  # nor is what was noted meanwhile
                    self._marks = marks

    def answer(self, time_s: float, participant: str, said: Said | Left) -> None:
        """Take what a student says, or that they left, in the place of what they said before.

        Raises:
            MomentError: it is no answer, the class has as many as it may have, or it is over.
        """
        check_answer(Answer(time_s, participant, said))
        answer = Answer(round(time_s, 3), self._alias_of(participant), said)
        with self._lock:
            self._require_open()
            if self._book.repeats(answer, SAME_ANSWER_S):
                return
            if self._given.total() >= MAX_ANSWERS:
                message = f"this class has {MAX_ANSWERS} answers, and no class may have more"
                raise MomentError(message)
            self._book.update(answer)
            self._asked = True
            self._given[answer.participant] += 1
            if self._recorder is not None:
                self._recorder.add_answer(answer)

    def forget(self, participant: str) -> None:
        """Delete what a student said in this class."""
        alias = self._alias_of(participant)
        with self._lock:
            self._book.forget(alias)
            del self._given[alias]
            if self._recorder is not None:
                self._recorder.remove_answers(alias)

    def _alias_of(self, participant: str) -> str:
        """What a participant is called in the store: told by a key that ends with the class, it leads to nobody."""
        return hashlib.blake2b(participant.encode(), key=self._key, digest_size=16).hexdigest()

    def fill(self, state: LiveState) -> LiveState:
        """A state with what is noted now."""
        with self._lock:
            answers = self._book.counts(state.elapsed_s) if self._asked else None
            return replace(state, marks=tuple(self._marks[-SHOWN_MARKS:]), answers=answers)
