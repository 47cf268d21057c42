"""The room that a link opens: who is in it, what they say, and the newest of what was read of each.

A little over 300 lines: what comes in at the same time is put in order by one lock, and so stands in one place.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from classpulse.errors import ClassPulseError, JoinError
from classpulse.insight.moments import LEFT, SAID
from classpulse.joining.credentials import check_name, check_way
from classpulse.joining.link import ENDED, Link
from classpulse.joining.participant import Attendees, Seen, Standing
from classpulse.joining.seats import Seats
from classpulse.policy import Task
from classpulse.texts import phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.insight.moments import Left, Said
    from classpulse.joining.participant import Farewell, Membership, Shown
    from classpulse.joining.pictures import PictureReader
    from classpulse.joining.reading import Reading
    from classpulse.policy import Policy
    from classpulse.settings.groups import JoinSettings, Way


class Room:
    """The students who take part by link in one class. May be used from any thread; no call waits.

    Nothing of it is written anywhere: names, raised hands and who takes part end with the class. What students say and
    what is read of them goes the way of every class, under a number and a random id.

    Attributes:
        settings: who may come in, and how.
        policy: the law in force; None before it is known.
        phase: of the class.
        link: by which they come in.
        pictures: reads those that students send; None where that is not a way to take part.
    """

    def __init__(
        self,
        settings: JoinSettings,
        *,
        camera: bool,
        on_answer: Callable[[str, Said | Left], None],
        on_erase: Callable[[str, int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare an empty room without a link.

        Args:
            settings: who may come in, and how.
            camera: whether the class has a camera of its own, so that students only answer.
            on_answer: takes a participant's id and what they say, or that they left; raises what is to be told them.
            on_erase: deletes what is stored of a participant, by their id and their track.
            clock: seconds that do not run backwards.
        """
        self.settings = settings
        self._camera = camera
        self._on_answer, self._on_erase = on_answer, on_erase
        self._clock = clock
        self._lock = threading.Lock()
        self.policy: Policy | None = None
        self.phase = "starting"
        self.link = Link(3600 * settings.expires_h, clock)
        self.pictures: PictureReader | None = None
        self._seats = Seats(settings, clock)
        self._version = 0

    @classmethod
    def of_nobody(cls, settings: JoinSettings) -> Room:
        """The room of a class that does not run, or is not there: no code and no secret leads in, as no wrong one does.

        Args:
            settings: of a class.
        """
        room = cls(settings, camera=False, on_answer=lambda *_: None, on_erase=lambda *_: None)
        room.follow("ended")
        return room

    # The class.

    def begin(self, policy: Policy) -> None:
        """The law is known from now on, and with it the ways to take part."""
        self.policy = policy
        self.link.begin()

    def follow(self, phase: str) -> None:
        """The class is in this phase now; at its end everybody is sent off and the link is dead."""
        with self._lock:
            if phase == self.phase:
                return
            self.phase = phase
            if phase == "ended":
                self.link.end()
            for one in self._seats:
                one.tell("ended" if phase == "ended" else None)

    @property
    def ways(self) -> tuple[Way, ...]:
        """How a student may take part here, by the settings, the law and the kind of class."""
        reads = self.policy is not None and self.policy.allows(Task.EMOTION) and not self._camera
        return self.settings.ways if reads else ("answers",)

    # Coming and going.

    def join(self, code: str, name: str, way: Way) -> Membership:
        """Let a student in.

        Raises:
            JoinError: the link, the name or the way will not do, or as many take part as may.
        """
        with self._changing():
            self.link.require(code)
            check_way(way, self.ways)
            return self._seats.add(check_name(name, self.settings.names), way)

    def resume(self, secret: str) -> str:
        """The id of the participant with this secret, who was heard at this moment.

        Raises:
            JoinError: nobody takes part with it, or the class has ended.
        """
        with self._lock:
            one = self._seats.find(secret)  # first, so that only who took part is told that it was
            if self.phase == "ended":
                raise JoinError(ENDED, "over")
            one.heard_s = self._clock()
            return one.id

    def leave(self, participant: str, *, erase: bool = False) -> None:
        """A student leaves; their secret is dead.

        Args:
            participant: their id.
            erase: whether their answers and readings of this class are deleted, whatever the settings say.

        Raises:
            JoinError: they do not take part any more.
        """
        self._go(participant, "left", erase=erase)

    def remove(self, participant: str) -> None:
        """The teacher sends a student out; by the link they may come in again, under a new id.

        Raises:
            JoinError: they do not take part any more.
        """
        self._go(participant, "removed", erase=False)

    def _go(self, participant: str, reason: Farewell, *, erase: bool) -> None:
        with self._changing():
            one = self._seats.require(participant)
            self._seats.drop(one)
            one.tell(reason)
        with one.answering:
            if erase or self.settings.on_leave == "delete":
                self._on_erase(one.id, one.track)
            elif one.said is not None and self.phase in {"running", "paused"}:
                with suppress(ClassPulseError):  # nobody is kept in because a database is away
                    self._on_answer(one.id, LEFT)

    def connect(self, participant: str, tell: Callable[[Farewell | None], None]) -> None:
        """A device listens from now on; one that listened before under the same id is sent off.

        Args:
            participant: their id.
            tell: called when something changed that they are told, with None, or with why the connection is to end.
                It must not wait, nor call the room.

        Raises:
            JoinError: they do not take part any more.
        """
        with self._changing():
            one = self._seats.require(participant)
            one.tell("elsewhere")
            one.connection = tell
            one.heard_s = self._clock()

    def disconnect(self, participant: str, tell: Callable[[Farewell | None], None]) -> None:
        """A device listens no more: whoever does not come back in time counts as gone."""
        with self._changing():
            one = self._seats.get(participant)
            if one is not None and one.connection == tell:
                one.connection, one.seen = None, None
                one.heard_s = self._clock()

    # What a student does.

    def admits(self, participant: str) -> bool:
        """Whether one more message of theirs is listened to; one that is not is counted.

        Raises:
            JoinError: they do not take part any more.
        """
        with self._lock:
            one = self._seats.require(participant)
            return one.admits(self._clock())

    def take(self, participant: str, reading: Reading, *, way: Way = "device", at_s: float | None = None) -> None:
        """Take the newest of what was read of a student, in the place of what was read before.

        While the class is paused it is dropped.

        Args:
            participant: their id.
            reading: of their face.
            way: how it came to be.
            at_s: when it was captured, by `time.monotonic()`; now, if not given.

        Raises:
            JoinError: they do not take part any more, or not in this way.
        """
        with self._lock:
            one = self._seats.require(participant)
            one.require_way(way)
            one.heard_s = self._clock()
            at_s = self._clock() if at_s is None else at_s
            one.seen = Seen(one.track, reading, at_s) if self.phase == "running" else None

    def answer(self, participant: str, said: Said) -> None:
        """A student says how they follow.

        Raises:
            JoinError: they do not take part any more, it is no answer, or the class has not begun.
            MomentError: the class has as many answers as it may have.
        """
        if said not in SAID:
            message = f"'said' is one of {', '.join(SAID)}"
            raise JoinError(message, "message")
        with self._lock:
            one = self._seats.require(participant)
            one.heard_s = self._clock()
            if self.phase not in {"running", "paused"}:
                message = phrase("The class has not begun yet: try again in a moment.")
                raise JoinError(message, "early")
        with one.answering:
            self.standing(participant)  # they may have left while another answer was on its way
            self._on_answer(participant, said)
            with self._lock:
                one.said = said
                one.tell()

    def raise_hand(self, participant: str, *, up: bool) -> None:
        """A student's hand goes up or down; by the student or by the teacher.

        Raises:
            JoinError: they do not take part any more.
        """
        with self._lock:
            one = self._seats.require(participant)
            if up != (one.hand_since_s is not None):
                one.hand_since_s = self._clock() if up else None
                self._version += 1
                one.tell()

    def change_way(self, participant: str, way: Way) -> None:
        """A student takes part in another way from now on; what was read of them last is dropped at once.

        Raises:
            JoinError: they do not take part any more, or it is not a way to take part here.
        """
        with self._lock:
            one = self._seats.require(participant)
            check_way(way, self.ways)
            one.heard_s = self._clock()
            if way != one.way:
                one.way, one.seen = way, None
                self._version += 1
                one.tell()

    # What others see.

    def standing(self, participant: str) -> Standing:
        """What a student is told of themselves.

        Raises:
            JoinError: they do not take part any more.
        """
        with self._lock:
            one = self._seats.require(participant)
            return Standing(self.phase, one.way, one.said, one.hand_since_s is not None)

    def people(self) -> list[Shown]:
        """Everybody who takes part, raised hands first, the longest raised before the others; then in order of name."""
        with self._lock:
            return self._seats.shown()

    def attendees(self) -> Attendees:
        """Everybody who takes part, as counts."""
        with self._lock:
            present, hands = self._seats.counts()
            return Attendees(self.link.code, present, hands, self._version)

    def seen(self, within_s: float) -> list[Seen]:
        """What was read of each student in the last seconds, in the order in which they came in."""
        with self._lock:
            return self._seats.seen(within_s)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Hold the lock for something that the teacher's list shows."""
        with self._lock:
            yield
            self._version += 1
