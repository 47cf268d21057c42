"""A whole class, for hours: source -> pipeline -> store and hub, on a thread of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from classpulse.errors import ClassPulseError, PolicyError
from classpulse.hub import Hub
from classpulse.insight.engagement import ClassWindow, RollingWindow, WindowBuilder
from classpulse.pipeline import Pipeline
from classpulse.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from classpulse.settings import Jurisdiction, Settings
    from classpulse.sources import Source, SourceKind
    from classpulse.storage.recorder import HowEnded, SessionRecorder
    from classpulse.storage.store import Store
    from classpulse.types import Frame, FrameResult

PUBLISH_EVERY_S = 0.25
HISTORY_S = 30 * 60.0
RATE_OVER_S = 3.0


class Runner:
    """Runs one class; what the live page's buttons call.

    Attributes:
        hub: where the newest state is.
        ready: set once the class runs, waits for an answer, or has failed.
    """

    def __init__(
        self,
        kind: SourceKind,
        settings: Settings,
        store: Store | None,
        *,
        fast: bool = False,
        listeners: Sequence[Callable[[Frame, FrameResult], None]] = (),
        on_open: Callable[[Source], None] | None = None,
    ) -> None:
        """Prepare a class; nothing is opened before `start`.

        Args:
            kind: the source.
            settings: all settings, with the jurisdiction in force.
            store: where the class is stored; None stores nothing.
            fast: whether a file is processed flat out.
            listeners: called with every frame and its result, on the runner's thread.
            on_open: called with the source once it is open.
        """
        self.hub = Hub()
        self.ready = threading.Event()
        self._kind = kind
        self._settings = settings
        self._store = store
        self._fast = fast
        self._listeners = list(listeners)
        self._on_open = on_open
        self._source: Source | None = None
        self._stopping = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._answered = threading.Event()
        self._error: BaseException | None = None
        self._publishing = threading.Lock()
        self._thread = threading.Thread(target=self._guarded, name="runner", daemon=True)
        self._publish(
            phase="asking" if self._must_ask else "starting",
            source=kind.name,
            jurisdiction=settings.jurisdiction,
            demo=kind.kind == "demo",
            individual=kind.kind == "demo" if settings.individual is None else settings.individual,
            min_group=settings.window.min_group,
        )

    @property
    def _must_ask(self) -> bool:
        return self._kind.real and self._settings.jurisdiction is None

    @property
    def failed(self) -> bool:
        """Whether the class has ended with an error."""
        return self._error is not None

    def listen(self, listener: Callable[[Frame, FrameResult], None]) -> None:
        """Add a listener before the start."""
        self._listeners.append(listener)

    # What the page may ask.

    def pause(self) -> None:
        """Stop looking until `resume`; nothing is read or stored meanwhile."""
        if self.hub.state.phase == "running":
            self._go.clear()
            self._publish(phase="paused", now=None, result=None)

    def resume(self) -> None:
        """Go on after a pause."""
        if self.hub.state.phase == "paused":
            self._publish(phase="running")
            self._go.set()

    def stop(self) -> None:
        """End the class."""
        self._stopping.set()
        self._go.set()
        self._answered.set()
        if self._source is not None:
            self._source.close()

    def answer_jurisdiction(self, jurisdiction: Jurisdiction, answered_by: str) -> None:
        """Say which law is in force, when the phase is `"asking"`; it is stored with who said so.

        Raises:
            PolicyError: nobody asked.
        """
        if not self._must_ask:
            message = "the jurisdiction is already set: to change it, run `classpulse policy set`"
            raise PolicyError(message)
        if self._store is not None:
            self._store.set_jurisdiction(jurisdiction, answered_by=answered_by, how="page")
        self._settings = self._settings.model_copy(update={"jurisdiction": jurisdiction})
        self._publish(phase="starting", jurisdiction=jurisdiction)
        self._answered.set()

    # The class.

    def start(self) -> None:
        """Begin on the runner's own thread."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; returns whether it is there, and raises what went wrong."""
        self._thread.join(timeout_s)
        if self._error is not None:
            raise self._error
        return not self._thread.is_alive()

    def _guarded(self) -> None:
        try:
            if self._must_ask:
                self.ready.set()
                self._answered.wait()
            if not self._stopping.is_set():
                self._run()
            self._publish(phase="ended", now=None, result=None)
        except BaseException as error:  # noqa: BLE001 - carried to the thread that joins
            self._error = error
            text = str(error) if isinstance(error, ClassPulseError) else f"{type(error).__name__}: {error}"
            self._publish(phase="ended", trouble=text, now=None, result=None)
        finally:
            self.ready.set()

    def _run(self) -> None:
        pipeline = Pipeline(self._settings)
        self._source = source = open_source(self._kind.target, self._settings.stream, fast=self._fast)
        if self._on_open is not None:
            self._on_open(source)
        recorder = self._start_session(pipeline)
        how: HowEnded = "failed"
        try:
            self._publish(phase="running", session_id=recorder.session_id if recorder else None)
            self.ready.set()
            self._follow(pipeline, source, recorder)
            how = "stopped" if self._stopping.is_set() else "ended"
        finally:
            source.close()
            self._publish(health=source.health)
            if recorder is not None:
                recorder.finish(how, frames=source.health.frames, dropped=source.health.dropped)

    def _start_session(self, pipeline: Pipeline) -> SessionRecorder | None:
        if self._store is None:
            return None
        state = self.hub.state
        return self._store.start_session(
            self._kind.name,
            kind=self._kind.kind,
            jurisdiction=state.jurisdiction,
            demo=state.demo,
            min_group=state.min_group,
            labels=pipeline.labels,
            observations_hz=self._settings.storage.observations_hz,
        )

    def _follow(self, pipeline: Pipeline, source: Source, recorder: SessionRecorder | None) -> None:
        progress = Progress(self._settings.window.length_s)
        watch = threading.Thread(target=self._watch, args=(source, recorder), name="watch", daemon=True)
        watch.start()
        for frame in source.frames():
            if self._stopping.is_set():
                break
            if not self._go.is_set():
                self._go.wait()
                progress.forget_now()
                continue
            result = pipeline.process(frame)
            finished = progress.add(result, age_s=time.monotonic() - frame.captured_at)
            if recorder is not None:
                recorder.add(result)
                if finished is not None:
                    recorder.add_window(finished)
            for listener in self._listeners:
                listener(frame, result)
            if progress.due():
                self._publish(**progress.state(individual=self.hub.state.individual))
        last = progress.finish()
        if last is not None and recorder is not None:
            recorder.add_window(last)
        self._publish(**progress.state(individual=False))

    def _watch(self, source: Source, recorder: SessionRecorder | None) -> None:
        """Tell how the source and the store are doing, also while no frame comes."""
        while self._thread.is_alive() and self.hub.state.phase != "ended":
            self._publish(health=source.health, trouble=recorder.trouble if recorder else "")
            self._stopping.wait(PUBLISH_EVERY_S * 2)

    def _publish(self, **changes: Any) -> None:  # noqa: ANN401 - fields of LiveState, checked by replace
        with self._publishing:
            self.hub.publish(replace(self.hub.state, **changes))


