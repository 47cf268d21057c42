"""Writing one class while it runs, on a thread of its own: the class never waits for the disk."""

from __future__ import annotations

import logging
import math
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from classpulse.storage.batch import REFUSED
from classpulse.storage.database import explain, is_server, place_of
from classpulse.storage.notes import Note
from classpulse.storage.tables import SessionRow, WindowRow
from classpulse.storage.waiting import Backlog, Waiting
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from classpulse.insight.appearances import Appearance
    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Alert, Answer, Mark
    from classpulse.storage.batch import Batch
    from classpulse.storage.spool import Spool, Stored
    from classpulse.types import FrameResult

COMMIT_EVERY_S = 0.5
"""A process that is killed loses what came after its last commit: so much, and the time one takes."""

FINISH_TRIES = 2
FINISH_TIMEOUT_S = 12.0
SERVER_PATIENCE_S = 20.0
"""A server that is being restarted is back by then: so much longer the end of a class waits for one."""

KEEP_AFTER_S = 2.0
"""An end that takes longer than this is kept in a file meanwhile: whoever stops us may not wait as long."""

SILENT_S = 6.0
"""After so long without an answer the database is told to be in trouble, though it has not refused anything."""

HowEnded = Literal["ended", "stopped", "failed"]

_log = logging.getLogger(__name__)


