"""Whether somebody has a page open: after a class its pages stay for as long as somebody does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from classpulse.web.access import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send


class Visits:
    """Counts what is asked of the pages of a class by whoever may watch it. May be read from any thread.

    Attributes:
        open: requests that are being answered now; the live page's stream of events is one for as long as it is open.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody has come yet; the clock gives seconds that do not run backwards."""
        self.open = 0
        self._clock = clock
        self._last_s = clock()

    @property
    def idle_s(self) -> float:
        """For how long nobody has had a page open, or asked for anything; 0 while somebody has, s."""
        return 0.0 if self.open else self._clock() - self._last_s

    def begin(self) -> None:
        """A request has come."""
        self.open += 1

    def end(self) -> None:
        """A request was answered, or whoever asked is gone."""
        self.open -= 1
        self._last_s = self._clock()


class Visited:
    """ASGI middleware behind the doors: tells `visits` of every request; those that are open to everybody are none."""

    def __init__(self, app: ASGIApp, visits: Visits) -> None:
        """Serve `app`."""
        self._app = app
        self._visits = visits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on what is asked for."""
        if scope["type"] != "http" or OPEN.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        self._visits.begin()
        try:
            await self._app(scope, receive, send)
        finally:
            self._visits.end()
