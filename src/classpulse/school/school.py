"""The classes of a school: those that this process runs, and those that others run, as far as they are told."""

from __future__ import annotations

import logging
import platform
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from classpulse.errors import ClassPulseError, CourseError, StorageError
from classpulse.school.own import OwnClasses
from classpulse.school.silence import LONGEST_LOOK_AWAY_S, Silence
from classpulse.storage.runs import ASKED, LEFT_PAUSED, Run, RunState
from classpulse.texts import phrase

if TYPE_CHECKING:
    from classpulse.school.held import HeldClass
    from classpulse.school.own import MakeApp
    from classpulse.settings import Settings
    from classpulse.storage.course import Course
    from classpulse.storage.runs import Process
    from classpulse.storage.store import Store

logger = logging.getLogger(__name__)

BEAT_S = 1.0
"""How often each process gives a sign of life of its classes, and looks at the others'."""
SILENT_S = 10.0
"""An owner that has given none for so long is taken for dead; one on the same machine is looked for at once."""
MOST_TAKEN = 3
"""A class that so many processes in a row have ended with soon after they began it is left alone."""
HOUSE_S, HOUSE_PAUSE_S = 60.0, 1.0
"""How often it is looked for what is too old, and how long others have the database to themselves after some of it."""
ASK_LOOKS = 12
"""How often it is looked, four times a second, whether another process takes a class that has no room here."""


