"""A class that this process runs, or ran last; and how it does, in so few words that every process may know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classpulse.insight.disclosure import disclose
from classpulse.storage.runs import LIVE, RunState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from classpulse.hub import LiveState
    from classpulse.insight.moments import Said
    from classpulse.policy import Policy
    from classpulse.runner import Runner
    from classpulse.storage.course import Course

    Pages = Callable[[Any, Any, Any], Awaitable[None]]
    """An ASGI application; which framework made it is the web's own matter."""


class HeldClass:
    """One course in this process.

    Attributes:
        course: which.
        runner: runs it.
        app: its pages.
        settled_s: when the others were told that it is over, by `time.monotonic`; None before.
    """

    def __init__(self, course: Course, runner: Runner, app: Pages) -> None:
        """Take all three; the runner is started by whoever made this."""
        self.course, self.runner, self.app = course, runner, app
        self.settled_s: float | None = None

    @property
    def state(self) -> RunState:
        """How it does now."""
        return told(self.runner.hub.state)

    @property
    def live(self) -> bool:
        """Whether it goes on."""
        return self.runner.hub.state.phase in LIVE


class HeldControls:
    """What a class's page may ask, where whoever ends a class means that no other process is to go on with it."""

    def __init__(self, runner: Runner, on_stop: Callable[[], None]) -> None:
        """Hand on to a runner; `on_stop` is called before it is stopped."""
        self._runner, self._on_stop = runner, on_stop
        self.pause, self.resume = runner.pause, runner.resume
        self.mark, self.unmark, self.snooze = runner.mark, runner.unmark, runner.snooze

    def stop(self) -> None:
        """End the class."""
        self._on_stop()
        self._runner.stop()

    def answer_jurisdiction(self, policy: Policy, answered_by: str) -> None:
        """Say which law is in force: in a school, an admin has."""
        self._runner.answer_jurisdiction(policy, answered_by)

    def answer(self, participant: str, said: Said) -> None:
        """A student says how they follow."""
        self._runner.answer(participant, said)


def told(state: LiveState) -> RunState:
    """What the overview of a school's classes tells of one: nothing that its own page withholds.

    >>> from classpulse.hub import LiveState
    >>> from classpulse.joining.participant import Attendees
    >>> state = told(LiveState(phase="running", elapsed_s=4.2, attendees=Attendees(present=4)))
    >>> state.people is None, state.students
    (True, 4)
    """
    live = state.phase in LIVE
    people: object = None
    if live and not state.camera:
        people = state.attendees.present  # as its own page has it: nobody need show a face
    elif live and state.now:
        people = disclose(state.now, None if state.demo else state.min_group)["people"]
    return RunState(
        phase=state.phase,
        elapsed_s=state.elapsed_s,
        people=people if isinstance(people, int) else None,
        word=state.class_state.name if state.phase == "running" and state.class_state else None,
        session_id=state.session_id,
        trouble=state.trouble or (state.health.message if live else ""),
        students=state.attendees.present if live else None,
    )
