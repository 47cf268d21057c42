"""The pages of each class of a school: of those that run here, and of those that do not, from what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from weakref import WeakSet

from classpulse.hub import Hub, LiveState
from classpulse.web.app import create_app
from classpulse.web.office import Office

if TYPE_CHECKING:
    from fastapi import FastAPI

    from classpulse.hub import Controls
    from classpulse.runner import Runner
    from classpulse.settings import Settings
    from classpulse.storage.course import Course
    from classpulse.storage.store import Store

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
        self._closed = False

    def __call__(self, course: Course, runner: Runner, controls: Controls, settings: Settings) -> FastAPI:
        """The pages of a class that runs here."""
        app = create_app(
            runner.hub,
            controls,
            self._store,
            office=Office(self._store, settings, THE_SERVER),
            room=runner.room,
            settings=settings,
            meeting=runner.meeting,
            in_school=True,
        )
        app.state.access.base_url = f"{self.base_url}c/{course.slug}/"
        self._apps.add(app)
        if self._closed:
            app.state.feed.close()
        return app

    def idle(self) -> FastAPI:
        """The pages of every class that does not run: what was stored of it, as who asks has been looked at before."""
        hub = Hub()
        hub.publish(LiveState(phase="ended"))
        office = Office(self._store, self._settings, THE_SERVER)
        # A class that is over has no button that does anything: every endpoint looks at its phase first.
        controls = cast("Controls", None)
        return create_app(hub, controls, self._store, office=office, settings=self._settings, in_school=True)

    def streams(self) -> int:
        """How many event streams are open."""
        return sum(app.state.feed.open for app in list(self._apps))

    def close(self) -> None:
        """End every open event stream: the server ends."""
        self._closed = True
        for app in list(self._apps):
            app.state.feed.close()
