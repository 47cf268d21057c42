"""A class that goes as a test says: a source whose frames come when they are called for, and somebody who watches."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from classpulse.sources.base import Health
from classpulse.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.hub import LiveState
    from classpulse.runner import Runner

PATIENCE_S = 60.0


class Script:
    """A source whose frames come when the test says so; it ends when it is told to, or is closed."""

    name = "script"
    live = True
    total_frames = None

    def __init__(self, picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None) -> None:
        """Show one picture, black if none is given."""
        self.health = Health()
        self.closed = False
        self.opened = 0
        self._picture = np.zeros((90, 160, 3), np.uint8) if picture is None else picture
        self._changed = threading.Condition()
        self._waiting = self._given = self._missed = 0
        self._over = False

    def open(self, *_arguments: object, **_options: object) -> Script:
        """Stand in for `open_source`."""
        self.opened += 1
        return self

    def give(self, count: int = 1) -> None:
        """Let frames come, a tenth of a second apart by the source's own clock."""
        with self._changed:
            self._waiting += count
            self._changed.notify_all()

    def miss(self, count: int) -> None:
        """Let frames come that nobody takes in time."""
        with self._changed:
            self._missed += count
            self._tell()

    def _tell(self) -> None:
        self.health = Health(frames=self._given + self._missed, dropped=self._missed)

    @property
    def frames_in_all(self) -> int:
        """Those that were given, and those that wait."""
        with self._changed:
            return self._given + self._waiting

    def end(self) -> None:
        """Give what is waiting, then nothing more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def frames(self) -> Iterator[Frame]:
        while True:
            with self._changed:
                assert self._changed.wait_for(lambda: self._waiting or self._over or self.closed, PATIENCE_S)
                if self.closed or not self._waiting:
                    return
                self._waiting -= 1
                index = self._given
                self._given += 1
                self._tell()
            yield Frame(self._picture, index / 10, index)

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()


class Watcher:
    """Waits for what a runner's thread brings about."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    def until(self, condition: Callable[[LiveState], bool], *, giving: Script | None = None) -> LiveState:
        """Wait for a state; `giving` gives a frame now and then meanwhile: a state tells of the class with a result."""
        version, deadline = -1, time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            version, state = self.runner.hub.wait(version, 1.0 if giving is None else 0.3)
            if condition(state):
                return state
            if giving is not None:
                giving.give()
        pytest.fail(f"it never came about: {self.runner.hub.state}")
