"""Anything that was recorded: played at its own pace, or flat out."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from classpulse.errors import SourceError
from classpulse.sources.base import Health

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from classpulse.types import Frame

CATCH_UP_S = 0.5
"""Longest search for a frame that is not late; then the next one is shown and the clock starts anew from it."""
LONGEST_WAIT_S = 60.0
"""A recording whose clock jumps further ahead was stopped meanwhile, or joined: nobody waits for hours."""
PAUSE_S = 2.0
"""Whoever stays away longer than this has paused, and the recording with him."""


class Recording(Protocol):
    """Frames that lie in a file.

    Attributes:
        name: what to call it in sentences.
        total_frames: how many there are, where that is known.
        interval_s: nominal time between two frames.
        trouble: what was wrong so far, one sentence; empty if nothing.
    """

    name: str
    interval_s: float

    @property
    def total_frames(self) -> int | None:
        """How many there are."""
        ...

    @property
    def trouble(self) -> str:
        """What was wrong so far."""
        ...

    def frames(self) -> Generator[Frame, None, None]:
        """Yield them in order, once; when the generator is closed, the file is."""
        ...


class Pace:
    """When the frames of a recording are due; pure arithmetic, the clock is the caller's."""

    def __init__(self, interval_s: float) -> None:
        """Start when the first frame comes.

        Args:
            interval_s: nominal time between two frames; a frame that is later than this has a newer one behind it.
        """
        self._interval_s = interval_s
        self._start_s: float | None = None
        self._left_s = 0.0
        self._back_s = 0.0

    def delay_s(self, time_s: float, now_s: float) -> float | None:
        """How long to wait before a frame is shown; None if it comes too late and is left out.

        >>> pace = Pace(interval_s=0.1)
        >>> [pace.delay_s(0.0, 7.0), round(pace.delay_s(0.2, 7.1), 3), pace.delay_s(0.3, 7.45)]
        [0.0, 0.1, None]
        """
        if self._start_s is None:
            self._start_s = now_s - time_s
            self._back_s = now_s
        ahead_s = self._start_s + time_s - now_s
        if ahead_s > LONGEST_WAIT_S:
            self._start_s, ahead_s = now_s - time_s, 0.0
        if ahead_s >= -self._interval_s:
            return max(0.0, ahead_s)
        if now_s - self._back_s > CATCH_UP_S:
            self._start_s = now_s - time_s
            return 0.0
        return None

    def left(self, now_s: float) -> None:
        """Note that a frame was handed out."""
        self._left_s = now_s

    def back(self, now_s: float) -> None:
        """Note that the next one is asked for."""
        self._back_s = now_s
        away_s = now_s - self._left_s
        if away_s > PAUSE_S and self._start_s is not None:
            self._start_s += away_s


class RecordedSource:
    """A recording as a source: it ends, and at its own pace late frames are left out and counted."""

    live = False

    def __init__(self, recording: Recording, *, fast: bool = False) -> None:
        """Read the first frame, so that a recording of which nothing can be read is refused at once.

        Args:
            recording: what to play.
            fast: every frame, as fast as they are asked for, instead of at their own pace.

        Raises:
            SourceError: not one frame can be read.
        """
        self.name = recording.name
        self.total_frames = recording.total_frames
        self._recording = recording
        self._fast = fast
        self._iterator = recording.frames()
        self._reading = threading.Lock()
        self._closed = threading.Event()
        self._ended = False
        self._captured = 0
        self._dropped = 0
        self._first: Frame | None = next(self._iterator, None)
        if self._first is None:
            raise SourceError(recording.trouble or f"{self.name} holds nothing that can be decoded: it is damaged")

    @property
    def health(self) -> Health:
        """How it is doing; damage is told in the message."""
        return Health(
            state="ended" if self._ended or self._closed.is_set() else "ok",
            message=self._recording.trouble,
            frames=self._captured,
            dropped=self._dropped,
        )

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the recording ends or `close` is called."""
        try:
            yield from self._flat_out() if self._fast else self._at_own_pace()
        finally:
            self._ended = True
            self.close()

    def skip_to(self, time_s: float) -> None:
        """Leave out the frames up to and with this time, seconds by the recording's clock; before `frames`."""
        while (frame := self._next()) is not None and frame.time_s <= time_s:
            pass
        if frame is not None:
            self._first, self._captured = frame, self._captured - 1

    def _flat_out(self) -> Iterator[Frame]:
        while (frame := self._next()) is not None:
            yield frame

    def _at_own_pace(self) -> Iterator[Frame]:
        pace = Pace(self._recording.interval_s)
        while (frame := self._next()) is not None:
            delay_s = pace.delay_s(frame.time_s, time.monotonic())
            if delay_s is None:
                self._dropped += 1
                continue
            if delay_s and self._closed.wait(delay_s):
                return
            shown_s = time.monotonic()
            pace.left(shown_s)
            # Read ahead of its time, it counts as captured when it is shown.
            yield replace(frame, captured_at=shown_s)
            pace.back(time.monotonic())

    def _next(self) -> Frame | None:
        with self._reading:
            if self._closed.is_set():
                return None
            frame, self._first = self._first or next(self._iterator, None), None
        if frame is not None:
            self._captured += 1
        return frame

    def close(self) -> None:
        """End `frames` and let go of the file; if another thread is just reading it, as soon as it has done so."""
        self._closed.set()
        if self._reading.acquire(timeout=1.0):
            try:
                self._iterator.close()
            finally:
                self._reading.release()
