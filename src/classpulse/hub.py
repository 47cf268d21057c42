"""Where the runner leaves the newest state of the class and everybody who shows it picks it up.

There is one writer (the runner's thread) and any number of readers; a reader that is slow misses
states and never holds up the class.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from classpulse.joining.participant import Attendees
from classpulse.sources.base import Health

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.insight.engagement import ClassWindow
    from classpulse.insight.moments import Alert, AnswerCounts, ClassState, Mark, Said
    from classpulse.policy import Exemption, Policy
    from classpulse.settings import Jurisdiction
    from classpulse.storage.recorder import HowEnded
    from classpulse.types import FrameResult

Phase = Literal["asking", "starting", "running", "paused", "ended"]


@dataclass(frozen=True, slots=True)
class LiveState:
    """All that the live page shows, at one moment.

    Attributes:
        phase: `"asking"` while nobody has said which law is in force, then `"starting"`, `"running"`,
            `"paused"` and at last `"ended"`.
        source: the source's name.
        health: how the source is doing.
        jurisdiction: the law in force, None for a trial on recorded or made-up pictures.
        exemption: why the ban of that law does not apply here, as was declared; None otherwise.
        camera: whether the class has a camera of its own, and is not of students' devices alone.
        demo: whether this is the built-in demo, the one class whose figures may come from few people.
        individual: whether single faces are shown.
        min_group: fewest people a figure may come from.
        session_id: the number under which the class is stored; None before it starts.
        elapsed_s: time since the class began; that of a live source goes on in a pause, and while it gives no picture.
        ended_how: how the class ended; None while it runs, and where it never began.
        results_per_s: pictures read per second lately; once the class has ended, over all of it but its pauses.
        age_ms: time from a frame's capture to its result.
        now: the last few seconds of the class, still growing; None until there is one, and while no picture comes.
        history: the class's finished windows, oldest first, the last half hour at most.
        result: the newest frame's faces; None unless `individual`.
        class_state: how the class follows, in one word; None before the first window, while no picture comes, and where
            the law forbids to read it from faces and nobody was asked.
        marks: what the teacher noted, oldest first.
        alerts: what the class was told of, oldest first.
        alerts_on: whether alerts are raised at all, by the settings.
        snoozed_until_s: no alert is raised before; None where none is held back.
        answers: what students said of themselves; None where nobody was asked.
        attendees: who takes part by link, as counts.
        trouble: one sentence about what is wrong beside the source (the disk is full, say); empty if nothing.
    """

    phase: Phase = "starting"
    source: str = ""
    health: Health = field(default_factory=Health)
    jurisdiction: Jurisdiction | None = None
    exemption: Exemption | None = None
    camera: bool = True
    demo: bool = False
    individual: bool = False
    min_group: int = 5
    session_id: int | None = None
    elapsed_s: float = 0.0
    ended_how: HowEnded | None = None
    results_per_s: float = 0.0
    age_ms: float = 0.0
    now: ClassWindow | None = None
    history: tuple[ClassWindow, ...] = ()
    result: FrameResult | None = None
    class_state: ClassState | None = None
    marks: tuple[Mark, ...] = ()
    alerts: tuple[Alert, ...] = ()
    alerts_on: bool = True
    snoozed_until_s: float | None = None
    answers: AnswerCounts | None = None
    attendees: Attendees = field(default_factory=Attendees)
    trouble: str = ""


class Controls(Protocol):
    """What the page may ask of the runner; every call returns at once and may come from any thread."""

    def pause(self) -> None:
        """Stop looking until `resume`; nothing is read or stored meanwhile."""

    def resume(self) -> None:
        """Go on after a pause."""

    def stop(self) -> None:
        """End the class."""

    def answer_jurisdiction(self, policy: Policy, answered_by: str) -> None:
        """Say which law is in force, when the phase is `"asking"`; it is stored with who said so."""

    def mark(self, label: str) -> None:
        """Note something at this moment of the class.

        Raises:
            MomentError: it is no label, or the class has as many marks as it may have.
        """

    def unmark(self, time_s: float, label: str) -> None:
        """Take away the mark of this time, to a millisecond, and label.

        Raises:
            MomentError: there is none.
        """

    def snooze(self, minutes: float) -> None:
        """Raise no alert for so long; 0 ends a snooze."""

    def answer(self, participant: str, said: Said) -> None:
        """A student says how they follow; it takes the place of what they said before.

        Raises:
            MomentError: it is no answer, or the class has as many as it may have.
        """


class Hub:
    """The newest `LiveState`, with a number that grows with every change."""

    def __init__(self) -> None:
        """Start with an empty state, version 0."""
        self._changed = threading.Condition()
        self._state = LiveState()
        self._version = 0
        self._listeners: list[Callable[[], None]] = []

    @property
    def state(self) -> LiveState:
        """The newest state."""
        return self._state

    def publish(self, state: LiveState) -> None:
        """Put a new state in the old one's place and wake those who wait."""
        with self._changed:
            self._state = state
            self._version += 1
            self._changed.notify_all()
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this after every change, on the thread that made it; it must return at once."""
        self._listeners.append(listener)

    def wait(self, seen: int, timeout_s: float) -> tuple[int, LiveState]:
        """Wait for a state newer than version `seen`, at most `timeout_s`; returns the newest with its version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version > seen, timeout_s)
            return self._version, self._state