class School:
    """What the pages of a school ask for. A context manager; may be used from any thread.

    Attributes:
        store: of the school.
        settings: all settings.
        me: this process.
        own: the classes that it runs.
        trouble: one sentence while the database does not answer; empty otherwise.
        looked: whether it has been seen what runs; before, nothing can be told of any class that is not this process's.
    """

    def __init__(self, store: Store, settings: Settings, me: Process, make_app: MakeApp) -> None:
        """Run nothing before `start`.

        Args:
            store: of the school.
            settings: all settings.
            me: this process, as the others are to know it.
            make_app: makes the pages of a class.
        """
        self.store, self.settings, self.me = store, settings, me
        self.own = OwnClasses(store, settings, me, make_app)
        self.trouble = ""
        self.looked = False
        self._runs, self._courses = store.runs(), store.courses(on_bus=True)
        self._seen: dict[int, Run] = {}
        self._silence = Silence()
        self._turned_s = time.monotonic()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._turn_on, name="school", daemon=True)
        self._house = threading.Thread(target=self._keep_house, name="house", daemon=True)

    def start(self) -> None:
        """Begin to give signs of life, and to go on with what dead processes left."""
        self._turned_s = time.monotonic()
        self._thread.start()
        self._house.start()

    def close(self) -> None:
        """End every class in good order, and leave those that went on for the next process to go on with."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
            self._house.join(SILENT_S)
        self.own.close()

    @property
    def turns(self) -> bool:
        """Whether classes are looked after: begun, ended, and taken over. If not, others take this process for dead.

        True as well before `start`, after `close`, and while the database says that it is away.
        """
        if self._thread.ident is None or self._closing.is_set():
            return True
        return self._thread.is_alive() and time.monotonic() - self._turned_s < SILENT_S

    # What the pages ask.

    def held(self, course_id: int) -> HeldClass | None:
        """A course that this process runs, or ran last."""
        return self.own.get(course_id)

    def run(self, course_id: int) -> Run | None:
        """How a course runs or ran last, as of a second ago."""
        return self._seen.get(course_id)

    def state(self, course_id: int) -> RunState | None:
        """How a course does now; None where it has never run."""
        held, run = self.held(course_id), self._seen.get(course_id)
        if held is not None and held.settled_s is None:
            return held.state
        return run.state if run is not None else None

    def begin(self, course: Course) -> None:
        """Have a course run: here if there is room, or else in another process.

        Raises:
            CourseError: it runs, nobody has said which law is in force, or there is no room anywhere.
            SourceError: its source is not there, or not allowed.
            StorageError: the database does not answer.
        """
        self.own.settle()
        run = self._runs.all().get(course.id)
        if run is not None and run.live and not self._is_dead(run):
            raise CourseError(phrase("This class is running already."), "running")
        elsewhere = course.host not in {None, platform.node()}
        if not elsewhere:
            self.own.check(course)
        if elsewhere or self.own.full:
            self._ask_others(course)
            return
        self._courses.want(course, wanted=True)
        if not self._claim(course, run):  # it changed meanwhile: begun by another process, or given up by one
            run = self._runs.all().get(course.id)
            if (run is not None and run.live) or not self._claim(course, run):
                return
        self.own.open(course)

    def _claim(self, course: Course, run: Run | None) -> bool:
        """Become the owner of a course; what its last owner left open is closed."""
        claimed = self._runs.claim(course.id, self.me, run)
        if claimed and run is not None and (run.live or run.waits):
            self._courses.close_torn(course.id)
        return claimed

    def end(self, course: Course) -> None:
        """Have a course run no more, whichever process runs it.

        Raises:
            CourseError: it does not run.
            StorageError: the database does not answer.
        """
        run = self._runs.all().get(course.id)
        if run is None or not (run.live or run.waits):
            raise CourseError(phrase("This class is not running."), "ended")
        self._courses.want(course, wanted=False)
        held = self.held(course.id)
        if held is not None and held.live:
            held.runner.stop()
        elif run.process is None or self._is_dead(run):
            self._runs.settle(run, _over(run))

    def _ask_others(self, course: Course) -> None:
        """Let another process run a course, or say that there is none that can."""
        self._courses.want(course, wanted=True)
        self._runs.ask(course.id)
        run = None
        for _ in range(ASK_LOOKS):
            time.sleep(BEAT_S / 4)
            run = self._runs.all().get(course.id)
            if run is None or run.process is not None:
                return
        if run is None or not self._runs.settle(run, _over(run)):
            return
        self._courses.want(course, wanted=False)
        if self.own.full:
            message = phrase(
                "{most} classes are running, and no more fit: end one first, or have the server's setting "
                "serve.max_classes raised.",
                most=self.settings.serve.most_classes,
            )
            raise CourseError(message, "full")
        message = phrase(
            "This class runs on the machine {host}, where its camera is, and Classpulse does not run there now.",
            host=course.host,
        )
        raise CourseError(message, "full")

    # Each second.

    def _turn_on(self) -> None:
        while not self._closing.wait(BEAT_S):
            try:
                self._turn()
            except ClassPulseError as error:
                if str(error) != self.trouble:
                    logger.warning("the school's classes cannot be looked after: %s", error)
                self.trouble = str(error)
            except Exception:
                logger.exception("the school's classes cannot be looked after")
            else:
                self.trouble = ""
            self._turned_s = time.monotonic()

    def _turn(self) -> None:
        states = self.own.states()
        if states:
            self.own.lose(self._runs.beat(self.me, states))
        self._require_writing()
        self.own.settle()
        seen = self._runs.all()
        self._silence.look(seen, time.monotonic())
        self._seen, self.looked = seen, True
        self.own.forget_but(seen)
        wanted = {course.id: course for course in self._courses.wanted()}
        # None that has begun since: somebody wanted it after this look at what is wanted.
        self.own.stop(states.keys() - wanted.keys())
        for run in filter(self._is_left, seen.values()):
            if run.course_id in wanted:
                self._go_on(wanted[run.course_id], run)
            elif self._runs.settle(run, _over(run)):  # its process was gone before it could tell that it has ended it
                self._courses.close_torn(run.course_id)

    def _require_writing(self) -> None:
        """See that the database takes what is written, before anybody's silence tells anything: theirs is written too.

        Raises:
            StorageError: it does not; then nobody is looked at.
        """
        for run in self._seen.values():
            if run.live and self._silence.silent_s(run) > LONGEST_LOOK_AWAY_S:
                self._runs.write_nothing(run.course_id)
                return

    def _is_left(self, run: Run) -> bool:
        """Whether nobody runs what is to run; a class of this very process that it lost track of is left, too."""
        mine = run.process is not None and run.process.id == self.me.id and run.course_id in self.own.states()
        return run.waits or (run.live and not mine and self._is_dead(run))

    def _is_dead(self, run: Run) -> bool:
        return self._silence.silent_s(run) >= SILENT_S or bool(self._runs.dead([run]))

    def _go_on(self, course: Course, run: Run) -> None:
        """Run a course that was left, if that may be and it can be done here."""
        if datetime.now(UTC) - run.beat_at > timedelta(minutes=self.settings.serve.go_on_within_min):
            self._give_up(course, run, "")
        elif run.live and run.taken >= MOST_TAKEN:
            self._give_up(course, run, phrase("This class ended its process several times in a row: look at the log."))
        elif course.host in {None, platform.node()} and not self.own.full:
            paused = run.state.phase in {"paused", LEFT_PAUSED}
            if self._claim(course, run):
                logger.info("class %d %s here", course.id, "begins" if run.state.phase == ASKED else "goes on")
                self.own.open(course, paused=paused)

    def _give_up(self, course: Course, run: Run, why: str) -> None:
        if self._runs.settle(run, replace(_over(run), trouble=why)):
            self._courses.want(course, wanted=False)
            self._courses.close_torn(course.id)
            logger.warning("class %d is not gone on with", course.id)

    # All the time.

    def _keep_house(self) -> None:
        """Delete what is too old, and write in what waits, also while no class runs that would see to it."""
        while not self._closing.wait(HOUSE_S):
            try:
                swept = False
                while self.store.house.step():
                    swept = True
                    if self._closing.wait(HOUSE_PAUSE_S):
                        return
                if swept:
                    self.store.house.scrub()
            except StorageError as error:
                logger.info("old rows are looked for later: %s", error)
            except Exception:
                logger.exception("old rows are not looked for")


def _over(run: Run) -> RunState:
    return RunState("ended", run.state.elapsed_s, session_id=run.state.session_id)
