"""A class whose pages are shown in any state, from one server."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from playwright.sync_api import expect
from school import NAMES, appearance, open_school
from stored_class import store_lesson

from classpulse.hub import Hub, LiveState
from classpulse.insight.estimate import Estimate
from classpulse.insight.moments import AnswerCounts
from classpulse.joining.room import Room
from classpulse.policy import Policy
from classpulse.settings import JoinSettings
from classpulse.web.app import create_app
from classpulse.web.office import Office
from classpulse.web.server import LiveServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page
    from school import School

    from classpulse.hub import Controls
    from classpulse.insight.engagement import ClassWindow
    from classpulse.types import FrameResult

ANSWERS = AnswerCounts(8, 3, 1)


@dataclass
class ShownClass:
    """A class whose pages are shown in the states that a test wants.

    Attributes:
        hub, room: of the class.
        server: of its pages.
        school: its people, and what is stored.
        own_page: the address of somebody's own page.
        report: the address of a report.
        state, window, result: make a state, five seconds of a class and the faces of a picture.
    """

    hub: Hub
    room: Room
    server: LiveServer
    school: School
    own_page: str
    report: str
    state: Callable[..., LiveState]
    window: Callable[..., ClassWindow]
    result: Callable[..., FrameResult]

    def show(self, page: Page, **changes: Any) -> None:
        """Open the teacher's page with a state that has these changes."""
        self.hub.publish(self.state(**changes))
        page.goto(self.server.url)
        expect(page.locator("#status")).not_to_have_text("Connecting")

    def history(self) -> tuple[ClassWindow, ...]:
        """A minute in which most face the screen."""
        share: dict[str, Any] = {"facing": Estimate(0.82, 0.74, 0.88), "attention": Estimate(0.7, 0.55, 0.8)}
        return tuple(replace(self.window(t), expected=13, posed=12, **share) for t in range(5, 65, 5))

    def answered(self) -> tuple[ClassWindow, ...]:
        """A minute in which nobody shows a face, and twelve answer."""
        nothing: dict[str, Any] = {"faces": 0.0, "people": 0, "read": 0, "labels": (), "mix": None, "uncertain": None}
        return tuple(replace(self.window(t), answers=ANSWERS, **nothing) for t in range(5, 65, 5))


@contextmanager
def shown_class(folder: Path, **makers: Any) -> Iterator[ShownClass]:
    """Serve a class that has people on file, a class that was held, and students who may join."""
    school, hub = open_school(folder), Hub()
    ids = [school.enrol(name, i, individual=True) for i, name in enumerate(NAMES)]
    lesson = store_lesson(school.store, 20)
    school.hold_class(
        appearance(1, ids[0], 2, 1200), appearance(7, ids[0], 1500, 2690), appearance(2, ids[1], 700, 2000)
    )
    own = school.people.link(ids[0], 1)
    room = Room(
        JoinSettings(ways=("answers", "device", "pictures")),
        camera=False,
        on_answer=lambda *_: None,
        on_erase=lambda *_: None,
    )
    room.begin(Policy("other"))
    room.follow("running")
    # Nothing that is asked for here presses a button that the class would have to hear.
    office = Office(school.store, school.settings, "T. Eacher")
    app = create_app(hub, cast("Controls", None), school.store, office=office, room=room, settings=school.settings)
    with school.store, LiveServer(app, "127.0.0.1", 0) as server:
        report = f"{server.url}api/v1/sessions/{lesson}/report.html"
        yield ShownClass(hub, room, server, school, f"{server.url}me/{own}", report, **makers)
