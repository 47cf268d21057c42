"""One process and the classes that run in it, as whoever looks after the server sees them."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Literal

from classpulse.errors import StorageError
from classpulse.operations.metrics import Metrics
from classpulse.operations.traces import open_tracer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from classpulse.hub import LiveState
    from classpulse.operations.metrics import Watched
    from classpulse.operations.traces import Tracer
    from classpulse.settings import Settings
    from classpulse.types import Frame, FrameResult

Part = Literal["database", "classes", "school", "draining"]

ANSWER_S = 3.0
"""How long the database may take to say that it is there."""
FRESH_S = 2.0
"""How long its last answer counts, so that those who ask often do not load it."""
NO_COURSE = 0
"""The number of a class that belongs to no course, as with `classpulse live`."""

_log = logging.getLogger(__name__)


class ClassWatch:
    """What one class tells while it runs; a `Runner` calls it, on any thread. No call waits or raises.

    Attributes:
        course: the class's number.
    """

    def __init__(self, course: int, metrics: Metrics, tracer: Tracer | None) -> None:
        """Watch a class; `Operations.watch` makes this."""
        self.course = course
        self._metrics, self._tracer = metrics, tracer
        self._phase = ""

    def attach(self, watched: Watched) -> None:
        """This is the class: it is told of from now on."""
        self._metrics.follow(self.course, watched)

    def stage(self, name: str, index: int, begin_s: float, end_s: float) -> None:
        """A stage of the pipeline has done its work for the frame `index`; times by `time.monotonic()`."""
        self._metrics.stages.labels(name).observe(end_s - begin_s)
        if self._tracer is not None:
            self._tracer.stage(self.course, index, name, begin_s, end_s)

    def result(self, frame: Frame, result: FrameResult) -> None:
        """A result is there."""
        metrics = self._metrics
        metrics.results.labels(self.course).inc()
        metrics.faces.labels(self.course).inc(len(result))
        metrics.ages.labels(self.course).observe(max(0.0, time.monotonic() - frame.captured_at))
        if self._tracer is not None:
            self._tracer.frame(self.course, result.index, frame.captured_at, len(result))

    def changed(self, state: LiveState) -> None:
        """The class has a new state; each phase is logged once."""
        if state.phase == self._phase:
            return
        self._phase = state.phase
        told: dict[str, object] = {
            "course": self.course,
            "session": state.session_id,
            "phase": state.phase,
            "jurisdiction": state.jurisdiction,
        }
        if state.phase == "ended":
            health = state.health
            told |= {
                "ended_how": state.ended_how,
                "elapsed_s": round(state.elapsed_s, 1),
                "frames": health.frames,
                "dropped": health.dropped,
            }
        _log.info("class %d: %s", self.course, state.phase, extra=told)


class Operations:
    """What a process counts, traces and says of its health. A context manager; may be used from any thread.

    Attributes:
        metrics: figures for Prometheus.
        tracer: turns samples into spans; None where nothing is traced.
        settings: all settings.
        keeps: whether a school's classes are looked after here; to be replaced where there is a school.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        database: Callable[[], None] | None = None,
        streams: Callable[[], int] = lambda: 0,
    ) -> None:
        """Begin.

        Args:
            settings: all settings.
            database: asks the database for a sign of life, and raises what is wrong; None where there is none.
            streams: how many event streams are open.

        Raises:
            SettingsError: traces are wanted, and OpenTelemetry is not installed.
        """
        self.settings = settings
        self.tracer = open_tracer(settings.trace)
        self.streams = streams
        self.keeps: Callable[[], bool] = lambda: True
        self.metrics = Metrics(lambda: self.streams(), lambda: not self.unready())  # noqa: PLW0108 - may be replaced
        self._database = database
        self._draining = threading.Event()
        self._asking = threading.Lock()
        self._answered = threading.Condition()
        self._answer: tuple[float, bool] = (-FRESH_S, True)

    # Classes.

    def watch(self, course: int = NO_COURSE) -> ClassWatch:
        """What a class of this number is to call; give it to its `Runner`."""
        return ClassWatch(course, self.metrics, self.tracer)

    def leave(self, course: int) -> None:
        """A class is over, and its figures are told no more."""
        self.metrics.leave(course)

    # Health.

    def drain(self) -> None:
        """The process is about to end: nobody new is to be sent here."""
        if not self._draining.is_set():
            self._draining.set()
            _log.info("draining: the process ends as soon as its classes have")

    def unready(self) -> list[Part]:
        """The parts that do not do their work; empty where the process is ready. Waits a few seconds at most."""
        parts: list[Part] = []
        if not self._database_answers():
            parts.append("database")
        if not all(one.alive for one in self.metrics.watched):
            parts.append("classes")
        if not self.keeps():
            parts.append("school")
        if self._draining.is_set():
            parts.append("draining")
        return parts

    def _database_answers(self) -> bool:
        if self._database is None:
            return True
        asked_s = time.monotonic()
        if asked_s - self._answer[0] >= FRESH_S and self._asking.acquire(blocking=False):
            # One asks at a time: a database that hangs holds one thread and no more.
            threading.Thread(target=self._ask, args=(self._database,), name="readiness", daemon=True).start()
        with self._answered:
            fresh = self._answered.wait_for(lambda: self._answer[0] > asked_s - FRESH_S, ANSWER_S)
        return fresh and self._answer[1]

    def _ask(self, database: Callable[[], None]) -> None:
        try:
            answers = self._ask_once(database)
            with self._answered:
                self._answer = (time.monotonic(), answers)
                self._answered.notify_all()
        finally:
            self._asking.release()

    def _ask_once(self, database: Callable[[], None]) -> bool:
        try:
            database()
        except StorageError as error:
            if self._answer[1]:
                _log.warning("not ready: %s", error)
            return False
        return True

    def close(self) -> None:
        """Send what is left of the traces."""
        if self.tracer is not None:
            self.tracer.close()

    def __enter__(self) -> Self:
        """The operations themselves."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close them."""
        self.close()
