"""What a source counts while the class is paused: pictures that nobody was to look at, and that nobody missed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.sources.base import Health


class Pauses:
    """Takes the pictures of pauses out of a source's counts. One thread pauses; any may ask for the counts.

    >>> from classpulse.sources.base import Health
    >>> counted = iter([Health(frames=50, dropped=1), Health(frames=950, dropped=900)])
    >>> pauses = Pauses()
    >>> with pauses.pause(lambda: next(counted)):
    ...     pauses.without(Health(frames=600, dropped=550)).dropped
    1
    >>> pauses.without(Health(frames=960, dropped=902))
    Health(state='ok', message='', frames=60, dropped=3, reopened=0, unread=0, failures=0)
    """

    def __init__(self) -> None:
        """There was no pause yet."""
        # Frames and dropped ones of pauses, and what was counted when this one began: one value, as any thread may ask.
        self._left_out: tuple[int, int, Health | None] = 0, 0, None

    @contextmanager
    def pause(self, health: Callable[[], Health]) -> Iterator[None]:
        """The class is paused while the block runs; `health` tells what the source has counted at a moment."""
        (frames, dropped, _), since = self._left_out, health()
        self._left_out = frames, dropped, since
        try:
            yield
        finally:
            now = health()
            self._left_out = frames + now.frames - since.frames, dropped + now.dropped - since.dropped, None

    def without(self, health: Health) -> Health:
        """How the source is doing, without what it counted in pauses."""
        frames, dropped, since = self._left_out
        counted = since or health
        return replace(health, frames=counted.frames - frames, dropped=counted.dropped - dropped)
