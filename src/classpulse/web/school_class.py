"""The pages of each class of a school: of those that run here, and of those that do not, from what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from weakref import WeakSet

from classpulse.hub import Hub, LiveState
from classpulse.joining.room import Room
from classpulse.law import law_in_force
from classpulse.policy import Task
from classpulse.web.app import create_app
from classpulse.web.join_models import DeviceModels
from classpulse.web.limits import Limits
from classpulse.web.office import Office

if TYPE_CHECKING:
    from fastapi import FastAPI

    from classpulse.hub import Controls
    from classpulse.runner import Runner
    from classpulse.settings import Settings
    from classpulse.storage.course import Course
    from classpulse.storage.store import Store
    from classpulse.vision.meeting import MeetingView

THE_SERVER = "the school's server"
"""Who looks names up for a class's page, for the audit log."""


class ClassPages:
    """Makes the pages of classes; a call makes those of one that runs.

    Attributes:
        base_url: where others find the school's pages, with a slash at its end; known once the port is taken.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        """Make none yet."""
        self.base_url = ""
        self._store, self._settings = store, settings
        self._apps: WeakSet[FastAPI] = WeakSet()
        self._limits = Limits()  # one for all, so that guesses tell nothing of which classes there are
        self._closed = False

    def __call__(self, course: Course, runner: Runner, controls: Controls, settings: Settings) -> FastAPI:
        """The pages of a class that runs here."""
        app = self._made(
            runner.hub,
            controls,
            settings,
            runner.room,
            meeting=runner.meeting,
        )
        app.state.access.base_url = f"{self.base_url}c/{course.slug}/"
        self._apps.add(app)
        if self._closed:
            app.state.feed.close()
        return app

    def idle(self) -> FastAPI:
        """The pages of every class that does not run: what was stored of it, as who asks has been looked at before.

        Students and strangers are told by it what they are told by a class that is not there.
        """
        hub = Hub()
        hub.publish(LiveState(phase="ended"))
        # A class that is over has no button that does anything: every endpoint looks at its phase first.
        app = self._made(hub, cast("Controls", None), self._settings, Room.of_nobody(self._settings.join))
        app.state.device_models = DeviceModels(self._settings, app.state.files, lambda _: self._law_lets_devices_read())
        return app

    def _made(
        self, hub: Hub, controls: Controls, settings: Settings, room: Room, meeting: MeetingView | None = None
    ) -> FastAPI:
        app = create_app(
            hub,
            controls,
            self._store,
            office=Office(self._store, settings, THE_SERVER),
            room=room,
            settings=settings,
            meeting=meeting,
            in_school=True,
        )
        app.state.limits = app.state.access.limits = self._limits
        return app

    def _law_lets_devices_read(self) -> bool:
        """Whether networks are given out, whatever the class is: all of a school are under one law."""
        return law_in_force(self._store, self._settings).allows(Task.EMOTION)

    def streams(self) -> int:
        """How many event streams are open."""
        return sum(app.state.feed.open for app in list(self._apps))

    def close(self) -> None:
        """End every open event stream: the server ends."""
        self._closed = True
        for app in list(self._apps):
            app.state.feed.close()
