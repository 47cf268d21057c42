"""Takes alerts from the class and tells them outside, on a thread of its own: the class never waits for it."""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from classpulse.notify.webhook import Message

MAX_WAITING = 20
"""Alerts that wait at most; with one in five minutes that is more than an hour and a half."""
CLOSE_S = 2.0
"""How long the end of a class waits for what is on its way."""

_log = logging.getLogger(__name__)


class Hook(Protocol):
    """Where messages are sent; `Webhook` is one."""

    @property
    def place(self) -> str:
        """The host, for sentences."""
        ...

    def send(self, message: Message) -> str:
        """Send one; returns why it failed, empty if it did not."""
        ...

    def stop(self) -> None:
        """Give up soon."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """How it went so far.

    Attributes:
        sent: messages that the webhook took.
        failed: messages that it did not take.
        shown: notifications that the desktop took.
        dropped: messages that did not fit in the queue, or were left when the class ended.
    """

    sent: int = 0
    failed: int = 0
    shown: int = 0
    dropped: int = 0


class Notifier:
    """Hands messages on to the desktop and a webhook; every call returns at once.

    A webhook that hangs or fails costs each message its own bound of time; messages that come meanwhile wait in a queue
    of `MAX_WAITING`, and the oldest of more are dropped and counted: the newest alert says what is so now.
    """

    def __init__(self, show: Callable[[str, str], bool] | None = None, hook: Hook | None = None) -> None:
        """Start the thread.

        Args:
            show: shows a title and a text on the desktop and returns whether it did; None shows nothing.
            hook: where messages are sent; None sends nothing.
        """
        self._show, self._hook = show, hook
        self._waiting: queue.Queue[Message | None] = queue.Queue(MAX_WAITING)
        self._counts = dict.fromkeys(Told.__slots__, 0)
        self._trouble = ""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self._thread.start()

    @property
    def told(self) -> Told:
        """How it went so far."""
        return Told(**self._counts)

    @property
    def trouble(self) -> str:
        """One sentence while the webhook takes nothing; empty otherwise."""
        return self._trouble

    def tell(self, message: Message) -> None:
        """Take a message; it is told soon, or dropped for newer ones where too many wait."""
        if self._closing.is_set():
            return
        while True:
            try:
                self._waiting.put_nowait(message)
            except queue.Full:
                with suppress(queue.Empty):  # the thread may have taken one meanwhile
                    self._waiting.get_nowait()
                    self._counts["dropped"] += 1
            else:
                return

    def close(self) -> None:
        """Tell what waits, for `CLOSE_S` at most; safe to call twice."""
        if self._closing.is_set():
            return
        self._closing.set()
        with suppress(queue.Full):  # a thread that has something to do looks by itself
            self._waiting.put_nowait(None)
        self._thread.join(CLOSE_S)
        while self._thread.is_alive() and (left := self._left()):
            self._counts["dropped"] += left
        if self._hook is not None:
            self._hook.stop()

    def _left(self) -> int:
        """Take out what waits; returns how many messages that were."""
        found = 0
        with suppress(queue.Empty):
            while True:
                found += self._waiting.get_nowait() is not None
        return found

    def _run(self) -> None:
        while (message := self._next()) is not None:
            if self._show is not None and self._show("Classpulse", message.alert.reason):
                self._counts["shown"] += 1
            if self._hook is not None:
                self._send(self._hook, message)

    def _next(self) -> Message | None:
        try:
            return self._waiting.get(block=not self._closing.is_set())
        except queue.Empty:
            return None

    def _send(self, hook: Hook, message: Message) -> None:
        try:
            failure = hook.send(message)
        except Exception as error:  # noqa: BLE001 - one message that cannot be sent is not the end of all others
            failure = type(error).__name__
        self._trouble = f"the webhook at {hook.place} does not take alerts: {failure}" if failure else ""
        self._counts["failed" if failure else "sent"] += 1
        if failure:
            _log.warning(self._trouble)
