"""Writing one class while it runs, on a thread of its own: the class never waits for the disk."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import update
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from classpulse.storage.batch import Batch, Doubt
from classpulse.storage.database import explain, is_server, place_of
from classpulse.storage.tables import SessionRow, WindowRow
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from classpulse.insight.appearances import Appearance
    from classpulse.insight.engagement import ClassWindow
    from classpulse.types import FrameResult

COMMIT_EVERY_S = 0.5
"""A process that is killed loses what came after its last commit: so much, and the time one takes."""

MAX_WAITING = 20_000
"""Observations, and appearances, that wait for the database at most; the oldest go first. About 10 MB."""

FINISH_TRIES = 2
FINISH_TIMEOUT_S = 12.0
SERVER_PATIENCE_S = 20.0
"""A server that is being restarted is back by then: so much longer the end of a class waits for one."""

SILENT_S = 6.0
"""After so long without an answer the database is told to be in trouble, though it has not refused anything."""

HowEnded = Literal["ended", "stopped", "failed"]

_log = logging.getLogger(__name__)


class SessionRecorder:
    """Takes one session's results and windows; no call waits for the database or raises.

    Of each track one observation is kept in every interval of `1 / observations_hz` seconds of the results'
    own clock. While the database takes nothing, the newest observations and all windows wait in memory.

    Attributes:
        session_id: the session's number.
    """

    def __init__(self, engine: Engine, session_id: int, observations_hz: float) -> None:
        """Begin to write; `Store.start_session` calls this."""
        self.session_id = session_id
        self._engine = engine
        self._observations_hz = observations_hz
        self._lock = threading.Lock()
        self._observations: deque[dict[str, Any]] = deque()
        self._windows: list[dict[str, Any]] = []
        self._appearances: deque[dict[str, Any]] = deque(maxlen=MAX_WAITING)
        self._doubt: Doubt | None = None
        self._asked_s: float | None = None
        self._interval = -1
        self._kept: set[int] = set()
        self._forgotten: set[int] = set()  # tracks of whom nothing is stored
        self._unforgotten: list[int] = []  # those whose rows are still to be deleted
        self._counts = {"frames": 0, "dropped": 0, "lost": 0}
        self._results = 0
        self._trouble = ""
        self._ending: dict[str, Any] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"session {session_id}", daemon=True)
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
        return self._counts["lost"]

    def add(self, result: FrameResult) -> None:
        """Take a result; what it adds to the interval's observations is written soon."""
        if self._closing.is_set() or not math.isfinite(result.time_s):
            return
        interval = math.floor(result.time_s * self._observations_hz)
        with self._lock:
            self._count(result.index)
            # A result that is a little late belongs to the interval before; it starts no new one.
            if interval not in (self._interval, self._interval - 1):
                self._interval = interval
                self._kept.clear()
            self._observations.extend(self._new_observations(result))
            self._trim()

    def add_window(self, window: ClassWindow) -> None:
        """Take a finished window."""
        if not self._closing.is_set():
            with self._lock:
                self._windows.append(WindowRow.values(self.session_id, window))

    def add_appearance(self, appearance: Appearance) -> None:
        """Take an appearance; it is written if the person's consent still stands in that moment."""
        if not self._closing.is_set():
            row = {
                "session_id": self.session_id,
                "person_id": appearance.person_id,
                "track": appearance.track,
                "start_s": round(appearance.start_s, 3),
                "end_s": round(appearance.end_s, 3),
                "confidence": round(appearance.confidence, 4),
                "how": "recognised",
            }
            with self._lock:
                self._appearances.append(row)

    def forget(self, track: int) -> None:
        """Delete the observations of a track soon, and take no more of it: somebody left and wants nothing kept."""
        with self._lock:
            self._forgotten.add(track)
            self._unforgotten.append(track)
            self._observations = deque(row for row in self._observations if row["track"] != track)

    def finish(self, how: HowEnded, *, frames: int | None = None, dropped: int | None = None) -> None:
        """Write what waits and close the session; only the first call counts.

        Args:
            how: `"ended"` (the source did), `"stopped"` (somebody did) or `"failed"`.
            frames: frames captured, if the source knows better than the results' own numbers.
            dropped: those of them that were never looked at.
        """
        with self._lock:
            if self._closing.is_set():
                return
            self._ending = {"ended_at": datetime.now(UTC), "ended_how": how}
            if frames is not None:
                self._counts["frames"] = frames
            if dropped is not None:
                self._counts["dropped"] = dropped
            self._closing.set()
        self._thread.join(FINISH_TIMEOUT_S + self._patience_s)
        if self._trouble:
            _log.warning("class %d was not closed: %s", self.session_id, self._trouble)

    @property
    def _patience_s(self) -> float:
        return SERVER_PATIENCE_S if is_server(self._engine) else 0.0

    def _count(self, index: int) -> None:
        self._results += 1
        self._counts["frames"] = max(self._counts["frames"], index + 1, self._results)
        self._counts["dropped"] = self._counts["frames"] - self._results

    def _new_observations(self, result: FrameResult) -> Iterator[dict[str, Any]]:
        names = result.emotions.names() if result.emotions is not None else [None] * len(result)
        for i, (track, name) in enumerate(zip(result.tracks.ids.tolist(), names, strict=True)):
            if track in self._kept or track in self._forgotten:
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

    def _trim(self) -> None:
        while len(self._observations) > MAX_WAITING:
            self._observations.popleft()
            self._counts["lost"] += 1

    # The writer's thread.

    def _run(self) -> None:
        began = time.monotonic()
        while not self._closing.wait(max(0.0, began + COMMIT_EVERY_S - time.monotonic())):
            began = time.monotonic()
            self._write()
        tries, deadline = 0, time.monotonic() + self._patience_s
        while not self._write():
            tries += 1
            if tries >= FINISH_TRIES:
                if time.monotonic() > deadline:
                    return
                time.sleep(COMMIT_EVERY_S)

    def _write(self) -> bool:
        """One transaction with all that waits and a sign of life; tells whether the database took it."""
        batch, session = self._take()
        committing = False
        self._asked_s = time.monotonic()
        try:
            with self._engine.begin() as connection:
                batch.write(connection, self.session_id)
                values = {"last_seen_at": batch.written_at, **session}
                connection.execute(update(SessionRow).where(SessionRow.id == self.session_id).values(values))
                committing = True
        except SQLAlchemyError as error:
            self._put_back(batch, error, committing=committing)
            return False
        finally:
            self._asked_s = None
        self._trouble, self._doubt = "", None
        return True

    def _take(self) -> tuple[Batch, dict[str, Any]]:
        with self._lock:
            observations, self._observations = list(self._observations), deque()
            windows, self._windows = self._windows, []
            appearances = list(self._appearances)
            self._appearances.clear()
            gone, self._unforgotten = self._unforgotten, []
            batch = Batch(observations, windows, appearances, gone, datetime.now(UTC), self._doubt)
            # A session that runs is not over, even if a process with a wrong clock took it for torn.
            return batch, {"ended_at": None, "ended_how": None, **self._counts, **self._ending}

    def _put_back(self, batch: Batch, error: SQLAlchemyError, *, committing: bool) -> None:
        refused = isinstance(error, DataError | IntegrityError)
        with self._lock:
            self._doubt = batch.doubt_about() if committing else batch.doubt
            self._unforgotten[:0] = batch.gone
            if refused:
                # It will never be taken: without it, what comes after can be.
                self._counts["lost"] += len(batch.observations)
            else:
                kept = [row for row in batch.observations if row["track"] not in self._forgotten]
                self._observations.extendleft(reversed(kept))
                self._appearances.extendleft(reversed(batch.appearances))
            self._trim()
            self._windows[:0] = batch.windows
        said = explain(error, self._engine.url)
        if not self._trouble:
            _log.warning("class %d cannot be written: %s", self.session_id, said)
        self._trouble = f"{said}; {phrase('figures are shown but not stored.')}"