class Progress:
    """Results on their way to figures: windows, rates and ages."""

    def __init__(self, length_s: float) -> None:
        """Begin with class windows of `length_s`."""
        self._builder = WindowBuilder(length_s)
        self._rolling = RollingWindow(length_s)
        self._history: deque[ClassWindow] = deque(maxlen=round(HISTORY_S / length_s))
        self._done: deque[float] = deque()
        self._published = -PUBLISH_EVERY_S
        self._age_s = 0.0
        self._last: FrameResult | None = None

    def add(self, result: FrameResult, *, age_s: float) -> ClassWindow | None:
        """Take a result that is `age_s` old; returns the class window that it closes, if it does."""
        now = time.monotonic()
        self._done.append(now)
        while now - self._done[0] > RATE_OVER_S:
            self._done.popleft()
        self._age_s += 0.2 * (age_s - self._age_s)
        self._last = result
        self._rolling.add(result)
        finished = self._builder.add(result)
        if finished is not None:
            self._history.append(finished)
        return finished

    def forget_now(self) -> None:
        """After a pause the past is not now."""
        self._rolling.clear()
        self._done.clear()

    def due(self) -> bool:
        """Whether it is time to publish again."""
        now = time.monotonic()
        if now - self._published < PUBLISH_EVERY_S:
            return False
        self._published = now
        return True

    def finish(self) -> ClassWindow | None:
        """Close the window that is still open."""
        last = self._builder.finish()
        if last is not None:
            self._history.append(last)
        return last

    def state(self, *, individual: bool) -> dict[str, Any]:
        """The fields of `LiveState` that results change."""
        span = self._done[-1] - self._done[0] if len(self._done) > 1 else 0.0
        return {
            "elapsed_s": self._last.time_s if self._last else 0.0,
            "results_per_s": (len(self._done) - 1) / span if span > 0 else 0.0,
            "age_ms": 1000 * self._age_s,
            "now": self._rolling.window(),
            "history": tuple(self._history),
            "result": self._last if individual else None,
        }