class SessionRecorder:
    """Takes one session's results, windows and notes; no call but `finish` waits for the database, and none raises.

    Of each track one observation is kept in every interval of `1 / observations_hz` seconds of the results'
    own clock. While the database takes nothing, the newest observations and all else wait in memory; what still waits
    when the class is over goes into a file (see `spool`).

    Attributes:
        session_id: the session's number.
    """

    def __init__(self, engine: Engine, stored: Stored, spool: Spool, observations_hz: float) -> None:
        """Begin to write; `Store.start_session` calls this."""
        self.session_id = stored.id
        self._engine = engine
        self._stored, self._spool = stored, spool
        self._observations_hz = observations_hz
        self._lock = threading.Lock()
        self._waiting = Waiting()
        self._asked_s: float | None = None
        self._interval = -1
        self._kept: set[int] = set()
        self._frames = self._dropped = self._results = 0
        self._said = self._trouble = ""
        self._gave_up = False
        self._ending: dict[str, Any] = {}
        self._closing = threading.Event()
        self._keeping = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"session {stored.id}", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str:
        """One sentence while the database takes nothing, or does not answer; empty otherwise."""
        asked_s = self._asked_s
        waits_s = 0.0 if asked_s is None else time.monotonic() - asked_s
        if self._trouble or waits_s < SILENT_S:
            return self._trouble
        place = place_of(self._engine.url)
        said = f"The database {place} has not answered for {waits_s:.0f} s"
        return f"{said}; {phrase('figures are shown but not stored.')}"

    @property
    def lost(self) -> int:
        """Observations that the database did not take in time."""
        return self._waiting.lost

    @property
    def noted(self) -> bool:
        """Whether all marks, answers and alerts that were handed over are in the database."""
        return self._waiting.noted

    @property
    def over(self) -> bool:
        """Whether all that will ever be written is."""
        return self._closing.is_set() and not self._thread.is_alive()

    @property
    def backlog(self) -> Backlog:
        """What the database has not taken so far."""
        return Backlog(len(self._waiting), self.lost, bool(self.trouble))

    def add(self, result: FrameResult) -> None:
        """Take a result; what it adds to the interval's observations is written soon."""
        if self._closing.is_set() or not math.isfinite(result.time_s):
            return
        interval = math.floor(result.time_s * self._observations_hz)
        with self._lock:
            self._results += 1
            self._frames = max(self._frames, result.index + 1, self._results)
            self._dropped = self._frames - self._results
            # A result that is a little late belongs to the interval before; it starts no new one.
            if interval not in (self._interval, self._interval - 1):
                self._interval = interval
                self._kept.clear()
            self._waiting.add_observations(self._new_observations(result))

    def add_window(self, window: ClassWindow) -> None:
        """Take a finished window."""
        if not self._closing.is_set():
            self._waiting.add_window(WindowRow.values(self.session_id, window))

    def add_appearance(self, appearance: Appearance) -> None:
        """Take an appearance; it is written if the person's consent still stands in that moment."""
        if not self._closing.is_set():
            self._waiting.add_appearance(
                {
                    "session_id": self.session_id,
                    "person_id": appearance.person_id,
                    "track": appearance.track,
                    "start_s": round(appearance.start_s, 3),
                    "end_s": round(appearance.end_s, 3),
                    "confidence": round(appearance.confidence, 4),
                    "how": "recognised",
                }
            )

    def add_mark(self, mark: Mark) -> None:
        """Take a mark."""
        self._note(Note.mark(mark))

    def remove_mark(self, mark: Mark) -> None:
        """Take a mark away."""
        self._note(Note.unmark(mark))

    def add_answer(self, answer: Answer) -> None:
        """Take what a student said; earlier answers stay, and the last one counts."""
        self._note(Note.answer(answer))

    def remove_answers(self, participant: str) -> None:
        """Delete soon all that one participant said."""
        self._note(Note.unanswer(participant))

    def add_alert(self, alert: Alert) -> None:
        """Take an alert."""
        self._note(Note.alert(alert))

    def _note(self, note: Note) -> None:
        if note.forgets or not self._closing.is_set():
            self._waiting.add_note(note)
        self._forget_late()

    def forget(self, track: int) -> None:
        """Delete the observations of a track soon, and take no more of it: somebody left and wants nothing kept."""
        self._waiting.forget(track)
        self._forget_late()

    def _forget_late(self) -> None:
        """Whoever wants something deleted in the moment in which the class has ended waits for the database."""
        if self._closing.is_set() and not self._thread.is_alive() and (self._gave_up or not self._write()):
            self._keep(given_up=True)

    def finish(self, how: HowEnded, *, frames: int | None = None, dropped: int | None = None) -> None:
        """Write what waits and close the session, or keep it in a file if the database does not take it.

        Only the first call counts.

        Args:
            how: `"ended"` (the source did), `"stopped"` (somebody did) or `"failed"`.
            frames: frames captured, if the source knows better than the results' own numbers.
            dropped: those of them that were never looked at.
        """
        with self._lock:
            if self._closing.is_set():
                return
            self._ending = {"ended_at": datetime.now(UTC), "ended_how": how}
            self._frames = self._frames if frames is None else frames
            self._dropped = self._dropped if dropped is None else dropped
            self._closing.set()
        self._thread.join(KEEP_AFTER_S)
        if self._thread.is_alive():
            self._keep(given_up=False)
        self._thread.join(FINISH_TIMEOUT_S + self._patience_s - KEEP_AFTER_S)
        if self._trouble:
            _log.warning("class %d was not closed: %s", self.session_id, self._trouble)

    @property
    def _patience_s(self) -> float:
        return SERVER_PATIENCE_S if is_server(self._engine) else 0.0

    def _new_observations(self, result: FrameResult) -> Iterator[dict[str, Any]]:
        names = result.emotions.names() if result.emotions is not None else [None] * len(result)
        for i, (track, name) in enumerate(zip(result.tracks.ids.tolist(), names, strict=True)):
            if track in self._kept:
                continue
            self._kept.add(track)
            probabilities = None
            if name is not None and result.emotions is not None:
                probabilities = tuple(round(p, 4) for p in result.emotions.probabilities[i].tolist())
            box = (round(v, 1) for v in result.tracks.faces.boxes[i].tolist())
            yield {
                "session_id": self.session_id,
                "time_s": round(result.time_s, 3),
                "track": track,
                **dict(zip(("x0", "y0", "x1", "y1"), box, strict=True)),
                "confidence": round(float(result.tracks.faces.scores[i]), 4),
                "emotion": name,
                "probabilities": probabilities,
            }

    # The writer's thread.

    def _run(self) -> None:
        began = time.monotonic()
        while not self._closing.wait(max(0.0, began + COMMIT_EVERY_S - time.monotonic())):
            began = time.monotonic()
            self._write()
        tries, deadline = 0, time.monotonic() + self._patience_s
        # Somebody may leave, and wish to be forgotten, while the end is being written.
        while not self._write() or self._waiting.forgets:
            tries += 1
            if tries >= FINISH_TRIES:
                if time.monotonic() > deadline:
                    self._give_up()
                    return
                time.sleep(COMMIT_EVERY_S)
        with self._keeping:
            self._spool.drop(self._stored)

    def _write(self) -> bool:
        """One transaction with all that waits and a sign of life; tells whether the database took it."""
        batch = self._waiting.take()
        committing = False
        self._asked_s = time.monotonic()
        try:
            with self._engine.begin() as connection:
                batch.write(connection, self.session_id)
                values = {"last_seen_at": batch.written_at, **self._row(batch)}
                connection.execute(update(SessionRow).where(SessionRow.id == self.session_id).values(values))
                committing = True
        except Exception as error:  # noqa: BLE001 - whatever it is, the class goes on and its results wait
            self._waiting.put_back(batch, refused=isinstance(error, REFUSED), committing=committing)
            self._tell(error)
            return False
        finally:
            self._asked_s = None
        self._waiting.taken(batch)
        self._trouble = ""
        return True

    def _row(self, batch: Batch) -> dict[str, Any]:
        """What becomes of the session's row."""
        with self._lock:
            counts = {"frames": self._frames, "dropped": self._dropped, "lost": self._waiting.lost + batch.refused}
            # A session that runs is not over, even if a process with a wrong clock took it for torn.
            return {"ended_at": None, "ended_how": None, **counts, **self._ending}

    def _tell(self, error: Exception) -> None:
        if isinstance(error, SQLAlchemyError):
            said = explain(error, self._engine.url)
        else:
            said = f"The class cannot be written ({error!r})"
        if not self._trouble:
            _log.warning("class %d cannot be written: %s", self.session_id, said)
        self._said, self._trouble = said, f"{said}; {phrase('figures are shown but not stored.')}"

    def _keep(self, *, given_up: bool) -> bool:
        """Have what waits in a file, so that it is not lost with this process."""
        with self._keeping:
            batch = self._waiting.everything()
            ending = {"last_seen_at": batch.written_at, **self._row(batch)}
            return self._spool.keep(self._stored, batch, ending, given_up=given_up) is not None

    def _give_up(self) -> None:
        self._gave_up = True
        if self._keep(given_up=True):
            self._trouble = f"{self._said}; {phrase('what is not stored yet is kept here, and stored once it can be.')}"
