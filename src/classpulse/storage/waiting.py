"""What a class has for the database and the database has not taken yet. May be used from any thread."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from classpulse.storage.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from classpulse.storage.batch import Doubt, Values
    from classpulse.storage.notes import Note

MAX_WAITING = 20_000
"""Observations, and appearances, that wait for the database at most; the oldest go first. About 10 MB."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the database has not taken.

    Attributes:
        waiting: rows that wait for it.
        lost: rows that it did not take in time.
        trouble: whether it takes nothing now, or does not answer.
    """

    waiting: int = 0
    lost: int = 0
    trouble: bool = False


class Waiting:
    """Rows that wait, and those that are on their way in this moment.

    Attributes:
        lost: observations that had to go because too many waited, or that the database will never take.
    """

    def __init__(self) -> None:
        """Nothing waits."""
        self.lost = 0
        self._lock = threading.Lock()
        self._observations: deque[Values] = deque()
        self._windows: list[Values] = []
        self._appearances: deque[Values] = deque(maxlen=MAX_WAITING)
        self._notes: list[Note] = []
        self._forgotten: set[int] = set()  # tracks of whom nothing is stored
        self._unforgotten: list[int] = []  # those whose rows are still to be deleted
        self._doubts: tuple[Doubt, ...] = ()
        self._careful = False
        self._sent: Batch | None = None

    def __len__(self) -> int:
        """How many rows and notes wait, those that are on their way not counted."""
        with self._lock:
            return len(self._observations) + len(self._windows) + len(self._appearances) + len(self._notes)

    @property
    def noted(self) -> bool:
        """Whether the database has all notes."""
        with self._lock:
            return not self._notes and (self._sent is None or not self._sent.notes)

    @property
    def forgets(self) -> bool:
        """Whether somebody waits for something to be deleted."""
        with self._lock:
            return bool(self._unforgotten) or any(note.forgets for note in self._notes)

    def add_observations(self, rows: Iterable[Values]) -> None:
        """Take observations, but those of tracks that were forgotten."""
        with self._lock:
            self._observations.extend(row for row in rows if row["track"] not in self._forgotten)
            self._trim()

    def add_window(self, row: Values) -> None:
        """Take a window."""
        with self._lock:
            self._windows.append(row)

    def add_appearance(self, row: Values) -> None:
        """Take an appearance."""
        with self._lock:
            self._appearances.append(row)

    def add_note(self, note: Note) -> None:
        """Take a note."""
        with self._lock:
            self._notes.append(note)

    def forget(self, track: int) -> None:
        """Take no more of a track, and have what is there of it deleted."""
        with self._lock:
            self._forgotten.add(track)
            self._unforgotten.append(track)
            self._observations = deque(row for row in self._observations if row["track"] != track)

    def take(self) -> Batch:
        """All that waits, to be written now; `taken` or `put_back` says what became of it."""
        with self._lock:
            batch = self._sent = self._batch()
            self._observations, self._windows = deque(), []
            self._notes, self._unforgotten = [], []
            self._appearances.clear()
            return batch

    def taken(self, batch: Batch) -> None:
        """The database has it."""
        with self._lock:
            self.lost += batch.refused
            self._sent, self._doubts, self._careful = None, (), False

    def put_back(self, batch: Batch, *, refused: bool, committing: bool) -> None:
        """The database does not have it or, if the line broke while it was committed, nobody knows.

        Args:
            batch: from `take`.
            refused: whether a row of it will never be taken.
            committing: whether it was being committed.
        """
        with self._lock:
            self._sent, self._careful = None, refused
            self._doubts = (batch.doubt(),) if committing else batch.doubts
            self._unforgotten[:0] = batch.gone
            kept = [row for row in batch.observations if row["track"] not in self._forgotten]
            self._observations.extendleft(reversed(kept))
            appearances = [*batch.appearances, *self._appearances]
            self._appearances = deque(appearances, MAX_WAITING)
            self._windows[:0] = batch.windows
            self._notes[:0] = batch.notes
            self._trim()

    def everything(self) -> Batch:
        """All that waits with all that is on its way, whose fate is in doubt; nothing changes."""
        with self._lock:
            batch, sent = self._batch(), self._sent
            if sent is None:
                return batch
            kept = [row for row in sent.observations if row["track"] not in self._forgotten]
            return replace(
                batch,
                observations=[*kept, *batch.observations],
                windows=[*sent.windows, *batch.windows],
                appearances=[*sent.appearances, *batch.appearances],
                notes=[*sent.notes, *batch.notes],
                gone=[*sent.gone, *batch.gone],
                doubts=(*sent.doubts, sent.doubt()),
            )

    def _batch(self) -> Batch:
        return Batch(
            list(self._observations),
            list(self._windows),
            list(self._appearances),
            list(self._notes),
            list(self._unforgotten),
            datetime.now(UTC),
            self._doubts,
            self._careful,
        )

    def _trim(self) -> None:
        while len(self._observations) > MAX_WAITING:
            self._observations.popleft()
            self.lost += 1
