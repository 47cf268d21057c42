"""The stream of server-sent events: every reader gets the newest state, at its own pace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from classpulse.web.schema import Windows, group_limit, state_of, window_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from classpulse.hub import Hub, LiveState
    from classpulse.insight.engagement import ClassWindow

RETRY_MS = 1000
"""How long a browser waits before it connects again."""


class Feed:
    """What the live page listens to.

    The hub is looked at a few times a second and per reader, so that a burst of states costs one
    event and a slow reader, which is only asked for its next event when the last one has left,
    misses states in place of piling them up.
    """

    def __init__(self, hub: Hub, interval_s: float = 0.25, heartbeat_s: float = 5.0) -> None:
        """Read from `hub`, at most every `interval_s`, and give a sign of life at least every `heartbeat_s`."""
        self._hub = hub
        self._interval_s = interval_s
        self._beats = max(1, round(heartbeat_s / interval_s))
        self._closed = False
        self._encoded = (-1, b"")

    def close(self) -> None:
        """End every open stream; each ends within one interval."""
        self._closed = True

    async def events(self) -> AsyncIterator[bytes]:
        """Yield events for one reader until `close`: `windows` (the chart's), `state`, and `ping`."""
        yield f"retry: {RETRY_MS}\n\n".encode()
        seen, quiet, shown = -1, 0, None
        while not self._closed:
            version, state = self._hub.wait(seen, 0)
            if version > seen:
                yield self._state_event(version, state) + windows_event(shown, state)
                seen, quiet, shown = version, 0, state
            elif (quiet := quiet + 1) >= self._beats:
                yield b"event: ping\ndata:\n\n"
                quiet = 0
            await asyncio.sleep(self._interval_s)

    def _state_event(self, version: int, state: LiveState) -> bytes:
        if self._encoded[0] != version:
            data = state_of(state).model_dump_json(exclude_unset=True)
            self._encoded = (version, f"event: state\ndata: {data}\n\n".encode())
        return self._encoded[1]


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
    windows = Windows(reset=reset, windows=[window_of(w, group_limit(after)) for w in fresh])
    return f"event: windows\ndata: {windows.model_dump_json()}\n\n".encode()
