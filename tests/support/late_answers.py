"""Answers of a server that come as late as a test wants, or never."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

PATIENCE_S = 30


class Held:
    """A page's requests that wait, from now on, until they are let go on."""

    def __init__(self, page: Page, url: str, method: str = "") -> None:
        self._page = page
        self._method = method
        self._routes: list[Route] = []
        page.route(url, self._take)

    def _take(self, route: Route) -> None:
        if self._method in {"", route.request.method}:
            self._routes.append(route)
        else:
            route.fallback()

    def __len__(self) -> int:
        """How many wait or have waited."""
        return len(self._routes)

    def __getitem__(self, i: int) -> Route:
        """One of them, as soon as it is there."""
        self.wait_for(i)
        return self._routes[i]

    def wait_for(self, i: int = 0) -> None:
        """Until there are so many and one."""
        end = time.monotonic() + PATIENCE_S
        while len(self._routes) <= i:
            assert time.monotonic() < end, "it was not asked for"
            self._page.wait_for_timeout(20)

    def go_on(self, i: int = 0) -> None:
        """Let one go on, until the page has its answer."""
        request = self[i].request
        with self._page.expect_response(lambda answer: answer.request == request):
            self[i].continue_()
        self._page.evaluate("new Promise((done) => setTimeout(done))")
