"""Anything live: a thread reads it, the newest frame wins, and what breaks is opened again."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Protocol

from classpulse.errors import SourceError
from classpulse.sources.base import Health
from classpulse.texts import phrase
from classpulse.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from classpulse.settings import StreamSettings
    from classpulse.types import Image

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
"""Pause before the first try to open a source again; every further one is twice as long."""
CLOSE_S = 1.0
"""How long `close` waits for the reader; one that is stuck in a device lets go of it by itself, later."""


class Capture(Protocol):
    """One open camera or connection, used by one thread at a time."""

    def read(self) -> Image:
        """Wait for the next picture, (height, width, 3) uint8, BGR.

        Raises:
            SourceError: it ended, failed, or stayed silent for too long.
        """
        ...

    def close(self) -> None:
        """Let go of the device or connection."""
        ...


class LiveSource:
    """A camera or stream as a source: it never ends by itself."""

    live = True
    total_frames = None

    def __init__(self, name: str, capture: Capture, reopen: Callable[[], Capture], settings: StreamSettings) -> None:
        """Wait for the first picture, so that a source that does not work at all is refused at once.

        Args:
            name: what to call it in sentences, without any password.
            capture: the open device or connection.
            reopen: opens it anew; raises `SourceError` when that fails.
            settings: how long to wait.

        Raises:
            SourceError: it gives no picture.
        """
        self.name = name
        self._reopen = reopen
        self._settings = settings
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._newest: Frame | None = None
        self._failure: Exception | None = None
        self._trouble = ""
        self._next_try_s = 0.0
        self._frames = self._dropped = self._reopened = self._failures = 0
        self._start_s = self._seen_s = time.monotonic()
        try:
            self._offer(capture.read())
        except BaseException:
            capture.close()
            raise
        self._thread = threading.Thread(target=self._read, args=(capture,), name=f"reader of {name}", daemon=True)
        self._thread.start()

    @property
    def health(self) -> Health:
        """How it is doing at this moment."""
        now_s = time.monotonic()
        with self._changed:
            state, message = "ok", ""
            if self._closed.is_set():
                state = "ended"
            elif self._trouble:
                pause_s = self._next_try_s - now_s
                again = (
                    phrase("trying again in {wait} s", wait=round(pause_s))
                    if pause_s >= 1
                    else phrase("trying again now")
                )
                state, message = "waiting", f"{self._trouble}; {again}"
            elif now_s - self._seen_s > self._settings.timeout_s:
                message = phrase(
                    "{name} has given no picture for {time} s", name=self.name, time=round(now_s - self._seen_s)
                )
                state = "waiting"
            return Health(
                state=state,
                message=message,
                frames=self._frames,
                dropped=self._dropped,
                reopened=self._reopened,
                failures=self._failures,
            )

    def frames(self) -> Iterator[Frame]:
        """Yield the newest frame, again and again, until `close` is called."""
        try:
            while (frame := self._take()) is not None:
                yield frame
        finally:
            self.close()

    def close(self) -> None:
        """End `frames` and let go of the device; returns within a second even if the device does not answer."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(CLOSE_S)

    def _take(self) -> Frame | None:
        with self._changed:
            while self._newest is None and self._failure is None and not self._closed.is_set():
                # Windows delivers Ctrl-C only between waits.
                self._changed.wait(0.5)
            if self._failure is not None:
                raise self._failure
            frame, self._newest = self._newest, None
            return None if self._closed.is_set() else frame

    def _offer(self, image: Image) -> None:
        with self._changed:
            self._dropped += self._newest is not None
            self._seen_s = time.monotonic()
            self._newest = Frame(image, self._seen_s - self._start_s, self._frames, self._seen_s)
            self._frames += 1
            if self._trouble:
                logger.info("%s gives pictures again", self.name)
                self._trouble = ""
                self._reopened += 1
            self._changed.notify_all()

    def _read(self, capture: Capture | None) -> None:
        """Read until closed; the reader alone touches the device, so nobody closes it under a read."""
        tries = 0
        try:
            while not self._closed.is_set():
                try:
                    capture = capture or self._reopen()
                    self._offer(capture.read())
                    tries = 0
                except SourceError as error:
                    if capture is not None:
                        capture.close()
                        capture = None
                    if not self._closed.is_set():  # a device that lets go after the end is not tried again
                        self._wait(str(error), tries)
                    tries += 1
        except Exception as error:  # noqa: BLE001 - whoever waits for frames must learn of it
            with self._changed:
                self._failure = error
                self._changed.notify_all()
        finally:
            if capture is not None:
                capture.close()

    def _wait(self, trouble: str, tries: int) -> None:
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(tries, 16), self._settings.reopen_max_s)
        with self._changed:
            self._trouble = trouble
            self._failures += 1
            self._next_try_s = time.monotonic() + pause_s
        logger.warning("%s; trying again in %.0f s", trouble, pause_s)
        self._closed.wait(pause_s)
