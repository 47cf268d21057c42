"""The stream of server-sent events: every reader gets the newest state, at its own pace."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from classpulse.texts import catalogue
from classpulse.web.language import retold
from classpulse.web.schema import NOBODY, AboutPeople, Windows, live_window, state_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from classpulse.hub import Hub, LiveState
    from classpulse.insight.engagement import ClassWindow
    from classpulse.web.access import Audience
    from classpulse.web.names import NameTags

RETRY_MS = 1000
"""How long a browser waits before it connects again."""


class Feed:
    """What the live page listens to.

    A state leaves as soon as it is there, but not right after another, so that a burst of states costs one
    event; a slow reader, which is only asked for its next event when the last one has left, misses states in
    place of piling them up.

    Attributes:
        open: how many streams are open.
    """

    def __init__(
        self, hub: Hub, interval_s: float = 0.2, heartbeat_s: float = 5.0, *, tags: NameTags | None = None
    ) -> None:
        """Read from `hub`, at most every `interval_s`, and give a sign of life at least every `heartbeat_s`.

        Args:
            hub: where the newest state is.
            interval_s: between two events; a little less than between two results, so that none has to wait.
            heartbeat_s: between two signs of life.
            tags: give cards their names, for readers who may know them; None gives none.
        """
        self._tags = tags
        self._hub = hub
        self._interval_s = interval_s
        self._heartbeat_s = heartbeat_s
        self._closed = False
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.open = 0
        self._encoded: dict[tuple[Audience, str], tuple[int, bytes]] = {}
        hub.listen(self._wake)

    def _wake(self) -> None:
        for loop, fresh in tuple(self._waiting):
            with suppress(RuntimeError):  # its server has ended
                loop.call_soon_threadsafe(fresh.set)

    def close(self) -> None:
        """End every open stream; each ends within one interval."""
        self._closed = True
        self._wake()

    async def events(self, *, audience: Audience = "class", language: str = "en") -> AsyncIterator[bytes]:
        """Yield events for one reader until `close`: `windows` (the chart's), `state`, and `ping`.

        Args:
            audience: what of the class the reader may be told.
            language: of the sentences; one of `texts.LANGUAGES`.
        """
        self.open += 1
        fresh = asyncio.Event()
        me = asyncio.get_running_loop(), fresh
        self._waiting.add(me)
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            seen, shown = -1, None
            while not self._closed:
                fresh.clear()
                version, state = self._hub.wait(seen, 0)
                if version > seen:
                    yield await self._state_event(version, state, audience, language) + windows_event(shown, state)
                    seen, shown = version, state
                    await asyncio.sleep(self._interval_s)
                elif not await _told(fresh, self._heartbeat_s):
                    yield b"event: ping\ndata:\n\n"
        finally:
            self._waiting.discard(me)
            self.open -= 1

    async def _state_event(self, version: int, state: LiveState, audience: Audience, language: str) -> bytes:
        known, event = self._encoded.get((audience, language), (-1, b""))
        if known != version:
            people = NOBODY
            if audience == "names" and self._tags is not None:
                # Names come from the database, which may take its time.
                names = await asyncio.to_thread(self._tags.names, state)
                people = AboutPeople(self._tags.recognizes(state), names)
            told = seen_by(audience, retold(state, catalogue(language)))
            event = f"event: state\ndata: {state_of(told, people).model_dump_json(exclude_unset=True)}\n\n".encode()
            self._encoded[audience, language] = version, event
        return event


async def _told(fresh: asyncio.Event, patience_s: float) -> bool:
    """Whether there is something new before so many seconds are over."""
    try:
        async with asyncio.timeout(patience_s):
            return await fresh.wait()
    except TimeoutError:
        return False


def seen_by(audience: Audience, state: LiveState) -> LiveState:
    """The state without what somebody is not to see."""
    return replace(state, individual=False) if audience == "class" else state


def windows_event(before: LiveState | None, after: LiveState) -> bytes:
    """The event that brings a chart from the state `before` to the state `after`; empty if nothing is new."""
    reset = before is None or before.session_id != after.session_id
    known = None if reset or before is None or not before.history else before.history[-1]
    fresh: list[ClassWindow] = []
    for window in reversed(after.history):
        if window == known:
            break
        fresh.insert(0, window)
    else:
        reset = reset or known is not None
    if not (reset or fresh):
        return b""
    windows = Windows(reset=reset, windows=[live_window(w, after) for w in fresh])
    return f"event: windows\ndata: {windows.model_dump_json()}\n\n".encode()
