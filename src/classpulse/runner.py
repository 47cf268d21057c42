"""A whole class, for hours: source -> pipeline -> store and hub, on a thread of its own.

Longer than other modules, as it is where all parts of a class meet: what each does is in a module of its own, and the
order in which they begin, run beside each other and end, also where one of them fails, is here and nowhere else.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from classpulse.errors import ClassPulseError, PolicyError, StorageError
from classpulse.hub import Hub
from classpulse.insight.appearances import AppearanceBuilder
from classpulse.joining.room import Room
from classpulse.law import answer_law
from classpulse.notebook import Notebook
from classpulse.pauses import Pauses
from classpulse.periodic import periodically
from classpulse.policy import Policy, tighten
from classpulse.progress import PUBLISH_EVERY_S, Progress
from classpulse.readers import CameraReader, open_reader
from classpulse.roll import Roll
from classpulse.storage.waiting import Backlog
from classpulse.vision.meeting import view_of
from classpulse.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from classpulse.cluster.connection import Cluster
    from classpulse.insight.moments import Left, Said
    from classpulse.joining.pictures import PictureReader
    from classpulse.operations import ClassWatch
    from classpulse.readers import Reader
    from classpulse.roll import GalleryFeed
    from classpulse.settings import Settings
    from classpulse.sources import Opened, SourceKind
    from classpulse.storage.recorder import HowEnded, SessionRecorder
    from classpulse.storage.store import Store
    from classpulse.types import Frame, FrameResult


class Runner:
    """Runs one class; what the live page's buttons call.

    Attributes:
        hub: where the newest state is.
        room: the students who take part by link; without one until somebody opens it.
        meeting: knows the tiles of a meeting's window; None for another source.
        ready: set once the class runs, waits for an answer, or has failed.
    """

    def __init__(  # noqa: PLR0913 - what a class is
        self,
        kind: SourceKind,
        settings: Settings,
        store: Store | None,
        *,
        policy: Policy | None = None,
        fast: bool = False,
        listeners: Sequence[Callable[[Frame, FrameResult], None]] = (),
        on_open: Callable[[Opened], None] | None = None,
        feed: GalleryFeed | None = None,
        course_id: int | None = None,
    ) -> None:
        """Prepare a class; nothing is opened before `start`.

        Args:
            kind: the source.
            settings: all settings; their jurisdiction can only tighten the policy.
            store: where the class is stored; None stores nothing.
            policy: the answer to which law is in force; None if nobody has given one.
            fast: whether a file is processed flat out.
            listeners: called with every frame and its result, on the runner's thread.
            on_open: called with the source once it is open.
            feed: tells whom to recognise, from one second to the next; None recognises nobody.
            course_id: the course of a school that it is stored under; None for a class of no school.
        """
        self.hub = Hub()
        self.ready = threading.Event()
        self.meeting = view_of(kind.kind, settings.screen)
        self._kind = kind
        self._settings = settings
        self._store = store
        self._course_id = course_id
        self._policy = tighten(policy or Policy(), settings.jurisdiction)
        self._fast = fast
        self._listeners = list(listeners)
        self._on_open = on_open
        self._cluster: Cluster | None = None
        self._watch: ClassWatch | None = None
        self._roll = Roll(feed)
        self._appearances = AppearanceBuilder()
        self._min_group = None if kind.kind == "demo" else settings.window.min_group
        self._notebook = Notebook(store, settings.window.min_group)  # who answers is there, also in the demo
        self._watching = Watching(settings, kind.name, self._min_group, camera=kind.kind != "join")
        self.room = Room(settings.join, camera=kind.kind != "join", on_answer=self.answer, on_erase=self._erase)
        self._reader: Reader | None = None
        self._recorder: SessionRecorder | None = None
        self._stopping = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._answered = threading.Event()
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._publishing = threading.RLock()  # so that a phase is looked at and left in one step
        self._pauses = Pauses()
        self._told = -math.inf, 0.0  # when a result was told last, by time.monotonic, and its time
        self._thread = threading.Thread(target=self._guarded, name="runner", daemon=True)
        self._publish(
            phase="asking" if self._must_ask else "starting",
            source=kind.name,
            jurisdiction=self._policy.jurisdiction,
            exemption=self._policy.exemption,
            demo=kind.kind == "demo",
            camera=kind.kind != "join",
            individual=kind.kind == "demo" if settings.individual is None else settings.individual,
            min_group=settings.window.min_group,
        )

    @property
    def _must_ask(self) -> bool:
        return self._kind.real and self._policy.jurisdiction is None

    @property
    def failed(self) -> bool:
        """Whether the class has ended with an error."""
        return self._error is not None

    @property
    def alive(self) -> bool:
        """Whether its thread runs, or has not begun, or has come to its end; a thread that is just gone has not."""
        return self._thread.ident is None or self._over.is_set() or self._thread.is_alive()

    @property
    def source_kind(self) -> str:
        """What kind of source it has, one word."""
        return self._kind.kind

    @property
    def backlog(self) -> Backlog:
        """What the database has not taken so far."""
        return Backlog() if self._recorder is None else self._recorder.backlog

    @property
    def student_pictures(self) -> PictureReader | None:
        """Reads the pictures of students' devices; None where there are none."""
        return self.room.pictures

    def listen(self, listener: Callable[[Frame, FrameResult], None]) -> None:
        """Add a listener before the start."""
        self._listeners.append(listener)

    def read_on(self, cluster: Cluster | None) -> None:
        """Have the class read on these machines, or here if there are none; before the start."""
        self._cluster = cluster

    def watched_by(self, watch: ClassWatch) -> None:
        """Tell whoever runs the server of results, phases and stages; to be called before the start."""
        self._watch = watch
        self._listeners.append(watch.result)
        watch.attach(self)

    # What the page may ask.

    def pause(self) -> None:
        """Stop looking until `resume`; nothing is read or stored meanwhile."""
        with self._publishing:
            if self.hub.state.phase == "running" and not self._stopping.is_set():
                self._go.clear()
                self._publish(phase="paused")

    def resume(self) -> None:
        """Go on after a pause."""
        with self._publishing:
            if self.hub.state.phase == "paused":
                self._publish(phase="running")
                self._go.set()

    def stop(self) -> None:
        """End the class."""
        with self._publishing:
            self._stopping.set()
            self._go.set()
        self._answered.set()
        if self._reader is not None:
            self._reader.close()

    def answer_jurisdiction(self, policy: Policy, answered_by: str) -> None:
        """Say which law is in force, when the phase is `"asking"`; it is stored with who said so.

        Raises:
            PolicyError: nobody asked, or it is no answer.
        """
        policy.require_live(self._kind.name)
        with self._publishing:  # of two who answer at once, one does
            if self.hub.state.phase != "asking":
                message = "the jurisdiction is already set: to change it, run `classpulse policy set`"
                raise PolicyError(message)
            if self._store is not None:
                answer_law(self._store, policy, answered_by, "page")
            self._policy = policy
            self._publish(phase="starting", jurisdiction=policy.jurisdiction, exemption=policy.exemption)
        self._answered.set()

    def mark(self, label: str) -> None:
        """Note something at this moment of the class."""
        self._notebook.mark(self.hub.state.elapsed_s, label)
        self._publish()

    def unmark(self, time_s: float, label: str) -> None:
        """Take a mark away."""
        self._notebook.unmark(time_s, label)
        self._publish()

    def answer(self, participant: str, said: Said | Left) -> None:
        """A student says how they follow, or leaves; it takes the place of what they said before."""
        self._notebook.answer(self.hub.state.elapsed_s, participant, said)
        self._publish()

    def _erase(self, participant: str, track: int) -> None:
        """A student leaves, and what is stored of them goes: what they said, and what was read of them."""
        self._notebook.forget(participant)
        if self._recorder is not None:
            self._recorder.forget(track)
        self._publish()

    def snooze(self, minutes: float) -> None:
        """Raise no alert for so long; 0 ends a snooze."""
        self._watching.snooze(minutes, self.hub.state.elapsed_s)
        self._publish()

    # The class.

    def start(self, *, paused: bool = False) -> None:
        """Begin on the runner's own thread; paused, if the class is one that goes on and was paused before."""
        if paused:
            self._go.clear()
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; returns whether it is there, and raises what went wrong."""
        # Not Thread.join: Python 3.11 takes a thread for ended when Ctrl-C interrupts that.
        over = self._over.wait(timeout_s)
        if self._error is not None:
            raise self._error
        return over

    def _guarded(self) -> None:
        try:
            if self._must_ask:
                self.ready.set()
                self._answered.wait()
            if not self._stopping.is_set():
                self._run()
            self._publish(phase="ended")
        except BaseException as error:  # noqa: BLE001 - carried to the thread that joins
            self._error = error
            text = str(error) if isinstance(error, ClassPulseError) else f"{type(error).__name__}: {error}"
            self._publish(phase="ended", trouble=text)
        finally:
            self.ready.set()
            self._over.set()

    def _run(self) -> None:
        reader = self._reader = open_reader(
            self._kind,
            self._settings,
            self._policy,
            roll=self._roll,
            room=self.room,
            meeting=self.meeting,
            fast=self._fast,
            cluster=self._cluster,
        )
        if self._stopping.is_set():  # when there was nothing to close yet
            reader.close()
            return
        if self._watch is not None and isinstance(reader, CameraReader):
            reader.watch_stages(self._watch.stage)
        recorder = None
        how: HowEnded = "failed"
        try:
            if self._on_open is not None:
                self._on_open(reader)
            recorder = self._recorder = self._start_session(reader.labels)
            session_id = recorder.session_id if recorder else None
            self._notebook.begin(recorder)
            self._watching.begin(recorder, self._policy)
            self.room.begin(self._policy)
            if self._kind.kind == "join":
                self.room.link.open()
            self._publish(phase="running" if self._go.is_set() else "paused", session_id=session_id)
            self.ready.set()
            with periodically(PUBLISH_EVERY_S, watch=lambda: self._look(reader, recorder), ask=self._ask):
                self._follow(reader, recorder)
            how = "stopped" if self._stopping.is_set() else "ended"
        finally:
            try:
                reader.close()
            finally:  # whatever else goes wrong, what was seen is stored
                self._notebook.end()
                health = self._pauses.without(reader.health)
                if recorder is not None:
                    recorder.finish(how, frames=health.frames, dropped=health.dropped)
                self._watching.close()
            self._publish(ended_how=how, health=health, trouble=self._trouble(recorder))

    def _trouble(self, recorder: SessionRecorder | None) -> str:
        return (recorder.trouble if recorder else "") or self._roll.trouble or self._watching.trouble

    def _start_session(self, labels: tuple[str, ...]) -> SessionRecorder | None:
        if self._store is None:
            return None
        state = self.hub.state
        return self._store.start_session(
            self._kind.name,
            kind=self._kind.kind,
            jurisdiction=state.jurisdiction,
            exemption=state.exemption,
            demo=state.demo,
            min_group=state.min_group,
            labels=labels,
            observations_hz=self._settings.storage.observations_hz,
            course_id=self._course_id,
        )

    def _follow(self, reader: Reader, recorder: SessionRecorder | None) -> None:
        progress = Progress(self._settings.window.length_s, self._min_group, self._settings)
        try:
            self._process(reader, recorder, progress)
        finally:
            last = progress.finish(self.hub.state.answers)
            if recorder is not None:
                if last is not None:
                    recorder.add_window(last)
                for appearance in self._appearances.finish():
                    recorder.add_appearance(appearance)
            with self._publishing:
                self._told = math.inf, 0.0  # nothing comes any more that `_look` would have to wait for
                self._publish(**progress.state(individual=False))

    def _results(self, reader: Reader, progress: Progress) -> Iterator[tuple[Frame, FrameResult]]:
        """The results of the class, without those of its pauses, until somebody stops it."""
        resumed_s = -math.inf
        for frame, result in reader.results():
            if self._stopping.is_set():
                return
            if not self._go.is_set():
                with self._pauses.pause(lambda: reader.health):
                    self._go.wait()
                progress.forget_now()
                resumed_s = time.monotonic()
            # Some were looked at ahead, here or on another machine, and are of the pause though they come after it.
            elif not reader.live or frame.captured_at >= resumed_s:
                yield frame, result

    def _process(self, reader: Reader, recorder: SessionRecorder | None, progress: Progress) -> None:
        for frame, fresh in self._results(reader, progress):
            result = self._roll.check(fresh)
            finished = progress.add(result, age_s=time.monotonic() - frame.captured_at, answers=self.hub.state.answers)
            if finished is not None:
                self._watching.add_window(finished, finished.answers)
            if recorder is not None:
                recorder.add(result)
                for appearance in self._appearances.add(result):
                    recorder.add_appearance(appearance)
                if finished is not None:
                    recorder.add_window(finished)
            for listener in self._listeners:
                listener(frame, result)
            now_s = time.monotonic()
            if now_s - self._told[0] >= PUBLISH_EVERY_S:
                told = progress.state(individual=self.hub.state.individual)
                self._told = now_s, told["elapsed_s"]
                self._publish(**told, health=self._pauses.without(reader.health), trouble=self._trouble(recorder))

    def _look(self, reader: Reader, recorder: SessionRecorder | None) -> None:
        """Tell how the class is doing while no result comes, however often others tell of answers and marks."""
        health = self._pauses.without(reader.health)
        self._watching.look(health, self.hub.state)
        with self._publishing:
            since_s = time.monotonic() - self._told[0]
            if since_s <= 1.5 * PUBLISH_EVERY_S:
                return
            changes: dict[str, Any] = {"health": health, "trouble": self._trouble(recorder)}
            waits = health.state == "waiting"
            if waits:
                changes |= {"now": None, "result": None}
            if (waits or not self._go.is_set()) and reader.live and math.isfinite(since_s):
                changes["elapsed_s"] = self._told[1] + since_s  # so that what is said and noted meanwhile has its time
            self._publish(**changes)

    def _ask(self) -> None:
        """Keep up who may be named and what is noted elsewhere, and delete what is too old."""
        self._roll.refresh()
        if self._store is not None:
            with suppress(StorageError):  # the recorder tells, if the store does not answer
                self._store.house.step()  # a little at a time: a class may go on past midnight
        self._notebook.look()

    def _publish(self, **changes: Any) -> None:  # noqa: ANN401 - fields of LiveState, checked by replace
        with self._publishing:
            state = self._watching.fill(self._notebook.fill(replace(self.hub.state, **changes)))
            if state.phase in {"paused", "ended"}:
                # A result that was on its way when somebody paused is not shown any more.
                state = replace(state, now=None, result=None)
            if state.result is not None:
                state = replace(state, result=self._roll.check(state.result))
            self.room.follow(state.phase)
            self.hub.publish(replace(state, attendees=self.room.attendees()))
            if self._watch is not None:
                self._watch.changed(state)
