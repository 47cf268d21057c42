"""The classes that this process runs: opened, kept, and ended in good order."""

from __future__ import annotations

import logging
import platform
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from classpulse.errors import ClassPulseError, CourseError, SourceError, StorageError
from classpulse.law import law_in_force
from classpulse.school.allowed import allowed_source
from classpulse.school.held import HeldClass, HeldControls
from classpulse.school.overrides import settings_of
from classpulse.sources import SourceKind, describe, require_present
from classpulse.storage.runs import LEFT, LEFT_PAUSED, RunState
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from classpulse.cluster.connection import Cluster
    from classpulse.hub import Controls
    from classpulse.operations import Operations
    from classpulse.runner import Runner
    from classpulse.school.held import Pages
    from classpulse.settings import Settings
    from classpulse.storage.course import Course
    from classpulse.storage.runs import Process
    from classpulse.storage.store import Store

    MakeApp = Callable[[Course, Runner, Controls, Settings], Pages]

logger = logging.getLogger(__name__)

KEEP_S = 1800.0
"""How long the page of a class that is over stays as it was."""
DRAIN_S = 20.0
"""How long a class may take to end when the process does."""


class OwnClasses:
    """What one process of a school runs. May be used from any thread.

    Attributes:
        cluster: the machines that read its classes; None where it reads them itself.
        operations: is told of its classes, for whoever runs the server; None tells nobody.
    """

    def __init__(self, store: Store, settings: Settings, me: Process, make_app: MakeApp) -> None:
        """Run nothing yet; see `School`."""
        self._store, self._settings, self._me = store, settings, me
        self._make_app = make_app
        self._runs, self._courses = store.runs(), store.courses(on_bus=True)
        self._lock, self._settling = threading.RLock(), threading.Lock()
        self._held: dict[int, HeldClass] = {}
        self._opening: dict[int, Course] = {}
        self._closed = False
        self.cluster: Cluster | None = None
        self.operations: Operations | None = None
        self._opener = ThreadPoolExecutor(1, "opening")

    def get(self, course_id: int) -> HeldClass | None:
        """A course that this process runs, or ran last."""
        with self._lock:
            return self._held.get(course_id)

    def states(self) -> dict[int, RunState]:
        """How each that goes on does now."""
        with self._lock:
            opening = {number: RunState("starting") for number in self._opening}
            return opening | {number: held.state for number, held in self._held.items() if held.live}

    @property
    def full(self) -> bool:
        """Whether no more fit."""
        return len(self.states()) >= self._settings.serve.most_classes

    def check(self, course: Course) -> SourceKind:
        """Whether a course could begin here; returns what its source means.

        Raises:
            CourseError: its settings make no sense, or nobody has said which law is in force.
            SourceError: its source is not there, or was given on a page and is not allowed.
        """
        settings = settings_of(self._settings, course.overrides)
        kind = describe(course.source) if course.trusted else allowed_source(course.source, settings.serve)
        if kind.real and law_in_force(self._store, settings).jurisdiction is None:
            message = phrase(
                "Nobody has said yet which law is in force here: an admin says so on the page of all classes."
            )
            raise CourseError(message, "law")
        _require_present(kind)
        return kind

    def open(self, course: Course, *, paused: bool = False) -> None:
        """Begin a course soon; this process is its owner already.

        It is done beside the signs of life: the first class of a process has a second of imports to wait for.
        """
        with self._lock:
            self._held.pop(course.id, None)
            self._opening[course.id] = course
        self._opener.submit(self._open, course, paused=paused)

    def _open(self, course: Course, *, paused: bool) -> None:
        trouble = ""
        try:
            held = self._build(course)
            with self._lock:
                if self._closed or course.id not in self._opening:
                    return
                self._held[course.id] = held
                held.runner.start(paused=paused)
        except ClassPulseError as error:
            trouble = str(error)
        except Exception as error:  # whatever it is, the others are to hear of it
            logger.exception("class %d could not be opened", course.id)
            trouble = f"{type(error).__name__}: {error}"
        finally:
            with self._lock:
                self._opening.pop(course.id, None)
        if trouble:
            with suppress(StorageError):  # then it falls silent, and the others see that
                self._courses.want(course, wanted=False)
                self._runs.release(self._me, {course.id: RunState("ended", trouble=trouble)})

    def _build(self, course: Course) -> HeldClass:
        import cv2  # noqa: PLC0415 - a server without a class needs neither OpenCV nor networks

        from classpulse.roll import feed_from  # noqa: PLC0415
        from classpulse.runner import Runner  # noqa: PLC0415

        kind = replace(self.check(course), name=course.name)
        overrides = {"join.title": course.name, **course.overrides}
        settings = settings_of(self._settings, overrides, share=self._settings.serve.most_classes)
        if not course.trusted:  # whoever named the address is not the one who runs the server
            guarded = settings.stream.model_copy(update={"guarded": True, "networks": settings.serve.networks})
            settings = settings.model_copy(update={"stream": guarded})
        cv2.setNumThreads(settings.threads)
        runner = Runner(
            kind,
            settings,
            self._store,
            policy=law_in_force(self._store, settings),
            feed=feed_from(self._store, settings),
            course_id=course.id,
        )
        runner.read_on(self.cluster)
        if self.operations is not None:
            runner.watched_by(self.operations.watch(course.id))
        controls = HeldControls(runner, on_stop=lambda: self._unwant(course))
        return HeldClass(course, runner, self._make_app(course, runner, controls, settings))

    def _unwant(self, course: Course) -> None:
        with suppress(StorageError):  # it is said again when the class is settled
            self._courses.want(course, wanted=False)

    def lose(self, lost: Iterable[int]) -> None:
        """Other processes run these: they had taken this one for dead."""
        for number in lost:
            with self._lock:
                held = self._held.pop(number, None)
                self._opening.pop(number, None)
            if held is not None:
                logger.warning("class %d is run by another process now", number)
                held.runner.stop()
                self._leave(number)

    def stop(self, unwanted: Container[int]) -> None:
        """End those that nobody wants to run any more."""
        with self._lock:
            going = [held for number, held in self._held.items() if held.live and number in unwanted]
        for held in going:
            held.runner.stop()

    def forget_but(self, known: Container[int]) -> None:
        """Forget the pages of classes that were removed: SQLite gives the number of the last one to the next one."""
        with self._lock:
            gone = [number for number, held in self._held.items() if held.settled_s is not None and number not in known]
            for number in gone:
                del self._held[number]
        for number in gone:
            self._leave(number)

    def settle(self) -> None:
        """Tell the other processes of classes that are over, and forget the pages of those that have been for long.

        Raises:
            StorageError: the database does not answer.
        """
        # One at a time: of two, the second could take for over what was begun anew after the first had told of its end.
        with self._settling:
            with self._lock:
                over = [held for held in self._held.values() if not held.live]
            for held in over:
                if held.settled_s is None:
                    self._courses.want(held.course, wanted=False)
                    self._runs.release(self._me, {held.course.id: held.state})
                    held.settled_s = time.monotonic()
                elif time.monotonic() - held.settled_s > KEEP_S:
                    with self._lock:
                        self._held.pop(held.course.id, None)
                    self._leave(held.course.id)

    def _leave(self, number: int) -> None:
        if self.operations is not None:
            self.operations.leave(number)

    def close(self) -> None:
        """End every class in good order, and leave those that went on for the next process to go on with."""
        with suppress(StorageError):
            self.settle()
        with self._lock:
            self._closed = True
            left = {number: RunState(LEFT) for number in self._opening}
            going = [held for held in self._held.values() if held.live]
        for held in going:
            paused = held.state.phase == "paused"
            left[held.course.id] = replace(held.state, phase=LEFT_PAUSED if paused else LEFT)
            held.runner.stop()
        self._opener.shutdown(cancel_futures=True)
        deadline = time.monotonic() + DRAIN_S
        for held in going:
            with suppress(Exception):  # the class has told what was wrong
                held.runner.join(max(0.1, deadline - time.monotonic()))
        with suppress(StorageError):  # then they go on once it is seen that this process is no more
            self._runs.release(self._me, left)


def _require_present(kind: SourceKind) -> None:
    try:
        require_present(kind)
    except SourceError:
        if kind.kind != "webcam":
            raise
        # In a school whoever begins a class does not sit at the machine that runs it.
        message = phrase(
            "There is no webcam {number} at the machine {host}: plug one in there.",
            number=kind.target,
            host=platform.node(),
        )
        raise SourceError(message) from None
